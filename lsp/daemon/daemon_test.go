package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for that must come; a busy machine takes long for little.
const patience = 2 * time.Minute

// private points the sockets of a test to a directory of its own.
func private(t testing.TB) (store string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cy") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	store = filepath.Join(t.TempDir(), "store")
	if err := os.Mkdir(store, 0o700); err != nil {
		t.Fatal(err)
	}
	return store
}

type running struct {
	*Host
	cancel context.CancelCauseFunc
	done   chan error
}

func host(t testing.TB, store string, idle time.Duration, o Options, handle func(context.Context, net.Conn, Peer)) *running {
	t.Helper()
	if o.Build == "" {
		o.Build = "b1"
	}
	h, err := Listen(store, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	r := &running{Host: h, cancel: cancel, done: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.done <- h.Serve(ctx, idle, handle)
	}()
	t.Cleanup(func() { // the next test may change what a host that goes on looks at
		h.Close()
		cancel(nil)
		<-ended
	})
	return r
}

func (r *running) wait(t testing.TB) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		t.Fatal("the host does not end")
		return nil
	}
}

// echo answers every byte until the client or the host ends.
func echo(ctx context.Context, c net.Conn, _ Peer) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	io.Copy(c, c)
}

func me(name string) Options { return Options{Build: "b1", Name: name} }

func TestManyClients(t *testing.T) {
	store := private(t)
	h := host(t, store, 0, Options{Name: "cytisus serve"}, echo)
	if info, err := os.Stat(h.Path()); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			c, info, err := Dial(t.Context(), store, me(fmt.Sprint("client ", i)))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if info.PID != os.Getpid() || info.Name != "cytisus serve" || info.Build != "b1" || len(info.Clients) == 0 {
				t.Errorf("%+v", info)
			}
			for round := range 50 {
				msg := fmt.Sprintf("%d says %d", i, round)
				got := make([]byte, len(msg))
				if _, err := io.WriteString(c, msg); err != nil {
					t.Error(err)
				}
				if _, err := io.ReadFull(c, got); err != nil || string(got) != msg {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	clients.Wait()
	h.Close()
	if err := h.wait(t); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(h.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Error("the socket is still there:", err)
	}
	if _, _, err := Dial(t.Context(), store, me("late")); !errors.Is(err, ErrNoHost) {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	store := private(t)
	h := host(t, store, 0, Options{}, echo)
	c, info, err := Dial(t.Context(), store, Options{Build: "b2"})
	refused, ok := errors.AsType[*RefusedError](err)
	if c != nil || !ok || refused.Reason != ReasonBuild || refused.Host.PID != os.Getpid() || info.Build != "b1" || !errors.Is(err, ErrRefused) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(err.Error(), "is build b1, the client is build b2") {
		t.Error(err)
	}
	for line, reason := range map[string]Reason{
		"GET / HTTP/1.1\n": ReasonProtocol,
		"{}\n":             ReasonProtocol,
		`{"cytisus":99,"verb":"serve","build":"b1"}` + "\n":                                      ReasonProtocol,
		`{"cytisus":1,"verb":"dance","build":"b1","store":` + quote(h.store) + "}\n":             ReasonProtocol,
		`{"cytisus":1,"verb":"serve","build":"b1","store":"/other"}` + "\n":                      ReasonStore,
		`{"cytisus":1,"verb":"serve","build":"b1","store":"` + strings.Repeat("x", handshakeMax): ReasonProtocol,
	} {
		c, err := net.Dial("unix", h.Path())
		if err != nil {
			t.Fatal(err)
		}
		go io.WriteString(c, line)
		var w welcome
		if err := json.NewDecoder(c).Decode(&w); err != nil || w.Refused != reason || w.Message == "" {
			t.Errorf("%.60q: %+v, %v; want %s", line, w, err, reason)
		}
		c.Close()
	}
	// Refusals are no harm to those who are welcome, and status is for everybody.
	if info, err := AskStatus(t.Context(), store, Options{Build: "b2"}); err != nil || info.Store != h.store {
		t.Error(info, err)
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestOtherUserIsRefused(t *testing.T) {
	store := private(t)
	stranger := func(*net.UnixConn) (int, bool, error) { return os.Getuid() + 1, true, nil }
	h := host(t, store, 0, Options{peer: stranger}, echo)
	_, _, err := Dial(t.Context(), store, me(""))
	if r, ok := errors.AsType[*RefusedError](err); !ok || r.Reason != ReasonUser {
		t.Error(err)
	}
	h.Close()
	h.wait(t)
	host(t, store, 0, Options{}, echo)
	_, _, err = Dial(t.Context(), store, Options{Build: "b1", peer: stranger}) // A1 holds both ways
	if r, ok := errors.AsType[*RefusedError](err); !ok || r.Reason != ReasonUser {
		t.Error(err)
	}
}

func TestPeerUser(t *testing.T) {
	store := private(t)
	asked := make(chan int, 1)
	host(t, store, 0, Options{peer: func(c *net.UnixConn) (int, bool, error) {
		uid, ok, err := peerUser(c)
		if err != nil || runtime.GOOS == "linux" && !ok {
			t.Error(ok, err)
		}
		if ok {
			asked <- uid
		} else {
			asked <- os.Getuid()
		}
		return uid, ok, err
	}}, echo)
	c, _, err := Dial(t.Context(), store, me(""))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if uid := <-asked; uid != os.Getuid() {
		t.Errorf("the peer is user %d", uid)
	}
}

func TestIdle(t *testing.T) {
	store := private(t)
	var h *running
	var c Conn
	for idle := 30 * time.Millisecond; c == nil; idle *= 2 {
		h = host(t, store, idle, Options{}, echo)
		var err error
		if c, _, err = Dial(t.Context(), store, me("a")); err != nil {
			// A busy machine may take longer than that to connect.
			if end := h.wait(t); !errors.Is(end, ErrIdle) {
				t.Fatal(err, end)
			}
			c = nil
		}
	}
	select {
	case err := <-h.done:
		t.Fatal("ended with a client:", err) // H3
	case <-time.After(100 * time.Millisecond):
	}
	c.Close()
	if err := h.wait(t); !errors.Is(err, ErrIdle) {
		t.Error(err)
	}
}

func TestStop(t *testing.T) {
	store := private(t)
	h := host(t, store, 0, Options{}, echo)
	c, _, err := Dial(t.Context(), store, me("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	info, err := AskStop(t.Context(), store, Options{Build: "another"})
	if err != nil || len(info.Clients) != 1 || info.Clients[0].Name != "a" {
		t.Error(info, err)
	}
	if err := h.wait(t); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a client outlives its host")
	}
}

// H2: clients that say nothing, or half a line, do not keep a host from ending.
func TestSilentClients(t *testing.T) {
	store := private(t)
	h := host(t, store, 0, Options{}, echo)
	for _, half := range []string{"", `{"cytisus"`} {
		c, err := net.Dial("unix", h.Path())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, half)
	}
	if _, err := AskStatus(t.Context(), store, me("")); err != nil {
		t.Error(err)
	}
	why := errors.New("logging out")
	h.cancel(why)
	if err := h.wait(t); !errors.Is(err, why) {
		t.Error(err)
	}
}

func TestStaleSocket(t *testing.T) {
	store := private(t)
	path, err := SocketPath(store)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(store, Options{}); !errors.Is(err, ErrHosted) {
		t.Error(err)
	}
	l.SetUnlinkOnClose(false) // as a process that was killed leaves it
	l.Close()
	if _, _, err := Dial(t.Context(), store, me("")); !errors.Is(err, ErrNoHost) {
		t.Error(err)
	}
	host(t, store, 0, Options{}, echo)
	if _, err := AskStatus(t.Context(), store, me("")); err != nil {
		t.Error(err)
	}
}

func TestNoSocketInTheWay(t *testing.T) {
	store := private(t)
	path, err := SocketPath(store)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(store, Options{}); !errors.Is(err, ErrUnsafe) {
		t.Error(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "precious" {
		t.Error("removed what is no socket")
	}
}

func TestPaths(t *testing.T) {
	store := private(t)
	long := filepath.Join(t.TempDir(), strings.Repeat("d/", 1)+strings.Repeat("very-long-name-", 15), strings.Repeat("x", 200))
	a, err := SocketPath(long)
	if err != nil || len(a) > maxSocketPath {
		t.Errorf("%d bytes: %s, %v", len(a), a, err)
	}
	b, err := SocketPath(store)
	if err != nil || a == b || filepath.Dir(a) != filepath.Dir(b) {
		t.Error(a, b, err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(store, link); err != nil {
		t.Skip(err)
	}
	if c, err := SocketPath(link); err != nil || c != b {
		t.Errorf("%s by its link, %s by its name, %v", c, b, err)
	}
}

func TestSocketDir(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no Unix modes")
	}
	root, err := os.MkdirTemp("", "cy")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	uid := os.Getuid()
	sub := func(name string, mode os.FileMode) string {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	run, open, linked := sub("run", 0o700), sub("open", 0o700), sub("linked", 0o700)
	if dir, err := socketDir(run, root, uid); err != nil || dir != filepath.Join(run, "cytisus") {
		t.Error(dir, err)
	}
	if info, _ := os.Stat(filepath.Join(run, "cytisus")); info.Mode().Perm() != 0o700 {
		t.Error(info.Mode())
	}
	if dir, err := socketDir("", run, uid); err != nil || dir != filepath.Join(run, fmt.Sprintf("cytisus-%d", uid)) {
		t.Error(dir, err)
	}
	if dir, err := socketDir(filepath.Join(root, strings.Repeat("x", 100)), run, uid); err != nil || filepath.Dir(dir) != run {
		t.Error("too long a runtime directory is passed over:", dir, err)
	}
	if dir, err := socketDir(filepath.Join(root, "none"), run, uid); err != nil || filepath.Dir(dir) != run {
		t.Error("a runtime directory that is not there is passed over:", dir, err)
	}
	os.Mkdir(filepath.Join(open, "cytisus"), 0o700)
	os.Chmod(filepath.Join(open, "cytisus"), 0o755)
	if dir, err := socketDir(open, run, uid); !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), "0755") {
		t.Error(dir, err)
	}
	os.Symlink(run, filepath.Join(linked, "cytisus"))
	if dir, err := socketDir(linked, run, uid); !errors.Is(err, ErrUnsafe) {
		t.Error(dir, err)
	}
	if uid == 0 { // only root can give a directory away
		other := sub("other", 0o700)
		os.Mkdir(filepath.Join(other, "cytisus"), 0o700)
		os.Chown(filepath.Join(other, "cytisus"), uid+1, -1)
		if dir, err := socketDir(other, root, uid); !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), "belongs to user") {
			t.Error(dir, err)
		}
	}
}

// A2: a directory above that others could exchange is passed over, by whatever way it is named.
func TestDirectoriesAboveTheSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no Unix modes")
	}
	root, err := os.MkdirTemp("", "cy")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	uid := os.Getuid()
	for name, mode := range map[string]os.FileMode{"run": 0o700, "open": 0o777, "group": 0o775, "sticky": 0o777 | os.ModeSticky} {
		for _, dir := range []string{name, name + "/below"} {
			if err := errors.Join(os.Mkdir(filepath.Join(root, dir), 0o700), os.Chmod(filepath.Join(root, dir), 0o700)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(filepath.Join(root, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"to-run": "run", "to-open": filepath.Join(root, "open"), "over": "open/below/../../run", "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for dir, good := range map[string]bool{
		"run": true, "run/below": true, "sticky": true, "sticky/below": true, "to-run": true, "to-run/below": true,
		"open": false, "open/below": false, "group": false, "to-open": false, "to-open/below": false, "loop": false,
		"over": false, // the way leads through a directory that others may write into
	} {
		err := makePrivate(filepath.Join(root, dir, "cytisus"), uid)
		if good != (err == nil) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if uid == 0 {
		if err := os.Lchown(filepath.Join(root, "to-run"), 1, -1); err != nil {
			t.Fatal(err)
		}
		if err := makePrivate(filepath.Join(root, "to-run", "cytisus"), uid); err == nil {
			t.Error("another user's link was followed")
		}
	}
}

// A link in the socket's place is not followed, by a host or by a client.
func TestSocketIsNoLink(t *testing.T) {
	elsewhere := private(t)
	h := host(t, elsewhere, 0, Options{}, echo)
	store := filepath.Join(t.TempDir(), "other")
	path, err := SocketPath(store)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(h.Path(), path); err != nil {
		t.Skip(err)
	}
	if _, _, err := Dial(t.Context(), store, me("")); !errors.Is(err, ErrUnsafe) {
		t.Error(err)
	}
	if _, err := Listen(store, Options{}); !errors.Is(err, ErrUnsafe) {
		t.Error(err)
	}
}

var errLocked = errors.New("locked")

func TestOpenOrDial(t *testing.T) {
	store := private(t)
	if c, _, err := OpenOrDial(t.Context(), store, me(""), errLocked, func() error { return nil }); c != nil || err != nil {
		t.Error(c, err)
	}
	other := errors.New("no space")
	if _, _, err := OpenOrDial(t.Context(), store, me(""), errLocked, func() error { return other }); !errors.Is(err, other) {
		t.Error(err)
	}
	// The holder listens only after a while.
	tries := 0
	c, info, err := OpenOrDial(t.Context(), store, me(""), errLocked, func() error {
		if tries++; tries == 3 {
			host(t, store, 0, Options{Name: "late"}, echo)
		}
		return fmt.Errorf("opening: %w", errLocked)
	})
	if err != nil || info.Name != "late" {
		t.Fatal(info, err)
	}
	c.Close()
	// A host of another build is no reason to wait, and none to open its store beside it.
	_, _, err = OpenOrDial(t.Context(), store, Options{Build: "b2"}, errLocked, func() error { t.Error("opened"); return nil })
	if !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	c, _, err = OpenOrDial(t.Context(), store, me(""), errLocked, func() error { t.Error("opened"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	tries = 0
	_, _, err = OpenOrDial(ctx, private(t), me(""), errLocked, func() error {
		if tries++; tries == 3 {
			cancel()
		}
		return errLocked
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrNoHost) || !errors.Is(err, errLocked) {
		t.Error(err)
	}
}

func FuzzHandshake(f *testing.F) {
	f.Add([]byte(`{"cytisus":1,"verb":"status","build":"b1","store":"/s"}` + "\n"))
	f.Add([]byte("\n"))
	f.Add([]byte(`{"cytisus":1e99}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		a, b := socketPair(t)
		defer a.Close()
		defer b.Close()
		h := &Host{store: "/s", o: Options{Build: "b1"}.filled()}
		go func() {
			a.Write(line)
			a.CloseWrite()
		}()
		var in hello
		refused, err := h.judge(newLineConn(b), &in)
		if err == nil && refused == nil && (in.Store != "/s" || in.Version != HandshakeVersion) {
			t.Errorf("%q was welcome: %+v", line, in)
		}
	})
}

func socketPair(t testing.TB) (a, b *net.UnixConn) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cy")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	b, err = l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn), b
}
