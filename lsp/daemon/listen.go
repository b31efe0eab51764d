package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// Options of a host or of a client.
type Options struct {
	// Build identifies the program: a host serves its own build only, because both sides
	// share the formats of the store and of what is said over the socket.
	Build string

	// Name says what the process is, for messages to others: "cytisus serve".
	Name string

	// Guard names files, in the store's directory or by their whole paths, that belong to the
	// host as the directory does: if one is gone, or another in its place, the host ends. The
	// store's lock is one.
	Guard []string

	// Logger receives what no client is told. Nil discards.
	Logger *slog.Logger

	peer func(*net.UnixConn) (int, bool, error) // peerUser, unless a test says otherwise
}

func (o Options) filled() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.peer == nil {
		o.peer = peerUser
	}
	return o
}

// A Host listens for the clients of one store.
type Host struct {
	path    string
	store   string // canonical
	guarded []identity
	o       Options
	started time.Time

	end     context.Context // ends with the host
	endWith context.CancelCauseFunc

	mu       sync.Mutex
	listener listener           // guarded by mu: another one takes its place when the socket is lost
	socket   identity           // guarded by mu
	conns    map[*lineConn]Peer // guarded by mu: connected clients of Serve
	changed  chan struct{}      // guarded by mu: closed and replaced when conns change
	closing  bool               // guarded by mu
	drained  bool               // guarded by mu: it ends as soon as nobody is connected
	tasks    sync.WaitGroup     // handshakes and connections
}

// Listen makes the calling process the host of a store. It must hold the store's lock
// (H0). Call [Host.Serve] next, and [Host.Close] before giving the lock up (H1).
// [ErrHosted] means that somebody answers on the socket all the same.
func Listen(store string, o Options) (*Host, error) {
	canonical, err := canonicalStore(store)
	if err != nil {
		return nil, err
	}
	path, err := SocketPath(store)
	if err != nil {
		return nil, err
	}
	guarded, err := identities(canonical, o.Guard)
	if err != nil {
		return nil, fmt.Errorf("daemon: store %s: %w", store, err)
	}
	l, socket, err := listen(path)
	if err != nil {
		releaseAll(guarded)
		return nil, fmt.Errorf("daemon: listening for store %s: %w", store, err)
	}
	h := &Host{
		listener: l, socket: socket, guarded: guarded, path: path, store: canonical, o: o.filled(), started: time.Now(),
		conns: make(map[*lineConn]Peer), changed: make(chan struct{}),
	}
	h.end, h.endWith = context.WithCancelCause(context.Background())
	return h, nil
}

// removeStale removes a socket on which nobody answers (H0).
func removeStale(path string) error {
	if err := checkSocket(path, os.Getuid()); err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	c, err := net.DialTimeout("unix", path, handshakeTimeout)
	if err == nil {
		c.Close()
		return fmt.Errorf("%w: %s answers", ErrHosted, path)
	}
	if !absent(err) {
		return err // a host may well be there: it is only too busy, or this process short of descriptors
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Serve takes clients and calls handle for each that wants to be served, on a goroutine
// of its own, with a context that ends with the host; the connection is closed when
// handle returns. It returns, when all handlers have, for one of these reasons:
// [ErrIdle] when nobody was connected for idle (0: never), [ErrStopped], [ErrMoved], the
// cause of ctx's end, or nil after Close. It must be called once.
func (h *Host) Serve(ctx context.Context, idle time.Duration, handle func(ctx context.Context, conn net.Conn, peer Peer)) error {
	stop := context.AfterFunc(ctx, func() { h.finish(context.Cause(ctx)) })
	defer stop()
	h.tasks.Go(func() { h.watchIdle(idle) })
	h.tasks.Go(h.watchIdentity)
	h.accept(func(conn *net.UnixConn) {
		if !h.begin(func() { h.client(newLineConn(conn), handle) }) {
			conn.Close()
		}
	})
	h.tasks.Wait()
	releaseAll(h.guarded)
	if err := context.Cause(h.end); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// begin runs fn on a goroutine that the host's end waits for.
func (h *Host) begin(fn func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.tasks.Go(fn)
	return true
}

// finish ends the host for a reason; the first one counts.
func (h *Host) finish(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.finishLocked(why)
}

func (h *Host) finishLocked(why error) {
	if h.closing {
		return
	}
	h.closing = true
	h.endWith(why)
	h.removeSocket()
	if err := h.listener.Close(); err != nil {
		h.o.Logger.Warn("daemon: closing the socket", "path", h.path, "err", err)
	}
}

// Close ends the host. It does not wait for Serve.
func (h *Host) Close() { h.finish(net.ErrClosed) }

// Path returns the socket's path.
func (h *Host) Path() string { return h.path }

// Info returns what the host says about itself.
func (h *Host) Info() Info {
	h.mu.Lock()
	defer h.mu.Unlock()
	clients := make([]Peer, 0, len(h.conns))
	for _, p := range h.conns {
		clients = append(clients, p)
	}
	slices.SortFunc(clients, func(a, b Peer) int { return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.Name, b.Name)) })
	return Info{Build: h.o.Build, Store: h.store, PID: os.Getpid(), Name: h.o.Name, Started: h.started, Clients: clients}
}

// watchIdle ends the host when nobody has been connected for idle (H3).
func (h *Host) watchIdle(idle time.Duration) {
	if idle <= 0 {
		return
	}
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		h.mu.Lock()
		changed, busy := h.changed, len(h.conns) > 0
		h.mu.Unlock()
		var due <-chan time.Time
		if !busy {
			timer.Reset(idle)
			due = timer.C
		}
		select {
		case <-h.end.Done():
			return
		case <-changed:
		case <-due:
			if h.finishIfIdle() {
				return
			}
		}
	}
}

func (h *Host) finishIfIdle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.conns) > 0 {
		return false
	}
	h.finishLocked(ErrIdle)
	return true
}

// enter and leave keep the table of connected clients.
func (h *Host) enter(c *lineConn, p Peer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.conns[c] = p
	close(h.changed)
	h.changed = make(chan struct{})
	return true
}

func (h *Host) leave(c *lineConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
	close(h.changed)
	h.changed = make(chan struct{})
	if h.drained && len(h.conns) == 0 {
		h.finishLocked(ErrIdle)
	}
}

// Drain ends the host, for the reason [ErrIdle], as soon as nobody is connected.
func (h *Host) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.drained = true; len(h.conns) == 0 {
		h.finishLocked(ErrIdle)
	}
}

// client shakes hands with one client and serves it.
func (h *Host) client(c *lineConn, handle func(context.Context, net.Conn, Peer)) {
	defer c.Close()
	unblock := context.AfterFunc(h.end, func() { c.SetDeadline(time.Now()) }) // H2: also in the middle of a line
	defer unblock()
	if err := c.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		h.o.Logger.Warn("daemon: deadline", "err", err)
		return
	}
	var in hello
	refused, err := h.judge(c, &in)
	if err != nil {
		h.o.Logger.Warn("daemon: handshake", "err", err)
		return
	}
	if refused == nil && in.Verb == Serve {
		if err := h.moved(); err != nil { // the client shall find the store that is there now
			h.finish(err)
		}
		if h.enter(c, in.Peer) {
			defer h.leave(c)
		} else {
			refused = &welcome{Refused: ReasonClosing, Message: "the host is about to end"}
		}
	}
	answer := welcome{Version: HandshakeVersion, Info: h.Info()}
	if refused != nil {
		answer.Refused, answer.Message = refused.Refused, refused.Message
		h.o.Logger.Warn("daemon: client refused", "reason", string(refused.Refused), "message", refused.Message, "pid", in.PID, "name", in.Name)
	}
	if err := c.writeLine(answer); err != nil || refused != nil || in.Verb == Status {
		return
	}
	if in.Verb == Stop {
		h.finish(ErrStopped)
		return
	}
	if !unblock() {
		return // the host has ended meanwhile
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return
	}
	h.o.Logger.Info("daemon: client connected", "pid", in.PID, "name", in.Name)
	handle(h.end, c, in.Peer)
	h.o.Logger.Info("daemon: client left", "pid", in.PID, "name", in.Name)
}

// judge reads a client's line and says why it is refused, nil if it is not.
func (h *Host) judge(c *lineConn, in *hello) (*welcome, error) {
	if err := checkUser(c.UnixConn, h.o.peer); err != nil {
		return &welcome{Refused: ReasonUser, Message: err.Error()}, nil
	}
	if err := c.readLine(in); err != nil {
		if _, ok := errors.AsType[net.Error](err); ok {
			return nil, err
		}
		return &welcome{Refused: ReasonProtocol, Message: "the first line is no handshake: " + err.Error()}, nil
	}
	switch {
	case in.Version != HandshakeVersion:
		return &welcome{Refused: ReasonProtocol, Message: fmt.Sprintf("handshake version %d, the host speaks %d", in.Version, HandshakeVersion)}, nil
	case in.Store != h.store:
		return &welcome{Refused: ReasonStore, Message: fmt.Sprintf("the client wants store %s, this is the host of %s", in.Store, h.store)}, nil
	case in.Verb == Status, in.Verb == Stop:
		return nil, nil
	case in.Verb != Serve:
		return &welcome{Refused: ReasonProtocol, Message: fmt.Sprintf("unknown verb %q", in.Verb)}, nil
	case in.Build != h.o.Build:
		return &welcome{Refused: ReasonBuild, Message: fmt.Sprintf("the host (process %d) is build %s, the client is build %s; end the host or use its build", os.Getpid(), h.o.Build, in.Build)}, nil
	}
	return nil, nil
}
