package gc

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A small world: a collector of a store in which objects are put one by one.
type small struct {
	t    *testing.T
	st   *mmapcas.Store
	d    *db.DB
	c    *Collector
	part db.PartID
}

func newSmall(t *testing.T) *small {
	t.Helper()
	st, d := newStore(t)
	c := New(Options{
		Store: st, DB: d, Refs: refsOf, Logger: slog.New(slog.DiscardHandler),
		Flush: func(context.Context) []mmapcas.Hash { return nil },
	})
	part, err := d.Partition("p", false)
	if err != nil {
		t.Fatal(err)
	}
	return &small{t, st, d, c, part}
}

// put puts an object that has a number and refers to others.
func (s *small) put(number byte, refs ...mmapcas.Hash) mmapcas.Hash {
	s.t.Helper()
	payload := []byte{byte(len(refs))}
	for _, r := range refs {
		payload = append(payload, r[:]...)
	}
	h, _, err := s.st.Put(kindObject, append(payload, number))
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

// commit makes a key lead to an object.
func (s *small) commit(key string, h mmapcas.Hash) {
	s.t.Helper()
	s.c.Shade(h)
	if _, err := s.d.Commit(s.t.Context(), []db.Op{{Part: s.part, Key: key, Verb: db.Put, Hash: h}}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *small) collect(fn func(context.Context, Pace) error) {
	s.t.Helper()
	if err := fn(s.t.Context(), Pace{Wait: func() {}}); err != nil {
		s.t.Fatal(err)
	}
}

// All of the barrier is on before the gate turns (B1, B2, B3): a session that enters after the turn
// is one that knows of it.
func TestBarrierIsOnBeforeTheTurn(t *testing.T) {
	s := newSmall(t)
	looked := false
	phase := s.c.gate.phase.Load()
	s.c.gate.at = func(place string) {
		if place != "the barrier is on" {
			return
		}
		looked = true
		if !s.c.active.Load() {
			t.Error("B2: the gate is about to turn, and Shade queues nothing yet")
		}
		if _, err := s.st.BeginCycle(); !errors.Is(err, mmapcas.ErrCycle) {
			t.Errorf("B1: the gate is about to turn, and the store has no cycle: %v", err)
		}
		if s.c.gate.phase.Load() != phase {
			t.Error("B3: the gate has turned before all of the barrier was on")
		}
	}
	s.collect(s.c.Collect)
	if !looked || s.c.gate.phase.Load() == phase {
		t.Error("a cycle ran, and the gate did not turn")
	}
}

// An object that is put again while older sessions are open is followed: what it refers to may have
// been put by such a session before the cycle began, and nothing else leads there.
func TestPutAgainIsFollowed(t *testing.T) {
	s := newSmall(t)
	child := s.put(1)
	parent := s.put(2, child)
	end := s.c.Session()
	s.put(1)
	for s.c.Stats().Phase != Draining {
		s.c.Assist(Aid{Most: 1, Begin: true})
	}
	s.put(2, child)
	s.commit("k", parent)
	end()
	for s.c.Stats().Cycles == 0 {
		s.c.Assist(Aid{Most: 1 << 30, Begin: true})
	}
	if !s.st.Has(parent) || !s.st.Has(child) {
		t.Errorf("of an object that was put again while the cycle drained there are: itself %v, what it refers to %v",
			s.st.Has(parent), s.st.Has(child))
	}
}

// An elder that is put again is followed in a short cycle: what it refers to may be new.
func TestElderPutAgainIsFollowed(t *testing.T) {
	s := newSmall(t)
	child := s.put(1)
	parent := s.put(2, child)
	c, err := s.st.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	err = s.st.Iterate(func(_ mmapcas.Kind, h mmapcas.Hash, _ []byte) error {
		if h == child { // the others are marked as bare records are, which are not followed
			return nil
		}
		_, err := c.Mark(h)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Whole(true)
	for done := false; !done; {
		if done, _, err = c.Sweep(time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if s.st.Has(child) || !s.st.Has(parent) || !s.st.HasElders() {
		t.Fatal(s.st.Has(child), s.st.Has(parent), s.st.HasElders())
	}
	if s.put(1) != child || s.put(2, child) != parent {
		t.Fatal("other names")
	}
	s.commit("k", parent)
	s.collect(s.c.CollectNew)
	if st := s.c.Stats(); st.Short != 1 {
		t.Fatalf("no short cycle: %+v", st)
	}
	if !s.st.Has(child) {
		t.Error("a short cycle has freed what an elder refers to that was put again")
	}
}

// When something that is needed was not there, what a cycle leaves is not elder: references to it
// may be put again, and lead to what is new.
func TestMissingReferencesLeaveNoElders(t *testing.T) {
	for _, missing := range []bool{false, true} {
		s := newSmall(t)
		refs := []mmapcas.Hash{s.put(1)}
		if missing {
			refs = append(refs, mmapcas.HashOf(kindObject, []byte("never put")))
		}
		s.commit("k", s.put(2, refs...))
		s.collect(s.c.Collect)
		if st := s.c.Stats(); st.Missing > 0 != missing {
			t.Errorf("%d references are missing, want some: %v", st.Missing, missing)
		}
		if s.st.HasElders() == missing {
			t.Errorf("a reference is missing: %v, and there are elders: %v", missing, s.st.HasElders())
		}
	}
}

// A cycle whose errand panics is given up, and the next one runs as if it had not been.
func TestPanicOfAnErrandGivesTheCycleUp(t *testing.T) {
	s := newSmall(t)
	s.commit("k", s.put(1))
	garbage := s.put(2)
	flush := s.c.o.Flush
	s.c.o.Flush = func(context.Context) []mmapcas.Hash { panic("in Flush") }
	func() {
		defer func() {
			if v := recover(); v != "in Flush" {
				t.Errorf("the panic of an errand comes to its sender as %v", v)
			}
		}()
		s.collect(s.c.Collect)
	}()
	if st := s.c.Stats(); st.Phase != Idle {
		t.Errorf("after a panic of its errand the cycle goes on: %v", st.Phase)
	}
	s.c.o.Flush = flush
	if s.collect(s.c.Collect); s.st.Has(garbage) {
		t.Error("the collection after a panic has freed nothing")
	}
}

// An errand for which no goroutine could be sent is out no more: the next collection makes it anew.
func TestErrandThatCannotBeSentIsDropped(t *testing.T) {
	s := newSmall(t)
	refused := errors.New("no goroutine")
	err := s.c.Collect(t.Context(), Pace{Wait: func() {}, Block: func(func() error) error { return refused }})
	if !errors.Is(err, refused) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := 0
	err = s.c.Collect(ctx, Pace{Wait: func() {
		if waits++; waits > 10_000 {
			cancel()
		}
	}})
	if err != nil || s.c.Stats().Cycles != 1 {
		t.Errorf("a collection waits for an errand that was never sent: %d waits, %v", waits, err)
	}
}

// What counts as garbage after a short cycle is what it has not freed; a cycle of everything leaves
// none of what was counted when its roots were taken.
func TestShortCycleLeavesWhatItHasNotFreed(t *testing.T) {
	for _, k := range []struct {
		short       bool
		freed, left int64
	}{{true, 30, 90}, {true, 1000, 20}, {false, 30, 20}} {
		var r reaper
		r.init(Options{})
		r.garbage.Store(100)
		r.rootsTaken()
		r.garbage.Add(20) // replaced since
		if r.collected(k.short, k.freed); r.garbage.Load() != k.left {
			t.Errorf("short %v, %d bytes freed of 100 that were garbage at the roots, 20 more since: %d are left, want %d",
				k.short, k.freed, r.garbage.Load(), k.left)
		}
	}
}
