package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// A moodyFS fails all that writes while it has an error. What reads, or makes files smaller, goes
// on.
type moodyFS struct {
	vfs.FS
	err atomic.Pointer[error]

	nth            atomic.Int64 // not 0: each nth that writes finds no space, and the others do
	writes, failed atomic.Int64 // of those while nth is not 0
}

type moodyFile struct {
	vfs.File
	fs *moodyFS
}

func (m *moodyFS) failing(err error) { m.err.Store(&err) }
func (m *moodyFS) well()             { m.err.Store(nil) }

func (m *moodyFS) why(op, name string) error {
	if err := m.err.Load(); err != nil {
		return &os.PathError{Op: op, Path: name, Err: *err}
	}
	if nth := m.nth.Load(); nth > 0 && op != "sync" && m.writes.Add(1)%nth == 0 {
		m.failed.Add(1)
		return &os.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
	}
	return nil
}

func (m *moodyFS) Create(name string) (vfs.File, error) {
	if err := m.why("create", name); err != nil {
		return nil, err
	}
	f, err := m.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return &moodyFile{f, m}, nil
}

func (m *moodyFS) Open(name string, readOnly bool) (vfs.File, error) {
	f, err := m.FS.Open(name, readOnly)
	if err != nil {
		return nil, err
	}
	return &moodyFile{f, m}, nil
}

func (f *moodyFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.fs.why("write", f.Name()); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, off)
}

func (f *moodyFile) Allocate(from, to int64) error {
	if err := f.fs.why("allocate", f.Name()); err != nil {
		return err
	}
	return f.File.Allocate(from, to)
}

func (f *moodyFile) Sync() error {
	if err := f.fs.why("sync", f.Name()); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return f.File.Sync()
}

const largeResult = 50_000

var (
	// echoes is a result that is too large for what is left of a segment.
	echoes = runtime.NewQuery("fulldisk/echoes", 1, func(t *runtime.Task, key string) (string, error) {
		s, err := inputs.Get(t, key)
		return s + noise(uint64(len(s)), largeResult), err
	})
	// echoParts is the same in parts, which are records of their own.
	echoParts = runtime.NewQuery("fulldisk/parts", 1, func(t *runtime.Task, key string) (report, error) {
		s, err := echoes.Get(t, key)
		if err != nil {
			return report{}, err
		}
		a, err := t.PutBlob([]byte(s + "a"))
		if err != nil {
			return report{}, err
		}
		b, err := t.PutBlob([]byte(s + "b"))
		return report{Name: key, Parts: []runtime.Blob{a, b}}, err
	})
)

func echoed(text string) string { return text + noise(uint64(len(text)), largeResult) }

// wantEchoes asks for the answers over what the inputs hold.
func wantEchoes(t *testing.T, e *runtime.Engine, texts []string) {
	t.Helper()
	for i, text := range texts {
		want := echoed(text)
		if got := ask(t, e, echoes, fmt.Sprint(i)); got != want {
			t.Fatalf("the answer for %d begins %.20q, want %.20q", i, got, want)
		}
		err := e.Submit(t.Context(), 0, func(task *runtime.Task) error {
			rep, err := echoParts.Get(task, fmt.Sprint(i))
			if err != nil {
				return err
			}
			if got := string(readParts(t, task, rep)); got != want+"a"+want+"b" {
				return fmt.Errorf("the parts of %d begin %.20q", i, got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

var moods = []struct {
	name   string
	err    error
	sync   mmapcas.SyncMode
	passes bool // with the error gone, everything can be durable again
}{
	{"no space", syscall.ENOSPC, mmapcas.SyncNone, true},
	{"no space, group", syscall.ENOSPC, mmapcas.SyncGroup, true},
	{"no space, every", syscall.ENOSPC, mmapcas.SyncEvery, true},
	{"quota", syscall.EDQUOT, mmapcas.SyncNone, true},
	{"read-only", syscall.EROFS, mmapcas.SyncNone, true},
	{"input and output", syscall.EIO, mmapcas.SyncNone, true},
	{"input and output, group", syscall.EIO, mmapcas.SyncGroup, true},
	{"input and output, every", syscall.EIO, mmapcas.SyncEvery, false},
}

// A store that takes nothing refuses commits; questions are answered, computed once, and their
// answers are stored when the store takes them again.
func TestAnswersOnAFullDisk(t *testing.T) {
	for _, c := range moods {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fs := &moodyFS{FS: vfs.NewMem()}
			start := func() *runtime.Engine {
				e, err := runtime.Open("/s", runtime.OnFS(runtime.Options{
					Workers: 2, CollectEvery: -1, SegmentBytes: 256 << 10, Logger: quiet, Sync: c.sync,
				}, fs))
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
			e := start()
			var texts []string
			for i := range 8 {
				texts = append(texts, strings.Repeat("t", i+1))
				put(t, e, inputs, fmt.Sprint(i), texts[i])
			}
			wantEchoes(t, e, texts[:1])
			count := &runs{e: e}
			fs.failing(c.err)
			wantEchoes(t, e, texts)
			count.since("fulldisk/echoes")
			count.since("fulldisk/parts")
			again := func(when string) {
				t.Helper()
				wantEchoes(t, e, texts)
				if a, b := count.since("fulldisk/echoes"), count.since("fulldisk/parts"); a+b > 0 {
					t.Errorf("%s, what is known was computed again: %d and %d runs", when, a, b)
				}
			}
			again("with the disk full")
			if held := e.Stats().MemoHeld; held < 6*3*largeResult {
				t.Errorf("%d bytes of results are held in memory", held)
			}
			err := e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, "large", noise(1, 100_000)) })
			if err == nil {
				t.Error("a commit that cannot be stored is acknowledged")
			}
			_, _ = e.Collect(t.Context())
			again("after a collection with the disk full")
			if _, err := inspect.Verify(t.Context(), e, nil); err != nil {
				t.Errorf("verify with the disk full: %v", err)
			}

			fs.well()
			again("with room again")
			if err := e.Checkpoint(t.Context()); (err == nil) != c.passes {
				t.Errorf("a checkpoint with room again: %v", err)
			}
			if !c.passes {
				again("after a checkpoint that failed")
				_ = e.Close(context.Background())
				e = start()
				wantEchoes(t, e, texts)
				if err := e.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				return
			}
			if held := e.Stats().MemoHeld; held != 0 {
				t.Errorf("after a checkpoint %d bytes are held in memory still", held)
			}
			if _, err := e.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			again("after a collection with room")
			if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
				t.Errorf("verify: %+v, %v", rep, err)
			}
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			e = start()
			count = &runs{e: e}
			again("in the next process")
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A disk that is full at each nth write stops nothing: each commit is stored or refused whole, each
// answer is right in any case, and what was acknowledged is there in the next process.
func TestFullDiskAtEachNthWrite(t *testing.T) {
	for _, nth := range []int64{2, 3, 10} {
		t.Run(fmt.Sprint(nth), func(t *testing.T) {
			t.Parallel()
			fs := &moodyFS{FS: vfs.NewMem()}
			o := runtime.OnFS(runtime.Options{Workers: 2, CollectEvery: -1, SegmentBytes: 256 << 10, Logger: quiet}, fs)
			e, err := runtime.Open("/s", o)
			if err != nil {
				t.Fatal(err)
			}
			const keys = 8
			var texts []string // what was acknowledged
			for i := range keys {
				texts = append(texts, strings.Repeat("t", i+1))
				put(t, e, inputs, fmt.Sprint(i), texts[i])
			}
			rng := rand.New(rand.NewPCG(uint64(nth), 0))
			fs.nth.Store(nth)
			refused := 0
			for step := range 150 {
				i := rng.IntN(keys)
				if rng.IntN(3) == 0 {
					text := noise(uint64(step), 1+rng.IntN(60_000))
					err := e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, fmt.Sprint(i), text) })
					switch {
					case err == nil:
						texts[i] = text
					case errors.Is(err, mmapcas.ErrNoSpace):
						refused++
					default:
						t.Fatalf("step %d: %v", step, err)
					}
				}
				if step%50 == 49 {
					if err := e.Checkpoint(t.Context()); err != nil && !errors.Is(err, mmapcas.ErrNoSpace) {
						t.Fatalf("step %d: %v", step, err)
					}
					if _, err := e.Collect(t.Context()); err != nil && !errors.Is(err, mmapcas.ErrNoSpace) {
						t.Fatalf("step %d: %v", step, err)
					}
				}
				if got := ask(t, e, echoes, fmt.Sprint(i)); got != echoed(texts[i]) {
					t.Fatalf("step %d: the answer for %d is another", step, i)
				}
			}
			t.Logf("%d of %d writes failed, %d commits were refused", fs.failed.Load(), fs.writes.Load(), refused)
			if fs.failed.Load() == 0 {
				t.Error("no write has failed")
			}
			wantEchoes(t, e, texts)
			fs.nth.Store(0)
			if err := e.Checkpoint(t.Context()); err != nil {
				t.Error(err)
			}
			if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
				t.Errorf("verify: %+v, %v", rep, err)
			}
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if e, err = runtime.Open("/s", o); err != nil {
				t.Fatal(err)
			}
			count := &runs{e: e}
			wantEchoes(t, e, texts)
			if n := count.since("fulldisk/echoes"); n > 0 {
				t.Errorf("%d answers were computed again in the next process", n)
			}
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What a full disk leaves in memory is bounded; beyond that it is computed again.
func TestHeldAnswersAreBounded(t *testing.T) {
	const bound = 10 * largeResult
	fs := &moodyFS{FS: vfs.NewMem()}
	e, err := runtime.Open("/s", runtime.OnFS(runtime.Options{
		Workers: 1, CollectEvery: -1, SegmentBytes: 256 << 10, CacheBytes: bound, TraceBytes: 8 << 10, Logger: quiet,
	}, fs))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for i := range 40 {
		texts = append(texts, strings.Repeat("t", i+1))
		put(t, e, inputs, fmt.Sprint(i), texts[i])
	}
	fs.failing(syscall.ENOSPC)
	for range 3 {
		wantEchoes(t, e, texts)
		if err := e.Checkpoint(t.Context()); err == nil {
			t.Fatal("what was computed with the disk full is said to be stored")
		}
		if st := e.Stats(); st.MemoHeld > bound || st.TraceBytes > 16<<10 {
			t.Errorf("%d bytes of results and %d of traces are in memory", st.MemoHeld, st.TraceBytes)
		}
	}
	fs.well()
	wantEchoes(t, e, texts)
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A commit may refer to a part of an answer that is in memory: it is stored first, or the commit is
// refused.
func TestCommitOfAHeldBlob(t *testing.T) {
	fs := &moodyFS{FS: vfs.NewMem()}
	o := runtime.OnFS(runtime.Options{Workers: 1, CollectEvery: -1, SegmentBytes: 256 << 10, Logger: quiet}, fs)
	e, err := runtime.Open("/s", o)
	if err != nil {
		t.Fatal(err)
	}
	put(t, e, inputs, "0", "text")
	put(t, e, reports, "first", report{Name: "first"})
	fs.failing(syscall.ENOSPC)
	rep := ask(t, e, echoParts, "0")
	keep := func(w *runtime.Writer) error { return reports.Put(w, "kept", rep) }
	if err := e.Commit(t.Context(), keep); !errors.Is(err, mmapcas.ErrNoSpace) {
		t.Fatalf("a commit that refers to what is in memory: %v", err)
	}
	fs.well()
	if err := e.Commit(t.Context(), keep); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e, err = runtime.Open("/s", o); err != nil {
		t.Fatal(err)
	}
	if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
		t.Errorf("verify: %+v, %v", rep, err)
	}
	s := e.Snapshot()
	got, err := reports.Get(s, "kept")
	if err != nil {
		t.Fatal(err)
	}
	if want := echoed("text"); string(readParts(t, s, got)) != want+"a"+want+"b" {
		t.Error("the blobs read otherwise")
	}
	s.Release()
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
