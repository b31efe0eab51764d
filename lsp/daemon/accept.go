package daemon

import (
	"context"
	"net"
	"time"
)

// A listener is what a host needs of a *net.UnixListener.
type listener interface {
	AcceptUnix() (*net.UnixConn, error)
	Close() error
}

// The pause after a failed accept is doubled from one failure to the next.
const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// accept calls take for each connection until the host ends. An error is no reason to stop:
// a process that has run out of descriptors has some again a moment later, and those who
// wait to be taken are still there.
func (h *Host) accept(take func(*net.UnixConn)) {
	pause := acceptPauseMin
	for {
		h.mu.Lock()
		l := h.listener
		h.mu.Unlock()
		conn, err := l.AcceptUnix()
		switch {
		case h.end.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return
		case err == nil:
			take(conn)
			pause = acceptPauseMin
			continue
		case pause == acceptPauseMin:
			h.o.Logger.Warn("daemon: taking a connection", "err", err)
		}
		if !sleep(h.end, pause) {
			return
		}
		pause = min(2*pause, acceptPauseMax)
	}
}

// sleep waits, and reports false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
