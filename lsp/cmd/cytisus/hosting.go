package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime/profile"
)

// lockFile is the file in a store's directory that its holder has locked.
const lockFile = "lock"

// A hosting is an engine that this process has open and serves to others: to clients in this
// very process, and over the store's socket. It ends by itself when it is told to stop or finds
// that it is not the store's host any more, and with its context.
type hosting struct {
	a      *app
	l      *local
	host   *server.Host
	shared *daemon.Host    // nil if no other process can connect
	flight *profile.Flight // nil: not asked for

	end     context.Context // of the sessions in this process
	endWith context.CancelCauseFunc
	done    chan struct{} // closed when everything is closed
	err     error         // written before done is closed

	mu       sync.Mutex
	closing  bool           // guarded by mu: no more sessions
	sessions sync.WaitGroup // in this process
}

// beginHosting serves an engine, which it closes at its end, also if it fails. An error that
// matches daemon.ErrHosted says that another process is the store's host all the same.
func (a *app) beginHosting(ctx context.Context, l *local, name string, idle time.Duration) (*hosting, error) {
	h := &hosting{a: a, l: l, done: make(chan struct{})}
	h.end, h.endWith = context.WithCancelCause(ctx)
	h.flight = a.beginFlight(l.store)
	host, err := a.newHost(l, l.root(), h.flight, h.storeFailed)
	if err != nil {
		h.flight.Close()
		h.endWith(err)
		return nil, errors.Join(err, l.close())
	}
	h.host = host
	if l.store != "" {
		o := a.daemonOptions(name)
		o.Guard = []string{lockFile}
		h.shared, err = daemon.Listen(l.store, o)
		if errors.Is(err, daemon.ErrHosted) {
			h.endWith(err)
			err = errors.Join(err, host.Close())
			h.flight.Close()
			return nil, errors.Join(err, l.close())
		}
		if err != nil {
			// A client without others beside it is still served.
			a.logger().Warn("the store cannot be shared with other processes", "err", err)
		}
	}
	go h.run(idle)
	return h, nil
}

// storeFailed ends the hosting if an error says that the store is of no use any more: each
// client's bridge goes on elsewhere, the one in this process from memory.
func (h *hosting) storeFailed(err error) bool {
	if h.l.store == "" || !storeIsLost(err) {
		return false
	}
	h.endWith(&storeFailedError{err})
	return true
}

// run waits for the end and closes everything, the store last.
func (h *hosting) run(idle time.Duration) {
	defer close(h.done)
	var err error
	if h.shared != nil {
		err = h.shared.Serve(h.end, idle, func(ctx context.Context, conn net.Conn, peer daemon.Peer) {
			if _, err := h.host.Serve(ctx, conn); err != nil {
				h.a.logger().Debug("client left", "client", peer.Name, "pid", peer.PID, "err", err)
			}
		})
	} else {
		<-h.end.Done()
		err = context.Cause(h.end)
	}
	h.endWith(err)
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	h.sessions.Wait()
	err = errors.Join(err, h.host.Close())
	h.flight.Close()
	h.err = errors.Join(err, h.l.close())
}

// connect returns a connection to the host from within the process, nil if it ends.
func (h *hosting) connect() daemon.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing || h.end.Err() != nil {
		return nil
	}
	near, far := daemon.Pipe()
	h.sessions.Go(func() {
		if _, err := h.host.Serve(h.end, far); err != nil {
			h.a.logger().Debug("the session in this process has ended", "err", err)
		}
	})
	return near
}

// drain ends the hosting as soon as no other process is connected, and waits for the end.
func (h *hosting) drain() error {
	if h.shared != nil {
		h.shared.Drain()
	} else {
		h.endWith(daemon.ErrIdle)
	}
	return h.wait()
}

// wait waits for the end. Ways to end that were asked for are no errors.
func (h *hosting) wait() error {
	<-h.done
	for _, asked := range []error{daemon.ErrIdle, daemon.ErrStopped, context.Canceled} {
		if errors.Is(h.err, asked) {
			return nil
		}
	}
	return h.err
}
