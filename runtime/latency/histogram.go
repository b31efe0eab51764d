// Package latency counts durations so cheaply that every request may be counted.
package latency

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A Histogram counts durations by powers of two: element i counts those below 2^i microseconds
// that no earlier element counts, and the last one all that are longer.
type Histogram [21]uint64

// Count returns how many durations were counted.
func (h Histogram) Count() (n uint64) {
	for _, c := range h {
		n += c
	}
	return n
}

// SumAtMost is the sum of the durations as if each were its bound: at most twice what they took,
// but for those that the last element counts.
func (h Histogram) SumAtMost() (sum time.Duration) {
	for i, n := range h {
		sum += time.Duration(n) * Bound(i)
	}
	return sum
}

// Below returns the least power of two, in microseconds, that a share q of the durations is below:
// within a factor of two of their q-quantile. It is 0 if nothing was counted.
func (h Histogram) Below(q float64) time.Duration {
	all, sum := h.Count(), uint64(0)
	for i, c := range h {
		if sum += c; sum > 0 && float64(sum) >= q*float64(all) {
			return Bound(i)
		}
	}
	return 0
}

// A Spread is a Histogram and what is asked of it first.
type Spread struct {
	Count uint64        `json:"count"`
	Half  time.Duration `json:"halfBelow"` // half of them took less, to a factor of two
	Most  time.Duration `json:"mostBelow"` // 99 of 100 took less, to a factor of two
	Times Histogram     `json:"histogram"` // element i: below 2^i microseconds
}

// Spread returns what is asked of h first.
func (h Histogram) Spread() Spread { return Spread{h.Count(), h.Below(0.5), h.Below(0.99), h} }

// Bound is what the durations that element i counts are below. The last element has none.
func Bound(i int) time.Duration { return time.Microsecond << i }

// A Recorder is a Histogram that anybody may read while anybody counts. Its zero value is ready.
type Recorder struct {
	counts [len(Histogram{})]atomic.Uint64
}

// Add counts a duration. One below 0, as a clock that was set may give, counts as 0.
func (r *Recorder) Add(d time.Duration) {
	i := bits.Len64(uint64(max(d, 0) / time.Microsecond))
	r.counts[min(i, len(r.counts)-1)].Add(1)
}

// Histogram returns what was counted so far.
func (r *Recorder) Histogram() (h Histogram) {
	for i := range r.counts {
		h[i] = r.counts[i].Load()
	}
	return h
}
