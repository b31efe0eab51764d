package db

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// contents is all that a snapshot says of a partition, by every way of reading.
func contents(t *testing.T, s *Snapshot, part PartID, keys []string) []Entry {
	t.Helper()
	var all []Entry
	err := s.Scan(part, Span{}, func(key string, h Hash) bool {
		all = append(all, Entry{key, h})
		return true
	})
	n, countErr := s.Count(part, "", "")
	batch, batchErr := s.GetBatch(part, keys, nil)
	if err := errors.Join(err, countErr, batchErr); err != nil || int(n) != len(all) {
		t.Fatalf("%d of %d entries: %v", len(all), n, err)
	}
	for i, key := range keys {
		h, ok, err := s.Get(part, key)
		at, listed := slices.BinarySearchFunc(all, key, func(e Entry, key string) int { return strings.Compare(e.Key, key) })
		if err != nil || ok != listed || h != batch[i] || ok && all[at].Hash != h {
			t.Fatalf("%q: %v, %t by Get, %v by GetBatch, listed %t: %v", key, h, ok, batch[i], listed, err)
		}
	}
	return all
}

// What is supposed reads as if it had been committed, and what it was made from reads as before.
func TestSupposingReadsAsACommitWould(t *testing.T) {
	for seed := range uint64(5) {
		supposeAndCommit(t, seed)
	}
}

func supposeAndCommit(t *testing.T, seed uint64) {
	b := newBench(t, Options{fan: 4, CacheBytes: 1, CheckpointCommits: 5, PointCacheBytes: 1 << 12, pointTreeMin: 1})
	q, err := b.Partition("q", false)
	if err != nil {
		t.Fatal(err)
	}
	rng := newRand(seed)
	var keys []string
	for i := range 60 {
		keys = append(keys, fmt.Sprintf("k%02d", i))
	}
	var values []Hash
	for i := range 5 {
		values = append(values, value(t, b.st, fmt.Sprint(i)))
	}
	for step := range 400 {
		var (
			changes []Change
			ops     []Op
		)
		for range rng.IntN(8) {
			c := Change{Part: b.p, Key: keys[rng.IntN(len(keys))]}
			if rng.IntN(3) == 0 {
				c.Part = q
			}
			op := Op{Part: c.Part, Key: c.Key, Verb: Delete}
			if rng.IntN(3) > 0 {
				c.New = values[rng.IntN(len(values))]
				op.Verb, op.Hash = Put, c.New
			}
			changes, ops = append(changes, c), append(ops, op)
		}
		base := b.Snapshot()
		before := contents(t, base, b.p, keys)
		supposed, err := base.Supposing(changes)
		if err != nil {
			t.Fatal(err)
		}
		got, gotQ := contents(t, supposed, b.p, keys), contents(t, supposed, q, keys)
		supposed.Release()
		if _, _, err := supposed.Get(b.p, "k"); !errors.Is(err, ErrReleased) {
			t.Fatalf("after Release: %v", err)
		}
		if after := contents(t, base, b.p, keys); !slices.Equal(after, before) {
			t.Fatalf("seed %d, step %d: the snapshot itself reads otherwise now", seed, step)
		}
		base.Release()
		if len(ops) > 0 {
			b.commit(ops...)
		}
		now := b.Snapshot()
		if want, wantQ := contents(t, now, b.p, keys), contents(t, now, q, keys); !slices.Equal(got, want) || !slices.Equal(gotQ, wantQ) {
			t.Fatalf("seed %d, step %d: supposed\n%v\n%v\ncommitted\n%v\n%v", seed, step, got, gotQ, want, wantQ)
		}
		now.Release()
	}
	if n := b.Snapshots(); n != 0 {
		t.Errorf("%d snapshots are held", n)
	}
}

func TestSupposingRefuses(t *testing.T) {
	b := newBench(t, Options{})
	side, err := b.Partition("side", true)
	if err != nil {
		t.Fatal(err)
	}
	s := b.Snapshot()
	for _, part := range []PartID{side, 1000} {
		if _, err := s.Supposing([]Change{{Part: part, Key: "k"}}); !errors.Is(err, ErrSupposed) {
			t.Errorf("partition %d: %v", part, err)
		}
	}
	s.Release()
	if _, err := s.Supposing(nil); !errors.Is(err, ErrReleased) {
		t.Errorf("of a released snapshot: %v", err)
	}
}
