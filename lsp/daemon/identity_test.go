package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// often has hosts look at themselves often, or only when a client comes.
func often(t *testing.T, every time.Duration) {
	old := identityEvery
	identityEvery = every
	t.Cleanup(func() { identityEvery = old })
}

// H4: a host that has lost its store ends, by itself or when a client comes.
func TestHostThatLostItsStoreEnds(t *testing.T) {
	exchange := func(t *testing.T, path string, dir bool) {
		t.Helper()
		err := os.Rename(path, path+".away")
		if dir {
			err = errors.Join(err, os.Mkdir(path, 0o700))
		} else {
			err = errors.Join(err, os.WriteFile(path, nil, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, take := range map[string]func(t *testing.T, store string){
		"directory removed":   func(t *testing.T, store string) { os.RemoveAll(store) },
		"directory exchanged": func(t *testing.T, store string) { exchange(t, store, true) },
		"directory made again": func(t *testing.T, store string) {
			if err := errors.Join(os.RemoveAll(store), os.Mkdir(store, 0o700), os.WriteFile(filepath.Join(store, "lock"), nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		},
		"lock removed":   func(t *testing.T, store string) { os.Remove(filepath.Join(store, "lock")) },
		"lock exchanged": func(t *testing.T, store string) { exchange(t, filepath.Join(store, "lock"), false) },
	} {
		for how, every := range map[string]time.Duration{"by itself": time.Millisecond, "when a client comes": time.Hour} {
			t.Run(name+", "+how, func(t *testing.T) {
				store := private(t)
				if err := os.WriteFile(filepath.Join(store, "lock"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
				often(t, every)
				h := host(t, store, 0, Options{Guard: []string{"lock"}}, echo)
				c, _, err := Dial(t.Context(), store, me("before"))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				take(t, store)
				if every == time.Hour {
					_, _, err := Dial(t.Context(), store, me("after"))
					if refused, ok := errors.AsType[*RefusedError](err); ok && refused.Reason != ReasonClosing || err == nil {
						t.Error(err)
					}
				}
				var moved *MovedError
				if err := h.wait(t); !errors.As(err, &moved) || !errors.Is(err, ErrMoved) {
					t.Error(err)
				}
			})
		}
	}
}

// socketBeside makes a socket in the directory of path, to be renamed: the host that looks at path
// sees what was there, or all of what is put there.
func socketBeside(t *testing.T, path string) (*net.UnixListener, string) {
	t.Helper()
	name := path + "-"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	return l, name
}

// A socket that was removed, or lost its place to a stale one, is made again; who has
// connected by the old one stays connected.
func TestLostSocketIsMadeAgain(t *testing.T) {
	store := private(t)
	often(t, time.Millisecond)
	h := host(t, store, 0, Options{}, echo)
	old, _, err := Dial(t.Context(), store, me("old"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for name, take := range map[string]func() error{
		"removed": func() error { return os.Remove(h.Path()) },
		"stale": func() error {
			l, stale := socketBeside(t, h.Path())
			return errors.Join(l.Close(), os.Rename(stale, h.Path()))
		},
		"with its directory": func() error {
			dir := filepath.Dir(h.Path())
			return os.Rename(dir, dir+"-") // to empty it first would be a race with the host
		},
	} {
		if err := take(); err != nil {
			t.Fatal(name, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		c, _, err := OpenOrDial(ctx, store, me("new"), errLocked, func() error { return errLocked })
		cancel()
		if err != nil {
			t.Fatal(name, err)
		}
		c.Close()
	}
	if _, err := old.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if n, err := old.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Error(n, err)
	}
	h.Close()
	if err := h.wait(t); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(h.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Error("the socket is still there:", err)
	}
}

// One look makes a socket again, also one whose directory is gone: clients wait meanwhile.
func TestOneLookMakesTheSocketAgain(t *testing.T) {
	store := private(t)
	often(t, time.Hour)
	h := host(t, store, 0, Options{}, echo)
	dir := filepath.Dir(h.Path())
	for name, take := range map[string]func() error{
		"the socket":    func() error { return os.Remove(h.Path()) },
		"its directory": func() error { return os.RemoveAll(dir) },
	} {
		if err := errors.Join(take(), h.relisten()); err != nil {
			t.Fatal(name, err)
		}
		c, _, err := Dial(t.Context(), store, me("new"))
		if err != nil {
			t.Fatal(name, err)
		}
		c.Close()
	}
}

// A host whose place another one has taken leaves it that one, socket included.
func TestHostLeavesItsPlace(t *testing.T) {
	store := private(t)
	often(t, time.Millisecond)
	h := host(t, store, 0, Options{}, echo)
	l, other := socketBeside(t, h.Path())
	defer l.Close()
	if err := os.Rename(other, h.Path()); err != nil {
		t.Fatal(err)
	}
	if err := h.wait(t); !errors.Is(err, ErrHosted) {
		t.Error(err)
	}
	if c, err := net.Dial("unix", h.Path()); err != nil {
		t.Error("the other's socket is gone:", err)
	} else {
		c.Close()
	}
}
