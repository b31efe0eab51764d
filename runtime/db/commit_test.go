package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// A bench is a database with one versioned and one side partition, for tests that spell out their
// chunks.
type bench struct {
	*DB
	t    testing.TB
	st   *fakeStore
	p, s PartID
}

func newBench(t testing.TB, o Options) *bench {
	t.Helper()
	return reopenBench(t, newFake(), o)
}

func reopenBench(t testing.TB, st *fakeStore, o Options) *bench {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet
	}
	if o.CheckpointCommits == 0 {
		o.CheckpointCommits = -1
	}
	b := &bench{DB: mustOpen(t, st, o), t: t, st: st}
	var err, err2 error
	b.p, err = b.Partition("p", false)
	b.s, err2 = b.Partition("s", true)
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) put(key, content string) Op { return Op{b.p, key, Put, value(b.t, b.st, content)} }

func (b *bench) del(key string) Op { return Op{Part: b.p, Key: key, Verb: Delete} }

func (b *bench) clear(prefix string) Op { return Op{Part: b.p, Key: prefix, Verb: ClearPrefix} }

// commit returns the generation and the changes as text: "+key" inserted, "~key" changed, "-key"
// deleted.
func (b *bench) commit(ops ...Op) string {
	b.t.Helper()
	res, err := b.Commit(context.Background(), ops)
	if err != nil {
		b.t.Fatal(err)
	}
	return show(res)
}

func show(r Result) string {
	out := []string{fmt.Sprint(r.Gen)}
	for _, c := range r.Changes {
		sign := "~"
		if c.Old.IsZero() {
			sign = "+"
		} else if c.New.IsZero() {
			sign = "-"
		}
		out = append(out, sign+c.Key)
	}
	return strings.Join(out, " ")
}

// contents returns the keys of p with the content that they name.
func (b *bench) contents(part PartID) string {
	b.t.Helper()
	var out []string
	err := b.LatestRange(part, "", "", false, func(k string, h Hash) bool {
		out = append(out, k+"="+string(b.st.record(h).payload))
		return true
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func (b *bench) want(part PartID, want string) {
	b.t.Helper()
	if got := b.contents(part); got != want {
		b.t.Fatalf("partition holds %q, want %q", got, want)
	}
}

func expect(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// What counts is whether the record at a key is another one, not whether the store knew it
// (reference weakness W17).
func TestEditThereAndBackNotifiesTwice(t *testing.T) {
	b := newBench(t, Options{})
	expect(t, b.commit(b.put("k", "A")), "1 +k")
	expect(t, b.commit(b.put("k", "B")), "2 ~k")
	expect(t, b.commit(b.put("k", "A")), "3 ~k")
	expect(t, b.commit(b.put("k", "A")), "3")
}

func TestSameContentUnderTwoKeysNotifiesBoth(t *testing.T) {
	b := newBench(t, Options{})
	expect(t, b.commit(b.put("k", "A")), "1 +k")
	expect(t, b.commit(b.put("l", "A")), "2 +l")
	expect(t, b.commit(b.put("k", "B"), b.put("l", "B")), "3 ~k ~l")
}

func TestDeleteAndPutInOneChunk(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	expect(t, b.commit(b.del("k"), b.put("k", "A")), "1")
	expect(t, b.commit(b.del("k"), b.put("k", "B")), "2 ~k")
	expect(t, b.commit(b.put("k", "C"), b.del("k")), "3 -k")
	expect(t, b.commit(b.put("k", "C"), b.del("k")), "3")
	b.want(b.p, "")
}

func TestClearPrefixThenPutReplacesWhatAProducerSaid(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("f/1", "A"), b.put("f/2", "A"), b.put("f/3", "A"), b.put("g", "A"))
	expect(t, b.commit(b.clear("f/"), b.put("f/1", "A"), b.put("f/2", "B"), b.put("f/4", "A")), "2 ~f/2 -f/3 +f/4")
	b.want(b.p, "f/1=A f/2=B f/4=A g=A")
	expect(t, b.commit(b.clear("f/"), b.put("f/1", "A"), b.put("f/2", "B"), b.put("f/4", "A")), "2")
}

func TestClearPrefixOverlap(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("a", "1"), b.put("ab", "1"), b.put("abc", "1"), b.put("abd", "1"), b.put("b", "1"))
	// A wider clear, a put under it, a narrower clear after that, one beside.
	expect(t, b.commit(b.clear("ab"), b.put("abc", "2"), b.put("abd", "1"), b.clear("abc"), b.clear("ac"), b.put("ac", "3")), "2 -ab -abc +ac")
	b.want(b.p, "a=1 abd=1 ac=3 b=1")
	// The narrower first, the wider later: nothing in between survives.
	expect(t, b.commit(b.clear("abd"), b.put("abd", "9"), b.clear("a"), b.put("az", "1")), "3 -a -abd -ac +az")
	expect(t, b.commit(b.clear("")), "4 -az -b")
	b.want(b.p, "")
}

func TestClearPrefixOfTheHighestBytes(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("\xfe", "1"), b.put("\xff", "1"), b.put("\xff\xff", "1"), b.put("\xff\xffz", "1"))
	expect(t, b.commit(b.clear("\xff\xff")), "2 -\xff\xff -\xff\xffz")
	expect(t, b.commit(b.clear("\xff")), "3 -\xff")
	b.want(b.p, "\xfe=1")
}

func TestEmptyCommitKeepsGenerationAndWritesNothing(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	records := len(b.st.order)
	expect(t, b.commit(), "1")
	expect(t, b.commit(b.put("k", "A")), "1")
	expect(t, b.commit(b.del("absent"), b.clear("absent")), "1")
	if n := len(b.st.order); n != records {
		t.Fatalf("%d records written by commits that change nothing", n-records)
	}
}

func TestSidePartitionsHaveNoGenerationsAndTellNobody(t *testing.T) {
	b := newBench(t, Options{})
	told := 0
	defer b.OnCommit(func(res Result) {
		changes := res.Changes
		for _, c := range changes {
			if c.Part != b.p {
				t.Errorf("told of %+v", c)
			}
		}
		told++
	})()
	trace := Op{b.s, "t", Put, value(t, b.st, "T")}
	expect(t, b.commit(trace), "0 +t")
	expect(t, b.commit(trace), "0")
	trace.Hash = value(t, b.st, "U")
	expect(t, b.commit(b.put("k", "A"), trace), "1 +k ~t")
	if told != 1 {
		t.Fatalf("observers were called %d times, want once", told)
	}
	snap := b.Snapshot()
	defer snap.Release()
	if _, _, err := snap.Get(b.s, "t"); !errors.Is(err, ErrPartitionKind) {
		t.Fatalf("reading a side partition through a snapshot: %v", err)
	}
	if _, err := b.Partition("s", false); !errors.Is(err, ErrPartitionKind) {
		t.Fatalf("a side partition asked for as versioned: %v", err)
	}
}

func TestBadChunksChangeNothing(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	ended, cancel := context.WithCancelCause(context.Background())
	why := errors.New("why")
	cancel(why)
	for _, c := range []struct {
		ctx  context.Context
		op   Op
		want error
	}{
		{nil, Op{Part: 99, Key: "x", Verb: Delete}, ErrNoPartition},
		{nil, Op{Part: 0, Key: "x", Verb: Delete}, ErrNoPartition},
		{nil, Op{Part: b.p, Key: "x", Verb: 7}, ErrBadOp},
		{nil, Op{Part: b.p, Key: "x", Verb: Put}, ErrBadOp},
		{nil, Op{Part: b.p, Key: strings.Repeat("x", MaxKeyBytes+1), Verb: Delete}, ErrKeyTooLong},
		{nil, Op{b.p, "x", Put, hashOf(-1)}, ErrDangling},
		{ended, Op{Part: b.p, Key: "k", Verb: Delete}, why},
	} {
		ctx := c.ctx
		if ctx == nil {
			ctx = context.Background()
		}
		if _, err := b.Commit(ctx, []Op{b.put("other", "B"), c.op}); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.op, err, c.want)
		}
	}
	b.want(b.p, "k=A")
	if g := b.Generation(); g != 1 {
		t.Fatalf("generation %d", g)
	}
	var dangling *DanglingError
	if _, err := b.Commit(context.Background(), []Op{{b.p, "x", Put, hashOf(-1)}}); !errors.As(err, &dangling) || dangling.Partition != "p" || dangling.Key != "x" {
		t.Fatalf("the error does not say where: %v", err)
	}
}

func TestLongestKeys(t *testing.T) {
	b := newBench(t, Options{})
	var ops []Op
	for c := byte('a'); c <= 'z'; c++ {
		ops = append(ops, b.put(strings.Repeat(string(c), MaxKeyBytes), "A"), b.put(strings.Repeat("z", MaxKeyBytes-1)+string(c), "A"))
	}
	b.commit(ops...)
	before := b.contents(b.p)
	again := reopenBench(t, b.st.crash(), Options{})
	again.want(again.p, before)
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again = reopenBench(t, b.st.crash(), Options{})
	again.want(again.p, before)
}

func TestCombinedCommits(t *testing.T) {
	b := newBench(t, Options{fan: 8, CheckpointCommits: 50, CacheBytes: 1})
	const writers, each = 16, 40
	var mu sync.Mutex
	var told []uint64
	seen := map[string]bool{}
	stop := b.OnCommit(func(res Result) {
		gen, changes := res.Gen, res.Changes
		told = append(told, gen)
		for _, c := range changes {
			seen[c.Key] = true
		}
	})
	gens := map[uint64]bool{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				key := fmt.Sprintf("%02d/%03d", w, i)
				res, err := b.Commit(t.Context(), []Op{b.put(key, key)})
				if err != nil || len(res.Changes) != 1 || res.Changes[0].Key != key {
					t.Errorf("commit of %s: %v, %v", key, res, err)
				}
				if h, ok, err := b.Latest(b.p, key); !ok || err != nil || h != res.Changes[0].New {
					t.Errorf("%s is not there after its commit: %t, %v", key, ok, err)
				}
				mu.Lock()
				if gens[res.Gen] {
					t.Errorf("generation %d was given to two chunks", res.Gen)
				}
				gens[res.Gen] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	stop()
	if len(gens) != writers*each || len(seen) != writers*each || len(told) != writers*each || !slices.IsSorted(told) {
		t.Fatalf("%d generations, %d keys, %d calls (in order: %t), want %d", len(gens), len(seen), len(told), slices.IsSorted(told), writers*each)
	}
	s := b.Stats()
	t.Logf("%d chunks in %d turns, %d checkpoints", s.Chunks, s.Turns, s.Checkpoints)
}

// Whoever holds the turn applies what waits: with the turn taken, all chunks that queue up go
// through in one.
func TestTurnTakesAllThatWait(t *testing.T) {
	b := newBench(t, Options{})
	before := b.Stats().Turns
	inside, goOn := make(chan struct{}), make(chan struct{})
	stop := b.OnCommit(func(res Result) {
		gen := res.Gen
		if gen == 1 {
			close(inside)
			<-goOn
		}
	})
	var wg sync.WaitGroup
	wg.Go(func() { b.commit(b.put("first", "A")) })
	<-inside
	for i := range 10 {
		wg.Go(func() { b.commit(b.put(fmt.Sprint(i), "A")) })
	}
	for { // until all ten are in the queue
		b.queueMu.Lock()
		n := len(b.queue)
		b.queueMu.Unlock()
		if n == 10 {
			break
		}
		goruntime.Gosched()
	}
	close(goOn)
	wg.Wait()
	stop()
	if turns := b.Stats().Turns - before; turns != 2 {
		t.Fatalf("%d turns for 1 + 10 chunks, want 2", turns)
	}
	if g := b.Generation(); g != 11 {
		t.Fatalf("generation %d, want 11", g)
	}
}

func TestOneBadChunkDoesNotSpoilItsTurn(t *testing.T) {
	b := newBench(t, Options{})
	good := []*pending{{ctx: t.Context()}, {ctx: t.Context()}}
	bad := &pending{ctx: t.Context()}
	known := func(PartID) error { return nil }
	for i, p := range []*pending{good[0], bad, good[1]} {
		op := b.put(fmt.Sprint("k", i), "A")
		if p == bad {
			op.Hash = hashOf(-1)
		}
		p.plans, _ = makePlans([]Op{b.put("all", fmt.Sprint(i)), op}, known)
	}
	b.turn.Lock()
	b.queue = []*pending{good[0], bad, good[1]}
	b.drain()
	b.turn.Unlock()
	if !errors.Is(bad.err, ErrDangling) || good[0].err != nil || good[1].err != nil {
		t.Fatal(bad.err, good[0].err, good[1].err)
	}
	expect(t, show(good[0].res), "1 +all +k0")
	expect(t, show(good[1].res), "2 ~all +k2")
	b.want(b.p, "all=2 k0=A k2=A")
}

// C7: the commits that a panic meets in its turn are not said to be applied, and are not.
func TestPanicInATurnIsToldToAllOfIt(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	known := func(PartID) error { return nil }
	var batch []*pending
	for i := range 3 {
		p := &pending{ctx: t.Context()}
		p.plans, _ = makePlans([]Op{b.put(fmt.Sprint("k", i), "A")}, known)
		batch = append(batch, p)
	}
	batch[1].check = func([]Change) error { panic("in the turn") }
	func() {
		b.turn.Lock()
		defer b.turn.Unlock()
		defer func() { _ = recover() }()
		b.queue = batch
		b.drain()
		t.Error("the panic does not reach who has the turn")
	}()
	for i, p := range batch {
		if !p.done || p.err == nil {
			t.Errorf("chunk %d: done %v, error %v", i, p.done, p.err)
		}
	}
	if _, err := b.Commit(t.Context(), []Op{b.put("late", "A")}); !errors.Is(err, errTorn) {
		t.Errorf("a commit behind it: %v", err)
	}
	b.want(b.p, "k=A")
}

// A context that panics, as nil does, costs its own commit only.
func TestNilContextCostsItsOwnCommit(t *testing.T) {
	b := newBench(t, Options{})
	func() {
		defer func() { _ = recover() }()
		var none context.Context
		_, _ = b.Commit(none, []Op{b.put("none", "A")})
		t.Error("a nil context is taken")
	}()
	b.commit(b.put("k", "A"))
	b.want(b.p, "k=A")
}

func TestCommitsInDurableModeSayWhenASyncFails(t *testing.T) {
	b := newBench(t, Options{Durable: true})
	b.commit(b.put("k", "A"))
	b.st.fail = func(op string, _ mmapcas.Kind) error {
		if op == "commit" {
			return mmapcas.ErrNoSpace
		}
		return nil
	}
	res, err := b.Commit(t.Context(), []Op{b.put("k", "B")})
	if !errors.Is(err, ErrNotDurable) || !errors.Is(err, mmapcas.ErrNoSpace) || res.Gen != 2 {
		t.Fatalf("commit whose sync fails: %v, %v", res, err)
	}
	b.want(b.p, "k=B")
	b.st.fail = nil
	expect(t, b.commit(b.put("k", "C")), "3 ~k")
	again := reopenBench(t, b.st.cutPower(newRand(1)), Options{})
	again.want(again.p, "k=C")
}

func TestFailedWriteLeavesTheDatabaseAsItWas(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	op := b.put("k", "B")
	b.st.fail = func(_ string, kind mmapcas.Kind) error {
		if kind == KindChunk {
			return mmapcas.ErrNoSpace
		}
		return nil
	}
	if _, err := b.Commit(t.Context(), []Op{op}); !errors.Is(err, mmapcas.ErrNoSpace) {
		t.Fatal(err)
	}
	b.want(b.p, "k=A")
	b.st.fail = nil
	expect(t, b.commit(op), "2 ~k")
	again := reopenBench(t, b.st.crash(), Options{})
	again.want(again.p, "k=B")
	if g := again.Generation(); g != 2 {
		t.Fatalf("generation %d after reopening", g)
	}
}

// A chunk whose write reported an error may be in the store all the same. What was committed after
// it counts, not it.
func TestChunkThatFailedButIsThereLoses(t *testing.T) {
	for _, commits := range []int{1, 2} {
		b := newBench(t, Options{})
		b.commit(b.put("k", "A"))
		failed := b.put("k", "wrong")
		lie := errors.New("lie")
		st := &lyingStore{fakeStore: b.st, err: lie}
		b.DB.st.store = st
		if _, err := b.Commit(t.Context(), []Op{failed}); !errors.Is(err, lie) {
			t.Fatal(err)
		}
		b.DB.st.store = b.st
		for i := range commits {
			b.commit(b.put("l", fmt.Sprint(i)))
		}
		again := reopenBench(t, b.st.crash(), Options{})
		again.want(again.p, fmt.Sprintf("k=A l=%d", commits-1))
	}
}

// A lyingStore writes chunks and says that it did not.
type lyingStore struct {
	*fakeStore
	err error
}

func (s *lyingStore) Put(kind mmapcas.Kind, payload []byte) (Hash, bool, error) {
	h, fresh, err := s.fakeStore.Put(kind, payload)
	if kind == KindChunk {
		return Hash{}, false, s.err
	}
	return h, fresh, err
}

func (s *lyingStore) PutNew(kind mmapcas.Kind, payload []byte) (Hash, bool, error) {
	return s.Put(kind, payload)
}

func TestLargeChunkIsWrittenInPieces(t *testing.T) {
	b := newBench(t, Options{})
	var ops []Op
	h := value(t, b.st, "A")
	for i := range 20_000 {
		ops = append(ops, Op{b.p, fmt.Sprintf("file:///workspace/dir/%05d", i), Put, h}, Op{b.s, fmt.Sprint(i), Put, h})
	}
	b.commit(ops...)
	pieces := 0
	for _, r := range b.st.recs {
		if r.kind == KindPiece {
			pieces++
			if len(r.payload) > 2*pieceBytes {
				t.Errorf("a piece of %d bytes", len(r.payload))
			}
		}
	}
	if pieces < 2 {
		t.Fatalf("%d pieces", pieces)
	}
	again := reopenBench(t, b.st.crash(), Options{})
	again.want(again.p, b.contents(b.p))
	again.want(again.s, b.contents(b.s))
}

func TestPlansReduceAChunk(t *testing.T) {
	h1, h2 := hashOf(1), hashOf(2)
	plans, err := makePlans([]Op{
		{2, "z", Put, h1},
		{1, "b", Put, h1},
		{1, "b", Put, h2},
		{1, "c", Put, h1},
		{1, "c", Delete, h1},
		{1, "pa", Put, h1},
		{1, "p", ClearPrefix, h1},
		{1, "pb", Put, h1},
		{1, "pp", ClearPrefix, h1},
		{3, "", ClearPrefix, h1},
	}, func(PartID) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := []plan{
		{1, []edit{{"b", h2}, {"c", Hash{}}, {"pb", h1}}, []string{"p"}},
		{2, []edit{{"z", h1}}, nil},
		{3, nil, []string{""}},
	}
	if !reflect.DeepEqual(plans, want) {
		t.Fatalf("%+v, want %+v", plans, want)
	}
}

// TestPutAgainIsDurable: a commit that changes nothing may still have put a record whose stored
// copy was damaged. With Durable it is acknowledged when that is on disk, and not before.
func TestPutAgainIsDurable(t *testing.T) {
	st := newFake()
	d := mustOpen(t, st, Options{Durable: true, CheckpointCommits: -1, Logger: quiet})
	part, err := d.Partition("p", false)
	if err != nil {
		t.Fatal(err)
	}
	h := value(t, st, "text")
	put := func() error {
		_, err := d.Commit(t.Context(), []Op{{Part: part, Key: "k", Verb: Put, Hash: h}})
		return err
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	floor := st.floor
	if err := put(); err != nil || st.floor != floor {
		t.Fatalf("a commit of what is there synced the store: %v", err)
	}
	// Damaged, and put again.
	delete(st.recs, h)
	st.order = slices.DeleteFunc(st.order, func(o Hash) bool { return o == h })
	st.floor = len(st.order)
	value(t, st, "text")
	if err := put(); err != nil || !st.Synced(h) {
		t.Fatalf("acknowledged before it is durable: %v", err)
	}
	delete(st.recs, h)
	st.order, st.floor = st.order[:len(st.order)-1], len(st.order)-1
	value(t, st, "text")
	st.fail = func(op string, _ mmapcas.Kind) error {
		if op == "commit" {
			return mmapcas.ErrNoSpace
		}
		return nil
	}
	if err := put(); !errors.Is(err, ErrNotDurable) {
		t.Fatalf("acknowledged although it could not be made durable: %v", err)
	}
	st.fail = nil
}

// A chunk may be refused for what it would change, and leaves nothing then.
func TestCommitIf(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	refused := errors.New("refused")
	ops := []Op{b.put("k", "B"), b.put("l", "C"), b.put("m", "D"), {Part: b.p, Key: "m", Verb: Delete}}
	asked := ""
	res, err := b.CommitIf(t.Context(), ops, func(changes []Change) error {
		asked = show(Result{Changes: changes})
		return refused
	})
	expect(t, asked, "0 ~k +l")
	if !errors.Is(err, refused) || len(res.Changes) != 0 || b.Generation() != 1 {
		t.Errorf("%v, %v, generation %d", err, res, b.Generation())
	}
	b.want(b.p, "k=A")
	if res, err = b.CommitIf(t.Context(), ops, func([]Change) error { return nil }); err != nil {
		t.Error(err)
	}
	expect(t, show(res), "2 ~k +l")
	closeNow(t, b.DB)
}
