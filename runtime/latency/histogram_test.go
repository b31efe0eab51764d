package latency

import (
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var r Recorder
	if h := r.Histogram(); h.Count() != 0 || h.Below(0.5) != 0 {
		t.Errorf("of nothing: %d, %v", h.Count(), h.Below(0.5))
	}
	for _, d := range []time.Duration{-time.Hour, 0, time.Microsecond - 1, time.Microsecond, 3 * time.Microsecond, time.Millisecond, 1 << 62} {
		r.Add(d)
	}
	h := r.Histogram()
	if h.Count() != 7 || h[0] != 3 || h[1] != 1 || h[2] != 1 || h[10] != 1 || h[len(h)-1] != 1 {
		t.Errorf("%v", h)
	}
	// The quantile is below what is told, and not below half of it.
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{0.4, time.Microsecond}, {0.5, 2 * time.Microsecond}, {0.7, 4 * time.Microsecond}, {0.85, 1024 * time.Microsecond}, {1, Bound(len(h) - 1)}} {
		if got := h.Below(c.q); got != c.want {
			t.Errorf("below %v: %v, want %v", c.q, got, c.want)
		}
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	var r Recorder
	if n := testing.AllocsPerRun(100, func() { r.Add(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
