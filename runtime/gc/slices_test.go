package gc

import (
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var l lengths
	if h := l.histogram(); h.Count() != 0 || h.Below(1) != 0 {
		t.Errorf("of nothing: %d, %v", h.Count(), h.Below(1))
	}
	const us = time.Microsecond
	for _, d := range []time.Duration{0, us - 1, us, 3 * us, 1000 * us, time.Hour} {
		l.add(d)
	}
	h := l.histogram()
	if h[0] != 2 || h[1] != 1 || h[2] != 1 || h[10] != 1 || h[len(h)-1] != 1 || h.Count() != 6 {
		t.Errorf("counted %v", h)
	}
	for q, want := range map[float64]time.Duration{
		0: us, 0.5: 2 * us, 0.66: 4 * us, 0.8: 1024 * us, 1: us << (len(h) - 1),
	} {
		if got := h.Below(q); got != want {
			t.Errorf("a share of %v is below %v, want %v", q, got, want)
		}
	}
}
