package gc

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// newLargeWorld returns a collector of a store with some thousand records that are live.
func newLargeWorld(t *testing.T) *Collector {
	t.Helper()
	s := newSmall(t)
	var ops []db.Op
	for i := range 5000 {
		h, _, err := s.st.Put(kindObject, binary.LittleEndian.AppendUint64([]byte{0}, uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		ops = append(ops, db.Op{Part: s.part, Key: fmt.Sprint(i), Verb: db.Put, Hash: h})
		if len(ops) < 100 {
			continue
		}
		if _, err := s.d.Commit(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
		ops = ops[:0]
	}
	return s.c
}

// Assistants alone bring a cycle to its end. None does more than it was asked for, but for the
// record, or the few records of a sweep, that it has in hand, and each that can does something.
func TestAssistantsMakeACycle(t *testing.T) {
	c := newLargeWorld(t)
	const most, inHand = 20 * RecordWork, 2 * 64 * RecordWork
	calls := 0
	for c.Stats().Cycles == 0 {
		if calls++; calls > 10_000 {
			t.Fatalf("after %d calls: %+v", calls, c.Stats())
		}
		before := c.Work()
		did := c.Assist(Aid{Most: most, Begin: true})
		if did > most+inHand || c.Work()-before < did {
			t.Fatalf("%d of work was done, and %d counted, where %d was to be done", did, c.Work()-before, most)
		}
	}
	if want := 5000 * RecordWork / (most + inHand); calls < want {
		t.Errorf("%d calls for a cycle, want at least %d", calls, want)
	}
	if st := c.Stats(); st.Marked < 5000 || st.Missing > 0 {
		t.Errorf("%+v", st)
	}
}

// Without Begin an assistant leaves an idle collector alone.
func TestAssistantBeginsNothingUnasked(t *testing.T) {
	c := newLargeWorld(t)
	if did := c.Assist(Aid{Most: 1 << 30}); did > 0 || c.Stats().Phase != Idle {
		t.Errorf("%d was done: %v", did, c.Stats().Phase)
	}
}

// A slice bounds what an assistant does, however much it owes.
func TestAssistantEndsWithItsSlice(t *testing.T) {
	c := newLargeWorld(t)
	for c.Stats().Phase != Marking {
		c.Assist(Aid{Slice: time.Nanosecond, Most: 1, Begin: true})
	}
	if did := c.Assist(Aid{Slice: time.Nanosecond, Most: 1 << 40}); did > 2*clockBytes {
		t.Errorf("%d was done in a slice of no time", did)
	}
	if c.Stats().Phase != Marking {
		t.Errorf("%v", c.Stats().Phase)
	}
}

// An assistant waits for no session, as who holds it may wait for the assistant.
func TestAssistantWaitsForNoSession(t *testing.T) {
	c := newLargeWorld(t)
	end := c.Session()
	for range 10 {
		c.Assist(Aid{Most: 1 << 40, Begin: true, Patience: time.Hour})
	}
	if c.Stats().Phase != Draining {
		t.Fatalf("%v, with a session open from before", c.Stats().Phase)
	}
	end()
	for c.Stats().Cycles == 0 {
		c.Assist(Aid{Most: 1 << 40, Begin: true})
	}
}

// While an errand is out, of whomever, stepMu is free, and an assistant that finds it goes away.
// Whoever closes the collector waits for it.
func TestNobodyHoldsTheLockOnAnErrand(t *testing.T) {
	c := newLargeWorld(t)
	looked := map[Phase]bool{}
	look := func() {
		looked[c.Stats().Phase] = true
		if !c.stepMu.TryLock() {
			t.Fatalf("%v: stepMu is held", c.Stats().Phase)
		}
		c.stepMu.Unlock()
		if did := c.Assist(Aid{Most: 1 << 40, Begin: true, Patience: time.Microsecond}); did != 0 {
			t.Errorf("%v: %d was done beside an errand", c.Stats().Phase, did)
		}
	}
	flushes := 0
	c.o.Flush = func(context.Context) []mmapcas.Hash { // in the middle of an errand
		look()
		flushes++
		return nil
	}
	err := c.Collect(t.Context(), Pace{Wait: func() {}, Block: func(fn func() error) error {
		look()
		return fn()
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		c.Assist(Aid{Most: 1 << 40, Begin: true, Apart: func(errand func()) { look(); errand() }})
	}
	for _, phase := range []Phase{Idle, Draining, Marking, Sweeping} {
		if !looked[phase] {
			t.Errorf("%v: no errand", phase)
		}
	}
	if flushes == 0 {
		t.Error("nothing was flushed")
	}
	var errand func()
	for errand == nil {
		c.Assist(Aid{Most: 1 << 40, Begin: true, Apart: func(fn func()) { errand = fn }})
	}
	closed := make(chan struct{})
	go func() {
		c.Close()
		close(closed)
	}()
	select {
	case <-closed:
		t.Error("closed while an errand is out")
	case <-time.After(10 * time.Millisecond):
	}
	errand()
	<-closed
	if did := c.Assist(Aid{Most: 1, Begin: true}); did != 0 || c.Stats().Phase != Idle {
		t.Errorf("after Close: %d, %v", did, c.Stats().Phase)
	}
}
