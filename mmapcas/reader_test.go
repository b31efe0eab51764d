package mmapcas

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/record"
)

// TestReader: a reader, alone and in batches, gives what the store gives, for what is there, absent
// and damaged.
func TestReader(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		const records = 500
		var names []Hash
		for i := range records {
			p := payload(i, i*41%2500)
			if i%7 == 0 {
				names = append(names, HashOf(5, p)) // never put
			} else {
				names = append(names, mustPut(t, s, 5, p))
			}
		}
		const damaged = 100
		at := s.index.Find(names[damaged])
		seg := s.segmentOf(at)
		hurtSegment(t, seg, seg.mem.Offset(at)+record.HeaderBytes)

		r := s.NewReader()
		defer r.Close()
		check := func(i int, kind Kind, p []byte, err error) error {
			t.Helper()
			switch {
			case i%7 == 0:
				if !errors.Is(err, ErrNotFound) {
					t.Errorf("absent record %d: %v", i, err)
				}
			case i == damaged:
				if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotFound) { // once it was seen, it is gone
					t.Errorf("damaged record %d: %v", i, err)
				}
			case err != nil || kind != 5 || !bytes.Equal(p, payload(i, i*41%2500)):
				t.Errorf("record %d: kind %d, %d bytes, %v", i, kind, len(p), err)
			}
			return nil
		}
		for n := 0; n < 70; n += 1 + n%5 {
			next := 0
			for _, batch := range []func([]Hash, func(int, Kind, []byte, error) error) error{r.ViewBatch, s.ViewBatch} {
				next = 0
				err := batch(names[:n], func(i int, kind Kind, p []byte, err error) error {
					if i != next {
						t.Errorf("record %d, want %d", i, next)
					}
					next++
					return check(i, kind, p, err)
				})
				if err != nil || next != n {
					t.Fatalf("%d of %d, %v", next, n, err)
				}
			}
		}
		for i, h := range names {
			called := false
			err := r.View(h, func(kind Kind, p []byte) error {
				called = true
				return check(i, kind, p, nil)
			})
			if !called {
				_ = check(i, 0, nil, err)
			}
			p, kind, err := r.Get(h, nil)
			_ = check(i, kind, p, err)
		}
		err := r.Visit(func(v Visit) error {
			for i, h := range names {
				kind, p, err := v.Get(h)
				_ = check(i, kind, p, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		mine := errors.New("mine")
		n := 0
		err = r.ViewBatch(names, func(i int, _ Kind, _ []byte, _ error) error {
			if n++; i == 20 {
				return mine
			}
			return nil
		})
		if err != mine || n != 21 {
			t.Fatalf("%v after %d", err, n)
		}
	})
}

// TestReadsDoNotAllocate: no way of reading does, beside what its caller's function does.
func TestReadsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	var names []Hash
	for i := range 64 {
		names = append(names, mustPut(t, s, 5, payload(i, 200)))
	}
	r := s.NewReader()
	defer r.Close()
	dst := make([]byte, 0, 256)
	sum := 0
	look := func(_ Kind, p []byte) error { sum += len(p); return nil }
	lookAll := func(_ int, _ Kind, p []byte, _ error) error { sum += len(p); return nil }
	for name, fn := range map[string]func(){
		"Store.View":       func() { _ = s.View(names[0], look) },
		"Store.Get":        func() { _, _, _ = s.Get(names[0], dst) },
		"Store.Has":        func() { s.Has(names[0]) },
		"Store.ViewBatch":  func() { _ = s.ViewBatch(names, lookAll) },
		"Reader.View":      func() { _ = r.View(names[0], look) },
		"Reader.Get":       func() { _, _, _ = r.Get(names[0], dst) },
		"Reader.ViewBatch": func() { _ = r.ViewBatch(names, lookAll) },
		"Reader.Has":       func() { r.Has(names[0]) },
		"Reader.Visit": func() {
			_ = r.Visit(func(v Visit) error {
				for _, h := range names {
					_, p, _ := v.Get(h)
					sum += len(p)
				}
				return nil
			})
		},
	} {
		if n := testing.AllocsPerRun(100, fn); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestVisitLetsGo: a visit holds back no memory that was retired before its newest lookup, and ends
// with the store.
func TestVisitLetsGo(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	h := mustPut(t, s, 5, payload(1, 200))
	r := s.NewReader()
	defer r.Close()
	err := r.Visit(func(v Visit) error {
		freed := false
		s.epochs.Retire(0, func() { freed = true })
		for range 4 {
			if _, _, err := v.Get(h); err != nil {
				return err
			}
			s.epochs.Collect()
		}
		if !freed {
			t.Error("what was retired is still there")
		}
		s.closed.Store(true)
		if _, _, err := v.Get(h); err != ErrClosed {
			t.Errorf("in a closed store: %v", err)
		}
		s.closed.Store(false)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
}

// TestConcurrentBatches: goroutines put the same records in batches, in different orders, while
// readers look for them in batches. Each record is there once, and once there it stays.
func TestConcurrentBatches(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		const workers, records = 3, 1500
		payloads := make([][]byte, records)
		for i := range payloads {
			payloads[i] = payload(i, 20+i%50)
		}
		payloads[7] = payload(7, 30_000) // goes its own way
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(w), 3))
				order := rng.Perm(records)
				for len(order) > 0 {
					n := min(1+rng.IntN(70), len(order))
					var batch [][]byte
					for _, i := range order[:n] {
						batch = append(batch, payloads[i])
					}
					names, err := s.PutBatch(1, batch, nil)
					if err != nil {
						t.Error(err)
						return
					}
					err = s.ViewBatch(names, func(i int, kind Kind, p []byte, err error) error {
						if err != nil || !bytes.Equal(p, batch[i]) {
							t.Errorf("record of %d bytes: %v", len(batch[i]), err)
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
					order = order[n:]
				}
			})
		}
		wg.Wait()
		st := s.Stats()
		if st.Records != records || st.Puts != workers*records || st.Puts-st.DedupHits != records {
			t.Fatalf("%+v", st)
		}
		if r := mustVerify(t, s); r.Indexed != records || r.Unindexed != 0 {
			t.Fatalf("%+v", r)
		}
	})
}

// What all records take on disk together is what is live.
func TestExtent(t *testing.T) {
	st, err := Open(t.TempDir(), Options{SegmentBytes: 1 << 20, Compress: []Kind{2}})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var sum int64
	for i := range 40 {
		h, _, err := st.Put(Kind(1+i%2), bytes.Repeat([]byte{byte(i)}, i*i))
		if err != nil {
			t.Fatal(err)
		}
		bytes, padding := st.Extent(h)
		sum += bytes
		if stored := bytes - padding - record.HeaderBytes; i%2 == 0 && stored != int64(i*i) || i == 39 && stored > 100 {
			t.Errorf("payload %d is stored in %d bytes", i, stored)
		}
	}
	if live := st.Stats().LiveBytes; sum != live {
		t.Errorf("the records take %d bytes, and %d are live", sum, live)
	}
	if n, padding := st.Extent(Hash{1}); n != 0 || padding != 0 {
		t.Errorf("a record that is not there takes %d bytes", n)
	}
}
