package mmapcas

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestPin: what is pinned survives cycles that mark nothing, and goes with the first cycle after
// the last release.
func TestPin(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		var all []Hash
		for i := range 400 {
			all = append(all, mustPut(t, s, 1, payload(i, 500)))
		}
		pinned := map[int]func(){}
		for i := 0; i < len(all); i += 37 {
			release, err := s.Pin(all[i])
			if err != nil {
				t.Fatal(err)
			}
			pinned[i] = release
		}
		again, err := s.Pin(all[0])
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Stats().Pinned; n != int64(len(pinned)) {
			t.Errorf("%d records are pinned, want %d", n, len(pinned))
		}
		for range 2 {
			collect(t, s, nil)
			for i, h := range all {
				got, _, err := s.Get(h, nil)
				if _, ok := pinned[i]; ok && (err != nil || !bytes.Equal(got, payload(i, 500))) || !ok && err != ErrNotFound {
					t.Fatalf("record %d: %v", i, err)
				}
			}
		}
		pinned[0]()
		pinned[0]() // does nothing
		collect(t, s, nil)
		if !s.Has(all[0]) {
			t.Error("a record that is pinned once more is gone")
		}
		again()
		pinned[37]()
		collect(t, s, nil)
		if s.Has(all[0]) || s.Has(all[37]) || !s.Has(all[74]) {
			t.Errorf("after the release: %v %v %v", s.Has(all[0]), s.Has(all[37]), s.Has(all[74]))
		}
		if _, err := s.Pin(all[0]); err != ErrNotFound {
			t.Errorf("pin of what is gone: %v", err)
		}
		if n := s.Stats().Pinned; n != int64(len(pinned)-2) {
			t.Errorf("%d records are pinned", n)
		}
		mustVerify(t, s)
		mustClose(t, s)
		pinned[74]() // harmless
		if _, err := s.Pin(all[74]); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// TestPinIsShaded: the collector hears of pinned records, of those pinned before the cycle and of
// those pinned during it, so that it can trace what they refer to. One that is condemned cannot be
// pinned any more.
func TestPinIsShaded(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	before, during, white := mustPut(t, s, 1, []byte("before")), mustPut(t, s, 1, []byte("during")), mustPut(t, s, 1, []byte("white"))
	if _, err := s.Pin(before); err != nil {
		t.Fatal(err)
	}
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	if done, st, err := c.Sweep(time.Hour); done || st.Shaded != 1 || err != nil {
		t.Fatalf("sweep before the pinned record was traced: %v %+v %v", done, st, err)
	}
	if q := c.Shaded(); len(q) != 1 || q[0] != before {
		t.Errorf("shaded: %v", q)
	}
	release, err := s.Pin(during)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if q := c.Shaded(); len(q) != 1 || q[0] != during {
		t.Errorf("shaded: %v", q)
	}
	at := s.index.Find(white)
	s.segmentOf(at).marks.Load().set(s.segmentOf(at).mem.Offset(at), bitCondemned)
	if _, err := s.Pin(white); err != ErrNotFound {
		t.Errorf("pin of a condemned record: %v", err)
	}
	if done, _, err := c.Sweep(time.Hour); !done || err != nil {
		t.Fatal(done, err)
	}
	if !s.Has(before) || !s.Has(during) || s.Has(white) || s.Stats().Pinned != 1 {
		t.Errorf("%v %v %v, %d pinned", s.Has(before), s.Has(during), s.Has(white), s.Stats().Pinned)
	}
}

// TestPinDuringCycles: goroutines put, pin, read back and release, while cycles that mark nothing
// run. What is pinned is there.
func TestPinDuringCycles(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		o.Compress = []Kind{1}
		s := mustOpen(t, dir, o)
		var (
			wg   sync.WaitGroup
			stop atomic.Bool
			read atomic.Int64
		)
		for w := range 3 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(3, uint64(w)))
				for !stop.Load() {
					i := rng.IntN(300)
					h, _, err := s.Put(1, payload(i, 400))
					if err != nil {
						t.Error(err)
						return
					}
					release, err := s.Pin(h)
					if err == ErrNotFound {
						continue // a cycle that began after the put
					}
					if err != nil {
						t.Error(err)
						return
					}
					for range 20 {
						if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, payload(i, 400)) {
							t.Errorf("pinned record %d: %v", i, err)
							stop.Store(true)
						}
					}
					read.Add(1)
					release()
				}
			})
		}
		for n := 0; (n < 6 || read.Load() < 100) && !stop.Load(); n++ {
			if err := s.Commit(nil); err != nil {
				t.Fatal(err)
			}
			collect(t, s, nil)
		}
		stop.Store(true)
		wg.Wait()
		if n := s.Stats().Pinned; n != 0 {
			t.Errorf("%d records are still pinned", n)
		}
		mustVerify(t, s)
		mustClose(t, s)
	})
}

// TestLeases: appenders are lent to any goroutine, each to one at a time, no more of them than
// there are; exclusive has them all, and nobody else has one meanwhile.
func TestLeases(t *testing.T) {
	const appenders, goroutines, rounds = 3, 12, 200
	p := newPool(appenders)
	var (
		wg  sync.WaitGroup
		out atomic.Int64
		mu  sync.Mutex
	)
	owner := map[*appender]int{} // 0 when nobody has it; guarded by mu
	for w := 1; w <= goroutines; w++ {
		wg.Go(func() {
			for range rounds {
				a := p.lease()
				mu.Lock()
				if owner[a] != 0 {
					t.Errorf("goroutines %d and %d have one appender", owner[a], w)
				}
				owner[a] = w
				mu.Unlock()
				if n := out.Add(1); n > appenders {
					t.Errorf("%d appenders are out", n)
				}
				out.Add(-1)
				mu.Lock()
				owner[a] = 0
				mu.Unlock()
				p.giveBack(a)
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range rounds / 4 {
				p.exclusive(func(all []*appender) {
					if n := out.Load(); n != 0 {
						t.Errorf("%d appenders are out", n)
					}
					mu.Lock()
					defer mu.Unlock()
					for _, a := range all {
						if owner[a] != 0 {
							t.Errorf("goroutine %d has an appender", owner[a])
						}
					}
				})
			}
		})
	}
	wg.Wait()
	if len(owner) > appenders {
		t.Errorf("%d appenders were made", len(owner))
	}
}
