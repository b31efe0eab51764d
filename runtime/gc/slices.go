package gc

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

// Below returns the least power of two, in microseconds, that a share q of the durations is below:
// within a factor of two of their q-quantile. It is 0 if nothing was counted.
func (h Histogram) Below(q float64) time.Duration {
	all, sum := h.Count(), uint64(0)
	for i, c := range h {
		if sum += c; sum > 0 && float64(sum) >= q*float64(all) {
			return time.Microsecond << i
		}
	}
	return 0
}

// A lengths is a Histogram that anybody may read while it is counted.
type lengths [len(Histogram{})]atomic.Uint64

func (l *lengths) add(d time.Duration) {
	l[min(bits.Len64(uint64(d/time.Microsecond)), len(l)-1)].Add(1)
}

func (l *lengths) histogram() (h Histogram) {
	for i := range l {
		h[i] = l[i].Load()
	}
	return h
}
