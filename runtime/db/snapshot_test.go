package db

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestSnapshotAcrossTenThousandCommits(t *testing.T) {
	b := newBench(t, Options{fan: 8, CheckpointCommits: 1000, CacheBytes: 1})
	b.commit(b.put("k", "before"), b.put("gone", "x"))
	h, _, _ := b.Latest(b.p, "k")
	snap := b.Snapshot()
	for i := range 10_000 {
		b.commit(b.put("k", fmt.Sprint(i)), Op{b.p, fmt.Sprint(i % 100), Put, h}, b.del("gone"))
		if i%1000 == 0 {
			b.Snapshot().Release() // short ones come and go meanwhile
		}
	}
	if got, ok, err := snap.Get(b.p, "k"); got != h || !ok || err != nil {
		t.Fatalf("%v, %t, %v", got, ok, err)
	}
	if n, err := snap.Count(b.p, "", ""); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if g := b.OldestSnapshot(); g != 1 || snap.Gen() != 1 || snap.LastChanged(b.p) != 1 {
		t.Fatalf("oldest snapshot %d, held %d, changed %d", g, snap.Gen(), snap.LastChanged(b.p))
	}
	snap.Release()
	snap.Release()
	if g := b.OldestSnapshot(); g != 10_001 {
		t.Fatalf("oldest snapshot %d when none is held", g)
	}
	if _, _, err := snap.Get(b.p, "k"); !errors.Is(err, ErrReleased) {
		t.Fatal(err)
	}
}

// Every chunk writes the same record under the same key of two partitions. A snapshot must never
// see them apart, nor one partition move.
func TestSnapshotIsolation(t *testing.T) {
	b := newBench(t, Options{fan: 6, CheckpointCommits: 40, CacheBytes: 1})
	q, err := b.Partition("q", false)
	if err != nil {
		t.Fatal(err)
	}
	var values []Hash
	for i := range 50 {
		values = append(values, value(t, b.st, fmt.Sprint(i)))
	}
	var writers, readers sync.WaitGroup
	var done atomic.Bool
	for w := range 2 {
		writers.Go(func() {
			rng := newRand(uint64(w))
			for range 400 {
				var ops []Op
				for range 1 + rng.IntN(5) {
					k := fmt.Sprint(rng.IntN(200))
					if rng.IntN(4) == 0 {
						ops = append(ops, Op{Part: b.p, Key: k, Verb: Delete}, Op{Part: q, Key: k, Verb: Delete})
					} else {
						h := values[rng.IntN(len(values))]
						ops = append(ops, Op{b.p, k, Put, h}, Op{q, k, Put, h})
					}
				}
				if _, err := b.Commit(t.Context(), ops); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		readers.Go(func() {
			last := uint64(0)
			for !done.Load() {
				s := b.Snapshot()
				if s.Gen() < last {
					t.Errorf("generation %d after %d", s.Gen(), last)
				}
				last = s.Gen()
				if oldest := b.OldestSnapshot(); oldest > s.Gen() {
					t.Errorf("oldest snapshot %d while %d is held", oldest, s.Gen())
				}
				read := func(part PartID) map[string]Hash {
					m := map[string]Hash{}
					if err := s.Range(part, "", "", rand.IntN(2) == 0, func(k string, h Hash) bool { m[k] = h; return true }); err != nil {
						t.Error(err)
					}
					return m
				}
				p1, q1 := read(b.p), read(q)
				goruntime.Gosched()
				for k, h := range read(b.p) {
					if p1[k] != h || q1[k] != h {
						t.Errorf("generation %d: %q is %v, was %v, in the other partition %v", s.Gen(), k, h, p1[k], q1[k])
					}
				}
				if n, err := s.Count(q, "", ""); int(n) != len(p1) || len(p1) != len(q1) || err != nil {
					t.Errorf("%d, %d and %d entries, %v", n, len(p1), len(q1), err)
				}
				s.Release()
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
}

func TestNoCommitWaitsForAReader(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("a", "1"), b.put("b", "1"))
	snap := b.Snapshot()
	defer snap.Release()
	inside, goOn, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		keys := 0
		_ = snap.Range(b.p, "", "", false, func(string, Hash) bool {
			if keys++; keys == 1 {
				close(inside)
				<-goOn
			}
			return true
		})
		if keys != 2 {
			t.Errorf("the reader saw %d keys", keys)
		}
	}()
	<-inside
	for i := range 100 {
		b.commit(b.put(fmt.Sprint(i), "1"), b.del("b"))
	}
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	<-left
}

func TestRangeBoundsAndEarlyEnd(t *testing.T) {
	b := newBench(t, Options{fan: 2})
	for _, k := range []string{"a", "b", "ba", "c", "d"} {
		b.commit(b.put(k, "1"))
	}
	snap := b.Snapshot()
	defer snap.Release()
	read := func(lo, hi string, reverse bool, limit int) (out string) {
		if err := snap.Range(b.p, lo, hi, reverse, func(k string, _ Hash) bool { out += k + " "; limit--; return limit != 0 }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	expect(t, read("b", "d", false, -1), "b ba c ")
	expect(t, read("b", "d", true, -1), "c ba b ")
	expect(t, read("", "", true, 2), "d c ")
	expect(t, read("bb", "", false, 1), "c ")
	expect(t, read("c", "b", false, -1), "")
	expect(t, read("b", "b", false, -1), "")
	if err := snap.Range(77, "", "", false, nil); !errors.Is(err, ErrNoPartition) {
		t.Fatal(err)
	}
}

func TestReplacedNotesFollowTheOldestSnapshot(t *testing.T) {
	b := newBench(t, Options{ReplacedMax: 8})
	drain := func() (out string) {
		b.Replaced(b.OldestSnapshot(), math.MaxInt, func(h Hash) { out += string(b.st.record(h).payload) + " " })
		return out
	}
	b.commit(b.put("k", "A"))
	b.commit(b.put("k", "B"))
	snap := b.Snapshot()
	b.commit(b.put("k", "C"))
	b.commit(b.del("k"))
	expect(t, drain(), "A ")
	expect(t, drain(), "")
	snap.Release()
	expect(t, drain(), "B C ")
	for i := range 100 {
		b.commit(b.put("k", fmt.Sprint(i)))
	}
	s := b.Stats()
	if s.Replaced > 9 || s.Replaced+int(s.ReplacedDropped) != 99 {
		t.Fatalf("%d notes kept, %d dropped", s.Replaced, s.ReplacedDropped)
	}
}

func TestAutomaticCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{CheckpointCommits: 10, CheckpointBytes: -1})
		first := b.Stats().Checkpoints
		for i := range 100 {
			b.commit(b.put(fmt.Sprint(i), "A"))
			synctest.Wait() // until the background has nothing to do
		}
		s := b.Stats()
		if n := s.Checkpoints - first; n != 10 || s.LogChunks > 10 {
			t.Fatalf("%d checkpoints for 100 commits, %d chunks in the log", n, s.LogChunks)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}

		b = reopenBench(t, b.st, Options{CheckpointBytes: 1000})
		first = b.Stats().Checkpoints
		for i := range 100 {
			b.commit(b.put(fmt.Sprint(i), "B"))
			synctest.Wait()
		}
		s = b.Stats()
		if n := s.Checkpoints - first; n != s.LogBytes/1000 && n+1 != s.LogBytes/1000 {
			t.Fatalf("%d checkpoints for a log of %d bytes", n, s.LogBytes)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTrimKeepsMemoryBounded(t *testing.T) {
	const cache = 20 << 10
	b := newBench(t, Options{CacheBytes: cache})
	var ops []Op
	h := value(t, b.st, "A")
	for i := range 20_000 {
		ops = append(ops, Op{b.p, fmt.Sprintf("%06d", i), Put, h})
	}
	b.commit(ops...)
	for i := range 3 {
		b.commit(Op{b.p, "000000", Put, value(t, b.st, fmt.Sprint(i))})
		if err := b.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := b.Stats().CachedBytes; n > cache {
			t.Fatalf("%d bytes of nodes in memory, bound is %d", n, cache)
		}
		if n, err := b.LatestCount(b.p, "000100", "019900"); n != 19_800 || err != nil {
			t.Fatal(n, err)
		}
		if _, ok, err := b.Latest(b.p, "010000"); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
}
