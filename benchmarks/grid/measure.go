package grid

import (
	"bytes"
	"fmt"
	"os"
	goruntime "runtime"
	"runtime/metrics"
	"slices"
	"time"
)

// Times of one question, in nanoseconds.
type Times struct {
	Question string
	P50, P99 float64
	Asks     int
}

// A Result is one cell, measured.
type Result struct {
	Who      string // "cytisus", or how the baseline visits its chunks
	Records  int
	Chunks   int
	Load     float64 // seconds
	Times    []Times
	HeapMiB  float64 // Go heap after the load, collected
	PeakMiB  float64 // Go heap at its largest until the last answer, garbage included, as far as sampling every 20 ms tells
	RSSMiB   float64 // of the process at its largest; 0 where the system does not tell
	DiskMiB  float64
	ReopenMS float64 // until the first get; 0 for the baseline
}

// ask asks every question at every place.
func ask(c Config, r reader) ([]Times, error) {
	places := c.places()
	get := func(i int) error {
		k := appendKey(nil, i+7)
		rec, ok, err := r.get(k)
		if err != nil || !ok || rec != uint64((i+7)%c.Distinct) {
			return fmt.Errorf("wrong answer: %s is %d, %t, %w", k, rec, ok, err)
		}
		return nil
	}
	questions := []struct {
		name string
		asks int
		ask  func(i int) error
	}{
		{"first", len(places), get},
		{"", len(places), get}, // warms up
		{"get", len(places), get},
		{"prefix", len(places), func(i int) error { return c.checkScan(r, i, group, appendKey(nil, i)[:prefixLen]) }},
		{"range", max(len(places)/20, 3), func(i int) error { return c.checkScan(r, i, rangeKeys, nil) }},
	}
	var out []Times
	for _, q := range questions {
		took := make([]time.Duration, 0, q.asks)
		for _, i := range places[:q.asks] {
			began := time.Now()
			err := q.ask(i)
			took = append(took, time.Since(began))
			if err != nil {
				return nil, fmt.Errorf("grid: %s at %d: %w", q.name, i, err)
			}
		}
		if q.name == "" {
			continue
		}
		slices.Sort(took)
		out = append(out, Times{q.name, float64(took[len(took)/2]), float64(took[len(took)*99/100]), q.asks})
	}
	return out, nil
}

// checkScan reads the n keys from i on; all that begin with prefix, if there is one.
func (c Config) checkScan(r reader, i, n int, prefix []byte) error {
	lo, hi := appendKey(nil, i), appendKey(nil, i+n)
	if prefix != nil {
		lo = prefix
		hi = append(bytes.Clone(prefix[:len(prefix)-1]), prefix[len(prefix)-1]+1)
	}
	got, sum, err := r.scan(lo, hi)
	want := uint64(0)
	for j := i; j < i+n; j++ {
		want += uint64(j % c.Distinct)
	}
	if err != nil || got != n || sum != want {
		return fmt.Errorf("wrong answer: %d records with sum %d, want %d with %d, %w", got, sum, n, want, err)
	}
	return nil
}

// A gauge watches the Go heap.
type gauge struct {
	stop chan struct{}
	peak chan uint64
}

func startGauge() gauge {
	g := gauge{make(chan struct{}), make(chan uint64)}
	go func() {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		peak := uint64(0)
		for {
			metrics.Read(s)
			peak = max(peak, s[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-g.stop:
				g.peak <- peak
				return
			}
		}
	}()
	return g
}

func (g gauge) end() float64 {
	close(g.stop)
	return float64(<-g.peak) / (1 << 20)
}

func liveHeap() float64 {
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// peakRSS reads VmHWM, which Linux has.
func peakRSS() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		var kib float64
		if n, _ := fmt.Sscanf(string(line), "VmHWM: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}
