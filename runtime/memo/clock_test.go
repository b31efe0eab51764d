package memo

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime/sched"
)

// Far more keys than there is room for: memory stays within the bound, and no key has to run again.
func TestTracesStayWithinTheirBound(t *testing.T) {
	const bound = 64 << 10
	r := newRig(t, 1, Options{TraceBytes: bound, CacheBytes: 16 << 10})
	put := r.ladder()
	const keys = 600
	flush := func() {
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		if in := r.table.Residency(); in.Bytes > bound || in.DecodedBytes > 16<<10 {
			t.Fatalf("%+v in memory", in)
		}
	}
	for i := range keys {
		key := fmt.Sprintf("%04d", i)
		put(key, "text "+key)
		r.want("length", key, "xxxxxxxxx")
		if i%20 == 0 {
			flush()
		}
	}
	flush()
	in := r.table.Residency()
	if in.Evicted == 0 || in.DecodedEvicted == 0 || in.Entries == 0 || uint64(in.Entries)+in.Evicted != 2*keys {
		t.Errorf("%+v: %d keys were asked for", in, 2*keys)
	}
	for i := range keys {
		r.want("upper", fmt.Sprintf("%04d", i), fmt.Sprintf("TEXT %04d", i))
	}
	if ran := r.queries["upper"].Counts.Ran.Load(); ran != keys {
		t.Errorf("upper ran %d times for %d keys", ran, keys)
	}
	flush()

	sum := int64(0)
	for _, q := range r.queries {
		q.entries.each(func(x *source) bool {
			e := x.asEntry()
			sum += int64(e.bytes)
			return true
		})
	}
	if got := r.table.Residency().Bytes; got != sum {
		t.Errorf("%d bytes are counted, the entries have %d", got, sum)
	}
}

// What was used since the hand came by stays.
func TestUsedKeysStay(t *testing.T) {
	r := newRig(t, 1, Options{TraceBytes: 64 << 10})
	put := r.ladder()
	put("hot", "h")
	for i := range 400 {
		key := fmt.Sprintf("%04d", i)
		put(key, key)
		r.want("upper", key, key)
		r.want("upper", "hot", "H")
		if i%10 == 0 {
			if err := r.table.Flush(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if r.table.Residency().Evicted == 0 {
		t.Fatal("nothing was evicted")
	}
	e := r.table.entry(r.queries["upper"], "hot")
	if e.tracesAdded != 1 {
		t.Errorf("the entry that was used all the time is a new one")
	}
}

// A key that is being evaluated, or not written yet, is not forgotten.
func TestBusyKeysStay(t *testing.T) {
	r := newRig(t, 1, Options{TraceBytes: 1})
	put := r.ladder()
	var gate sched.Event
	began := 0
	r.gated("slow", &gate, &began, nil)
	a := r.ask("slow", "k")
	put("k", "abc")
	r.want("upper", "k", "ABC")
	r.table.trim()
	if in := r.table.Residency(); in.Entries != 2 || in.Evicted != 0 {
		t.Errorf("one is evaluated, one is dirty: %+v", in)
	}
	b := r.ask("slow", "k")
	gate.Fire()
	for _, x := range []*asked{a, b} {
		if err := x.Wait(context.Background()); err != nil || x.answer != "slow of k" {
			t.Errorf("%q, %v", x.answer, err)
		}
	}
	if began != 1 {
		t.Errorf("ran %d times", began)
	}
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if in := r.table.Residency(); in.Entries != 0 || in.Evicted != 2 || in.Bytes != 0 {
		t.Errorf("nothing is in use any more: %+v", in)
	}
}

// Whoever holds an entry while it is evicted, comes to the key's new one.
func TestEvictedUnderneath(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	put("k", "abc")
	r.want("upper", "k", "ABC")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	q := r.queries["upper"]
	old := r.table.entry(q, "k")
	if !r.table.evict(old) {
		t.Fatal("not evicted")
	}
	if old.join(99) != nil {
		t.Error("a dead entry takes a flight")
	}
	// As if the evictor had not come to remove it yet.
	q.entries.put(&old.source)
	old.last.Store(nil)
	r.table.entries.Add(1)
	put("k", "abcd")
	r.want("length", "k", strings.Repeat("x", 4))
	if e := r.table.entry(q, "k"); e == old || e.dead {
		t.Error("the dead entry is still there")
	}
	if n := r.table.Entries(); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// While nearly all keys are being evaluated a trim looks at a share of them only; when they are not
// any more, memory is within the bound soon.
func TestTrimOfBusyKeysLooksAtAShare(t *testing.T) {
	r := newRig(t, 1, Options{TraceBytes: 1})
	q := r.queries[r.query("q", nil)]
	const n = 40_000
	var flights []*flight
	for i := range n {
		flights = append(flights, r.table.entry(q, fmt.Sprint(i)).join(1))
	}
	r.table.trim()
	for _, f := range flights {
		f.entry.touch()
	}
	r.table.trim()
	looked := 0
	for _, f := range flights {
		if f.entry.state.Load()&wasUsed == 0 {
			looked++
		}
	}
	if looked == 0 || looked > n/2 {
		t.Errorf("a trim looked at %d of %d keys, none of which could go", looked, n)
	}
	for _, f := range flights {
		f.abandon()
	}
	trims := 0
	for ; r.table.Entries() > 0 && trims < 20; trims++ {
		r.table.trim()
	}
	if r.table.Entries() > 0 {
		t.Errorf("%d keys are left after %d trims", r.table.Entries(), trims)
	}
}
