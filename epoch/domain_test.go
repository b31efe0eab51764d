package epoch

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Another participant's Close takes nobody else out, and a closed one is not looked at again.
func TestCloseLeavesTheOthers(t *testing.T) {
	d := NewDomain()
	one, two, three := d.Register("one"), d.Register("two"), d.Register("three")
	one.Enter()
	three.Enter()
	two.Close()
	if n := len(*d.participants.Load()); n != 2 {
		t.Errorf("%d participants after one of three was closed", n)
	}
	advance(d, 1)
	if s := d.Stats(); s.Pinned != 2 || d.TryAdvance() {
		t.Errorf("the others' pins are gone: %+v", s)
	}
	three.Close() // while it is inside
	one.Leave()
	if !d.TryAdvance() {
		t.Error("a closed participant holds back the epoch")
	}
	one.Close()
	one.Close()
	if n := len(*d.participants.Load()); n != 0 {
		t.Errorf("%d participants after all were closed", n)
	}
}

// However often a closed participant is entered by mistake, it stays closed, and one left too often
// is usable as before.
func TestMisuseChangesNothing(t *testing.T) {
	d := NewDomain()
	p := d.Register("p")
	for range 3 {
		mustPanic(t, "E3: Leave without Enter by p", p.Leave)
	}
	p.Enter()
	if !p.Pinned() || d.Stats().Pinned != 1 {
		t.Error("a Leave too many took an Enter back")
	}
	p.Leave()
	p.Close()
	for range 3 {
		mustPanic(t, "E3: Enter after Close by p", p.Enter)
	}
	if p.depth != closedDepth {
		t.Errorf("depth %d after calls that failed", p.depth)
	}
}

// The slots that were chained on because all others were taken are used again.
func TestOverflowSlotsAreUsedAgain(t *testing.T) {
	d := NewDomain()
	slots := func() (n int) {
		for o := d.overflow.Load(); o != nil; o = o.next {
			n++
		}
		return n
	}
	fill := func() (guards []Guard) {
		for range guardSlots + 10 {
			guards = append(guards, d.pinSlow())
		}
		return guards
	}
	first := fill()
	was := slots()
	if was != len(first) {
		t.Fatalf("%d slots for %d guards", was, len(first))
	}
	for i, g := range first {
		if w := g.s.word.Load(); w != inside(d.global.Load()) {
			t.Fatalf("slot %d holds %d", i, w)
		}
	}
	if d.Stats().Pinned != len(first) {
		t.Errorf("%d pinned of %d", d.Stats().Pinned, len(first))
	}
	first[3].Unpin()
	again := d.pinSlow()
	if again.s != first[3].s || slots() != was {
		t.Errorf("a new slot beside a free one: %d, before %d", slots(), was)
	}
	if d.Stats().Pinned != len(first) {
		t.Error("a slot that is used again is not pinned")
	}
	seen := map[*slot]bool{}
	for _, g := range append(first[4:], first[0], first[1], first[2], again) {
		if seen[g.s] {
			t.Fatal("one slot for two guards")
		}
		seen[g.s] = true
		g.Unpin()
	}
	if d.Stats().Pinned != 0 {
		t.Errorf("%d pinned at the end", d.Stats().Pinned)
	}
}

// Guards of one goroutine take the slots beside the first one, each once, before any is chained on.
func TestGuardsTakeNeighbours(t *testing.T) {
	for try := 0; ; try++ { // the stack may be moved meanwhile, and with it the first slot
		d := NewDomain()
		var guards [guardProbes + 1]Guard
		for i := range guards {
			guards[i] = d.Pin()
		}
		seen := map[*slot]bool{}
		for _, g := range guards {
			if seen[g.s] {
				t.Fatal("one slot for two guards")
			}
			seen[g.s] = true
		}
		chained := d.Stats().Overflow
		for _, g := range guards {
			g.Unpin()
		}
		if chained == 1 {
			return
		}
		if try == 20 {
			t.Fatalf("%d slots were chained on for %d guards", chained, len(guards))
		}
	}
}

// A keyed object is freed like any other.
func TestRetireKeyed(t *testing.T) {
	d := NewDomain()
	freed := 0
	for range 2 {
		d.RetireKeyed(7, 3, func() { freed++ })
		if st := d.Stats(); st.Pending != 1 || st.PendingBytes != 3 {
			t.Errorf("%+v", st)
		}
		if n := d.Collect(); n != 1 {
			t.Errorf("Collect = %d", n)
		}
	}
	if freed != 2 {
		t.Errorf("freed %d times", freed)
	}
}

// Retiring tries to advance once in advanceEvery objects of a list, and at no other time.
func TestRetireAdvances(t *testing.T) {
	d := NewDomain()
	for i := range retireShards * advanceEvery {
		before := d.Stats().Advances
		d.Retire(0, func() {})
		due := false
		for j := range d.retired {
			due = due || d.retired[j].total%advanceEvery == 0 && d.retired[j].total > 0 && d.retired[j].count > 0
		}
		if after := d.Stats().Advances; after != before && !due {
			t.Fatalf("object %d: the epoch moved from %d to %d", i, before, after)
		}
	}
	if st := d.Stats(); st.Advances == 0 {
		t.Error("the epoch never moved")
	}
	d.Collect()
}

// Objects of one epoch share batches: a list of n has n/batchItems of them and one more.
func TestBatchesAreFilled(t *testing.T) {
	d := NewDomain()
	g := d.Pin() // keeps the epoch where it is, but for one step
	defer g.Unpin()
	advance(d, 1)
	for range 3 * batchItems {
		d.Retire(1, func() {})
	}
	for i := range d.retired {
		l, n := &d.retired[i], 0
		for b := l.first; b != nil; b = b.next {
			n++
		}
		if most := (l.count + batchItems - 1) / batchItems; n != most {
			t.Errorf("list %d has %d objects in %d batches", i, l.count, n)
		}
	}
}

// A batch that is kept for later keeps nothing alive.
func TestSpareBatchIsEmpty(t *testing.T) {
	d := NewDomain()
	for range 2 * batchItems {
		d.Retire(1, func() {})
	}
	d.Collect()
	spares := 0
	for i := range d.retired {
		b := d.retired[i].spare
		if b == nil {
			continue
		}
		spares++
		if b.n != 0 || b.next != nil {
			t.Errorf("a spare batch of %d objects, followed by another: %v", b.n, b.next != nil)
		}
		for j := range b.items {
			if it := &b.items[j]; it.free != nil || it.bytes != 0 || it.key != 0 {
				t.Fatalf("object %d of a spare batch", j)
			}
		}
	}
	if spares == 0 {
		t.Error("no batch was kept")
	}
}

// Collect moves the epoch by two at most, and each step counts once.
func TestCollectMovesTwoSteps(t *testing.T) {
	d := NewDomain()
	for i := range 3 {
		if d.Collect(); d.global.Load() != firstEpoch+2*uint64(i+1) || d.Stats().Advances != 2*uint64(i+1) {
			t.Errorf("after %d: epoch %d, %d advances", i+1, d.global.Load(), d.Stats().Advances)
		}
	}
}

// The age of a stall is the time since the epoch was first held back, and a step ends it.
func TestStallsHaveAnAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDomain()
		if at := d.sinceStart(); at != 1 {
			t.Errorf("a new domain is %d old, and 0 means that nothing is held back", at)
		}
		time.Sleep(time.Hour)
		g := d.Pin()
		advance(d, 3)
		time.Sleep(time.Minute)
		if s := d.Stalled(time.Minute); len(s) != 1 || s[0].Age != time.Minute {
			t.Errorf("after a minute: %+v", s)
		}
		if s := d.Stalled(time.Minute + 1); s != nil {
			t.Errorf("younger than asked for: %+v", s)
		}
		g.Unpin()
		advance(d, 1)
		if d.refusedAt.Load() != 0 {
			t.Error("the stall did not end with it")
		}
		g = d.Pin()
		advance(d, 3)
		if s := d.Stalled(0); len(s) != 1 || s[0].Age != 0 {
			t.Errorf("a new stall: %+v", s)
		}
		g.Unpin()
	})
}

// Whoever walks the pins may stop at each.
func TestPinnedStops(t *testing.T) {
	d := NewDomain()
	p, q := d.Register("p"), d.Register("q")
	defer p.Close()
	defer q.Close()
	p.Enter()
	q.Enter()
	pins := 2
	for range guardProbes + 2 {
		defer d.Pin().Unpin()
		pins++
	}
	for most := 1; most <= pins; most++ {
		n := 0
		for range d.pinned {
			if n++; n == most {
				break
			}
		}
		if n != most {
			t.Errorf("stopped at %d, after %d", most, n)
		}
	}
	p.Leave()
	q.Leave()
}

// Of goroutines that all try, one makes each step, and knows it.
func TestEachStepIsMadeOnce(t *testing.T) {
	d := NewDomain()
	var made atomic.Uint64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20_000 {
				if d.TryAdvance() {
					made.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if st := d.Stats(); st.Advances != made.Load() || st.Epoch != firstEpoch+made.Load() {
		t.Errorf("%d steps were made: %+v", made.Load(), st)
	}
}

// A batch that is used again while a younger one waits comes behind that, and is the last.
func TestSpareBatchIsTheLast(t *testing.T) {
	for try := 0; ; try++ { // the stack may be moved meanwhile, and with it the list
		d := NewDomain()
		freed := 0
		retire := func() { d.Retire(1, func() { freed++ }) }
		retire()
		advance(d, 1)
		retire()
		advance(d, 1)
		var l *retireList
		for i := range d.retired {
			if d.retired[i].count == 2 {
				l = &d.retired[i]
			}
		}
		if l == nil && try < 20 {
			continue
		}
		b := l.take(d.global.Load())
		if b == nil || d.free(b) != 1 || l.take(d.global.Load()) != nil {
			t.Fatal("the older of two batches is free, and the younger is not")
		}
		l.giveBack(b)
		retire()
		if l.last != b && try < 20 {
			continue
		}
		if l.first == b || l.first.next != b || b.next != nil {
			t.Error("the batch is not the last of two")
		}
		if n := d.Collect(); n != 2 || freed != 3 || l.first != nil || l.last != nil {
			t.Errorf("Collect = %d, %d freed in all", n, freed)
		}
		return
	}
}
