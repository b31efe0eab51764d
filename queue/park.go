package queue

import (
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

// States of a parker. The table of moves is in the package comment, "Parker".
const (
	running uint32 = iota // the owner runs, or is about to look for a token
	token                 // somebody unparked the owner, who has not noticed yet
	asleep                // the owner sleeps, or is about to; whoever changes this state must wake it
)

// A Parker puts one goroutine, its owner, to sleep until somebody unparks it. On Linux it sleeps in
// a futex, which keeps a goroutine that is locked to its thread from paying for two thread
// switches; elsewhere it is a ChanParker. The zero value is ready. A Parker must not be copied.
type Parker struct {
	core  parkerCore
	sleep platformSleeper
	_     affinity.LinePair
}

// Park consumes a token and returns true, waiting for one if there is none: first by looking again
// up to spins times with affinity.Relax between, then asleep. With a deadline that is not zero it
// gives up then and returns false, never having consumed a token. Only the owner may call it.
func (p *Parker) Park(spins int, deadline time.Time) bool {
	return p.core.park(&p.sleep, spins, deadline)
}

// Unpark gives the owner a token, wakes it if it sleeps and reports whether it had to. At most one
// token is ever outstanding: unparking twice before the owner notices is unparking once. What the
// caller did before is visible to the owner after Park. Any goroutine may call it.
func (p *Parker) Unpark() (slept bool) { return p.core.unpark(&p.sleep) }

// A ChanParker is the portable twin of Parker: it sleeps on a channel. Inside a testing/synctest
// bubble its sleep is durable, which a futex cannot be. The zero value is ready. A ChanParker must
// not be copied.
type ChanParker struct {
	core  parkerCore
	sleep chanSleeper
	_     affinity.LinePair
}

// Park is Parker.Park.
func (p *ChanParker) Park(spins int, deadline time.Time) bool {
	return p.core.park(&p.sleep, spins, deadline)
}

// Unpark is Parker.Unpark.
func (p *ChanParker) Unpark() (slept bool) { return p.core.unpark(&p.sleep) }

// A sleeper is how a parker sleeps. Both methods may return early: the parker looks at the state
// again.
type sleeper interface {
	// prepare comes before the state becomes asleep. Owner only.
	prepare()
	// sleep waits while *state is asleep, until wake or the deadline (zero: none). Owner only.
	sleep(state *atomic.Uint32, deadline time.Time)
	// wake ends a sleep on state, which is no longer asleep. It is called at most once for each
	// time the owner made the state asleep.
	wake(state *atomic.Uint32)
}

// A parkerCore is the protocol that both parkers share.
type parkerCore struct {
	state atomic.Uint32
	only  soleUse // check builds: catches two owners
}

func (c *parkerCore) park(s sleeper, spins int, deadline time.Time) bool {
	c.only.enter("Parker.Park")
	defer c.only.leave()
	for range spins {
		if c.state.Load() == token {
			break
		}
		affinity.Relax()
	}
	s.prepare()
	if c.state.CompareAndSwap(running, asleep) {
		for c.state.Load() == asleep {
			if !deadline.IsZero() && !time.Now().Before(deadline) {
				if c.state.CompareAndSwap(asleep, running) {
					return false
				}
				break // a token has come after all, and its poster may be about to wake us (P3)
			}
			s.sleep(&c.state, deadline)
		}
	}
	// There is a token, and only the owner takes tokens (P2). It is swapped out, not stored over,
	// so that the owner synchronises with every Unpark that the token stands for (P1).
	c.state.Swap(running)
	return true
}

func (c *parkerCore) unpark(s sleeper) (slept bool) {
	if c.state.Swap(token) != asleep {
		return false // the owner runs, or a token is there already and one is enough (P1)
	}
	s.wake(&c.state)
	return true
}
