package vfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	iofs "io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/arena"
)

func all(t *testing.T, fn func(t *testing.T, fs FS, dir string)) {
	t.Run("os", func(t *testing.T) { fn(t, OS{}, filepath.Join(t.TempDir(), "d", "e")) })
	t.Run("mem", func(t *testing.T) { fn(t, NewMem(), "/d/e") })
	t.Run("failing", func(t *testing.T) { fn(t, FailNth(NewMem(), 1<<40, nil), "/d/e") })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, fs FS, name string) string {
	t.Helper()
	b, err := ReadFile(fs, name)
	must(t, err)
	return string(b)
}

func TestFiles(t *testing.T) {
	all(t, func(t *testing.T, fs FS, dir string) {
		name := filepath.Join(dir, "a")
		if _, err := fs.Open(name, false); !errors.Is(err, iofs.ErrNotExist) {
			t.Errorf("open of nothing: %v", err)
		}
		must(t, fs.MkdirAll(dir))
		must(t, fs.MkdirAll(dir))
		if _, err := fs.Open(name, true); !errors.Is(err, iofs.ErrNotExist) {
			t.Errorf("open of nothing: %v", err)
		}
		f, err := fs.Create(name)
		must(t, err)
		if _, err := fs.Create(name); !errors.Is(err, iofs.ErrExist) {
			t.Errorf("create again: %v", err)
		}
		_, err = f.WriteAt([]byte("hello"), 3)
		must(t, err)
		if got := read(t, fs, name); got != "\x00\x00\x00hello" {
			t.Errorf("%q", got)
		}
		must(t, f.Allocate(8, 20))
		must(t, f.Allocate(8, 10)) // never shorter
		must(t, f.Allocate(9, 9))
		must(t, f.Allocate(12, 8))
		if n, err := f.Size(); n != 20 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		must(t, f.Zero(5, 2))
		must(t, f.Zero(0, 0))
		if got := read(t, fs, name); got != "\x00\x00\x00he\x00\x00o"+strings.Repeat("\x00", 12) {
			t.Errorf("%q", got)
		}
		must(t, f.Truncate(5))
		must(t, f.Allocate(5, 8))
		if got := read(t, fs, name); got != "\x00\x00\x00he\x00\x00\x00" {
			t.Errorf("%q", got)
		}
		var b [10]byte
		if n, err := f.ReadAt(b[:], 4); n != 4 || !errors.Is(err, io.EOF) {
			t.Errorf("read at the end: %d %v", n, err)
		}
		must(t, f.Sync())
		must(t, f.Close())
		must(t, fs.SyncDir(dir))
		r, err := fs.Open(name, true)
		must(t, err)
		if _, err := r.WriteAt([]byte("x"), 0); err == nil {
			t.Error("wrote to a file open for reading")
		}
		must(t, fs.Rename(name, filepath.Join(dir, "moved"))) // under an open file
		must(t, fs.Rename(filepath.Join(dir, "moved"), name))
		must(t, r.Close())
		replaced, err := WriteFile(fs, dir, name, []byte("new"), true)
		if !replaced || err != nil || read(t, fs, name) != "new" {
			t.Errorf("replace: %v %v", replaced, err)
		}
		other := filepath.Join(dir, "b")
		must(t, fs.Rename(name, other))
		names, err := fs.List(dir)
		if err != nil || fmt.Sprint(names) != "[b]" {
			t.Errorf("%v %v", names, err)
		}
		must(t, fs.Remove(other))
		if err := fs.Remove(other); !errors.Is(err, iofs.ErrNotExist) {
			t.Errorf("remove again: %v", err)
		}
	})
}

// TestMapping: what is stored through the map is in the file, and the other way round, while the
// file grows.
func TestMapping(t *testing.T) {
	all(t, func(t *testing.T, fs FS, dir string) {
		must(t, fs.MkdirAll(dir))
		f, err := fs.Create(filepath.Join(dir, "a"))
		must(t, err)
		const page = 64 << 10
		must(t, f.Allocate(0, page))
		a, err := arena.New(arena.Options{SegmentBytes: 4 * page, ReserveBytes: 16 * page, Table: fs.Table()})
		must(t, err)
		if a.Table() && !fs.Table() {
			must(t, f.Truncate(4*page)) // this system maps whole files only
		}
		seg, err := a.Map(arena.Spec{Source: f.Source()})
		must(t, err)
		copy(seg.Mem()[100:], "mapped")
		_, err = f.WriteAt([]byte("written"), 200)
		must(t, err)
		must(t, f.Allocate(page, 3*page))
		copy(seg.Mem()[2*page:], "grown")
		var b [7]byte
		_, err = f.ReadAt(b[:6], 100)
		must(t, err)
		if string(b[:6]) != "mapped" || string(seg.Mem()[200:207]) != "written" {
			t.Error("map and file differ")
		}
		_, err = f.ReadAt(b[:5], 2*page)
		must(t, err)
		if string(b[:5]) != "grown" {
			t.Error("map and file differ where it grew")
		}
		must(t, f.Zero(100, 3))
		if string(seg.Mem()[100:106]) != "\x00\x00\x00ped" {
			t.Error("cleared bytes are in the map")
		}
		must(t, errors.Join(seg.Unmap(), a.Close(), f.Close()))
	})
}

func TestLocks(t *testing.T) {
	all(t, func(t *testing.T, fs FS, dir string) {
		must(t, fs.MkdirAll(dir))
		name := filepath.Join(dir, "lock")
		if runtime.GOOS == "windows" {
			t.Skip("one process locks against itself only where locks belong to handles")
		}
		l, err := fs.Lock(name, "me and\u00e9", false)
		must(t, err)
		for _, shared := range []bool{false, true} {
			_, err := fs.Lock(name, "you", shared)
			if h, ok := errors.AsType[*HeldError](err); !ok || !errors.Is(err, ErrHeld) || h.PID != os.Getpid() || h.Who != "me and\u00e9" {
				t.Fatalf("lock a second time: %v", err)
			}
		}
		must(t, l.Close())
		r1, err := fs.Lock(name, "", true)
		must(t, err)
		r2, err := fs.Lock(name, "", true)
		must(t, err)
		must(t, r1.Close())
		_, err = fs.Lock(name, "w", false)
		if h, ok := errors.AsType[*HeldError](err); !ok || h.PID != 0 || h.Who != heldByReaders {
			t.Fatalf("write lock beside a reader: %v", err)
		}
		must(t, r2.Close())
		l, err = fs.Lock(name, "w", false)
		must(t, err)
		must(t, l.Close())
	})
}

func TestSharedLockWithoutFile(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o500))
	l, err := OS{}.Lock(filepath.Join(dir, "lock"), "", true)
	must(t, err)
	must(t, l.Close())
}

func TestParseHolder(t *testing.T) {
	for in, want := range map[string]HeldError{
		"12 the name\nrest": {PID: 12, Who: "the name"},
		"12 \n":             {PID: 12},
		"12\n":              {PID: 12},
		"12 torn":           {},
		"":                  {},
		"x y\n":             {},
		"-1 y\n":            {},
	} {
		if got := parseHolder("n", []byte(in)); got.PID != want.PID || got.Who != want.Who || got.Name != "n" {
			t.Errorf("%q: %+v", in, got)
		}
	}
}

func FuzzHolder(f *testing.F) {
	f.Add([]byte("1 x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h := parseHolder("n", b); h.PID < 0 || h.PID == 0 && h.Who != "" || strings.ToValidUTF8(h.Who, "") != h.Who {
			t.Fatalf("%+v", h)
		}
	})
}

// TestCrashClone: what was synced is there, what was not may be, sector by sector; both outcomes
// occur.
func TestCrashClone(t *testing.T) {
	m := NewMem()
	must(t, m.MkdirAll("/d"))
	f, err := m.Create("/d/a")
	must(t, err)
	old := bytes.Repeat([]byte{1}, 4*sectorBytes)
	_, err = f.WriteAt(old, 0)
	must(t, err)
	must(t, f.Sync())
	must(t, m.SyncDir("/d"))
	_, err = f.WriteAt(bytes.Repeat([]byte{2}, 2*sectorBytes), sectorBytes)
	must(t, err)
	_, err = m.Create("/d/new")
	must(t, err)
	must(t, m.Rename("/d/new", "/d/newer"))
	seen := map[string]int{}
	for seed := range uint64(200) {
		c := m.CrashClone(seed)
		got := read(t, c, "/d/a")
		var sectors strings.Builder
		for off := 0; off < len(got); off += sectorBytes {
			s := got[off : off+sectorBytes]
			if strings.Trim(s, s[:1]) != "" {
				t.Fatal("a sector is torn")
			}
			fmt.Fprint(&sectors, s[0])
		}
		names, err := c.List("/d")
		must(t, err)
		seen[sectors.String()]++
		seen[fmt.Sprint(names)]++
	}
	for _, want := range []string{"1111", "1211", "1121", "1221", "[a]", "[a new]", "[a newer]"} {
		if seen[want] == 0 {
			t.Errorf("%s never happens", want)
		}
		delete(seen, want)
	}
	if len(seen) > 0 {
		t.Errorf("unexpected: %v", seen)
	}
	must(t, f.Sync())
	must(t, m.SyncDir("/d"))
	for seed := range uint64(20) {
		c := m.CrashClone(seed)
		if got := read(t, c, "/d/a"); got[sectorBytes] != 2 || got[3*sectorBytes] != 1 {
			t.Fatal("synced bytes are gone")
		}
		if names, _ := c.List("/d"); fmt.Sprint(names) != "[a newer]" {
			t.Fatal(names)
		}
	}
	if read(t, m.Clone(), "/d/a") != read(t, m, "/d/a") {
		t.Error("clone differs")
	}
	c := m.Clone()
	cf, err := c.Open("/d/a", false)
	must(t, err)
	_, err = cf.WriteAt([]byte{9}, 0)
	must(t, err)
	if read(t, m, "/d/a")[0] == 9 {
		t.Error("a clone shares bytes")
	}
}

func TestFailing(t *testing.T) {
	steps := func(fs FS) (errs []error) {
		errs = append(errs, fs.MkdirAll("/d"))
		f, err := fs.Create("/d/a")
		errs = append(errs, err)
		if err != nil {
			return errs
		}
		_, err = f.WriteAt([]byte("abcd"), 0)
		return append(errs, err, f.Allocate(0, 9), f.Zero(0, 1), f.Truncate(3), f.Sync(), fs.SyncDir("/d"), fs.Rename("/d/a", "/d/b"), fs.Remove("/d/b"))
	}
	for n := int64(1); ; n++ {
		fs := FailNth(NewMem(), n, syscall.EIO)
		failed := 0
		for i, err := range steps(fs) {
			if errors.Is(err, syscall.EIO) {
				failed++
				if int64(i+1) != n {
					t.Errorf("step %d failed, want %d", i+1, n)
				}
			}
		}
		if !fs.Fired() {
			if n != 11 || failed != 0 {
				t.Errorf("%d steps, %d failed", n-1, failed)
			}
			break
		}
		if failed != 1 {
			t.Errorf("n=%d: %d steps failed", n, failed)
		}
	}
	fs := FailFrom(NewMem(), 3, nil)
	for i, err := range steps(fs) {
		if (err != nil) != (i >= 2) || err != nil && !errors.Is(err, ErrInjected) {
			t.Errorf("step %d: %v", i+1, err)
		}
	}
}
