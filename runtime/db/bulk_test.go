package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

func beginBulk(t testing.TB, d *DB, part PartID) *Bulk {
	t.Helper()
	b, err := d.BeginBulk(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// load puts entries "000000" and so on through a bulk.
func (b *bench) load(n int) Result {
	b.t.Helper()
	bulk := beginBulk(b.t, b.DB, b.p)
	h := value(b.t, b.st, "A")
	for i := range n {
		if err := bulk.Put(fmt.Sprintf("%06d", i), h); err != nil {
			b.t.Fatal(err)
		}
	}
	res, err := bulk.Commit(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

// A load writes full leaves once, whatever its size, and what comes later writes only what it
// changes.
func TestBulkWritesWhatItChanges(t *testing.T) {
	const n = 100_000
	b := newBench(t, Options{})
	res := b.load(n)
	if res.Graft == nil || res.Graft.Delta != (Delta{Inserted: n}) || res.Gen != 1 || len(res.Changes) > 0 {
		t.Fatalf("%+v", res)
	}
	// Each batch ends in a path that the next one writes again.
	written := b.Stats().NodesWritten
	if most := uint64(n/fanMax + n/fanMax/fanMax + 6*(n/bulkBatch+1)); written > most {
		t.Errorf("%d nodes written, want at most %d", written, most)
	}
	bulk := beginBulk(t, b.DB, b.p)
	if err := errors.Join(bulk.Put("050000", value(t, b.st, "B")), bulk.Delete("070000"), bulk.Put("0700000", value(t, b.st, "C"))); err != nil {
		t.Fatal(err)
	}
	loaded := b.Stats().NodesLoaded
	before := b.Snapshot()
	defer before.Release()
	res, err := bulk.Commit(t.Context())
	if err != nil || res.Graft.Delta != (Delta{1, 1, 1}) {
		t.Fatal(res.Graft, err)
	}
	if w := b.Stats().NodesWritten - written; w > 8 {
		t.Errorf("three keys wrote %d nodes", w)
	}
	after := b.Snapshot()
	defer after.Release()
	got := ""
	if err := b.Diff(before, after, b.p, Span{}, func(c Change) bool { got += c.Key + " "; return true }); err != nil || got != "050000 070000 0700000 " {
		t.Errorf("difference %q, %v", got, err)
	}
	if l := b.Stats().NodesLoaded - loaded; l > 24 {
		t.Errorf("three keys and their difference loaded %d nodes", l)
	}
}

// Others commit to the partition whenever the bulk is about to.
func TestBulkBesideCommits(t *testing.T) {
	for _, besides := range []int{1, bulkTries, bulkTries + 1} {
		b := newBench(t, Options{})
		b.commit(b.put("a", "0"), b.put("b", "0"), b.put("c", "0"))
		bulk := beginBulk(t, b.DB, b.p)
		bulk.batch = 1
		if err := errors.Join(bulk.Put("a", value(t, b.st, "bulk")), bulk.Put("b", value(t, b.st, "0")), bulk.Delete("c")); err != nil {
			t.Fatal(err)
		}
		left := besides
		b.st.covering = func() { // in the turn: what is queued now is applied before the bulk
			if left--; left < 0 {
				return
			}
			p := &pending{ctx: t.Context(), there: true, plans: []plan{{part: b.p, edits: []edit{
				{"a", value(t, b.st, fmt.Sprint("beside", left))}, {"b", value(t, b.st, fmt.Sprint("beside", left))}, {"c", value(t, b.st, fmt.Sprint("beside", left))}, {fmt.Sprint("d", left), value(t, b.st, "1")},
			}}}}
			b.queueMu.Lock()
			b.queue = append(b.queue, p)
			b.queueMu.Unlock()
		}
		res, err := bulk.Commit(t.Context())
		if err != nil || res.Gen != uint64(besides)+2 || res.Graft.Delta != (Delta{Changed: 1, Deleted: 1}) {
			t.Fatalf("%d commits beside: %+v, %v", besides, res, err)
		}
		var each []string
		if err := res.Graft.Each(Span{}, func(c Change) bool { each = append(each, c.Key); return true }); err != nil || !slices.Equal(each, []string{"a", "c"}) {
			t.Errorf("changes %v, %v", each, err)
		}
		want := "a=bulk b=beside0"
		for i := range besides {
			want += fmt.Sprintf(" d%d=1", i)
		}
		b.want(b.p, want)
		again := reopenBench(t, b.st.crash(), Options{})
		again.want(again.p, want)
		if again.Generation() != res.Gen {
			t.Errorf("generation %d after a crash, want %d", again.Generation(), res.Gen)
		}
	}
}

// Whichever write fails or is the last before a crash, the bulk is there as a whole or not at all,
// and so is what goes with it.
func TestBulkCutOffAnywhere(t *testing.T) {
	for n := 1; ; n++ {
		b := newBench(t, Options{fan: 4})
		b.commit(b.put("0003", "old"), b.put("zz", "old"))
		bulk := beginBulk(t, b.DB, b.p)
		bulk.batch = 5
		h := value(t, b.st, "A")
		left, fired := n, false
		b.st.fail = func(string, mmapcas.Kind) error {
			if left--; left > 0 {
				return nil
			}
			fired = true
			return errors.New("on purpose")
		}
		var failed error
		for i := range 22 {
			if failed = bulk.Put(fmt.Sprintf("%04d", i), h); failed != nil {
				break
			}
		}
		res, err := bulk.Commit(t.Context(), Op{b.s, "with", Put, h})
		if (err != nil) != fired {
			t.Fatalf("write %d: %v, %v", n, failed, err)
		}
		b.st.fail = nil
		crashed := b.st.crash()
		want, with := "0003=old zz=old", ""
		if err == nil {
			if res.Graft.Delta != (Delta{Inserted: 21, Changed: 1}) || len(res.Changes) != 1 {
				t.Fatalf("%+v", res)
			}
			if want, with = "", "with=A"; crashed.note[0] != formatV2 {
				t.Error("older programs would not refuse the database")
			}
			for i := range 22 {
				want += fmt.Sprintf("%04d=A ", i)
			}
			want += "zz=old"
		} else if _, err := bulk.Commit(t.Context()); err == nil {
			t.Fatal("a bulk that failed is committed later")
		}
		b.want(b.p, want)
		b.want(b.s, with)
		again := reopenBench(t, crashed, Options{fan: 4})
		again.want(again.p, want)
		again.want(again.s, with)
		if !fired {
			return // all have failed once
		}
	}
}

// A graft whose tree is not there ends the log like any chunk that names what is not there.
func TestGraftWithoutItsTreeEndsTheLog(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("a", "1"))
	b.load(10)
	b.commit(b.put("b", "1"))
	cut := b.st.crash()
	cut.damage(b.newestGraft(), true)
	again := reopenBench(t, cut, Options{})
	again.want(again.p, "a=1")
	if g := again.Generation(); g <= 3 {
		t.Errorf("generation %d again", g)
	}
}

// newestGraft returns the tree of the newest graft.
func (b *bench) newestGraft() Hash {
	b.t.Helper()
	for _, h := range slices.Backward(b.st.only(KindChunk)) {
		c, err := decodeChunk(b.st.record(h).payload)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(c.grafts) > 0 {
			return c.grafts[0].root
		}
	}
	b.t.Fatal("no graft")
	return Hash{}
}

func TestBulkRefuses(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	h := value(t, b.st, "A")
	if _, err := b.BeginBulk(t.Context(), b.s); !errors.Is(err, ErrPartitionKind) {
		t.Error("side partition:", err)
	}
	if _, err := b.BeginBulk(t.Context(), 99); !errors.Is(err, ErrNoPartition) {
		t.Error("no partition:", err)
	}
	bulk := beginBulk(t, b.DB, b.p)
	if err := bulk.Put("a", h); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"same key": bulk.Put("a", h), "lower key": bulk.Delete("")} {
		if !errors.Is(err, ErrOrder) {
			t.Error(what, err)
		}
	}
	if err := bulk.Put("b", Hash{}); !errors.Is(err, ErrBadOp) {
		t.Error("zero hash:", err)
	}
	if err := bulk.Put(string(make([]byte, MaxKeyBytes+1)), h); !errors.Is(err, ErrKeyTooLong) {
		t.Error("long key:", err)
	}
	if _, err := bulk.Commit(t.Context(), b.put("z", "A")); !errors.Is(err, ErrBadOp) {
		t.Error("operation on the bulk's partition:", err)
	}
	if _, err := bulk.Commit(t.Context()); !errors.Is(err, ErrBulkDone) {
		t.Error("second commit:", err)
	}
	if err := bulk.Put("c", h); !errors.Is(err, ErrBulkDone) {
		t.Error("put after commit:", err)
	}
	dangling := beginBulk(t, b.DB, b.p)
	if err := dangling.Put("x", hashOf(-1)); err != nil {
		t.Fatal(err)
	}
	if _, err := dangling.Commit(t.Context()); !errors.Is(err, ErrDangling) {
		t.Error("dangling:", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late := beginBulk(t, b.DB, b.p)
	if err := late.Put("x", h); err != nil {
		t.Fatal(err)
	}
	if _, err := late.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Error("cancelled:", err)
	}
	empty := beginBulk(t, b.DB, b.p)
	if err := empty.Put("k", h); err != nil {
		t.Fatal(err)
	}
	if res, err := empty.Commit(t.Context()); err != nil || res.Gen != 1 || res.Graft != nil {
		t.Errorf("a bulk that changes nothing: %+v, %v", res, err)
	}
	b.want(b.p, "k=A")
	if n := b.Snapshots(); n == 0 {
		t.Error("bulks hold no snapshots")
	}
}

func TestBulkOnAnUnloggedPartition(t *testing.T) {
	b := newBench(t, Options{})
	b.setUnlogged(true, b.p)
	chunks := len(b.st.only(KindChunk))
	res := b.load(10)
	if res.Graft == nil || res.Graft.Inserted != 10 || len(b.st.only(KindChunk)) != chunks {
		t.Fatalf("%+v, %d chunks in the log", res.Graft, len(b.st.only(KindChunk))-chunks)
	}
	if n, err := b.LatestCount(b.p, "", ""); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	again := reopenBench(t, b.st.crash(), Options{})
	again.want(again.p, "")
}
