package daemon

import (
	"errors"
	"fmt"
)

var (
	// ErrNoHost: nobody listens for this store.
	ErrNoHost = errors.New("daemon: no host for this store")

	// ErrBusy: a host is there, and too many wait for it to take their connections.
	ErrBusy = errors.New("daemon: the host is busy")

	// ErrHosted: somebody else answers on the store's socket.
	ErrHosted = errors.New("daemon: the store has a host already")

	// ErrRefused: the host and the client do not match. See [RefusedError].
	ErrRefused = errors.New("daemon: connection refused by the handshake")

	// ErrUnsafe: the socket's directory cannot be trusted.
	ErrUnsafe = errors.New("daemon: unsafe socket directory")

	// ErrUnsupported: this system has no Unix sockets.
	ErrUnsupported = errors.New("daemon: Unix sockets are not supported here")

	// ErrHostLost: the host hung up although its client was not done.
	ErrHostLost = errors.New("daemon: the host is gone")

	// ErrMoved: the host is not the store's any more. See [MovedError].
	ErrMoved = errors.New("daemon: the store was taken away")

	// ErrIdle: the host ended because nobody used it.
	ErrIdle = errors.New("daemon: nobody is connected")

	// ErrStopped: the host ended because a client asked it to.
	ErrStopped = errors.New("daemon: stopped by request")
)

// A Reason says why a handshake was refused.
type Reason string

const (
	ReasonProtocol Reason = "protocol" // not a handshake, or another version of it
	ReasonBuild    Reason = "build"    // another build of the program
	ReasonStore    Reason = "store"    // another store
	ReasonUser     Reason = "user"     // another user
	ReasonClosing  Reason = "closing"  // the host is about to end; try again
)

// A RefusedError says who refused whom and why. It matches [ErrRefused].
type RefusedError struct {
	Reason  Reason
	Message string
	Host    Info // what is known of the host
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%v (%s): %s", ErrRefused, e.Reason, e.Message)
}

// Is reports whether target is ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }
