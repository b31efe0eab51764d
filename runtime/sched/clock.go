package sched

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"
)

// A clock is where a pool's time comes from.
type clock interface {
	now() time.Time
	afterFunc(d time.Duration, fn func()) timer
}

// A timer calls a function once; see time.AfterFunc.
type timer interface {
	Stop() bool
	Reset(d time.Duration) bool
}

type realClock struct{}

func (realClock) now() time.Time { return time.Now() }

func (realClock) afterFunc(d time.Duration, fn func()) timer { return time.AfterFunc(d, fn) }

// A simClock stands still but when it is told to go on. Any goroutine may set and stop timers.
type simClock struct {
	start  time.Time
	passed atomic.Int64 // ns since start

	mu     sync.Mutex
	timers timerHeap // guarded by mu
	serial uint64    // guarded by mu; orders timers of the same moment
}

type simTimer struct {
	clock  *simClock
	fn     func()
	at     int64  // ns since start; guarded by the clock's mu, as are the others
	serial uint64 // when it was set
	place  int    // in the heap, -1 outside
}

func (c *simClock) now() time.Time { return c.start.Add(time.Duration(c.passed.Load())) }

func (c *simClock) afterFunc(d time.Duration, fn func()) timer {
	t := &simTimer{clock: c, fn: fn, place: -1}
	t.Reset(d)
	return t
}

// Reset sets the timer and reports whether it was set before.
func (t *simTimer) Reset(d time.Duration) bool {
	was := t.Stop()
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serial++
	t.at, t.serial = c.passed.Load()+max(0, int64(d)), c.serial
	heap.Push(&c.timers, t)
	return was
}

// Stop takes the timer back and reports whether it was set.
func (t *simTimer) Stop() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.place < 0 {
		return false
	}
	heap.Remove(&c.timers, t.place)
	return true
}

// due takes the first timer whose time has come, nil if there is none.
func (c *simClock) due() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 || c.timers[0].at > c.passed.Load() {
		return nil
	}
	return heap.Pop(&c.timers).(*simTimer).fn
}

// hasDue reports whether a timer's time has come.
func (c *simClock) hasDue() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers) > 0 && c.timers[0].at <= c.passed.Load()
}

// skip moves the time on to the next timer and reports whether there is one.
func (c *simClock) skip() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 {
		return false
	}
	c.passed.Store(max(c.passed.Load(), c.timers[0].at))
	return true
}

type timerHeap []*simTimer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].serial < h[j].serial
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is part of heap.Interface.
func (h *timerHeap) Push(x any) {
	t := x.(*simTimer)
	t.place = len(*h)
	*h = append(*h, t)
}

// Pop is part of heap.Interface.
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.place = -1
	return t
}
