package db

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cytisus/cytisus/mmapcas"
)

// only returns the hashes of a kind, in the order they were put.
func (s *fakeStore) only(kind mmapcas.Kind) []Hash {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.order), func(h Hash) bool { return s.recs[h].kind != kind })
}

// damage replaces a record's bytes, or removes it.
func (s *fakeStore) damage(h Hash, remove bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if remove {
		delete(s.recs, h)
		return
	}
	r := s.recs[h]
	r.payload = slices.Clone(r.payload)
	r.payload[len(r.payload)/2] ^= 0x55
	r.payload = r.payload[:len(r.payload)-1]
	s.recs[h] = r
}

func closeNow(t testing.TB, d *DB) {
	t.Helper()
	if err := d.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A chunk that comes while a checkpoint writes its note is found again after a kill, although no
// other leads to it.
func TestChunkBesideTheNoteIsFound(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("a", "1"))
	op := b.put("b", "2")
	done := make(chan struct{})
	b.st.covering = func() {
		b.st.covering = nil
		go func() {
			defer close(done)
			b.commit(op)
		}()
		for { // until it waits for the turn, or has not waited
			b.queueMu.Lock()
			n := len(b.queue)
			b.queueMu.Unlock()
			select {
			case <-done:
				return
			default:
			}
			if n > 0 {
				return
			}
			goruntime.Gosched()
		}
	}
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-done
	again := reopenBench(t, b.st.crash(), Options{})
	again.want(again.p, "a=1 b=2")
}

func TestReopenFindsTheSameGeneration(t *testing.T) {
	b := newBench(t, Options{})
	for i := range 5 {
		b.commit(b.put(fmt.Sprint(i), "A"))
	}
	for name, st := range map[string]*fakeStore{"crash": b.st.crash(), "close": func() *fakeStore { closeNow(t, b.DB); return b.st.crash() }()} {
		for range 2 { // a second time, without a change in between
			again := reopenBench(t, st, Options{})
			if g := again.Generation(); g != 5 {
				t.Errorf("%s: generation %d, want 5", name, g)
			}
			again.want(again.p, "0=A 1=A 2=A 3=A 4=A")
			if again.Snapshot().LastChanged(again.p) != 5 {
				t.Errorf("%s: last changed in %d", name, again.Snapshot().LastChanged(again.p))
			}
			st = st.crash()
		}
	}
}

func TestOpenAfterCloseWritesAndReadsNothingMore(t *testing.T) {
	b := newBench(t, Options{})
	var ops []Op
	h := value(t, b.st, "A")
	for i := range 50_000 {
		ops = append(ops, Op{b.p, fmt.Sprintf("%06d", i), Put, h})
	}
	b.commit(ops...)
	closeNow(t, b.DB)
	records := len(b.st.order)
	again := reopenBench(t, b.st, Options{})
	if n := again.Stats().NodesLoaded; n != 1 {
		t.Fatalf("opening loaded %d nodes, want the root of the one partition that has one", n)
	}
	if _, ok, err := again.Latest(again.p, "025000"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if n := again.Stats().NodesLoaded; n != 2 {
		t.Fatalf("one read loaded %d nodes, want the one between the root and a leaf", n-1)
	}
	if n, err := again.LatestCount(again.p, "", ""); n != 50_000 || err != nil || again.Stats().NodesLoaded > 6 {
		t.Fatalf("count %d, %v, %d nodes loaded", n, err, again.Stats().NodesLoaded)
	}
	closeNow(t, again.DB)
	if n := len(again.st.order); n != records {
		t.Fatalf("%d records written by opening, reading and closing", n-records)
	}
}

// The log of a future that was lost must not join the present, even if the same chunk is committed
// again.
func TestLostFutureStaysLost(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.commit(b.put("k", "B"))
	second := b.st.only(KindChunk)
	b.commit(b.put("k", "C"))
	cut := b.st.crash()
	cut.damage(second[len(second)-1], true) // B's chunk never reached the disk, C's did
	again := reopenBench(t, cut, Options{})
	again.want(again.p, "k=A")
	if g := again.Generation(); g <= 3 {
		t.Fatalf("generation %d again, though 3 had been given out", g)
	}
	again.commit(again.put("k", "B"))
	third := reopenBench(t, again.st.crash(), Options{})
	third.want(third.p, "k=B")
}

// The same crash may be recovered from twice, if the power goes after the first time. What was
// committed after the first recovery must not continue the second one.
func TestLostFutureOfARecoveryStaysLost(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	left := b.st.crash()
	first := reopenBench(t, left.crash(), Options{})
	first.commit(first.put("k", "B"))
	chunks := first.st.only(KindChunk)
	lost := chunks[len(chunks)-1]

	second := reopenBench(t, left.crash(), Options{})
	second.want(second.p, "k=A")
	after := second.st.crash()
	if _, _, err := after.Put(KindChunk, first.st.recs[lost].payload); err != nil { // it is readable again
		t.Fatal(err)
	}
	value(t, after, "B")
	third := reopenBench(t, after, Options{})
	third.want(third.p, "k=A")
}

func TestChunkWhoseRecordsAreMissingEndsTheLog(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("a", "A"))
	b.commit(b.put("b", "B"))
	b.commit(b.put("c", "C"))
	cut := b.st.crash()
	cut.damage(mmapcas.HashOf(32, []byte("B")), true)
	again := reopenBench(t, cut, Options{})
	again.want(again.p, "a=A")
	if n := again.Stats().LostChunks; n != 2 {
		t.Errorf("%d chunks are said to be lost, want 2", n)
	}
}

// A damaged chunk takes with it those behind it, which is told; what is committed then stays.
func TestDamagedChunkIsTold(t *testing.T) {
	for _, remove := range []bool{false, true} {
		b := newBench(t, Options{})
		for _, k := range []string{"a", "b", "c", "d"} {
			b.commit(b.put(k, strings.ToUpper(k)))
		}
		cut := b.st.crash()
		chunks := cut.only(KindChunk)
		cut.damage(chunks[len(chunks)-3], remove)
		again := reopenBench(t, cut, Options{})
		again.want(again.p, "a=A")
		if n := again.Stats().LostChunks; n != 3 {
			t.Errorf("removed %v: %d chunks are said to be lost, want 3", remove, n)
		}
		again.commit(again.put("c", "C"))
		third := reopenBench(t, again.st.crash(), Options{})
		third.want(third.p, "a=A c=C")
		if n := third.Stats().LostChunks; n != 0 {
			t.Errorf("removed %v: %d chunks are said to be lost at the opening after", remove, n)
		}
	}
}

// fallbackBench has two checkpoints, with commits before, between and behind.
func fallbackBench(t *testing.T) *bench {
	b := newBench(t, Options{fan: 4})
	for i := range 3 {
		for j := range 10 {
			b.commit(b.put(fmt.Sprintf("%d%d", i, j), fmt.Sprint(i, j)), Op{b.s, fmt.Sprint(i, j), Put, value(t, b.st, "side")})
		}
		if i < 2 {
			if err := b.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b
}

func TestDamagedRootFallsBackWithoutLoss(t *testing.T) {
	for _, durable := range []bool{false, true} {
		for _, remove := range []bool{false, true} {
			b := fallbackBench(t)
			if durable {
				b.o.Durable = true
				b.commit(b.put("last", "L"))
			}
			want, side, gen := b.contents(b.p), b.contents(b.s), b.Generation()
			cut := b.st.crash()
			roots := cut.only(KindRoot)
			cut.damage(roots[len(roots)-1], remove)
			again := reopenBench(t, cut, Options{})
			again.want(again.p, want)
			again.want(again.s, side)
			if g := again.Generation(); g != gen {
				t.Fatalf("generation %d, want %d", g, gen)
			}
			// And once more from what the recovery wrote, with its root damaged in turn.
			again.commit(again.put("more", "M"))
			cut = again.st.crash()
			roots = cut.only(KindRoot)
			cut.damage(roots[len(roots)-1], remove)
			third := reopenBench(t, cut, Options{})
			third.want(third.p, again.contents(again.p))
		}
	}
}

// The log between the two newest roots must survive a collection, also one right after a clean
// opening.
func TestFallbackSurvivesACollection(t *testing.T) {
	b := fallbackBench(t)
	closeNow(t, b.DB)
	again := reopenBench(t, b.st, Options{})
	live := claimed(t, again.DB, again.st)
	if again.st.sweep(func(h Hash) bool { return live[h] }) == 0 {
		t.Fatal("nothing was garbage")
	}
	want := again.contents(again.p)
	cut := again.st.crash()
	roots := cut.only(KindRoot)
	if len(roots) != 2 {
		t.Fatalf("%d roots live, want 2", len(roots))
	}
	cut.damage(roots[1], true)
	third := reopenBench(t, cut, Options{})
	third.want(third.p, want)
}

// However long ago the last checkpoint was, what the log names is garbage once something else is at
// its key, and no recovery asks for it: neither after a kill, nor from the root before, nor where
// the power took what came later.
func TestLogKeepsNoReplacedValue(t *testing.T) {
	b := fallbackBench(t)
	for i := range 50 {
		b.commit(b.put("text", fmt.Sprint("text ", i)), Op{b.s, "text", Put, value(t, b.st, fmt.Sprint("side text ", i))})
	}
	roots := b.Roots()
	young := len(b.st.order)
	b.commit(b.put("text", "later")) // may get lost; then the one before must be there
	if err := b.Settle(roots); err != nil {
		t.Fatal(err)
	}
	b.commit(b.put("text", "latest"))
	live := map[Hash]bool{}
	for _, h := range b.st.order[young:] {
		live[h] = true
	}
	trace(b.st, roots.Live, live, Refs)
	trace(b.st, roots.Bare, live, BareRefs)
	b.st.sweep(func(h Hash) bool { return live[h] })
	for i := range 49 {
		if b.st.Has(mmapcas.HashOf(32, fmt.Append(nil, "text ", i))) || b.st.Has(mmapcas.HashOf(32, fmt.Append(nil, "side text ", i))) {
			t.Fatalf("text %d is kept, and text 49 has its place", i)
		}
	}
	want, side := b.contents(b.p), b.contents(b.s)
	for _, damage := range []bool{false, true} {
		cut := b.st.crash()
		if damage {
			roots := cut.only(KindRoot)
			cut.damage(roots[len(roots)-1], true)
		}
		again := reopenBench(t, cut, Options{})
		again.want(again.p, want)
		again.want(again.s, side)
	}
	cut := b.st.crash()
	cut.damage(mmapcas.HashOf(32, []byte("latest")), true)
	again := reopenBench(t, cut, Options{})
	again.want(again.p, strings.Replace(want, "text=latest", "text=later", 1))
}

func TestDamagedTreeTopFallsBackWithoutLoss(t *testing.T) {
	b := fallbackBench(t)
	want, gen := b.contents(b.p), b.Generation()
	cut := b.st.crash()
	n, err := decodeNote(cut.note)
	if err != nil {
		t.Fatal(err)
	}
	r, err := decodeRoot(cut.recs[n.root].payload)
	if err != nil {
		t.Fatal(err)
	}
	cut.damage(r.parts[0].tree, false)
	again := reopenBench(t, cut, Options{})
	again.want(again.p, want)
	if g := again.Generation(); g != gen {
		t.Fatalf("generation %d, want %d", g, gen)
	}
}

// TestPartitionThatCannotBeReadIsLost: a partition whose tree cannot be read at all is not empty,
// but unknown, until its owner says what is in it. A side partition starts empty.
func TestPartitionThatCannotBeReadIsLost(t *testing.T) {
	b := fallbackBench(t)
	side, gen := b.contents(b.s), b.Generation()
	cut := b.st.crash()
	for _, h := range cut.only(KindRoot) {
		r, err := decodeRoot(cut.recs[h].payload)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.parts) > 0 {
			cut.damage(r.parts[0].tree, true)
		}
	}
	var log strings.Builder
	again := reopenBench(t, cut, Options{Logger: logTo(&log)})
	unknown := func(b *bench) {
		t.Helper()
		if _, _, err := b.Latest(b.p, "never there"); !errors.Is(err, ErrDamaged) {
			t.Fatalf("a key of a partition that cannot be read: %v", err)
		}
		if err := b.LatestRange(b.p, "", "", false, func(string, Hash) bool { return true }); !errors.Is(err, ErrDamaged) {
			t.Fatalf("the keys of a partition that cannot be read: %v", err)
		}
		if _, err := b.LatestCount(b.p, "", ""); !errors.Is(err, ErrDamaged) {
			t.Fatalf("how many keys there are in a partition that cannot be read: %v", err)
		}
		b.want(b.s, side)
	}
	unknown(again)
	if !strings.Contains(log.String(), `partition=p`) {
		t.Fatalf("the log does not name the partition:\n%s", &log)
	}
	snap := again.Snapshot()
	defer snap.Release()
	if snap.Gen() <= gen || snap.LastChanged(again.p) != snap.Gen() {
		t.Fatalf("generation %d, last changed in %d: readers of generation %d would not notice", snap.Gen(), snap.LastChanged(again.p), gen)
	}
	third := reopenBench(t, again.st.crash(), Options{})
	unknown(third)
	third.commit(third.put("k", "K"))
	if h, ok, err := third.Latest(third.p, "k"); err != nil || !ok || h != mmapcas.HashOf(32, []byte("K")) {
		t.Fatalf("what was put is not there: %v", err)
	}
	unknown(third)
	third.commit(Op{Part: third.p, Verb: ClearPrefix}, third.put("k", "K"))
	third.want(third.p, "k=K")
	fourth := reopenBench(t, third.st.crash(), Options{})
	fourth.want(fourth.p, "k=K")
}

func TestNothingReadableStartsEmpty(t *testing.T) {
	b := fallbackBench(t)
	gen := b.Generation()
	cut := b.st.crash()
	for _, h := range cut.only(KindRoot) {
		cut.damage(h, true)
	}
	again := reopenBench(t, cut, Options{})
	again.want(again.p, "")
	if g := again.Generation(); g <= gen {
		t.Fatalf("generation %d, though %d had been given out", g, gen)
	}
}

func TestDamageDeepDown(t *testing.T) {
	b := newBench(t, Options{fan: 4})
	for i := range 100 {
		b.commit(b.put(fmt.Sprintf("%02d", i), fmt.Sprint(i)))
	}
	closeNow(t, b.DB)
	again := reopenBench(t, b.st, Options{fan: 4})
	h := func() Hash { // the leaf of key 50
		l := again.current.Load().root(again.p)
		for n := l.node.Load(); !n.leaf(); {
			i := n.route("50")
			c, err := child(again.DB.st, n, i)
			if err != nil {
				t.Fatal(err)
			}
			n, l = c, n.kids[i]
		}
		return l.id()
	}()
	closeNow(t, again.DB)
	b.st.damage(h, false)
	again = reopenBench(t, b.st, Options{fan: 4})

	var bad *DamagedError
	_, _, err := again.Latest(again.p, "50")
	if !errors.As(err, &bad) || bad.Partition != "p" || bad.Hash != h || !errors.Is(err, ErrDamaged) || !errors.Is(err, mmapcas.ErrCorrupt) {
		t.Fatalf("reading through a damaged leaf: %v", err)
	}
	seen := 0
	if err := again.LatestRange(again.p, "", "", false, func(k string, _ Hash) bool {
		if k != fmt.Sprintf("%02d", seen) {
			t.Errorf("key %q where %02d belongs", k, seen)
		}
		seen++
		return true
	}); !errors.Is(err, ErrDamaged) || seen == 0 || seen > 50 {
		t.Fatalf("a scan across damage: %d keys, %v", seen, err)
	}
	if _, ok, err := again.Latest(again.p, "99"); !ok || err != nil {
		t.Fatalf("what is intact cannot be read: %t, %v", ok, err)
	}
	expect(t, again.commit(again.put("99", "y")), "101 ~99")
	if _, _, err := again.Latest(again.p, "50"); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a damaged leaf after a commit elsewhere: %v", err)
	}
	if err := again.Reset(t.Context(), again.p); err != nil {
		t.Fatal(err)
	}
	again.want(again.p, "")
	if again.Generation() != 102 {
		t.Fatalf("generation %d", again.Generation())
	}
	expect(t, again.commit(again.put("50", "x")), "103 +50")
	third := reopenBench(t, again.st.crash(), Options{})
	third.want(third.p, "50=x")
}

func TestDamagedSidePartitionIsResetOnItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{fan: 4})
		for i := range 50 {
			b.commit(Op{b.s, fmt.Sprintf("%02d", i), Put, value(t, b.st, "A")})
		}
		closeNow(t, b.DB)
		for _, h := range b.st.only(KindLeaf) {
			b.st.damage(h, true)
		}
		again := reopenBench(t, b.st, Options{})
		if _, _, err := again.Latest(again.s, "10"); !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, ok, err := again.Latest(again.s, "10"); ok || err != nil {
			t.Fatalf("after the reset: %t, %v", ok, err)
		}
		closeNow(t, again.DB)
	})
}

// Every write of a workload fails once. What was acknowledged must be there afterwards, and nothing
// else but the chunk that was being committed.
func TestEveryWriteFailsOnce(t *testing.T) {
	for n := 1; ; n++ {
		ops, failed := 0, false
		fail := func(string, mmapcas.Kind) error {
			if ops++; ops == n {
				failed = true
				return mmapcas.ErrNoSpace
			}
			return nil
		}
		b := newBench(t, Options{fan: 3})
		b.st.fail = fail
		acked := map[string]bool{}
		for i := range 12 {
			k := fmt.Sprintf("%02d", i)
			h, _, err := b.st.Put(32, []byte(k))
			if err != nil {
				continue
			}
			if _, err := b.Commit(t.Context(), []Op{{b.p, k, Put, h}}); err == nil {
				acked[k] = true
			} else if !errors.Is(err, mmapcas.ErrNoSpace) {
				t.Fatal(err)
			}
			if i%4 == 3 {
				if err := b.Checkpoint(t.Context()); err != nil && !errors.Is(err, mmapcas.ErrNoSpace) {
					t.Fatal(err)
				}
			}
		}
		check := func(b *bench) {
			var want []string
			for k := range acked {
				want = append(want, k+"="+k)
			}
			slices.Sort(want)
			b.want(b.p, strings.Join(want, " "))
		}
		check(b)
		b.st.fail = nil
		check(reopenBench(t, b.st.crash(), Options{}))
		closeNow(t, b.DB)
		check(reopenBench(t, b.st.crash(), Options{}))
		if !failed {
			t.Logf("%d writes, each has failed once", n-1)
			return
		}
	}
}

// Every write fails once while the database recovers from a crash.
func TestEveryWriteOfARecoveryFailsOnce(t *testing.T) {
	b := fallbackBench(t)
	want := b.contents(b.p)
	crashed := b.st.crash()
	for n := 1; ; n++ {
		st := crashed.crash()
		ops := 0
		st.fail = func(string, mmapcas.Kind) error {
			if ops++; ops == n {
				return mmapcas.ErrNoSpace
			}
			return nil
		}
		again := reopenBench(t, st, Options{})
		again.want(again.p, want)
		st.fail = nil
		again.commit(again.put("more", "M"))
		third := reopenBench(t, st.crash(), Options{})
		third.want(third.p, again.contents(again.p))
		if ops < n {
			return
		}
	}
}

func TestReadOnlyReplaysAndWritesNothing(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	cut := b.st.crash()
	cut.fail = func(op string, _ mmapcas.Kind) error {
		t.Errorf("%s to a read-only database", op)
		return mmapcas.ErrReadOnly
	}
	ro := reopenBench(t, cut, Options{ReadOnly: true})
	ro.want(ro.p, "k=A")
	if _, err := ro.Commit(t.Context(), []Op{ro.del("k")}); !errors.Is(err, ErrReadOnly) {
		t.Fatal(err)
	}
	if _, err := ro.Partition("new", false); !errors.Is(err, ErrReadOnly) {
		t.Fatal(err)
	}
	if err := ro.Checkpoint(t.Context()); !errors.Is(err, ErrReadOnly) {
		t.Fatal(err)
	}
	closeNow(t, ro.DB)
}

func TestVolatileKeepsNoLog(t *testing.T) {
	b := newBench(t, Options{Volatile: true})
	b.commit(b.put("k", "A"))
	b.commit(b.put("k", "B"))
	b.want(b.p, "k=B")
	for _, h := range b.st.order {
		if b.st.recs[h].kind < 16 {
			t.Fatalf("a record of kind %d was written", b.st.recs[h].kind)
		}
	}
	if roots := b.Roots(); !slices.Contains(roots.Live, mmapcas.HashOf(32, []byte("B"))) {
		t.Fatal(roots)
	}
}

func TestNewerFormatIsNotTouched(t *testing.T) {
	b := newBench(t, Options{})
	closeNow(t, b.DB)
	b.st.note[0] = formatV5 + 1
	records := len(b.st.order)
	if _, err := open(b.st, Options{}); !errors.Is(err, mmapcas.ErrNewerFormat) {
		t.Fatal(err)
	}
	if len(b.st.order) != records {
		t.Fatal("something was written")
	}
}

func TestClosedDatabase(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	closeNow(t, b.DB)
	closeNow(t, b.DB)
	if _, err := b.Commit(t.Context(), []Op{b.del("k")}); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if err := b.Checkpoint(t.Context()); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if _, err := b.Partition("new", false); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	b.want(b.p, "k=A")
}

func TestCheckpointHeedsItsContext(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Checkpoint(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
}
