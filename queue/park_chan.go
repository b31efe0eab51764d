package queue

import (
	"sync/atomic"
	"time"
)

// A chanSleeper sleeps on a channel. A wake that comes too late for its sleep stays in the channel
// and ends the next sleep early, which sleepers may do.
type chanSleeper struct {
	woken chan struct{} // capacity 1; made by the owner before the state was ever asleep, read by wakers after it was
}

func (s *chanSleeper) prepare() {
	if s.woken == nil {
		s.woken = make(chan struct{}, 1)
	}
}

func (s *chanSleeper) sleep(_ *atomic.Uint32, deadline time.Time) {
	if deadline.IsZero() {
		<-s.woken
		return
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-s.woken:
	case <-t.C:
	}
}

func (s *chanSleeper) wake(*atomic.Uint32) {
	select {
	case s.woken <- struct{}{}:
	default: // an earlier wake has not been noticed yet, and will do
	}
}
