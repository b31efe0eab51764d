package daemon

import (
	"errors"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// A host with a full backlog is no left-over socket.
func TestBusyHostKeepsItsSocket(t *testing.T) {
	store := private(t)
	path, err := SocketPath(store)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for { // fill the backlog
		c, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		defer c.Close()
	}
	if _, err := Listen(store, Options{}); err == nil || errors.Is(err, ErrHosted) {
		t.Error("took the socket of a busy host:", err)
	}
	if _, _, err := Dial(t.Context(), store, me("")); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
}
