package daemon

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A failing listener fails a number of times before each connection.
type failingListener struct {
	listener
	errs  []error
	fails int // in a row, before each connection
	n     int
}

func (l *failingListener) AcceptUnix() (*net.UnixConn, error) {
	if l.n < l.fails {
		l.n++
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", l.errs[l.n%len(l.errs)])}
	}
	l.n = 0
	return l.listener.AcceptUnix()
}

// Running out of descriptors, and whatever else befalls one accept, does not end listening.
func TestAcceptGoesOnAfterErrors(t *testing.T) {
	store := private(t)
	h, err := Listen(store, Options{Build: "b1"})
	if err != nil {
		t.Fatal(err)
	}
	h.listener = &failingListener{
		listener: h.listener, fails: 3,
		errs: []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, errors.New("something else")},
	}
	done := make(chan error, 1)
	go func() { done <- h.Serve(t.Context(), 0, echo) }()
	for range 3 {
		c, _, err := Dial(t.Context(), store, me("a"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		c.Close()
	}
	h.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A host whose accepts fail all the time still ends when it is told to.
func TestAcceptThatOnlyFailsEnds(t *testing.T) {
	h, err := Listen(private(t), Options{Build: "b1"})
	if err != nil {
		t.Fatal(err)
	}
	h.listener = &failingListener{listener: h.listener, fails: 1 << 30, errs: []error{syscall.EMFILE}}
	done := make(chan error, 1)
	go func() { done <- h.Serve(t.Context(), time.Millisecond, echo) }()
	if err := <-done; !errors.Is(err, ErrIdle) {
		t.Error(err)
	}
}

// Only an answer that says so means that nobody listens: a host that is too busy to take a
// connection keeps its socket.
func TestErrnos(t *testing.T) {
	wrapped := func(e syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", e)}
	}
	for _, e := range refusedErrnos {
		if err := wrapped(e); !absent(err) || busy(err) || errors.Is(unsupported(err), ErrUnsupported) {
			t.Error(e)
		}
	}
	for _, e := range busyErrnos {
		if err := wrapped(e); absent(err) || !busy(err) {
			t.Error(e)
		}
	}
	for _, e := range unsupportedErrnos {
		if err := wrapped(e); absent(err) || !errors.Is(unsupported(err), ErrUnsupported) {
			t.Error(e)
		}
	}
	if _, err := net.Dial("unix", filepath.Join(t.TempDir(), "none")); !absent(err) {
		t.Error(err)
	}
	if err := wrapped(syscall.EMFILE); absent(err) || busy(err) {
		t.Error("a process without descriptors takes a host for absent")
	}
}
