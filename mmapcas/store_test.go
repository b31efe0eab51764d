package mmapcas

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

var seedFlag = flag.Uint64("seed", 0, "seed of random tests; 0 picks one")

// seeded returns a random source and prints how to get the same one again.
func seeded(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// small is a store whose edges are near.
func small(fs vfs.FS) Options {
	return Options{SegmentBytes: 64 << 10, ReserveBytes: 64 << 20, FS: fs, Appenders: 2, SaveIndexBytes: 1}
}

func mustOpen(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustPut(t testing.TB, s *Store, kind Kind, p []byte) Hash {
	t.Helper()
	h, _, err := s.Put(kind, p)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func mustVerify(t testing.TB, s *Store) VerifyReport {
	t.Helper()
	r, err := s.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Fatalf("verify: %+v", r)
	}
	return r
}

// noise is what payloads are made of.
var noise = func() []byte {
	b := make([]byte, 2<<20)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}()

// payload returns n bytes that depend on i, for different i different ones unless n is very small.
func payload(i, n int) []byte {
	b := make([]byte, n)
	copy(b, noise[i*61%(1<<20):])
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], uint64(i))
	copy(b, number[:])
	return b
}

// forms runs fn over every form of store: each as a fresh one on its own file system.
func forms(t *testing.T, fn func(t *testing.T, dir string, o Options)) {
	if !raceEnabled { // where memory is heap, and mapped memory is invisible
		t.Run("memory", func(t *testing.T) { fn(t, "", small(nil)) })
		t.Run("portable", func(t *testing.T) { o := small(nil); o.Table = true; fn(t, filepath.Join(t.TempDir(), "s"), o) })
	}
	t.Run("heap", func(t *testing.T) { o := small(nil); o.Table = true; fn(t, "", o) })
	t.Run("files", func(t *testing.T) { fn(t, filepath.Join(t.TempDir(), "s"), small(nil)) })
	t.Run("memfs", func(t *testing.T) { fn(t, "/s", small(vfs.NewMem())) })
}

func TestPutGetView(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		sizes := []int{0, 1, 31, 32, 33, 64, 1000, 5000, 20000, 65376, 65377, 65536, 200000, 1 << 20}
		for i, n := range sizes {
			p := payload(i, n)
			h, fresh, err := s.Put(7, p)
			if err != nil || !fresh || h != HashOf(7, p) {
				t.Fatalf("put %d bytes: %v %v %v", n, h, fresh, err)
			}
			if _, fresh, err = s.Put(7, p); err != nil || fresh {
				t.Fatalf("put %d bytes again: fresh=%v err=%v", n, fresh, err)
			}
			if !s.Has(h) {
				t.Fatalf("%d bytes: not there", n)
			}
		}
		for i, n := range sizes {
			p := payload(i, n)
			got, kind, err := s.Get(HashOf(7, p), []byte("x"))
			if err != nil || kind != 7 || !bytes.Equal(got, append([]byte("x"), p...)) {
				t.Fatalf("get %d bytes: kind %d, err %v", n, kind, err)
			}
			err = s.View(HashOf(7, p), func(k Kind, b []byte) error {
				if k != 7 || !bytes.Equal(b, p) || cap(b) != len(b) {
					t.Errorf("view of %d bytes is wrong", n)
				}
				return errors.New("mine")
			})
			if err == nil || err.Error() != "mine" {
				t.Fatalf("view: %v, want the callback's error", err)
			}
		}
		if _, _, err := s.Get(HashOf(8, payload(1, 1)), nil); err != ErrNotFound {
			t.Fatalf("absent: %v", err)
		}
		if s.Has(Hash{}) {
			t.Fatal("has the zero hash")
		}
		if r := mustVerify(t, s); r.Indexed != int64(len(sizes)) || r.Unindexed != 0 {
			t.Fatalf("verify: %+v", r)
		}
		st := s.Stats()
		if st.Records != int64(len(sizes)) || st.DedupHits != int64(len(sizes)) {
			t.Fatalf("stats: %+v", st)
		}
	})
}

// A record that is expected to be new and is not: nothing is stored twice, and what a put owes to
// the record that is there is done.
func TestPutNew(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		for i, n := range []int{0, 33, 5000, 200_000} {
			p := payload(i, n)
			for round, want := range []bool{true, false, false} {
				h, fresh, err := s.PutNew(7, p)
				if err != nil || fresh != want || h != HashOf(7, p) {
					t.Fatalf("%d bytes, round %d: %v %v %v", n, round, h, fresh, err)
				}
			}
			if got, kind, err := s.Get(HashOf(7, p), nil); err != nil || kind != 7 || !bytes.Equal(got, p) {
				t.Fatalf("%d bytes: kind %d, err %v", n, kind, err)
			}
		}
		if st := s.Stats(); st.Records != 4 || st.DedupHits != 8 {
			t.Fatalf("stats: %+v", st)
		}
		if r := mustVerify(t, s); r.Indexed != 4 || r.Unindexed != 0 {
			t.Fatalf("verify: %+v", r)
		}
	})
}

// PutNew in a cycle saves a record that is there and is not marked (G1).
func TestPutNewShades(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	h := mustPut(t, s, 1, []byte("there"))
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	if _, fresh, err := s.PutNew(1, []byte("there")); fresh || err != nil {
		t.Fatal(fresh, err)
	}
	if q := c.Shaded(); len(q) != 1 || q[0] != h {
		t.Fatalf("shaded: %v", q)
	}
	if done, st, err := c.Sweep(time.Hour); !done || st.Dropped != 0 || err != nil {
		t.Fatalf("sweep: %v %+v %v", done, st, err)
	}
	if !s.Has(h) {
		t.Error("the record is gone")
	}
}

func TestReopen(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		if dir == "" {
			t.Skip("memory does not last")
		}
		o.Sync = SyncGroup
		var all []Hash
		for round := range 4 {
			s := mustOpen(t, dir, o)
			if round > 0 && string(s.Note()) != fmt.Sprint("note ", round-1) {
				t.Fatalf("note is %q", s.Note())
			}
			for i, h := range all {
				if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, payload(i, i*37%3000)) {
					t.Fatalf("round %d: record %d: %v", round, i, err)
				}
			}
			for range 150 {
				i := len(all)
				all = append(all, mustPut(t, s, 3, payload(i, i*37%3000)))
			}
			if err := s.Commit(fmt.Append(nil, "note ", round)); err != nil {
				t.Fatal(err)
			}
			if r := mustVerify(t, s); r.Indexed != int64(len(all)) {
				t.Fatalf("round %d: %+v", round, r)
			}
			live := s.Stats().LiveBytes
			mustClose(t, s)
			s = mustOpen(t, dir, o)
			if got := s.Stats(); got.LiveBytes != live || got.Damaged != 0 {
				t.Fatalf("live bytes %d after reopening, %d before", got.LiveBytes, live)
			}
			n := 0
			if err := s.Iterate(func(k Kind, h Hash, p []byte) error { n++; return nil }); err != nil || n != len(all) {
				t.Fatalf("iterate: %d records of %d, %v", n, len(all), err)
			}
			if err := s.Tail(3, func(Hash, []byte) error { return errors.New("no tail expected") }); err != nil {
				t.Fatal(err)
			}
			mustClose(t, s)
		}
	})
}

func TestEach(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		want := map[Kind]map[Hash]bool{3: {}, 4: {}, 5: {}}
		for i := range 200 {
			kind := Kind(3 + i%2)
			want[kind][mustPut(t, s, kind, payload(i, i*37%3000))] = true
		}
		for kind, want := range want {
			got := map[Hash]bool{}
			if err := s.Each(kind, func(h Hash, p []byte) error {
				got[h] = HashOf(kind, p) == h
				return nil
			}); err != nil || !maps.Equal(got, want) {
				t.Errorf("kind %d: %d records, want %d, or other ones: %v", kind, len(got), len(want), err)
			}
		}
		mustClose(t, s)
	})
}

func TestTail(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		if dir == "" {
			t.Skip("memory does not last")
		}
		o.Appenders = 1 // one segment at a time, so that the order is total
		s := mustOpen(t, dir, o)
		mustPut(t, s, 4, []byte("committed"))
		if err := s.Commit([]byte("a")); err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 300 {
			p := append(payload(i, 500), fmt.Sprint(i)...)
			mustPut(t, s, Kind(4+i%2), p)
			if i%2 == 0 {
				want = append(want, string(p))
			}
		}
		mustClose(t, s)
		for range 2 {
			s = mustOpen(t, dir, o)
			var got []string
			err := s.Tail(4, func(h Hash, p []byte) error {
				if HashOf(4, p) != h {
					t.Error("hash does not fit")
				}
				got = append(got, string(p))
				return nil
			})
			if err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
				t.Fatalf("tail: %d records, want %d, %v", len(got), len(want), err)
			}
			if string(s.Note()) != "a" {
				t.Fatalf("note %q", s.Note())
			}
			mustClose(t, s) // without a commit the tail stays
		}
		s = mustOpen(t, dir, o)
		if err := s.Commit([]byte("b")); err != nil {
			t.Fatal(err)
		}
		if err := s.Tail(4, func(Hash, []byte) error { return errors.New("there") }); err != nil {
			t.Fatal("the tail did not end with the commit")
		}
		mustClose(t, s)
	})
}

func TestPutBatch(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	var ps [][]byte
	for i := range 1000 {
		ps = append(ps, payload(i%700, 40))
	}
	out, err := s.PutBatch(2, ps, []Hash{{9}})
	if err != nil || len(out) != 1001 || out[0] != (Hash{9}) {
		t.Fatal(len(out), err)
	}
	for i, h := range out[1:] {
		if h != HashOf(2, ps[i]) || !s.Has(h) {
			t.Fatalf("record %d", i)
		}
	}
	if st := s.Stats(); st.Records != 700 || st.DedupHits != 300 {
		t.Fatalf("%+v", st)
	}
}

// TestConcurrentPuts: many goroutines put the same records, so that they race for the same slots
// from the smallest tables on. Each record must be there once, and each read right.
func TestConcurrentPuts(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		o.Epochs = epoch.NewDomain()
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		const workers, records = 4, 2000
		var wg sync.WaitGroup
		fresh := make([]int, workers)
		for w := range workers {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(w), 3))
				for _, i := range rng.Perm(records) {
					p := payload(i, 20+i%50)
					h, f, err := s.Put(1, p)
					if err != nil {
						t.Error(err)
						return
					}
					if f {
						fresh[w]++
					}
					got, _, err := s.Get(h, nil)
					if err != nil || !bytes.Equal(got, p) {
						t.Errorf("record %d: %v", i, err)
						return
					}
				}
			})
		}
		wg.Wait()
		sum := 0
		for _, n := range fresh {
			sum += n
		}
		if sum != records || s.Stats().Records != records {
			t.Fatalf("%d fresh puts, %d records, want %d", sum, s.Stats().Records, records)
		}
		if r := mustVerify(t, s); r.Indexed != records || r.Unindexed != 0 {
			t.Fatalf("%+v", r)
		}
	})
}
