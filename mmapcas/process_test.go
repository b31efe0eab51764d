package mmapcas

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// The test binary is also the other process: with this variable set it does as it says instead of
// testing.
const childEnv = "MMAPCAS_CHILD"

// child runs this binary again as the other process in dir.
func child(t *testing.T, what, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), childEnv+"="+what, "MMAPCAS_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil { // open until the child has ended
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewScanner(out)
}

// beChild is the other process.
func beChild(what string) {
	s, err := Open(os.Getenv("MMAPCAS_DIR"), Options{SegmentBytes: 256 << 10, Name: "the child", Appenders: 2})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("open")
	if what == "hold" {
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or the test's process has ended
		os.Exit(0)
	}
	start, err := strconv.Atoi(what)
	if err != nil {
		os.Exit(2)
	}
	// Two goroutines put, each says so after; now and then all is committed and half of it
	// collected.
	var out sync.Mutex
	say := func(a ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(a...)
	}
	var gate sync.RWMutex // the handshake of G2
	for w := range 2 {
		go func() {
			for i := start + w; ; i += 2 {
				gate.RLock()
				if _, _, err := s.Put(1, payload(i, i%4000)); err != nil {
					say("error", err)
					os.Exit(1)
				}
				say("put", i)
				gate.RUnlock()
			}
		}()
	}
	for n := 0; ; n++ {
		if err := s.Commit(fmt.Append(nil, n)); err != nil {
			say("error", err)
			os.Exit(1)
		}
		say("commit", n)
		c, err := s.BeginCycle()
		if err != nil {
			say("error", err)
			os.Exit(1)
		}
		gate.Lock()
		var all []Hash
		if err := s.Iterate(func(_ Kind, h Hash, _ []byte) error { all = append(all, h); return nil }); err != nil {
			say("error", err)
			os.Exit(1)
		}
		gate.Unlock()
		// Everything stays but what one cycle in two makes garbage of: the records of odd names.
		for _, h := range all {
			if n%2 == 0 || h[0]&1 == 0 {
				if _, err := c.Mark(h); err != nil {
					say("error", err)
					os.Exit(1)
				}
			}
		}
		for {
			done, _, err := c.Sweep(0)
			if err != nil {
				say("error", err)
				os.Exit(1)
			}
			if done {
				break
			}
		}
	}
}

// TestKill kills a process that puts, commits and collects, again and again over one store. Records
// with even names are never collected: each that was put is there, whatever the process was doing.
func TestKill(t *testing.T) {
	rng := seeded(t)
	dir := filepath.Join(t.TempDir(), "s")
	put := map[int]bool{}
	next := 0
	for round := range 5 {
		cmd, lines := child(t, strconv.Itoa(next), dir)
		lastCommit := -1
		for stop := 50 + rng.IntN(800); lines.Scan(); stop-- {
			what, arg, _ := strings.Cut(lines.Text(), " ")
			switch what {
			case "put":
				i, err := strconv.Atoi(arg)
				if err != nil {
					t.Fatal(err)
				}
				put[i] = true
				next = max(next, i+2)
			case "commit":
				lastCommit, _ = strconv.Atoi(arg)
			case "error":
				t.Fatalf("round %d: child: %s", round, arg)
			}
			if stop == 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				// What it said before it died counts as well: the loop goes on to the end of its
				// output.
			}
		}
		_ = cmd.Wait()
		s := mustOpen(t, dir, Options{})
		mustVerify(t, s)
		for i := range put {
			p := payload(i, i%4000)
			h := HashOf(1, p)
			got, _, err := s.Get(h, nil)
			if h[0]&1 == 1 && errors.Is(err, ErrNotFound) {
				continue // collected
			}
			if err != nil || string(got) != string(p) {
				t.Fatalf("round %d: record %d, put before the kill: %v", round, i, err)
			}
		}
		if n, err := strconv.Atoi(string(s.Note())); lastCommit >= 0 && (err != nil || n < lastCommit) {
			t.Fatalf("round %d: note %q, last commit was %d", round, s.Note(), lastCommit)
		}
		mustClose(t, s)
	}
	t.Logf("%d records", len(put))
}

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	cmd, lines := child(t, "hold", dir)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("child says %q", lines.Text())
	}
	for _, readOnly := range []bool{false, true} {
		_, err := Open(dir, Options{ReadOnly: readOnly})
		le, ok := errors.AsType[*LockedError](err)
		if !ok || !errors.Is(err, ErrLocked) || le.PID != cmd.Process.Pid || le.Holder != "the child" || le.Path != dir {
			t.Fatalf("readOnly=%v: %v", readOnly, err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// The holder is dead, its lock file is there: no obstacle.
	s := mustOpen(t, dir, Options{SegmentBytes: 64 << 10, Name: "me"})
	_, err := Open(dir, Options{})
	if le, ok := errors.AsType[*LockedError](err); !ok || le.PID != os.Getpid() || le.Holder != "me" {
		t.Fatalf("second open in one process: %v", err)
	}
	mustClose(t, s)
	r1 := mustOpen(t, dir, Options{ReadOnly: true})
	r2 := mustOpen(t, dir, Options{ReadOnly: true})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Fatalf("writer beside readers: %v", err)
	}
	mustClose(t, r1)
	mustClose(t, r2)
	mustClose(t, mustOpen(t, dir, Options{}))
}

// TestMustExist: with MustExist, and to read, nothing is made where there is no store.
func TestMustExist(t *testing.T) {
	for _, o := range []Options{{MustExist: true}, {ReadOnly: true}} {
		dir := filepath.Join(t.TempDir(), "s")
		for range 2 {
			if _, err := Open(dir, o); !errors.Is(err, ErrNoStore) || !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("%+v: %v", o, err)
			}
			if names, err := os.ReadDir(dir); len(names) != 0 {
				t.Fatalf("%+v: made %v, %v", o, names, err)
			}
			if err := os.MkdirAll(dir, 0o700); err != nil { // a directory is no store
				t.Fatal(err)
			}
		}
		mustClose(t, mustOpen(t, dir, Options{}))
		mustClose(t, mustOpen(t, dir, o))
	}
}

func TestReadOnly(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		o.ReadOnly = true
		if _, err := Open(dir, o); err == nil {
			t.Fatal("opened what does not exist")
		} else if dir != "" && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if dir == "" {
			return
		}
		o.ReadOnly = false
		s := mustOpen(t, dir, o)
		var all []Hash
		for i := range 300 {
			all = append(all, mustPut(t, s, 1, payload(i, 500)))
			if i == 200 {
				if err := s.Commit([]byte("c")); err != nil {
					t.Fatal(err)
				}
			}
		}
		mustClose(t, s)
		before := listing(t, s.fs, dir)
		o.ReadOnly = true
		s = mustOpen(t, dir, o)
		for _, h := range all {
			if _, _, err := s.Get(h, nil); err != nil {
				t.Fatal(err)
			}
		}
		mustVerify(t, s)
		if _, _, err := s.Put(1, nil); !errors.Is(err, ErrReadOnly) {
			t.Errorf("put: %v", err)
		}
		if err := s.Commit(nil); !errors.Is(err, ErrReadOnly) {
			t.Errorf("commit: %v", err)
		}
		if _, err := s.BeginCycle(); !errors.Is(err, ErrReadOnly) {
			t.Errorf("cycle: %v", err)
		}
		mustClose(t, s)
		if after := listing(t, s.fs, dir); after != before {
			t.Errorf("files changed:\n%s\n%s", before, after)
		}
	})
}

// listing returns names, sizes and checksums of the files of a store, without the lock.
func listing(t *testing.T, fsys vfs.FS, dir string) string {
	t.Helper()
	names, err := fsys.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, n := range names {
		if n == lockName {
			continue
		}
		data, err := vfs.ReadFile(fsys, filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, n, len(data), record.Checksum(data))
	}
	return b.String()
}

// TestFaults: a file that is cut short under the map must not kill the process.
func TestFaults(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		if dir == "" || dir == "/s" {
			t.Skip("needs files")
		}
		if goruntime.GOOS == "windows" {
			t.Skip("Windows lets nobody cut a file that is mapped")
		}
		o.Appenders = 1
		s := mustOpen(t, dir, o)
		var all []Hash
		for i := range 100 {
			all = append(all, mustPut(t, s, 1, payload(i, 3000)))
		}
		segs := s.segments()
		// The second is full and sealed, the last is being appended to.
		for _, seg := range []*segment{segs[1], segs[len(segs)-1]} {
			if err := seg.file.Truncate(8192); err != nil {
				t.Fatal(err)
			}
		}
		// A visit ends where it meets the hole, once for each record there.
		reader := s.NewReader()
		visited, holes := 0, 0
		for visited < len(all)/2 {
			err := reader.Visit(func(v Visit) error {
				for ; visited < len(all)/2; visited++ {
					_, p, err := v.Get(all[visited])
					if err == nil && string(p) != string(payload(visited, 3000)) {
						t.Errorf("record %d: wrong bytes", visited)
					}
				}
				return nil
			})
			if err == nil {
				break
			}
			if holes++; !errors.Is(err, ErrCorrupt) {
				t.Fatalf("record %d: %v", visited, err)
			}
			if reader.Has(all[visited]) {
				t.Fatalf("record %d is still there", visited)
			}
		}
		reader.Close()
		if holes == 0 {
			t.Error("the visit noticed nothing")
		}
		damaged := 0
		for i, h := range all {
			err := s.View(h, func(_ Kind, p []byte) error {
				if string(p) != string(payload(i, 3000)) {
					t.Errorf("record %d: wrong bytes", i)
				}
				return nil
			})
			if errors.Is(err, ErrCorrupt) {
				damaged++
				ce, _ := errors.AsType[*CorruptError](err)
				if ce.File != segs[1].name && ce.File != segs[len(segs)-1].name {
					t.Errorf("damage is said to be in %s", ce.File)
				}
			} else if err != nil && (err != ErrNotFound || i >= len(all)/2) {
				t.Errorf("record %d: %v", i, err)
			}
		}
		if damaged == 0 {
			t.Error("no damage noticed")
		}
		for _, h := range all {
			s.Has(h)
		}
		r, err := s.Verify(t.Context(), nil)
		if err != nil || r.OK() {
			t.Errorf("verify: %+v, %v", r, err)
		}
		// Puts that meet the hole fail once; then the segment is left alone.
		failures := 0
		for i, h := range all {
			for {
				got, _, err := s.Put(1, payload(i, 3000))
				if err == nil && got == h {
					break
				}
				if failures++; !errors.Is(err, ErrCorrupt) || failures > 2 {
					t.Fatalf("put again: %v", err)
				}
			}
		}
		for i, h := range all {
			if got, _, err := s.Get(h, nil); err != nil || string(got) != string(payload(i, 3000)) {
				t.Fatalf("record %d put again: %v", i, err)
			}
		}
		collect(t, s, all)
		for _, h := range all {
			if _, _, err := s.Get(h, nil); err != nil {
				t.Fatalf("after a collection: %v", err)
			}
		}
		if err := s.Commit(nil); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		s = mustOpen(t, dir, o)
		for _, h := range all {
			if _, _, err := s.Get(h, nil); err != nil {
				t.Fatalf("after reopening: %v", err)
			}
		}
		mustClose(t, s)
	})
}

// TestPanicsPass: Confine is for faults of mapped memory, and for nothing else.
func TestPanicsPass(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	h := mustPut(t, s, 1, []byte("x"))
	for _, fn := range []func(){
		func() { panic("mine") },
		func() { var p *int; *p = 1 },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("panic of a callback did not arrive")
				}
			}()
			_ = s.View(h, func(Kind, []byte) error { fn(); return nil })
		}()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("panic in a visit did not arrive")
				}
			}()
			r := s.NewReader()
			defer r.Close()
			_ = r.Visit(func(Visit) error { fn(); return nil })
		}()
	}
	// The pin is gone: memory can be given back.
	freed := false
	s.epochs.Retire(0, func() { freed = true })
	s.epochs.Collect()
	if !freed {
		t.Error("a panic left a pin behind")
	}
}

func TestClosed(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	h := mustPut(t, s, 1, []byte("x"))
	mustClose(t, s)
	_, _, putErr := s.Put(1, nil)
	_, batchErr := s.PutBatch(1, [][]byte{nil}, nil)
	_, _, getErr := s.Get(h, nil)
	_, verifyErr := s.Verify(t.Context(), nil)
	_, cycleErr := s.BeginCycle()
	for i, err := range []error{
		putErr, batchErr, getErr, verifyErr, cycleErr, s.View(h, nil), s.Commit(nil), s.Tail(1, nil), s.Iterate(nil), s.Close(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("call %d on a closed store: %v", i, err)
		}
	}
	if s.Has(h) {
		t.Error("has")
	}
	s.Stats()
}

func TestTooLarge(t *testing.T) {
	s := mustOpen(t, "", Options{})
	defer mustClose(t, s)
	if err := s.Commit(make([]byte, MaxNoteBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("note: %v", err)
	}
	if err := s.mayPut(MaxPayloadBytes + 1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("payload: %v", err)
	}
	if raceEnabled || testing.Short() {
		return
	}
	p := make([]byte, 65<<20) // larger than a segment
	p[len(p)-1] = 1
	h := mustPut(t, s, 1, p)
	err := s.View(h, func(_ Kind, b []byte) error {
		if len(b) != len(p) || b[len(b)-1] != 1 {
			return errors.New("wrong bytes")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestManifestTakenAway: a manifest that is removed, replaced or cut short while the store is open
// is made again by the next commit, which would be nowhere else.
func TestManifestTakenAway(t *testing.T) {
	for what, do := range map[string]func(name string) error{
		"removed": os.Remove,
		"replaced": func(name string) error {
			return errors.Join(os.Rename(name, name+"2"), os.WriteFile(name, []byte("x"), 0o600))
		},
		"cut": func(name string) error { return os.Truncate(name, 10) },
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "s")
			s := mustOpen(t, dir, Options{SegmentBytes: 64 << 10})
			h := mustPut(t, s, 1, payload(1, 100))
			if err := s.Commit([]byte("one")); err != nil {
				t.Fatal(err)
			}
			if err := do(filepath.Join(dir, manifestName)); err != nil {
				if goruntime.GOOS == "windows" {
					t.Skip(err)
				}
				t.Fatal(err)
			}
			if err := s.Commit([]byte("two")); err != nil {
				t.Fatal(err)
			}
			mustClose(t, s)
			s = mustOpen(t, dir, Options{})
			if string(s.Note()) != "two" || !s.Has(h) {
				t.Fatalf("the commit after the manifest was %s is nowhere: %q", what, s.Note())
			}
			mustClose(t, s)
		})
	}
}

// TestSegmentCutShort: a segment file that is cut while records are appended to it costs what was
// in it, and puts go on in others.
func TestSegmentCutShort(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("a mapped file cannot be cut there")
	}
	for _, batch := range []bool{false, true} {
		for _, keep := range []int64{0, 5000} { // nothing of it, or a page and a part
			dir := filepath.Join(t.TempDir(), "s")
			s := mustOpen(t, dir, Options{SegmentBytes: 256 << 10, Appenders: 1})
			mustPut(t, s, 1, payload(0, 300))
			if err := os.Truncate(filepath.Join(dir, segmentName(1)), keep); err != nil {
				t.Fatal(err)
			}
			var all []Hash
			for i := range 1000 {
				p := payload(i+1, 300)
				if batch {
					var err error
					if all, err = s.PutBatch(1, [][]byte{p}, all); err != nil {
						t.Fatal(err)
					}
				} else {
					all = append(all, mustPut(t, s, 1, p))
				}
			}
			if err := s.Commit([]byte("n")); err != nil {
				t.Fatal(err)
			}
			mustClose(t, s)
			s = mustOpen(t, dir, Options{})
			lost := 0
			for _, h := range all {
				if _, _, err := s.Get(h, nil); err != nil {
					lost++
				}
			}
			// A page that the cut goes through takes what is stored into it until somebody looks at
			// the file's size.
			if lost > 256<<10/300/4 {
				t.Errorf("batch %v, cut to %d: %d of %d records that were put later are lost", batch, keep, lost, len(all))
			}
			mustClose(t, s)
		}
	}
}

// TestUnsafeDirectories: a directory in which others could exchange files is refused, with what to
// do.
func TestUnsafeDirectories(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("no modes there")
	}
	refused := func(dir, say string) {
		t.Helper()
		for _, o := range []Options{{}, {ReadOnly: true}} {
			_, err := Open(dir, o)
			if bad, ok := errors.AsType[*vfs.UnsafeError](err); !ok || !errors.Is(err, ErrUnsafe) || !strings.Contains(bad.Reason, say) {
				t.Errorf("%s: %v", dir, err)
			}
		}
	}
	make := func() string {
		dir := filepath.Join(t.TempDir(), "s")
		mustClose(t, mustOpen(t, dir, Options{SegmentBytes: 64 << 10}))
		return dir
	}
	for _, mode := range []os.FileMode{0o770, 0o707, 0o777} {
		dir := make()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		refused(dir, "chmod")
		if err := os.Chmod(dir, 0o755); err != nil { // others may read it
			t.Fatal(err)
		}
		mustClose(t, mustOpen(t, dir, Options{}))
	}
	if os.Geteuid() == 0 {
		dir := make()
		if err := os.Chown(dir, 1234, -1); err != nil {
			t.Fatal(err)
		}
		refused(dir, "user 1234")
	}
}

// TestNoFileIsFollowed: a symbolic link in the place of a file of the store is refused, wherever it
// leads.
func TestNoFileIsFollowed(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	for _, name := range []string{lockName, superblockName, manifestName, indexFileName, segmentName(1)} {
		dir := filepath.Join(t.TempDir(), "s")
		s := mustOpen(t, dir, Options{SegmentBytes: 64 << 10, SaveIndexBytes: 1})
		mustPut(t, s, 1, payload(1, 100))
		if err := s.Commit([]byte("n")); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		path := filepath.Join(dir, name)
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		if err := errors.Join(os.Rename(path, elsewhere), os.Symlink(elsewhere, path)); err != nil {
			t.Fatal(name, err)
		}
		before, err := os.ReadFile(elsewhere)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []Options{{}, {ReadOnly: true}} {
			if _, err := Open(dir, o); !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s is a link: %v", name, err)
			}
		}
		if after, err := os.ReadFile(elsewhere); err != nil || string(after) != string(before) {
			t.Errorf("%s: what the link leads to has changed, %v", name, err)
		}
	}
}

// TestLockFileTakenAway: while a process has the store, removing the lock file lets nobody else in.
func TestLockFileTakenAway(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("an open lock file cannot be removed there")
	}
	dir := filepath.Join(t.TempDir(), "s")
	cmd, lines := child(t, "hold", dir)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("child says %q", lines.Text())
	}
	lock := filepath.Join(dir, lockName)
	for what, do := range map[string]func() error{
		"removed":  func() error { return os.Remove(lock) },
		"replaced": func() error { return errors.Join(os.Rename(lock, lock+"2"), os.WriteFile(lock, nil, 0o600)) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{false, true} {
			if _, err := Open(dir, Options{ReadOnly: readOnly}); !errors.Is(err, ErrLocked) {
				t.Fatalf("the lock file is %s, readOnly %v: %v", what, readOnly, err)
			}
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	mustClose(t, mustOpen(t, dir, Options{}))
}

// TestDirectoryTakenAway: when the directory of an open store is removed or moved, and another
// store is made under its name, the first one writes nothing there, and says so. What was put in it
// can be read.
func TestDirectoryTakenAway(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("the directory of an open file cannot be removed there")
	}
	for what, do := range map[string]func(dir string) error{
		"removed": os.RemoveAll,
		"moved":   func(dir string) error { return os.Rename(dir, dir+"2") },
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "s")
			s := mustOpen(t, dir, Options{SegmentBytes: 64 << 10, SaveIndexBytes: 1})
			h := mustPut(t, s, 1, payload(1, 100))
			if err := s.Commit([]byte("first")); err != nil {
				t.Fatal(err)
			}
			s.waitForSave()
			if err := do(dir); err != nil {
				t.Fatal(err)
			}
			if err := s.Commit([]byte("nowhere")); !errors.Is(err, ErrDisplaced) {
				t.Fatalf("a commit to a directory that is %s: %v", what, err)
			}
			second := mustOpen(t, dir, Options{SegmentBytes: 64 << 10, SaveIndexBytes: 1})
			own := mustPut(t, second, 1, payload(2, 100))
			if err := second.Commit([]byte("second")); err != nil {
				t.Fatal(err)
			}
			second.waitForSave()
			before := listing(t, vfs.OS{}, dir)
			if err := s.Commit([]byte("elsewhere")); !errors.Is(err, ErrDisplaced) {
				t.Fatalf("a commit to a directory that is another's: %v", err)
			}
			var failed error
			for i := 0; i < 1000 && failed == nil; i++ {
				_, _, failed = s.Put(1, payload(10+i, 400))
			}
			if !errors.Is(failed, ErrDisplaced) {
				t.Fatalf("a segment was made in a directory that is another's: %v", failed)
			}
			if got, _, err := s.Get(h, nil); err != nil || len(got) != 100 {
				t.Fatalf("what was put cannot be read: %v", err)
			}
			if c, err := s.BeginCycle(); err == nil {
				_, _ = c.Mark(h)
				_, _, _ = c.Sweep(1 << 40)
				c.Abort()
			}
			mustClose(t, s)
			if after := listing(t, vfs.OS{}, dir); after != before {
				t.Fatalf("the first store changed the second:\n%s\n%s", before, after)
			}
			mustClose(t, second)
			second = mustOpen(t, dir, Options{})
			if !second.Has(own) || second.Has(h) || string(second.Note()) != "second" {
				t.Fatalf("the second store is not what it was: %q", second.Note())
			}
			mustVerify(t, second)
			mustClose(t, second)
		})
	}
}
