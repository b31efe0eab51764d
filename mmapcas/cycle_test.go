package mmapcas

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// sweepAll sweeps to the end, in slices.
func sweepAll(t testing.TB, c *Cycle) (sum SweepStats) {
	t.Helper()
	for {
		done, st, err := c.Sweep(0)
		if err != nil {
			t.Fatal(err)
		}
		sum.Dropped += st.Dropped
		sum.Moved += st.Moved
		sum.Freed += st.Freed
		sum.Segments += st.Segments
		if done {
			return sum
		}
		if st.Shaded > 0 {
			c.Shaded()
		}
	}
}

// collect runs a whole cycle with the given records as the live ones.
func collect(t testing.TB, s *Store, live []Hash) SweepStats {
	t.Helper()
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range live {
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
	}
	return sweepAll(t, c)
}

func TestCollect(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		const records = 2000 // of about 500 bytes: some 16 segments
		var live, dead []int
		var liveHashes []Hash
		for i := range records {
			h := mustPut(t, s, 1, payload(i, 400+i%200))
			if i%4 == 0 {
				live = append(live, i)
				liveHashes = append(liveHashes, h)
			} else {
				dead = append(dead, i)
			}
		}
		if err := s.Commit([]byte("n")); err != nil {
			t.Fatal(err)
		}
		before := s.Stats()
		st := collect(t, s, liveHashes)
		if st.Dropped != int64(len(dead)) {
			t.Fatalf("dropped %d records, want %d", st.Dropped, len(dead))
		}
		after := s.Stats()
		if st.Freed == 0 || after.StoredBytes > before.StoredBytes/2 || after.Segments >= before.Segments {
			t.Fatalf("a quarter is live, but %d bytes became %d, freed %d", before.StoredBytes, after.StoredBytes, st.Freed)
		}
		check := func(s *Store) {
			t.Helper()
			for _, i := range live {
				p := payload(i, 400+i%200)
				if got, _, err := s.Get(HashOf(1, p), nil); err != nil || !bytes.Equal(got, p) {
					t.Fatalf("live record %d: %v", i, err)
				}
			}
		}
		check(s)
		for _, i := range dead {
			if s.Has(HashOf(1, payload(i, 400+i%200))) {
				t.Fatalf("dead record %d is there", i)
			}
		}
		if r := mustVerify(t, s); r.Indexed != int64(len(live)) {
			t.Fatalf("%+v", r)
		}
		if s.Stats().LiveBytes >= before.LiveBytes/2 {
			t.Fatalf("live bytes %d", s.Stats().LiveBytes)
		}
		// What was dropped can be put again, and the next cycle can begin.
		if _, fresh, err := s.Put(1, payload(dead[0], 400+dead[0]%200)); !fresh || err != nil {
			t.Fatal(fresh, err)
		}
		collect(t, s, liveHashes)
		check(s)
		mustClose(t, s)
		if dir == "" {
			return
		}
		names, err := s.fs.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		files := 0
		for _, n := range names {
			if _, ok := parseSegmentName(n); ok {
				files++
			}
		}
		if files != s.Stats().Segments {
			t.Fatalf("%d segment files, %d segments", files, s.Stats().Segments)
		}
		s = mustOpen(t, dir, o)
		if string(s.Note()) != "n" {
			t.Fatalf("note %q after a sweep", s.Note())
		}
		check(s)
		mustVerify(t, s)
		mustClose(t, s)
	})
}

func TestCycleBarrier(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	old := mustPut(t, s, 1, []byte("old"))
	marked := mustPut(t, s, 1, []byte("marked"))
	again := mustPut(t, s, 1, []byte("again"))
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.BeginCycle(); !errors.Is(err, ErrCycle) {
		t.Fatalf("second cycle: %v", err)
	}
	for i := range 2 {
		if first, err := c.Mark(marked); err != nil || first != (i == 0) {
			t.Fatalf("mark %d: %v %v", i, first, err)
		}
	}
	if _, err := c.Mark(Hash{1}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("mark of an absent record: %v", err)
	}
	young := mustPut(t, s, 1, []byte("young"))
	for i := range 2 {
		if first, err := c.Mark(young); err != nil || first != (i == 0) {
			t.Fatalf("mark %d of a young record: %v %v", i, first, err)
		}
	}
	young2 := mustPut(t, s, 1, []byte("young and never marked"))
	for range 2 {
		mustPut(t, s, 1, []byte("again"))
		mustPut(t, s, 1, []byte("marked"))
		mustPut(t, s, 1, []byte("young"))
	}
	if done, st, err := c.Sweep(time.Hour); done || st.Shaded != 1 || err != nil {
		t.Fatalf("sweep with a record in the queue: %v %+v %v", done, st, err)
	}
	if q := c.Shaded(); len(q) != 1 || q[0] != again {
		t.Fatalf("shaded: %v", q)
	}
	if len(c.Shaded()) != 0 {
		t.Fatal("Shaded did not forget")
	}
	done, st, err := c.Sweep(time.Hour)
	if !done || err != nil || st.Dropped != 1 {
		t.Fatalf("sweep: %v %+v %v", done, st, err)
	}
	for h, want := range map[Hash]bool{old: false, marked: true, again: true, young: true, young2: true} {
		if s.Has(h) != want {
			t.Errorf("%v: there=%v", h, !want)
		}
	}
	if _, err := c.Mark(marked); !errors.Is(err, ErrCycle) {
		t.Errorf("mark in an ended cycle: %v", err)
	}
	if _, _, err := c.Sweep(0); !errors.Is(err, ErrCycle) {
		t.Errorf("sweep of an ended cycle: %v", err)
	}
	c.Abort()
	c, err = s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	c.Abort()
	if !s.Has(marked) {
		t.Error("an aborted cycle dropped something")
	}
}

// TestPutDuringSweep: while records are swept, goroutines put them again. Whatever a put returned
// must be there when the sweep is over (G1, G3), through many cycles.
func TestPutDuringSweep(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		const records = 1500
		for i := range records {
			mustPut(t, s, 1, payload(i, 300))
		}
		for cycle := range 4 {
			c, err := s.BeginCycle()
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			saved := make([][]int, 3)
			for w := range saved {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(cycle), uint64(w)))
					for range records / 8 {
						i := rng.IntN(records)
						h, _, err := s.Put(1, payload(i, 300))
						if err != nil {
							t.Error(err)
							return
						}
						if _, _, err := s.Get(h, nil); err != nil {
							t.Errorf("cycle %d, record %d, just put: %v", cycle, i, err)
							return
						}
						saved[w] = append(saved[w], i)
					}
				})
			}
			sweepAll(t, c)
			wg.Wait()
			for _, list := range saved {
				for _, i := range list {
					p := payload(i, 300)
					if got, _, err := s.Get(HashOf(1, p), nil); err != nil || !bytes.Equal(got, p) {
						t.Fatalf("cycle %d: record %d: %v", cycle, i, err)
					}
				}
			}
			mustVerify(t, s)
		}
		if st := s.Stats(); st.Swept == 0 {
			t.Errorf("nothing was swept: %+v", st)
		}
	})
}

// TestPutAcrossCycles: writers that never look at cycles, with the handshake of G2 done by a
// read-write lock. Each writer keeps a list of its last records alive and reads it back.
func TestPutAcrossCycles(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		var (
			working sync.RWMutex // held for reading by a writer from its first put to the linking of what it put
			rootsMu sync.Mutex
			roots   = map[int][]Hash{}
			stop    atomic.Bool
			wg      sync.WaitGroup
		)
		for w := range 3 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(7, uint64(w)))
				for !stop.Load() {
					working.RLock()
					var mine []Hash
					for range 20 {
						h, _, err := s.Put(1, payload(rng.IntN(400), 700))
						if err != nil {
							t.Error(err)
						}
						mine = append(mine, h)
					}
					rootsMu.Lock()
					roots[w] = mine
					rootsMu.Unlock()
					working.RUnlock()
					for _, h := range mine {
						if err := s.View(h, func(k Kind, p []byte) error {
							if HashOf(k, p) != h {
								t.Error("wrong bytes")
							}
							return nil
						}); err != nil {
							t.Errorf("a root's record: %v", err)
							stop.Store(true)
						}
					}
				}
			})
		}
		for range 12 {
			c, err := s.BeginCycle()
			if err != nil {
				t.Fatal(err)
			}
			working.Lock() // every writer that was at work has linked or forgotten
			rootsMu.Lock()
			var live []Hash
			for _, l := range roots {
				live = append(live, l...)
			}
			rootsMu.Unlock()
			working.Unlock()
			for _, h := range live {
				if _, err := c.Mark(h); err != nil {
					t.Errorf("mark a root: %v", err)
				}
			}
			sweepAll(t, c)
			if t.Failed() {
				break
			}
		}
		stop.Store(true)
		wg.Wait()
		mustVerify(t, s)
		if st := s.Stats(); st.Moved == 0 || st.Swept == 0 {
			t.Logf("little happened: %+v", st)
		}
	})
}

// TestReadersDuringCompaction: views see right bytes while the records under them move.
func TestReadersDuringCompaction(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		var live []Hash
		var stop atomic.Bool
		for i := range 40 {
			live = append(live, mustPut(t, s, 1, payload(i, 900)))
		}
		var wg sync.WaitGroup
		for w := range 2 {
			wg.Go(func() {
				for i := w; !stop.Load(); i++ {
					h := live[i%len(live)]
					err := s.View(h, func(k Kind, p []byte) error {
						if HashOf(k, p) != h {
							return errors.New("wrong bytes")
						}
						return nil
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for round := range 5 {
			for i := range 200 {
				mustPut(t, s, 1, payload(1000+round*200+i, 900)) // garbage that makes segments sparse
			}
			collect(t, s, live)
		}
		stop.Store(true)
		wg.Wait()
		if s.Stats().Moved == 0 {
			t.Error("nothing moved")
		}
		if dir != "" && s.Stats().StoredBytes > 1<<20 {
			t.Errorf("36 KB are live, %d bytes are stored", s.Stats().StoredBytes)
		}
	})
}

// TestCollectInterrupted: the process is killed after every slice of a sweep; what is reachable is
// there.
func TestCollectInterrupted(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, "/s", small(fs))
	var live []Hash
	for i := range 1200 {
		h := mustPut(t, s, 1, payload(i, 400))
		if i%5 == 0 {
			live = append(live, h)
		}
	}
	if err := s.Commit([]byte("x")); err != nil {
		t.Fatal(err)
	}
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range live {
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
	}
	for step := 0; ; step++ {
		done, _, err := c.Sweep(0)
		if err != nil {
			t.Fatal(err)
		}
		if step%(1+int(stride())/8) == 0 || done {
			s2 := mustOpen(t, "/s", small(fs.Clone()))
			for _, h := range live {
				if _, _, err := s2.Get(h, nil); err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
			}
			if string(s2.Note()) != "x" {
				t.Fatalf("note %q", s2.Note())
			}
			mustVerify(t, s2)
			mustClose(t, s2)
		}
		if done {
			break
		}
	}
	mustClose(t, s)
}

// TestCloseDuringSweep: closing ends a cycle that another goroutine works on.
func TestCloseDuringSweep(t *testing.T) {
	for range 5 {
		s := mustOpen(t, filepath.Join(t.TempDir(), "s"), small(nil))
		for i := range 800 {
			mustPut(t, s, 1, payload(i, 300))
		}
		c, err := s.BeginCycle()
		if err != nil {
			t.Fatal(err)
		}
		started := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				if i == 1 {
					close(started)
				}
				done, _, err := c.Sweep(0)
				if done || errors.Is(err, ErrClosed) || errors.Is(err, ErrCycle) {
					if i < 1 {
						close(started)
					}
					return
				}
				if err != nil {
					t.Error(fmt.Errorf("sweep: %w", err))
				}
			}
		})
		<-started
		mustClose(t, s)
		wg.Wait()
	}
}

// TestFoundInACycleThatHasEnded: a put that found its record while a cycle ran, which ends before
// the put goes on, does not take what that cycle may have swept for an answer. The cycle is looked
// at before the record is looked up.
func TestFoundInACycleThatHasEnded(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		h := mustPut(t, s, 1, payload(1, 100))
		c, err := s.BeginCycle()
		if err != nil {
			t.Fatal(err)
		}
		before := s.cycle.Load() // by a put, which is held up here
		c.Abort()
		g := s.epochs.Pin()
		if _, again, err := s.existingIn(before, h); err != nil || !again {
			t.Errorf("a record that an ended cycle may have swept is taken for there: again %v, %v", again, err)
		}
		if at, err := s.existing(h); err != nil || at == arena.Nil {
			t.Errorf("looked up again it is there: %v, %v", at, err)
		}
		g.Unpin()
	})
}

// A collector that finds a record marked by a put finds it in Shaded, however it meets that put
// (G6). If it found nothing there it would take all for traced, and free what the record refers to.
func TestMarkOfAPutIsNotSeenBeforeItIsQueued(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	h := mustPut(t, s, 1, payload(1, 100))
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	shaded := make(chan []Hash)
	c.marked = func(h Hash) {
		seen := make(chan bool)
		go func() {
			first, err := c.Mark(h)
			if err != nil {
				t.Error(err)
			}
			seen <- first
			shaded <- c.Shaded()
		}()
		if <-seen {
			t.Error("the put has marked nothing")
		}
		if c.mu.TryLock() {
			t.Error("what is marked can be seen, and is not in Shaded")
			c.mu.Unlock()
		}
	}
	mustPut(t, s, 1, payload(1, 100))
	if got := <-shaded; !slices.Equal(got, []Hash{h}) {
		t.Errorf("Shaded is %v, want %v", got, h)
	}
}

// A segment that was retired before a walk came to it, with two epochs passed, may be unmapped at
// any moment, whatever pin the walk takes: no walk looks at it.
func TestRetiredSegmentIsNotWalked(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		for i := range 400 { // several segments, and all that is in them is garbage
			mustPut(t, s, 1, payload(i, 500))
		}
		var walked []*segment
		var walks []scanner
		for _, seg := range s.segments() {
			walked = append(walked, seg)
			walks = append(walks, s.scan(seg, segmentHeaderBytes, seg.mem.Length()))
		}
		reader := s.epochs.Pin() // as long as it is inside nothing is unmapped
		collect(t, s, nil)
		reader.Unpin()
		for i := 0; i < 2; {
			if s.epochs.TryAdvance() {
				i++
			}
		}
		saved := savedIndex{s: s}
		for i, seg := range walked {
			if seg.mem.Stays() {
				t.Fatalf("segment %d was not retired", seg.number)
			}
			if s.arena.Segment(seg.mem.First()) != seg.mem {
				t.Fatalf("segment %d is unmapped already", seg.number)
			}
			saved.covered = append(saved.covered, coveredSegment{seg, walks[i].end})
			v := verifier{s: s, ctx: t.Context()}
			if err := v.segment(seg); err != nil || v.report.Records > 0 {
				t.Errorf("Verify has looked at %d records: %v", v.report.Records, err)
			}
			var room []byte
			looked := func(Kind) bool { t.Error("Iterate has looked at a record"); return false }
			if more, err := s.iterateNext(seg, &walks[i], &room, looked, nil); more || err != nil {
				t.Errorf("Iterate goes on: %v", err)
			}
			if err := s.enterOthersOf(seg); err != nil {
				t.Error(err)
			}
		}
		saved.Walk(func(Hash, arena.Addr) { t.Error("a saved index was made from its records") })
		if n := s.Stats().Records; n > 0 {
			t.Errorf("%d records are found again", n)
		}
		mustVerify(t, s)
		mustClose(t, s)
		if m, n := s.MemoryUse(), s.DropPages(); m.Segments.Segments > 0 || m.OnHeap > 0 || n > 0 {
			t.Errorf("after Close: %+v, and pages of %d segments were dropped", m, n)
		}
	})
}

// MarkGroup says what MarkKind would say of each name, also where a page cannot be read, and marks
// the same.
func TestMarkGroup(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("Windows lets nobody cut a file that is mapped")
	}
	type outcome struct {
		kind      Kind
		first     bool
		lost, bad bool
	}
	of := func(kind Kind, first bool, err error) outcome {
		return outcome{kind, first, errors.Is(err, ErrNotFound), errors.Is(err, ErrCorrupt)}
	}
	forms(t, func(t *testing.T, dir string, o Options) {
		rng := seeded(t)
		// Two stores alike: one is asked about groups, the other about one name at a time.
		var cycles [2]*Cycle
		var names []Hash
		for i := range cycles {
			d := dir
			if d != "" {
				d = filepath.Join(dir, fmt.Sprint(i))
			}
			if o.FS != nil {
				o.FS = vfs.NewMem()
			}
			o.Appenders = 1
			s := mustOpen(t, d, o)
			defer mustClose(t, s)
			names = names[:0]
			for j := range 100 {
				names = append(names, mustPut(t, s, Kind(j%5), payload(j, 3000)))
			}
			// Part of a segment cannot be read where that can be arranged, and a header is damaged.
			seg := s.segments()[1]
			if _, ok := s.fs.(vfs.OS); ok && d != "" {
				if err := seg.file.Truncate(8192); err != nil {
					t.Fatal(err)
				}
			}
			first := s.segments()[0]
			if err := damageHeader(s, first); err != nil {
				t.Fatal(err)
			}
			c, err := s.BeginCycle()
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, mustPut(t, s, 9, []byte("young")), HashOf(1, []byte("absent")))
			cycles[i] = c
		}
		for round := range 60 {
			group := make([]Hash, 2+rng.IntN(MarkTogether-1))
			for i := range group {
				group[i] = names[rng.IntN(len(names))] // some of them twice
			}
			if round == 0 {
				group[0], group[1] = names[1], names[1] // the damaged one
			}
			var said [MarkTogether]MarkResult
			cycles[0].MarkGroup(group, &said)
			for i, h := range group {
				got := of(said[i].Kind, said[i].First, said[i].Err)
				if want := of(cycles[1].MarkKind(h)); got != want {
					t.Fatalf("name %d of %d: %+v, want %+v", i, len(group), got, want)
				}
			}
		}
		for _, c := range cycles {
			c.Abort()
			var said [MarkTogether]MarkResult
			if c.MarkGroup(names[:2], &said); !errors.Is(said[0].Err, ErrCycle) || !errors.Is(said[1].Err, ErrCycle) {
				t.Errorf("after the end: %+v", said[:2])
			}
		}
	})
}

// damageHeader spoils the checksum of the header of a segment's second record.
func damageHeader(s *Store, seg *segment) error {
	w := s.scan(seg, segmentHeaderBytes, seg.mem.Length())
	w.next()
	off, _, _ := w.next()
	if seg.file == nil {
		seg.mem.Mem()[off+record.SelfSumAt] ^= 1
		return nil
	}
	b := []byte{seg.mem.Mem()[off+record.SelfSumAt] ^ 1}
	_, err := seg.file.WriteAt(b, off+record.SelfSumAt)
	return err
}
