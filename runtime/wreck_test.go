package runtime_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
)

var (
	wreckSeed  = flag.Uint64("wreck.seed", 0, "seed of the lives of wrecked stores; 0 picks one")
	wreckLives = flag.Int("wreck.lives", 6, "lives of wrecked stores, on each file system")
)

var (
	wreckIn = runtime.NewPartition[string]("wreck/in")

	wreckLen = runtime.NewQuery("wreck/len", 1, func(t *runtime.Task, key string) (int, error) {
		v, err := wreckIn.Get(t, key)
		return len(v), err
	})
	wreckPair = runtime.NewQuery("wreck/pair", 1, func(t *runtime.Task, key string) (string, error) {
		n, err := wreckLen.Get(t, key)
		if err != nil {
			return "", err
		}
		v, err := wreckIn.Get(t, key)
		return fmt.Sprint(n, v), err
	})
	wreckKeys = runtime.NewQuery("wreck/keys", 1, func(t *runtime.Task, prefix string) ([]string, error) {
		return wreckIn.Keys(t, runtime.Prefix(prefix))
	})
)

// A wreckage is an engine whose store is damaged again and again, and what must be in it.
type wreckage struct {
	t      *testing.T
	rng    *rand.Rand
	fs     vfs.FS
	dir    string
	e      *runtime.Engine
	now    map[string]string
	past   []map[string]string // what was committed, oldest first; the last is now
	live   bool                // the files may be damaged while they are mapped
	struck bool                // damage since everything was put again, and was seen to be there
	said   []string
}

func (w *wreckage) say(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *wreckage) fatal(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(w.said, "\n"))
}

func (w *wreckage) open() {
	w.t.Helper()
	o := runtime.OnFS(runtime.Options{Workers: 2, SegmentBytes: 64 << 10, CollectEvery: -1, Logger: quiet}, w.fs)
	var err error
	w.e, err = runtime.Open(w.dir, o)
	if w.beyond(err) {
		w.e, err = runtime.Open(w.dir, o)
	}
	if err != nil {
		w.fatal("open: %v", err)
	}
}

// beyond reports whether a store cannot be opened since neither its superblock nor any segment says
// what it is. Then it is deleted, as the error asks for.
func (w *wreckage) beyond(err error) bool {
	w.t.Helper()
	bad, ok := errors.AsType[*mmapcas.CorruptError](err)
	if !ok || !strings.HasSuffix(bad.File, "superblock") {
		return false
	}
	names, err := w.fs.List(w.dir)
	if err != nil {
		w.fatal("%v", err)
	}
	for _, n := range names {
		if err := w.fs.Remove(path.Join(w.dir, n)); err != nil {
			w.fatal("%v", err)
		}
	}
	w.say("beyond repair, deleted")
	w.past, w.now = w.past[:1], w.past[0]
	return true
}

func (w *wreckage) key() string { return fmt.Sprintf("k%d/%02d", w.rng.IntN(4), w.rng.IntN(60)) }

func (w *wreckage) commit(fn func(wr *runtime.Writer, next map[string]string) error) {
	w.t.Helper()
	next := maps.Clone(w.now)
	if err := w.e.Commit(w.t.Context(), func(wr *runtime.Writer) error { return fn(wr, next) }); err != nil {
		w.fatal("commit: %v", err)
	}
	w.now = next
	w.past = append(w.past, next)
}

// get reads a key; damaged says that it cannot be.
func (w *wreckage) get(key string) (v string, there, damaged bool) {
	w.t.Helper()
	s := w.e.Snapshot()
	defer s.Release()
	v, err := wreckIn.Get(s, key)
	switch {
	case err == nil:
		return v, true, false
	case errors.Is(err, runtime.ErrNotFound):
		return "", false, false
	case errors.Is(err, runtime.ErrDamaged):
		return "", false, true
	}
	w.fatal("%s: %v", key, err)
	return "", false, false
}

func (w *wreckage) universe() []string {
	all := map[string]bool{"k9/never": true}
	for _, state := range w.past {
		for k := range state {
			all[k] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// check compares what the engine says with what it must say. It returns how many keys are damaged.
func (w *wreckage) check() (damaged int) {
	w.t.Helper()
	intact := map[string]bool{}
	for _, k := range w.universe() {
		v, there, bad := w.get(k)
		if bad {
			damaged++
			continue
		}
		intact[k] = true
		if want, ok := w.now[k]; there != ok || v != want {
			w.fatal("%s is %q, there %v; it must be %q, there %v", k, v, there, want, ok)
		}
	}
	for k := range intact {
		if w.rng.IntN(8) > 0 {
			continue
		}
		want, there := w.now[k]
		got, err := wreckPair.Ask(w.t.Context(), w.e, k)
		if there && (err != nil || got != fmt.Sprint(len(want), want)) || !there && !errors.Is(err, runtime.ErrNotFound) {
			w.fatal("a query of %s, which is intact, answers %q, %v", k, got, err)
		}
	}
	for i := range 4 {
		prefix := fmt.Sprintf("k%d", i)
		got, bad := w.keys(prefix)
		if bad {
			damaged++
		} else if want := under(w.now, prefix); !slices.Equal(got, want) {
			w.fatal("the keys of %s are %v; they must be %v", prefix, got, want)
		}
	}
	return damaged
}

// keys asks for the keys that begin with a prefix; damaged says that they cannot be known.
func (w *wreckage) keys(prefix string) (keys []string, damaged bool) {
	w.t.Helper()
	keys, err := wreckKeys.Ask(w.t.Context(), w.e, prefix)
	if err != nil && !errors.Is(err, runtime.ErrDamaged) {
		w.fatal("the keys of %s: %v", prefix, err)
	}
	return keys, err != nil
}

func under(state map[string]string, prefix string) (keys []string) {
	for k := range state {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// settle finds out which of the states that were committed a struck store has come back with: all
// that can be read of it is of one, and nothing that was there at the end is of none.
func (w *wreckage) settle() {
	w.t.Helper()
	type reading struct {
		v              string
		there, damaged bool
	}
	read := map[string]reading{}
	for _, k := range w.universe() {
		v, there, damaged := w.get(k)
		read[k] = reading{v, there, damaged}
	}
	// An answer that was computed before may know more than can be read now.
	known := map[string][]string{}
	for i := range 4 {
		prefix := fmt.Sprintf("k%d", i)
		if keys, damaged := w.keys(prefix); !damaged {
			known[prefix] = keys
		}
	}
	for i, state := range slices.Backward(w.past) {
		same := true
		for prefix, keys := range known {
			same = same && slices.Equal(keys, under(state, prefix))
		}
		for k, r := range read {
			want, ok := state[k]
			same = same && (r.damaged || r.there == ok && r.v == want)
		}
		if same {
			w.say("the state is the one after commit %d of %d", i, len(w.past)-1)
			w.now = state
			w.past = w.past[:i+1]
			return
		}
	}
	// Where no state fits, the log says by what each of the nearest ones does not.
	var differences [][]string
	for i, state := range w.past {
		diff := []string{fmt.Sprintf("against the state after commit %d:", i)}
		for prefix, keys := range known {
			if want := under(state, prefix); !slices.Equal(keys, want) {
				diff = append(diff, fmt.Sprintf("  under %s there is known to be %v, not %v", prefix, keys, want))
			}
		}
		for k, r := range read {
			if want, ok := state[k]; !r.damaged && (r.there != ok || r.v != want) {
				diff = append(diff, fmt.Sprintf("  %s is %.12q, there %v, not %.12q, there %v", k, r.v, r.there, want, ok))
			}
		}
		differences = append(differences, diff)
	}
	slices.SortStableFunc(differences, func(a, b []string) int { return len(a) - len(b) })
	for _, diff := range differences[:min(len(differences), 3)] {
		w.said = append(w.said, diff...)
	}
	for k, r := range read {
		if r.damaged {
			w.say("%s is damaged", k)
		}
	}
	w.fatal("what is there is of no state that was committed")
}

// again puts everything again, as the owner of the inputs does.
func (w *wreckage) again() {
	w.t.Helper()
	for k, v := range w.now {
		if w.rng.IntN(3) > 0 {
			continue
		}
		w.commit(func(wr *runtime.Writer, _ map[string]string) error { return wreckIn.Put(wr, k, v) })
		if got, _, damaged := w.get(k); damaged || got != v {
			w.fatal("%s was put again, and is %q, damaged %v", k, got, damaged)
		}
	}
	w.commit(func(wr *runtime.Writer, next map[string]string) error {
		if err := wreckIn.ClearPrefix(wr, ""); err != nil {
			return err
		}
		for k, v := range next {
			if err := wreckIn.Put(wr, k, v); err != nil {
				return err
			}
		}
		return nil
	})
	if n := w.check(); n > 0 {
		w.fatal("%d answers are damaged, although everything was put again", n)
	}
}

// end ends the session: by Close or, as killed processes do, not.
func (w *wreckage) end(kill bool) {
	w.t.Helper()
	if w.struck { // what else is damaged shows to whoever looks
		if err := w.e.Checkpoint(w.t.Context()); err != nil {
			w.fatal("checkpoint: %v", err)
		}
	}
	next := w.dir
	var left vfs.FS = w.fs
	if kill {
		// A database that meets damage makes a checkpoint when it likes, also while its memory is
		// copied here, as a kill may come in the middle of one; the race detector does not know
		// that.
		if m, ok := w.fs.(*vfs.Mem); ok && raceEnabled {
			w.say("closed, and not killed, for the race detector")
		} else if ok {
			w.e.WriteTraces(w.t.Context()) // Clone wants that nobody writes
			left = m.Clone()
		} else {
			next = leave(w.t, w.dir)
		}
	}
	if err := w.e.Close(w.t.Context()); err != nil {
		w.fatal("close: %v", err)
	}
	w.fs, w.dir = left, next
}

// leave copies what a process leaves that is killed: the manifest first, since it must not know
// more than the segments have.
func leave(t *testing.T, dir string) string {
	t.Helper()
	to := path.Join(t.TempDir(), "left")
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(names, func(a, b fs.DirEntry) int { return strings.Compare(path.Ext(a.Name()), path.Ext(b.Name())) })
	for _, n := range names {
		b, err := os.ReadFile(path.Join(dir, n.Name()))
		if err == nil {
			err = os.WriteFile(path.Join(to, n.Name()), b, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return to
}

// strike damages some file somehow.
func (w *wreckage) strike(mapped bool) {
	w.t.Helper()
	names, err := w.fs.List(w.dir)
	if err != nil {
		w.fatal("%v", err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "lock" })
	if w.rng.IntN(3) > 0 { // segments more often than by their number
		if segs := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasSuffix(n, ".seg") }); len(segs) > 0 {
			names = segs
		}
	}
	if len(names) == 0 {
		return
	}
	name := path.Join(w.dir, names[w.rng.IntN(len(names))])
	w.struck = true
	const page = 4096
	f, err := w.fs.Open(name, false)
	if err != nil {
		w.fatal("%v", err)
	}
	size, err := f.Size()
	if err != nil || size == 0 {
		return
	}
	garbage := func(n int64) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(w.rng.Uint32())
		}
		return b
	}
	at := func(n int64) int64 { return w.rng.Int64N(max(size-n, 1)) }
	var what string
	switch w.rng.IntN(8) {
	case 0, 1:
		what = "bytes"
		for range 1 + w.rng.IntN(20) {
			_, err = f.WriteAt(garbage(1), at(1))
		}
	case 2:
		what = "a page of zeros"
		_, err = f.WriteAt(make([]byte, min(page, size)), at(page)&^(page-1))
	case 3:
		what = "a page of garbage"
		_, err = f.WriteAt(garbage(min(page, size)), at(page)&^(page-1))
	case 4:
		what = "two pages in each other's place"
		if size < 2*page {
			break
		}
		a, b := at(page)&^(page-1), at(page)&^(page-1)
		x, y := make([]byte, page), make([]byte, page)
		_, e1 := f.ReadAt(x, a)
		_, e2 := f.ReadAt(y, b)
		_, e3 := f.WriteAt(x, b)
		_, e4 := f.WriteAt(y, a)
		err = errors.Join(e1, e2, e3, e4)
	case 5:
		what = "garbage all over"
		_, err = f.WriteAt(garbage(size), 0)
	case 6:
		what = "the end cut off"
		err = f.Truncate(at(1))
	case 7:
		what = "the file removed"
		err = w.fs.Remove(name)
	}
	w.say("%s, mapped %v: %s of %d bytes", what, mapped, name, size)
	if err := errors.Join(err, f.Close()); err != nil {
		w.fatal("%v", err)
	}
}

// life is one: sessions of work and damage, and at the end everything is put again and must be
// there.
func (w *wreckage) life() {
	w.t.Helper()
	w.open()
	for range 3 + w.rng.IntN(4) {
		for range 2 + w.rng.IntN(6) {
			w.commit(func(wr *runtime.Writer, next map[string]string) error {
				for range 1 + w.rng.IntN(30) {
					k := w.key()
					if w.rng.IntN(6) == 0 {
						delete(next, k)
						if err := wreckIn.Delete(wr, k); err != nil {
							return err
						}
						continue
					}
					next[k] = strings.Repeat(fmt.Sprint(w.rng.IntN(1000), " "), 1+w.rng.IntN(40))
					if err := wreckIn.Put(wr, k, next[k]); err != nil {
						return err
					}
				}
				return nil
			})
			if n := w.check(); n > 0 && !w.struck {
				w.fatal("%d answers are damaged, and nothing was", n)
			}
			switch w.rng.IntN(8) {
			case 0:
				w.say("checkpoint")
				if err := w.e.Checkpoint(w.t.Context()); err != nil {
					w.fatal("checkpoint: %v", err)
				}
			case 1:
				w.say("collect")
				if _, err := w.e.Collect(w.t.Context()); err != nil {
					w.fatal("collect: %v", err)
				}
			case 2:
				if w.live && !checked {
					w.strike(true)
				}
			}
		}
		kill := w.rng.IntN(2) == 0
		w.say("end, kill %v", kill)
		w.end(kill)
		if w.rng.IntN(2) == 0 {
			w.strike(false)
		}
		if w.struck && w.rng.IntN(3) == 0 {
			w.say("repair")
			w.repair()
		}
		w.open()
		if w.struck {
			w.settle()
			w.check()
			if w.rng.IntN(2) == 0 {
				w.say("everything is put again")
				w.again()
				// What is damaged and has not been met is met by reading everything once more.
				w.end(w.rng.IntN(2) == 0)
				w.open()
				w.settle()
				w.again()
				w.struck = false
			}
		} else if n := w.check(); n > 0 {
			w.fatal("%d answers are damaged, and nothing was", n)
		}
	}
	w.say("everything is put again")
	w.again()
	w.end(true)
	w.open()
	w.settle()
	w.again()
	w.end(w.rng.IntN(2) == 0)
	w.repair()
	w.open()
	if n := w.check(); n > 0 {
		w.fatal("%d answers are damaged at the end", n)
	}
	w.end(false)
}

func (w *wreckage) repair() {
	w.t.Helper()
	st, err := mmapcas.Open(w.dir, mmapcas.Options{FS: w.fs, SegmentBytes: 64 << 10})
	if w.beyond(err) {
		return
	}
	if err != nil {
		w.fatal("open to repair: %v", err)
	}
	if _, err := st.Repair(w.t.Context(), nil); err != nil {
		w.fatal("repair: %v", err)
	}
	if r, err := st.Verify(w.t.Context(), nil); err != nil || !r.OK() {
		w.fatal("after the repair: %+v, %v", r, err)
	}
	if err := st.Close(); err != nil {
		w.fatal("%v", err)
	}
}

// TestWreckedStores damages anything of a store at any time of its life. What is read is right, or
// ErrDamaged; what is derived is computed again; every store that opens works, and what is put
// again is there from then on.
func TestWreckedStores(t *testing.T) {
	seed := *wreckSeed
	if seed == 0 {
		seed = rand.Uint64() >> 1
	}
	for i := range *wreckLives {
		for _, real := range []bool{false, true} {
			t.Run(fmt.Sprintf("real=%v/%d", real, i), func(t *testing.T) {
				t.Logf("replay with -run 'WreckedStores/real=%v' -wreck.seed=%d -wreck.lives=1", real, seed+uint64(i))
				w := &wreckage{t: t, rng: rand.New(rand.NewPCG(seed+uint64(i), 1)), past: []map[string]string{{}}, now: map[string]string{}}
				if real {
					w.fs, w.dir, w.live = vfs.OS{}, path.Join(t.TempDir(), "s"), true
				} else {
					w.fs, w.dir = vfs.NewMem(), "/s"
				}
				w.life()
			})
		}
	}
}
