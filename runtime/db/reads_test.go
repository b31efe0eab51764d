package db

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func pageOf(entries []Entry) string {
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	return strings.Join(keys, " ")
}

// Pages of one snapshot fit together whatever is committed between them; in a later snapshot
// reading goes on behind the last key.
func TestPagesAcrossCommits(t *testing.T) {
	b := newBench(t, Options{fan: 2})
	for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
		b.commit(b.put(k, "1"))
	}
	snap := b.Snapshot()
	defer snap.Release()
	page, rest, more, err := snap.Page(b.p, Span{}, 2, nil)
	if err != nil || !more {
		t.Fatal(more, err)
	}
	expect(t, pageOf(page), "a b")
	b.commit(b.del("c"), b.del("b"), b.put("bb", "1"), b.put("cc", "1"))

	page, _, more, err = snap.Page(b.p, rest, 3, nil)
	if err != nil || !more {
		t.Fatal(more, err)
	}
	expect(t, pageOf(page), "c d e")

	later := b.Snapshot()
	defer later.Release()
	page, rest, more, err = later.Page(b.p, rest, 10, nil)
	if err != nil || more {
		t.Fatal(more, err)
	}
	expect(t, pageOf(page), "bb cc d e f")
	if page, _, more, err = later.Page(b.p, rest, 10, nil); len(page) != 0 || more || err != nil {
		t.Fatal(page, more, err)
	}
	page, _, more, err = later.Page(b.p, Span{Hi: "e", Reverse: true, Limit: 3}, 2, nil)
	if err != nil || !more {
		t.Fatal(more, err)
	}
	expect(t, pageOf(page), "d cc")
}

func TestAfter(t *testing.T) {
	for _, c := range []struct {
		span Span
		key  string
		want Span
	}{
		{Span{}, "a", Span{Lo: "a\x00"}},
		{Span{Lo: "b", Hi: "c", Limit: 7}, "a", Span{Lo: "b", Hi: "c", Limit: 7}},
		{Span{Reverse: true}, "a", Span{Hi: "a", Reverse: true}},
		{Span{Hi: "a", Reverse: true}, "b", Span{Hi: "a", Reverse: true}},
		{Span{Reverse: true, Limit: 2}, "", Span{Lo: "\x00", Hi: "\x00", Reverse: true, Limit: 2}},
	} {
		if got := c.span.After(c.key); got != c.want {
			t.Errorf("%+v after %q: %+v, want %+v", c.span, c.key, got, c.want)
		}
	}
}

func TestCursorEndsWithItsSnapshot(t *testing.T) {
	b := newBench(t, Options{fan: 2})
	for i := range 20 {
		b.commit(b.put(fmt.Sprintf("%02d", i), "1"))
	}
	snap := b.Snapshot()
	c := snap.Cursor(b.p, Span{})
	if !c.Next() || c.Key() != "00" {
		t.Fatal(c.Err())
	}
	snap.Release()
	for c.Next() { // what it has of a leaf it may give still
	}
	if !errors.Is(c.Err(), ErrReleased) {
		t.Fatal(c.Err())
	}
	if c := b.Snapshot().Cursor(b.s, Span{}); c.Next() || !errors.Is(c.Err(), ErrPartitionKind) {
		t.Fatal(c.Err())
	}
}

// Every generation of the history can be read, also those of chunks that went through in one turn.
func TestHistory(t *testing.T) {
	b := newBench(t, Options{History: 4})
	inside, goOn := make(chan struct{}), make(chan struct{})
	stop := b.OnCommit(func(res Result) {
		gen := res.Gen
		if gen == 1 {
			close(inside)
			<-goOn
		}
	})
	var wg sync.WaitGroup
	wg.Go(func() { b.commit(b.put("k", "1")) })
	<-inside
	for range 3 { // the same in each: whichever comes first makes generation 2
		wg.Go(func() { b.commit(b.put("n", "x"), Op{Part: b.s, Key: "s", Verb: Delete}) })
	}
	for {
		b.queueMu.Lock()
		n := len(b.queue)
		b.queueMu.Unlock()
		if n == 3 {
			break
		}
		goruntime.Gosched()
	}
	wg.Go(func() { b.commit(b.put("k", "3")) })
	for {
		b.queueMu.Lock()
		n := len(b.queue)
		b.queueMu.Unlock()
		if n == 4 {
			break
		}
		goruntime.Gosched()
	}
	close(goOn)
	wg.Wait()
	stop()
	b.commit(b.put("k", "4"))
	b.commit(b.put("k", "5"))
	for gen, want := range []string{0: "gone", 1: "1", 2: "1", 3: "3", 4: "4", 5: "5", 6: "gone"} {
		s, err := b.SnapshotAt(uint64(gen))
		if want == "gone" {
			if !errors.Is(err, ErrGone) {
				t.Errorf("generation %d: %v", gen, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		h, _, err := s.Get(b.p, "k")
		if got := string(b.st.record(h).payload); got != want || err != nil || s.Gen() != uint64(gen) {
			t.Errorf("generation %d: %q, %v, want %q", gen, got, err, want)
		}
		s.Release()
	}
	if g := b.OldestSnapshot(); g != 1 {
		t.Errorf("oldest snapshot %d, want 1, which SnapshotAt may still give out", g)
	}
}

// Without a history the past goes with its last snapshot, and until then can be read again.
func TestPastWithoutHistory(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "1"))
	held := b.Snapshot()
	b.commit(b.put("k", "2"))
	again, err := b.SnapshotAt(1)
	if err != nil {
		t.Fatal(err)
	}
	held.Release()
	if g := b.OldestSnapshot(); g != 1 {
		t.Fatalf("oldest snapshot %d while 1 is held", g)
	}
	again.Release()
	if _, err := b.SnapshotAt(1); !errors.Is(err, ErrGone) {
		t.Fatal(err)
	}
	if n := len(b.live.all()); n != 1 || b.OldestSnapshot() != 2 {
		t.Fatalf("%d states are kept, oldest snapshot %d", n, b.OldestSnapshot())
	}
}

// Whoever looks for a key and asks to be told of commits first misses nothing: either it finds the
// key, or it is told.
func TestWaitingReadRacesWithTheCommitThatSatisfiesIt(t *testing.T) {
	b := newBench(t, Options{})
	for i := range 300 {
		key := fmt.Sprint(i)
		op := b.put(key, key)
		var told atomic.Bool
		var saw bool
		var wg sync.WaitGroup
		var stop func()
		wg.Go(func() {
			stop = b.OnCommit(func(res Result) {
				changes := res.Changes
				for _, c := range changes {
					if c.Key == key {
						told.Store(true)
					}
				}
			})
			s := b.Snapshot()
			defer s.Release()
			n, err := s.Count(b.p, key, key+"\x00")
			if err != nil {
				t.Error(err)
			}
			saw = n == 1
		})
		wg.Go(func() { b.commit(op) })
		wg.Wait()
		stop()
		if !saw && !told.Load() {
			t.Fatalf("round %d: neither found nor told", i)
		}
	}
}

// Snapshots come and go on all sides while commits replace what they read; in the end no past state
// is kept.
func TestPinsAgainstCommits(t *testing.T) {
	b := newBench(t, Options{fan: 4})
	var commits, readers sync.WaitGroup
	var done atomic.Bool
	op := b.put("k", "0")
	other := b.put("k", "1")
	commits.Go(func() {
		for i := range 2000 {
			if i%2 == 0 {
				b.commit(op)
			} else {
				b.commit(other)
			}
		}
	})
	for range 3 {
		readers.Go(func() {
			var held []*Snapshot
			for !done.Load() {
				s := b.Snapshot()
				if again, err := b.SnapshotAt(s.Gen()); err != nil || again.Gen() != s.Gen() {
					t.Errorf("generation %d is held and gone: %v", s.Gen(), err)
				} else {
					held = append(held, again)
				}
				if oldest := b.OldestSnapshot(); oldest > s.Gen() {
					t.Errorf("oldest snapshot %d while %d is held", oldest, s.Gen())
				}
				if s.Release(); len(held) > 5 {
					held[0].Release()
					held = held[1:]
				}
				goruntime.Gosched()
			}
			for _, s := range held {
				s.Release()
			}
		})
	}
	commits.Wait()
	done.Store(true)
	readers.Wait()
	if n := len(b.live.all()); n != 1 || b.Snapshots() != 0 {
		t.Fatalf("%d states are kept, %d snapshots held", n, b.Snapshots())
	}
}
