package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// A Connector gets a bridge a link to a host: it dials one, or becomes one. It is called again
// when the link has broken; failures is how many links in a row broke before their host had
// been told everything. An error of it ends the bridge.
type Connector func(ctx context.Context, failures int) (Link, error)

// A Link is a connection to a host.
type Link struct {
	Conn Conn // which the bridge closes

	// Notice is what the client's user is shown about this host, "" for nothing.
	Notice string
}

// A Conn is one end of a connection whose two directions end by themselves.
type Conn interface {
	io.ReadWriteCloser
	CloseWrite() error // the other end reads the end of the input
}

// Pipe returns the two ends of a connection within the process.
func Pipe() (a, b Conn) {
	ar, bw := io.Pipe()
	br, aw := io.Pipe()
	return &pipeEnd{ar, aw}, &pipeEnd{br, bw}
}

type pipeEnd struct {
	*io.PipeReader
	w *io.PipeWriter
}

func (p *pipeEnd) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p *pipeEnd) CloseWrite() error           { return p.w.Close() }
func (p *pipeEnd) Close() error                { return errors.Join(p.PipeReader.Close(), p.w.Close()) }

const (
	triesMax = 3 // links that may break with a request before it is given up (B3)
	linksMax = 8 // links in a row that may break before their host knows all
)

// flushTimeout is how long the bridge's end waits for a client to read what was queued for it.
const flushTimeout = 2 * time.Second

// The bounds of what waits on either side (B7).
const (
	downBytesMax = 1 << 20   // for the client, before a host has to wait
	downOwnMax   = 256 << 20 // for the client, of all kinds, before it counts as gone
	upBytesMax   = 32 << 20  // for the host, before the client has to wait
	openMax      = 4096      // open requests, before the client has to wait
)

// A Bridge carries the messages between a client and one host after the other. See the
// package comment. Make it with [NewBridge], call [Bridge.Run] once.
type Bridge struct {
	client  io.ReadWriteCloser
	connect Connector
	log     *slog.Logger
	down    *downward

	mu       sync.Mutex
	change   sync.Cond                // broadcast when anything below changes
	state    state                    // guarded by mu
	kept     log                      // guarded by mu
	open     map[jsonrpc2.ID]*message // guarded by mu: requests that are not answered
	link     *link                    // guarded by mu: nil in all states but linked
	links    int                      // guarded by mu: made so far
	asks     map[int64]*asked         // guarded by mu: requests of hosts that the client has not answered
	askID    int64                    // guarded by mu: last one given out
	tokens   map[string]*shownToken   // guarded by mu: progress the client is shown, by its token
	used     map[string]bool          // guarded by mu: tokens that hosts have made
	given    map[string][]byte        // guarded by mu: what the client has registered, by id
	shown    map[string]bool          // guarded by mu: files the client shows diagnostics of
	notices  [][]byte                 // guarded by mu: messages that wait for the answer to initialize
	greeted  bool                     // guarded by mu: initialize has been answered
	shutdown bool                     // guarded by mu: the client has asked for shutdown
	exited   bool                     // guarded by mu: the client has said exit
	ended    bool                     // guarded by mu: the client's input has ended
	broken   error                    // guarded by mu: why the client cannot be talked to any more
}

// A link is a connection to a host while the bridge uses it.
type link struct {
	Link
	number int

	// Guarded by the bridge's mutex.
	next   int               // number of the first message in the log that was not sent
	unsent int               // bytes of those
	dead   bool              // nothing more is to be sent
	agreed bool              // the host has answered the bridge's own initialize
	ready  bool              // the host has been told the state; the log follows
	tokens map[string][]byte // tokens of the host by what the client knows them as
}

// NewBridge returns a bridge for a client, whose streams it will close.
func NewBridge(client io.ReadWriteCloser, connect Connector, o Options) *Bridge {
	b := &Bridge{
		client: client, connect: connect, log: o.filled().Logger, down: newDownward(),
		open: make(map[jsonrpc2.ID]*message), asks: make(map[int64]*asked), tokens: make(map[string]*shownToken),
		used: make(map[string]bool), given: make(map[string][]byte), shown: make(map[string]bool),
	}
	b.change.L = &b.mu
	return b
}

// Run carries messages until the client exits, goes away, or ctx ends. It returns the exit
// code that the client may expect: 0 if it said shutdown, else 1. [ErrHostLost] means that no
// host could be had any more.
func (b *Bridge) Run(ctx context.Context) (code int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.change.Broadcast()
	})
	defer stop()
	var work sync.WaitGroup
	work.Go(func() {
		b.read(ctx)
		if b.done() { // there is nobody to connect for
			cancel(errClientDone)
		}
	})
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		if err := b.down.write(b.client); err != nil {
			b.fail(fmt.Errorf("daemon: to the client: %w", err))
			cancel(err)
		}
	}()
	err = b.run(ctx)
	b.settle(err)
	b.down.close()
	flushed := time.NewTimer(flushTimeout)
	defer flushed.Stop()
	select {
	case <-wrote:
	case <-flushed.C:
		b.log.Warn("daemon: the client did not read its last messages", "waited", flushTimeout)
	}
	b.client.Close()
	cancel(nil)
	work.Wait()
	<-wrote
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.shutdown {
		code = 1
	}
	return code, err
}

var errClientDone = errors.New("daemon: the client is done")

// run takes the bridge through its states.
func (b *Bridge) run(ctx context.Context) error {
	for failures := 0; ; {
		if b.downUntilDone(ctx) {
			return b.end(ctx, nil)
		}
		if failures == linksMax {
			return fmt.Errorf("%w: %d hosts in a row ended before they had taken over", ErrHostLost, failures)
		}
		got, err := b.connect(ctx, failures)
		if err != nil {
			return b.end(ctx, fmt.Errorf("%w: %w", ErrHostLost, err))
		}
		l := b.begin(got)
		ready := b.carry(ctx, l)
		b.lose(l)
		if ready {
			failures = 0
		} else {
			failures++
		}
		if b.done() || ctx.Err() != nil {
			return b.end(ctx, nil)
		}
		b.log.Info("daemon: the host is gone", "link", l.number, "ready", ready)
		if failures > 0 && !sleep(ctx, time.Duration(failures)*20*time.Millisecond) {
			return b.end(ctx, nil)
		}
	}
}

// end returns why the bridge ends: the client's side of it comes first.
func (b *Bridge) end(ctx context.Context, err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.broken != nil:
		return b.broken
	case b.doneLocked():
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}

func (b *Bridge) done() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.doneLocked()
}

// doneLocked reports whether there is nothing left that the client wants of a host. A host that
// has been told of the client's end hangs up by itself.
func (b *Bridge) doneLocked() bool {
	return b.broken != nil || b.link == nil && (b.exited || b.ended && len(b.open) == 0)
}

// downUntilDone waits in the state down, if that is the state, for the client's end.
func (b *Bridge) downUntilDone(ctx context.Context) (done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.shutdown && b.links > 0 && !b.doneLocked() && ctx.Err() == nil {
		b.change.Wait()
	}
	return b.doneLocked() || ctx.Err() != nil
}

// begin makes a link the bridge's.
func (b *Bridge) begin(got Link) *link {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept.fold(&b.state, b.kept.end(), true)
	b.links++
	l := &link{Link: got, number: b.links, next: b.kept.first, unsent: b.kept.bytes, tokens: make(map[string][]byte)}
	b.link = l
	if got.Notice != "" {
		raw, err := protocol.Marshal(&protocol.ShowMessageParams{Type: protocol.MessageTypeWarning, Message: got.Notice})
		if err == nil {
			b.notices = append(b.notices, jsonrpc2.AppendNotification(nil, protocol.MethodWindowShowMessage, raw))
		}
		b.tellNotices()
	}
	b.change.Broadcast()
	return l
}

// tellNotices passes on what waited for the answer to initialize. b.mu must be held.
func (b *Bridge) tellNotices() {
	if !b.greeted {
		return
	}
	for _, body := range b.notices {
		b.own(body)
	}
	b.notices = nil
}

// carry uses a link until it breaks, the client is done or ctx ends, and reports whether its
// host had been told everything.
func (b *Bridge) carry(ctx context.Context, l *link) (ready bool) {
	stop := context.AfterFunc(ctx, func() { l.Conn.Close() })
	defer stop()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if err := b.send(ctx, l); err != nil {
			b.log.Debug("daemon: to the host", "link", l.number, "err", err)
			l.Conn.Close() // what it has said is lost; it cannot answer what it was not asked
		}
	}()
	err := b.receive(l)
	b.log.Debug("daemon: the link has ended", "link", l.number, "err", err)
	l.Conn.Close()
	b.mu.Lock()
	l.dead = true
	ready = l.ready
	b.change.Broadcast()
	b.mu.Unlock()
	<-sent
	return ready
}

// lose ends what belonged to a link (B2, B3).
func (b *Bridge) lose(l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.link = nil
	for id, m := range b.open {
		sent := slices.Index(b.kept.list, m)+b.kept.first < l.next
		if sent {
			m.tries++
		}
		switch {
		case m.cancelled:
			b.refuse(id, jsonrpc2.NewError(protocol.CodeRequestCancelled, "cancelled by the client"))
		case m.late:
			b.refuse(id, jsonrpc2.Errorf(protocol.CodeContentModified, "content modified: the host ended, and too much has changed since %s came", m.method))
		case m.tries == triesMax:
			b.refuse(id, jsonrpc2.Errorf(jsonrpc2.InternalError, "%s: %d hosts ended while they worked on it", m.method, m.tries))
		}
	}
	for id, a := range b.asks {
		if a.registers == nil {
			delete(b.asks, id)
		}
	}
	for _, token := range l.tokens {
		b.endToken(string(token))
	}
	if b.shutdown {
		b.settleLocked("the host is gone")
	}
	b.change.Broadcast()
}

// settle answers what is still open at the bridge's end.
func (b *Bridge) settle(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	why := "the connection ends"
	if errors.Is(err, ErrHostLost) {
		why = err.Error()
		raw, merr := protocol.Marshal(&protocol.ShowMessageParams{Type: protocol.MessageTypeError, Message: "cytisus: " + why})
		if merr == nil {
			b.own(jsonrpc2.AppendNotification(nil, protocol.MethodWindowShowMessage, raw))
		}
	}
	b.settleLocked(why)
}

func (b *Bridge) settleLocked(why string) {
	for _, id := range slices.Collect(maps.Keys(b.open)) {
		if b.open[id].method == protocol.MethodShutdown {
			b.answered(id)
			b.own(jsonrpc2.AppendResponse(nil, id, nil, nil)) // nothing has to be saved
			continue
		}
		b.refuse(id, jsonrpc2.Errorf(dispatch.ServerCancelled, "%s: %s", b.open[id].method, why))
	}
}

// refuse answers an open request in place of a host. b.mu must be held.
func (b *Bridge) refuse(id jsonrpc2.ID, err *jsonrpc2.Error) {
	m := b.answered(id)
	b.endTokensOf(m)
	b.own(jsonrpc2.AppendResponse(nil, id, nil, err))
}

// answered takes a request from the table (B0), nil if it is not there. b.mu must be held.
func (b *Bridge) answered(id jsonrpc2.ID) *message {
	m := b.open[id]
	if m == nil {
		return nil
	}
	delete(b.open, id)
	m.answered = true
	if m.method == protocol.MethodInitialize {
		b.greeted = true
	}
	b.change.Broadcast()
	return m
}

// own sends the client what no host has said. b.mu must be held.
func (b *Bridge) own(body []byte) {
	if err := b.down.put(body, true); err != nil {
		b.failLocked(err)
	}
}

// fail ends the bridge because of the client.
func (b *Bridge) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failLocked(err)
}

func (b *Bridge) failLocked(err error) {
	if b.broken == nil {
		b.broken = err
	}
	if b.link != nil {
		b.link.Conn.Close()
	}
	b.change.Broadcast()
}
