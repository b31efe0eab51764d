package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// identityEvery is how often a host looks whether what it was made for is still there. It is a
// variable for tests.
var identityEvery = time.Second

// A MovedError says what a host found gone, or exchanged, that it was the host of. It matches
// [ErrMoved].
type MovedError struct{ Path string }

func (e *MovedError) Error() string {
	return fmt.Sprintf("%v: %s was removed or exchanged", ErrMoved, e.Path)
}

// Is reports whether target is ErrMoved.
func (e *MovedError) Is(target error) bool { return target == ErrMoved }

// An identity is a file at a path, as it was at some time.
type identity struct {
	path string
	info fs.FileInfo
	open *os.File // nil where it is not needed: keeps the system from giving a new file the same number
}

func identify(path string) (identity, error) {
	info, err := os.Lstat(path)
	return identity{path: path, info: info}, err
}

// hold keeps the file from being forgotten by the system when it is removed. On Windows it
// would keep the file from being removed; there numbers are not given again so soon.
func (i *identity) hold() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(i.path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	i.open, i.info = f, info
	return nil
}

func (i *identity) release() {
	if i.open != nil {
		_ = i.open.Close() // it was only held
	}
}

// holds reports whether the path still leads to the file. An error other than that there is
// none is no proof.
func (i identity) holds() bool {
	now, err := os.Lstat(i.path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return os.SameFile(i.info, now)
}

// identities returns what a host of a store must not lose: the directory, and files in it that
// its holder has open. Those that are not there are left out.
func identities(store string, files []string) (out []identity, err error) {
	for _, path := range append([]string{store}, files...) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(store, path)
		}
		id, err := identify(path)
		if err == nil {
			err = id.hold()
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			releaseAll(out)
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

func releaseAll(ids []identity) {
	for i := range ids {
		ids[i].release()
	}
}

// moved returns a [*MovedError] if the host has lost its store (H4).
func (h *Host) moved() error {
	for _, id := range h.guarded {
		if !id.holds() {
			return &MovedError{id.path}
		}
	}
	return nil
}

// watchIdentity ends a host that has lost its store, and makes a socket that was removed again.
func (h *Host) watchIdentity() {
	for sleep(h.end, identityEvery) {
		err := h.moved()
		if err == nil {
			err = h.relisten()
		}
		if err != nil {
			h.finish(err)
		}
	}
}

// relisten makes the socket again if its path does not lead to it any more.
func (h *Host) relisten() error {
	h.mu.Lock()
	socket := h.socket
	h.mu.Unlock()
	if socket.holds() {
		return nil
	}
	h.o.Logger.Warn("daemon: the socket was removed or exchanged; it is made again", "path", h.path)
	l, socket, err := listen(h.path)
	if err != nil && !errors.Is(err, ErrHosted) { // its directory may be gone, too
		if _, err := SocketPath(h.store); err != nil {
			h.o.Logger.Warn("daemon: making the socket's directory again", "path", h.path, "err", err)
		}
		l, socket, err = listen(h.path)
	}
	if errors.Is(err, ErrHosted) {
		return err
	}
	if err != nil { // the next look tries again
		h.o.Logger.Warn("daemon: making the socket again", "path", h.path, "err", err)
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.listener
	h.listener, h.socket = l, socket
	if h.closing {
		old = l
		h.removeSocket()
	}
	_ = old.Close() // who waited there is told that there is no host, and asks again
	return nil
}

// listen makes a socket, in place of one on which nobody answers.
func listen(path string) (*net.UnixListener, identity, error) {
	if err := removeStale(path); err != nil {
		return nil, identity{}, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, identity{}, unsupported(err)
	}
	l.SetUnlinkOnClose(false) // what lies there then may be another's
	err = os.Chmod(path, 0o600)
	socket, serr := identify(path)
	if err = errors.Join(err, serr); err != nil {
		return nil, identity{}, errors.Join(err, l.Close())
	}
	return l, socket, nil
}

// removeSocket removes the socket if it is still the host's. h.mu must be held.
func (h *Host) removeSocket() {
	if !h.socket.holds() {
		return
	}
	if err := os.Remove(h.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.o.Logger.Warn("daemon: removing the socket", "path", h.path, "err", err)
	}
}
