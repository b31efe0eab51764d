package queue

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A crew is a set of workers whose every step the test decides: work is what shared and own say.
type crew struct {
	*Idle
	shared atomic.Bool
	own    []atomic.Bool
	wg     sync.WaitGroup
	woken  []chan bool // result of each Rest
}

func newCrew(workers int) *crew {
	b := &crew{own: make([]atomic.Bool, workers), woken: make([]chan bool, workers)}
	b.Idle = NewIdle(workers, b.shared.Load, func(w int) bool { return b.own[w].Load() })
	for w := range b.woken {
		b.woken[w] = make(chan bool)
	}
	return b
}

// rest lets worker w rest once, and waits until it sleeps.
func (b *crew) rest(t *testing.T, w int) {
	before := b.Sleepers()
	b.wg.Go(func() { b.woken[w] <- b.Rest(w, 0, time.Time{}) })
	waitFor(t, "a worker asleep", func() bool { return b.Sleepers() == before+1 && b.Searching() == 0 })
}

func (b *crew) quiet(t *testing.T, sleepers int) {
	t.Helper()
	if b.Sleepers() != sleepers || b.Searching() != 0 {
		t.Errorf("%d sleep, %d search; want %d and 0", b.Sleepers(), b.Searching(), sleepers)
	}
	for w := range b.seats {
		if b.HasToken(w) {
			t.Errorf("worker %d has a stale token", w)
		}
	}
}

// TestOneWakePerPush: any number of pushes wake one sleeper, until that one has looked.
func TestOneWakePerPush(t *testing.T) {
	b := newCrew(3)
	for w := range 3 {
		b.rest(t, w)
	}
	b.shared.Store(true)
	if !b.Notify() {
		t.Fatal("nobody woken")
	}
	for range 100 {
		if b.Notify() {
			t.Fatal("woke another one while one searches")
		}
	}
	if !<-b.woken[0] {
		t.Error("worker 0 says that it was not woken")
	}
	if b.Wakes() != 1 || b.Sleepers() != 2 || b.Searching() != 1 {
		t.Errorf("%d wakes, %d sleep, %d search", b.Wakes(), b.Sleepers(), b.Searching())
	}
	// Pitfall: the last searcher that finds work must notify again, or a burst wakes one worker
	// only (I3).
	b.Found(0)
	if b.Wakes() != 2 || !<-b.woken[1] {
		t.Errorf("the searcher did not pass on the rest of the burst: %d wakes", b.Wakes())
	}
	b.shared.Store(false)
	b.Found(1)
	if b.Wakes() != 2 {
		t.Errorf("woke a worker for nothing: %d wakes", b.Wakes())
	}
	b.quiet(t, 1)
	b.WakeAll()
	<-b.woken[2]
	b.Found(2)
	b.quiet(t, 0)
}

// TestOneWakePerBurst is TestOneWakePerPush with pushes at the same time.
func TestOneWakePerBurst(t *testing.T) {
	const pushers = 4
	for range volume(500) {
		b := newCrew(3)
		for w := range 3 {
			b.rest(t, w)
		}
		b.shared.Store(true)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range pushers {
			wg.Go(func() { <-start; b.Notify() })
		}
		close(start)
		wg.Wait()
		if b.Wakes() != 1 {
			t.Fatalf("%d pushes at once woke %d workers", pushers, b.Wakes())
		}
		b.shared.Store(false)
		<-b.woken[0]
		b.Found(0)
		b.WakeAll()
		<-b.woken[1]
		<-b.woken[2]
	}
}

// TestNobodyAsleep: a push when all are awake wakes nobody and leaves nothing behind that a later
// sleep would stumble over.
func TestNobodyAsleep(t *testing.T) {
	b := newCrew(2)
	if b.Notify() || b.Wake(0) || b.Wake(1) {
		t.Error("woke somebody who is awake")
	}
	b.WakeAll()
	b.quiet(t, 0)
}

// TestTokenOnlyWithTheBit: the pitfall of a token posted to a worker whose bit was not claimed
// (I2). A directed wake of a worker that is awake posts none; of two for a sleeper, one does.
func TestTokenOnlyWithTheBit(t *testing.T) {
	b := newCrew(2)
	b.Wake(0)
	b.rest(t, 0) // would return at once
	b.own[0].Store(true)
	if !b.Wake(0) || b.Wake(0) {
		t.Error("want the first directed wake to wake, and only that")
	}
	if !<-b.woken[0] {
		t.Error("worker 0 says that it was not woken")
	}
	if b.Searching() != 1 {
		t.Errorf("%d search, want the woken worker", b.Searching())
	}
	b.own[0].Store(false)
	b.Found(0)
	b.quiet(t, 0)
}

// TestLastLook: the pitfall of the order at the end of Rest (I1). Work that arrives while the
// worker still counts as a searcher wakes nobody, so the worker itself must see it, after it has
// left the count.
func TestLastLook(t *testing.T) {
	looks := 0
	var x *Idle
	x = NewIdle(1, func() bool {
		looks++
		switch looks {
		case 1: // the search: a push arrives just after this look
			if x.Searching() != 1 {
				t.Errorf("%d search during the search", x.Searching())
			}
			return false
		case 2: // the last look
			if x.Searching() != 0 || x.Sleepers() != 1 {
				t.Errorf("last look with %d searching, %d idle; want 0 and 1", x.Searching(), x.Sleepers())
			}
			return true
		}
		return false
	}, nil)
	if x.Rest(0, 0, time.Time{}) {
		t.Error("Rest says that it slept")
	}
	if x.Sleepers() != 0 || x.Searching() != 1 {
		t.Errorf("%d idle, %d search; want the worker to search again", x.Sleepers(), x.Searching())
	}
	x.Found(0)
	if x.Searching() != 0 || x.HasToken(0) {
		t.Errorf("%d search, token %v", x.Searching(), x.HasToken(0))
	}
}

// TestClaimedDuringLastLook: a push claims the worker between its bit and its last look. The token
// must be taken there, and not end a later sleep.
func TestClaimedDuringLastLook(t *testing.T) {
	var x *Idle
	looks := 0
	x = NewIdle(1, func() bool {
		if looks++; looks == 2 {
			if !x.Wake(0) {
				t.Error("the worker's bit is not set at its last look")
			}
			return true
		}
		return false
	}, nil)
	if !x.Rest(0, 0, time.Time{}) {
		t.Error("Rest does not know of the token")
	}
	x.Found(0)
	if x.HasToken(0) || x.Searching() != 0 {
		t.Errorf("token %v, %d search", x.HasToken(0), x.Searching())
	}
	if x.Rest(0, 0, time.Now().Add(time.Millisecond)) {
		t.Error("the token came out twice")
	}
}

// TestClaimedAtTheDeadline: somebody has claimed the worker by the time that its deadline has
// passed. The token is on its way, and Rest waits for it: left behind it would end the next sleep
// (I2).
func TestClaimedAtTheDeadline(t *testing.T) {
	for range 20 {
		var x *Idle
		claimed := make(chan struct{})
		looks := 0
		x = NewIdle(2, func() bool {
			if looks++; looks == 2 { // the last look
				if !x.claim(0) {
					t.Error("the worker's bit is not set at its last look")
				}
				close(claimed)
			}
			return false
		}, nil)
		var posted atomic.Bool
		var waker sync.WaitGroup
		waker.Go(func() {
			<-claimed
			for range 1000 {
				runtime.Gosched()
			}
			posted.Store(true)
			x.searching.Add(1)
			x.unpark(0)
		})
		woken := x.Rest(0, 0, time.Now().Add(-time.Second))
		if !woken || !posted.Load() {
			t.Errorf("Rest of a claimed worker: woken %t, before its token came %t; want it to wait for the token", woken, !posted.Load())
		}
		waker.Wait()
		if x.HasToken(0) {
			t.Fatal("the token stays, and the next sleep would be none")
		}
		x.Found(0)
	}
}

// TestLooksOfRest: Rest looks so many times again before it sleeps, and once more behind its bit;
// and says that it slept only if it did.
func TestLooksOfRest(t *testing.T) {
	for _, spins := range []int{0, 1, 5} {
		looks := 0
		x := NewIdle(2, func() bool { looks++; return false }, nil)
		x.Rest(0, spins, time.Now().Add(-time.Second))
		if looks != spins+2 {
			t.Errorf("with %d spins Rest looked %d times, want %d", spins, looks, spins+2)
		}
		for at := 1; at <= spins+1; at++ {
			looks = 0
			x := NewIdle(2, func() bool { looks++; return looks == at }, nil)
			if x.Rest(0, spins, time.Time{}) || looks != at {
				t.Errorf("work that is there at look %d of %d: Rest says that it slept, or looked %d times", at, spins+1, looks)
			}
			x.Found(0)
		}
	}
}

// TestNotifyStartsOver: Notify that finds nobody to wake must look again, if a worker has gone to
// sleep meanwhile (I4). The race itself is explored in TestExploreIdle; here it is enough that a
// failed claim leaves no searcher.
func TestNotifyStartsOver(t *testing.T) {
	x := NewIdle(130, func() bool { return false }, nil)
	for i := range x.idle {
		if _, ok := x.claimAny(); ok {
			t.Errorf("claimed somebody in word %d", i)
		}
	}
	x.idle[2].bits.Store(0b10) // worker 129
	if w, ok := x.claimAny(); !ok || w != 129 {
		t.Errorf("claimAny = %d, %v; want 129", w, ok)
	}
	if x.claim(129) {
		t.Error("claimed twice")
	}
}

func TestRestDeadline(t *testing.T) {
	x := NewIdle(2, func() bool { return false }, nil)
	for range 3 {
		if x.Rest(1, 1, time.Now().Add(time.Millisecond)) {
			t.Error("Rest says that it was woken")
		}
		if x.Sleepers() != 0 || x.Searching() != 0 {
			t.Errorf("%d idle, %d search", x.Sleepers(), x.Searching())
		}
	}
}

// TestSearchThrottle: only half of the workers search of their own accord; the others sleep.
func TestSearchThrottle(t *testing.T) {
	var x *Idle
	most, asleep := 0, 0
	x = NewIdle(4, func() bool { most, asleep = max(most, x.Searching()), x.Sleepers(); return false }, nil)
	x.searching.Store(2)
	x.Rest(3, 0, time.Now())
	if most > 2 {
		t.Errorf("%d searched at once, want 2 at most", most)
	}
	if asleep != 1 {
		t.Error("a worker that is one too many to search did not go to sleep, and would come back at once")
	}
	if x.Searching() != 2 {
		t.Errorf("%d search, want the two others", x.Searching())
	}
}

// TestHalfSearch: of the workers half search for work at a time, and one at least, also where an
// Idle was made for none.
func TestHalfSearch(t *testing.T) {
	for workers, want := range map[int]int32{0: 1, 1: 1, 2: 1, 3: 1, 4: 2, 7: 3, 64: 32, 130: 65} {
		x := NewIdle(workers, func() bool { return false }, nil)
		for w := range max(workers, 1) {
			x.search(w, 0)
		}
		if got := x.searching.Load(); got != want {
			t.Errorf("of %d workers %d search, want %d", workers, got, want)
		}
	}
}
