package queue

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A parker is what Parker and ChanParker have in common.
type parker interface {
	Park(spins int, deadline time.Time) bool
	Unpark() bool
}

func eachParker(t *testing.T, f func(t *testing.T, mk func() parker)) {
	t.Run("Parker", func(t *testing.T) { f(t, func() parker { return new(Parker) }) })
	t.Run("ChanParker", func(t *testing.T) { f(t, func() parker { return new(ChanParker) }) })
}

func TestParkTokens(t *testing.T) {
	eachParker(t, func(t *testing.T, mk func() parker) {
		p := mk()
		past := time.Now().Add(-time.Second)
		if p.Park(0, past) {
			t.Error("Park returned true without a token")
		}
		for range 2 {
			if p.Unpark() {
				t.Error("Unpark says it woke an owner that runs")
			}
		}
		if !p.Park(3, time.Time{}) {
			t.Error("Park did not find the token")
		}
		if p.Park(3, past) {
			t.Error("two Unparks before a Park left two tokens")
		}
		p.Unpark()
		if !p.Park(0, past) {
			t.Error("a token there at once counts, even after the deadline")
		}
	})
}

func TestParkDeadline(t *testing.T) {
	eachParker(t, func(t *testing.T, mk func() parker) {
		p := mk()
		start := time.Now()
		if p.Park(0, start.Add(3*time.Millisecond)) {
			t.Error("Park returned true without a token")
		}
		if took := time.Since(start); took < 3*time.Millisecond {
			t.Errorf("gave up after %v", took)
		}
		// The twin may hold a late wake now; it must not count as a token.
		if p.Park(0, time.Now().Add(time.Millisecond)) {
			t.Error("Park returned true without a token, the second time")
		}
	})
}

// TestParkPublishes passes plain memory through tokens, for the race detector to look at: every
// poster is seen, also one whose token was there already.
func TestParkPublishes(t *testing.T) {
	eachParker(t, func(t *testing.T, mk func() parker) {
		const posters, rounds = 3, 300
		p := mk()
		for round := range rounds {
			var data [posters]int
			var wg sync.WaitGroup
			all := new(MPMC[int]) // counts posters that have posted
			all.init(posters)
			for i := range posters {
				wg.Go(func() {
					data[i] = round
					all.TryPush(i)
					p.Unpark()
				})
			}
			for all.Len() < posters {
				p.Park(round%3, time.Now().Add(time.Second))
			}
			for {
				i, ok := all.TryPop()
				if !ok {
					break
				}
				if data[i] != round {
					t.Errorf("data of poster %d is %d in round %d", i, data[i], round)
				}
			}
			wg.Wait()
			p.Park(0, time.Now()) // a token that came after the last look
		}
	})
}

// TestParkPingPong hands a turn to and fro between two threads; a wake that gets lost hangs it.
func TestParkPingPong(t *testing.T) {
	eachParker(t, func(t *testing.T, mk func() parker) {
		rounds := volume(20_000)
		a, b := mk(), mk()
		far := time.Now().Add(time.Minute)
		turn := func(me, other parker, spins int) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for i := range rounds {
				var limit time.Time
				if i%2 == 0 {
					limit = far
				}
				if !me.Park(spins, limit) {
					t.Error("lost wake")
					return
				}
				other.Unpark()
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { turn(a, b, 0) })
		wg.Go(func() { turn(b, a, 2) })
		a.Unpark()
		wg.Wait()
	})
}

// TestParkDeadlineRace races deadlines against tokens: every token comes out exactly once. The
// deadline has always passed, so the owner spends most of its time on the brink of giving up.
func TestParkDeadlineRace(t *testing.T) {
	eachParker(t, func(t *testing.T, mk func() parker) {
		rounds := int64(volume(5_000))
		p, past := mk(), time.Now()
		var started, posted atomic.Int64
		var wg sync.WaitGroup
		defer wg.Wait()
		defer started.Store(rounds) // lets the poster go when the test fails
		wg.Go(func() {
			for i := range rounds {
				for started.Load() < i {
					runtime.Gosched()
				}
				p.Unpark()
				posted.Store(i + 1)
			}
		})
		for i := range rounds {
			started.Store(i)
			for {
				late := posted.Load() > i
				if p.Park(0, past) {
					break
				}
				if late {
					t.Fatalf("round %d: the token is lost", i)
				}
			}
			if p.Park(0, past) {
				t.Fatalf("round %d: the token came out twice", i)
			}
		}
	})
}

// TestChanParkerIsDurable: in a bubble a channel parker sleeps durably, so fake time passes.
func TestChanParkerIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p ChanParker
		start := time.Now()
		time.AfterFunc(2*time.Hour, func() {
			if !p.Unpark() {
				t.Error("the owner was not asleep")
			}
		})
		if p.Park(0, start.Add(time.Hour)) || time.Since(start) != time.Hour {
			t.Errorf("deadline after %v", time.Since(start))
		}
		if !p.Park(0, time.Time{}) || time.Since(start) != 2*time.Hour {
			t.Errorf("token after %v", time.Since(start))
		}
	})
}
