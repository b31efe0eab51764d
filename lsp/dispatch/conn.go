package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// A Conn is one end of a connection. [New] makes it, [Conn.Run] serves it until it
// ends. The methods that send may be called from any goroutine, before and while it
// runs; once it has ended they return [ErrClosed].
type Conn struct {
	rw       io.ReadWriteCloser
	handlers map[string]Handler // immutable
	o        Options            // immutable

	in     *inbox
	out    *outbox
	counts counters
	trace  atomic.Int32 // a traceLevel
	silent atomic.Bool  // no request is answered any more (Options.HangUp)
	phase  phase        // touched by turns only

	ticket   Ticket      // touched by the reader only
	shutdown atomic.Bool // a shutdown request was read

	failOnce sync.Once
	failed   chan struct{} // closed by fail
	failure  error         // written before failed is closed

	mu     sync.Mutex
	open   map[jsonrpc2.ID]*Request  // guarded by mu: requests not yet answered
	busy   int                       // guarded by mu: requests whose turn and work have not ended
	calls  map[int64]chan<- response // guarded by mu: our own, waiting for a reply
	callID int64                     // guarded by mu: last one given out
	ended  bool                      // guarded by mu: no reply can come any more
}

// New returns a connection over rw, which it will close. The handlers are not copied
// and must not be changed afterwards.
func New(rw io.ReadWriteCloser, handlers map[string]Handler, o Options) *Conn {
	o = o.filled()
	return &Conn{
		rw: rw, handlers: handlers, o: o,
		in: newInbox(o.MaxQueueBytes), out: newOutbox(o.MaxOutboundBytes, o.FullOutboundBytes),
		failed: make(chan struct{}),
		open:   make(map[jsonrpc2.ID]*Request),
		calls:  make(map[int64]chan<- response),
	}
}

// Run serves the connection until the other end exits or goes away, until ctx ends,
// or until it breaks. It returns the exit code the protocol asks for (0 after shutdown,
// else 1), and an error unless the end was an orderly one. All work it started has
// returned by then. It must be called once.
func (c *Conn) Run(ctx context.Context) (code int, err error) {
	if c.o.HangUp {
		inner, stop := c.hushed(ctx)
		defer stop()
		ctx = inner
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(ErrClosed)

	var work sync.WaitGroup
	read := make(chan error, 1)
	wrote := make(chan error, 1)
	served := make(chan struct{})
	go func() { read <- c.read(ctx) }()
	go func() {
		err := c.out.write(c.rw)
		if err != nil {
			c.fail(fmt.Errorf("dispatch: writing: %w", err))
		}
		wrote <- err
	}()
	go func() {
		defer close(served)
		c.turns(&work)
		work.Wait()
	}()

	reading := true
	select {
	case err = <-read:
		reading = false
		c.endCalls()
		if err == nil { // end of the input: what was read is still answered
			c.in.close()
			select {
			case <-served:
			case <-ctx.Done():
				err = context.Cause(ctx)
			case <-c.failed:
				err = c.failure
			}
		}
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-c.failed:
		err = c.failure
	}
	if err != nil {
		cancel(err)
	}
	c.in.close()
	if err != nil && !errors.Is(err, ErrExit) {
		c.in.halt() // after exit the turns still come, with contexts that have ended: shutdown may be among them
	}
	c.endCalls()
	<-served

	c.abandon(err)
	c.out.close()
	flushed := time.NewTimer(c.o.FlushTimeout)
	defer flushed.Stop()
	select {
	case <-wrote:
		wrote = nil
	case <-flushed.C:
		c.o.Logger.Warn("dispatch: the client did not read its last messages", "waited", c.o.FlushTimeout)
	}
	if cerr := c.rw.Close(); cerr != nil && err == nil {
		c.o.Logger.Debug("dispatch: closing", "err", cerr)
	}
	if wrote != nil {
		<-wrote
	}
	if reading {
		<-read
	}
	if errors.Is(err, ErrExit) {
		err = nil
	}
	if !c.shutdown.Load() {
		code = 1
	}
	return code, err
}

// hushed returns a context that ends with another one, but not before the connection has
// fallen silent: no handler can answer that it was interrupted.
func (c *Conn) hushed(outer context.Context) (ctx context.Context, stop func()) {
	ctx, end := context.WithCancelCause(context.WithoutCancel(outer))
	unwatch := context.AfterFunc(outer, func() {
		c.silent.Store(true)
		end(context.Cause(outer))
	})
	return ctx, func() {
		unwatch()
		end(ErrClosed)
	}
}

// Abort ends the connection at once; what is queued may be lost. Run returns [ErrClosed].
func (c *Conn) Abort() { c.fail(ErrClosed) }

// fail ends the connection for a reason that is not the reader's.
func (c *Conn) fail(err error) {
	c.failOnce.Do(func() {
		c.failure = err
		close(c.failed)
	})
}

// send queues an encoded message; key is "" or what it is the latest of.
func (c *Conn) send(body []byte, key string) error {
	err := c.out.put(body, key)
	if errors.Is(err, ErrSlowClient) {
		c.fail(err)
	}
	if err == nil {
		c.counts.sent.Add(1)
	}
	return err
}

// Notify queues a notification. params is any value of the protocol library, or
// anything that marshals to JSON; nil sends none. It never waits.
func (c *Conn) Notify(method string, params any) error { return c.notify(method, params, "") }

// NotifyLatest is Notify for a state that outdates the one sent before: it takes the
// place of a notification with the same key that is still waiting to be written.
func (c *Conn) NotifyLatest(key, method string, params any) error {
	return c.notify(method, params, method+"\x00"+key)
}

func (c *Conn) notify(method string, params any, key string) error {
	raw, err := encode(params)
	if err != nil {
		return fmt.Errorf("dispatch: encoding %s: %w", method, err)
	}
	return c.send(jsonrpc2.AppendNotification(nil, method, raw), key)
}

// encode returns the JSON of v, nil for nil.
func encode(v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return protocol.Marshal(v)
}
