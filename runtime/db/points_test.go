package db

import (
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// warm tells whether the cache of a database knows what a snapshot would read.
func (b *bench) warm(s *Snapshot, key string) (Hash, bool) {
	return b.points.find(b.points.print(b.p, key), s.st.tree(b.p), s.Gen())
}

// Readers of the newest generation, of held ones and of past ones, beside commits of every kind,
// checkpoints that drop nodes and resets: what the cache says is what the tree says. With one
// bucket, or one stamp, or few, everything collides all the time.
func TestPointCacheBesideCommits(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	const keys, readers = 40, 4
	commits := 1500
	if raceEnabled {
		commits = 400
	}
	for _, bytes := range []int64{pointBucketBytes, 8 * pointBucketBytes, 1 << 20} {
		b := newBench(t, Options{fan: 4, CacheBytes: 1, CheckpointCommits: 7, History: 2, PointCacheBytes: bytes, pointTreeMin: 1})
		var hashes []Hash
		for i := range 6 {
			hashes = append(hashes, b.put("", fmt.Sprint(i)).Hash)
		}
		key := func(rng *rand.Rand) string { return fmt.Sprintf("key%02d", rng.IntN(keys)) }
		var done atomic.Bool
		var hits atomic.Int64
		var wg sync.WaitGroup
		for r := range readers {
			rng := rand.New(rand.NewPCG(seed, uint64(r)))
			wg.Go(func() {
				held := b.Snapshot()
				defer func() { held.Release() }()
				for i := 0; i < 50 || !done.Load(); i++ {
					if rng.IntN(20) == 0 {
						held.Release()
						held = b.Snapshot()
					}
					now := b.Snapshot()
					past, err := b.SnapshotAt(now.Gen() - min(now.Gen(), rng.Uint64N(3)))
					if err != nil {
						past = now // gone meanwhile
					}
					for _, s := range []*Snapshot{now, held, past} {
						ask := []string{key(rng), key(rng), key(rng)}
						if _, known := b.warm(s, ask[0]); known {
							hits.Add(1)
						}
						got, err := s.GetBatch(b.p, ask, nil)
						if err != nil {
							t.Error(err)
							return
						}
						for i, k := range ask {
							want, ok, err := get(b.DB.st, s.st.root(b.p), k)
							h, found, err2 := s.Get(b.p, k)
							if err != nil || err2 != nil || h != want || found != ok || got[i] != want {
								t.Errorf("%q in generation %d, newest %d: %v, %t, %v, in a batch %v; the tree has %v, %t, %v",
									k, s.Gen(), b.Generation(), h, found, err2, got[i], want, ok, err)
								return
							}
						}
					}
					if past != now {
						past.Release()
					}
					now.Release()
				}
			})
		}
		rng := rand.New(rand.NewPCG(seed, readers))
		for range commits {
			var ops []Op
			for range 1 + rng.IntN(4) {
				op := Op{Part: b.p, Key: key(rng)}
				switch n := rng.IntN(20); {
				case n == 0:
					op.Verb, op.Key = ClearPrefix, op.Key[:rng.IntN(len(op.Key))]
				case n < 6:
					op.Verb = Delete
				default:
					op.Verb, op.Hash = Put, hashes[rng.IntN(len(hashes))]
				}
				ops = append(ops, op)
			}
			if _, err := b.Commit(t.Context(), ops); err != nil {
				t.Error(err)
			}
			if rng.IntN(40) == 0 {
				if err := b.Reset(t.Context(), b.p); err != nil {
					t.Error(err)
				}
			}
		}
		done.Store(true)
		wg.Wait()
		closeNow(t, b.DB)
		if t.Failed() {
			return
		}
		if hits.Load() == 0 {
			t.Fatalf("%d bytes: nobody ever met what the cache knows", bytes)
		}
	}
}

// What a cache knows, and when it stops to know it.
func TestPointCacheKnows(t *testing.T) {
	b := newBench(t, Options{fan: 4, PointCacheBytes: 1 << 16, pointTreeMin: 1})
	var ops []Op
	for i := range 30 {
		ops = append(ops, b.put(fmt.Sprintf("k%02d", i), "A"))
	}
	b.commit(ops...)
	// A key that shares its stamp with none of those that change below.
	other := ""
	for i := 10; other == ""; i++ {
		other = fmt.Sprintf("k%02d", i)
		for _, k := range []string{"k07", "k09", "none"} {
			if b.points.stamp(b.points.low(b.p, other)) == b.points.stamp(b.points.low(b.p, k)) {
				other = ""
				break
			}
		}
	}
	expect := func(s *Snapshot, key, want string) {
		t.Helper()
		got := "?"
		if h, ok := b.warm(s, key); ok {
			got = fmt.Sprint(h)
		}
		if want != "?" && want != "-" {
			want = fmt.Sprint(value(t, b.st, want))
		} else if want == "-" {
			want = fmt.Sprint(Hash{})
		}
		if got != want {
			t.Fatalf("the cache has %s at %q in generation %d, want %s", got, key, s.Gen(), want)
		}
	}
	read := func(s *Snapshot, keys ...string) {
		t.Helper()
		for _, k := range keys {
			if _, _, err := s.Get(b.p, k); err != nil {
				t.Fatal(err)
			}
		}
	}
	old := b.Snapshot()
	defer old.Release()
	expect(old, "k07", "?")
	read(old, "k07", other, "none")
	expect(old, "k07", "A")
	expect(old, "none", "-")

	b.commit(b.put("k07", "B"))
	next := b.Snapshot()
	defer next.Release()
	expect(old, other, "A")
	expect(next, other, "A") // its neighbour has changed, it has not
	expect(next, "k07", "?")
	read(next, "k07")
	expect(next, "k07", "B")
	expect(old, "k07", "?")
	read(old, "k07")
	expect(next, "k07", "B") // a reader of the past does not get in the way

	b.commit(b.put("none", "C"))
	last := b.Snapshot()
	defer last.Release()
	expect(last, "none", "?")
	expect(next, "none", "?") // right still, but who knows
	expect(last, other, "A")

	if err := b.Reset(t.Context(), b.p); err != nil {
		t.Fatal(err)
	}
	b.commit(b.put("k09", "D"))
	reset := b.Snapshot()
	defer reset.Release()
	expect(reset, other, "?")
	expect(last, other, "A")
	read(reset, other)
	expect(reset, other, "-")
}

// The table grows from one part to its bound, no further, and finds what it was told in each of
// them.
func TestPointCacheGrows(t *testing.T) {
	const buckets = 4 * pointPartBuckets
	p, err := newPoints(buckets*pointBucketBytes+100, 1)
	if err != nil {
		t.Fatal(err)
	}
	tr := &tree{changed: 1}
	for i := range 8 * buckets {
		before := p.mask.Load()
		p.add(p.print(1, fmt.Sprint(i)), 1, hashOf(i))
		for p.growing.Load() {
			goruntime.Gosched()
		}
		if now := p.mask.Load(); now != before {
			// Nothing is lost: what has a new place is there.
			known := 0
			for j := range i {
				if h, ok := p.find(p.print(1, fmt.Sprint(j)), tr, 1); ok && h == hashOf(j) {
					known++
				}
			}
			// Growth begins after some buckets have overflowed; without the copy half of this would
			// be known.
			if want := int(before+1) * pointEntries; known < want/2 {
				t.Fatalf("%d entries are known after %d buckets with room for %d became %d", known, before+1, want, now+1)
			}
		}
	}
	if got := p.mask.Load() + 1; got != buckets {
		t.Fatalf("%d buckets, want %d", got, buckets)
	}
	found := 0
	for i := range 8 * buckets {
		if h, ok := p.find(p.print(1, fmt.Sprint(i)), tr, 1); ok {
			found++
			if h != hashOf(i) {
				t.Fatalf("%d is %v, want %v", i, h, hashOf(i))
			}
		}
		if _, ok := p.find(p.print(2, fmt.Sprint(i)), tr, 1); ok {
			t.Fatalf("%d is known in a partition that has none", i)
		}
	}
	if want := buckets * pointEntries; found < want*9/10 || found > want {
		t.Fatalf("%d entries found in room for %d", found, want)
	}
	for _, small := range []int64{-1, 0, pointBucketBytes - 1} {
		if p, err := newPoints(small, 1); p != nil || err != nil {
			t.Fatalf("a cache in %d bytes: %v, %v", small, p, err)
		}
	}
}

// A change whose keys nobody listed makes what was read before it count for nothing, wherever the
// tree comes from.
func TestPointCacheUnlistedChange(t *testing.T) {
	p, err := newPoints(1<<16, 1)
	if err != nil {
		t.Fatal(err)
	}
	k := p.print(1, "k")
	p.add(k, 5, hashOf(5))
	for _, c := range []struct {
		tree tree
		want bool
	}{
		{tree{changed: 5}, true},
		{tree{changed: 6}, false}, // says nothing of a list
		{tree{changed: 6, listed: true, floor: 5}, true},
		{tree{changed: 7, listed: true, floor: 6}, false},
	} {
		if _, ok := p.find(k, &c.tree, 9); ok != c.want {
			t.Errorf("known to %+v: %t, want %t", c.tree, ok, c.want)
		}
	}
	p.note(8, []Change{{Part: 1, Key: strings.Clone("k")}})
	if _, ok := p.find(k, &tree{changed: 8, listed: true}, 9); ok {
		t.Error("known after its change")
	}
	p.add(k, 7, hashOf(7))
	if _, ok := p.find(k, &tree{changed: 8, listed: true}, 9); ok {
		t.Error("known by a read from before its change")
	}
}

// Many keys in one bucket, entered and looked for at the same time: an entry is read whole or not
// at all.
func TestPointCacheReadsNoHalves(t *testing.T) {
	p, err := newPoints(pointBucketBytes, 1)
	if err != nil {
		t.Fatal(err)
	}
	const keys = 8
	var prints [keys]pointPrint
	var hashes [keys]Hash
	for i := range keys {
		prints[i], hashes[i] = p.print(1, fmt.Sprint(i)), hashOf(i)
	}
	tr := &tree{changed: 1}
	rounds := 300_000
	if raceEnabled {
		rounds = 30_000
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range rounds {
				k := (i + g*3) % keys
				if g%2 == 0 {
					p.add(prints[k], 1, hashes[k])
				} else if h, ok := p.find(prints[k], tr, 1); ok && h != hashes[k] {
					t.Errorf("%d is %v, want %v", k, h, hashes[k])
					return
				}
			}
		})
	}
	wg.Wait()
}
