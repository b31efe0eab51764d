package runtime_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// A collection takes the result of an older trace unless somebody reads an older generation, who
// may have been answered with it.
func TestOldResultsStayWhileOlderGenerationsAreRead(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{CollectEvery: -1})
	put(t, e, inputs, "k", "A")
	old := ask(t, e, doubled, "k")
	held := e.Snapshot()
	put(t, e, inputs, "k", "bb")
	ask(t, e, doubled, "k")
	for range 2 {
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := string(readParts(t, held, old)); got != "AA" {
			t.Fatalf("while the older generation is read, its answer is %q", got)
		}
	}
	held.Release()
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := e.Snapshot()
	defer now.Release()
	if _, err := runtime.ReadBlob(now, old.Parts[0]); !errors.Is(err, runtime.ErrDamaged) {
		t.Errorf("the old result is still there: %v", err)
	}
	put(t, e, inputs, "k", "A")
	again := e.Snapshot()
	defer again.Release()
	if got := string(readParts(t, again, ask(t, e, doubled, "k"))); got != "AA" {
		t.Errorf("after the undo the answer is %q", got)
	}
	if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
		t.Errorf("verify: %+v, %v", rep, err)
	}
	if st := e.Stats().Collector; st.Missing != 0 {
		t.Errorf("collector: %+v, want nothing missing", st)
	}
}

// An undo in a later process is answered by the stored trace, as long as no collection came
// between.
func TestUndoInALaterProcess(t *testing.T) {
	dir := t.TempDir()
	for run, text := range []string{"A", "bb", "A", "bb", "A"} {
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, CollectEvery: -1, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		r := &runs{e: e}
		r.since("doubled")
		put(t, e, inputs, "k", text)
		s := e.Snapshot()
		if got := string(readParts(t, s, ask(t, e, doubled, "k"))); got != text+text {
			t.Fatalf("run %d: %q", run, got)
		}
		s.Release()
		if run >= 2 {
			r.want(t, fmt.Sprint("undo in run ", run), map[string]uint64{"doubled": 0})
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// What Tidy leaves is what is live and a quarter more, however the live part grows and shrinks; and
// it does not collect each time.
func TestTidyBoundsTheStore(t *testing.T) {
	const every = 4 << 20
	dir := t.TempDir()
	var (
		noise = rand.NewChaCha8([32]byte{3})
		rng   = rand.New(noise)
	)
	keys := 0
	cycles := uint64(0)
	const rounds = 16
	for round := range rounds {
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, SegmentBytes: 1 << 20, CollectEvery: every, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		want := []int{20, 100, 10, 60}[round*4/rounds]
		for ; keys > want; keys-- {
			remove(t, e, inputs, fmt.Sprint(keys-1))
		}
		keys = max(keys, min(want, keys+25))
		for range 30 {
			text := make([]byte, 20_000)
			_, _ = noise.Read(text)
			put(t, e, inputs, fmt.Sprint(rng.IntN(keys)), string(text))
		}
		if err := e.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		stored := e.Stats().Store.StoredBytes
		cycles += e.Stats().Collector.Cycles
		rep, err := inspect.Verify(t.Context(), e, nil)
		if err != nil || !rep.Clean() {
			t.Fatalf("round %d: %+v, %v", round, rep, err)
		}
		// Before the first collection the store may have CollectEvery. What was removed since the
		// last one shows at the next.
		bound := max(every, rep.Reachable.Bytes*5/4) + every
		if stored > bound {
			t.Errorf("round %d: %d bytes are stored, %d are live, want at most %d", round, stored, rep.Reachable.Bytes, bound)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if cycles == 0 || cycles > rounds*2/3 {
		t.Errorf("%d collections in %d runs: want some, and not one each", cycles, rounds)
	}
}

// incompressible is text number i of n bytes.
func incompressible(i, n int) string {
	text := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(text) // it does not fail
	return string(text)
}

// A store that doubles with each run is collected in each.
func TestTidyCollectsWhatGrewALot(t *testing.T) {
	dir := t.TempDir()
	for run := range 3 {
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, CollectEvery: 1 << 20, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		put(t, e, inputs, "k", incompressible(run, 2<<20))
		if err := e.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if st := e.Stats(); st.Collector.Cycles == 0 {
			t.Errorf("run %d: no collection of %d bytes", run, st.Store.StoredBytes)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A small store is collected for what is known to be garbage, and not because it grows.
func TestTidyCollectsGarbageOfASmallStore(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{})
	text := func(i int) string { return incompressible(i, 140_000) }
	const texts = 50 // 7 MB
	for i := range texts {
		put(t, e, inputs, fmt.Sprint(i), text(i))
	}
	if err := e.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := e.Stats(); st.Collector.Cycles != 0 {
		t.Errorf("%d collections of a store in which nothing is garbage: %d bytes are counted", st.Collector.Cycles, st.Collector.GarbageBytes)
	}
	grown := e.Stats().Store.StoredBytes
	for i := range texts {
		put(t, e, inputs, fmt.Sprint(i%texts/10), text(texts+i))
	}
	if err := e.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A collection that began by itself meanwhile leaves a tenth, and Tidy lets a quarter be.
	if st := e.Stats(); st.Collector.Cycles == 0 || st.Store.StoredBytes > grown*135/100 {
		t.Errorf("%d collections, %d bytes are stored, %d are live", st.Collector.Cycles, st.Store.StoredBytes, grown)
	}
}
