package gc

import (
	"fmt"
	goruntime "runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor time of the calling thread.
func threadTime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// BenchmarkSlice is the processor time of the longest slices, by phase, of cycles as in
// BenchmarkCycle: what else the machine does is not in it. Slices are asked to be as long as those
// of an engine.
func BenchmarkSlice(b *testing.B) {
	for _, records := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			goruntime.LockOSThread()
			defer goruntime.UnlockOSThread()
			w := newBenchWorld(b, records)
			var longest [Sweeping + 1]time.Duration
			var over, all int
			began, phase := time.Duration(0), Idle
			end := func() {
				took := threadTime() - began
				longest[phase] = max(longest[phase], took)
				if all++; took > time.Millisecond {
					over++
				}
			}
			begin := func() { began, phase = threadTime(), Phase(w.c.phase.Load()) }
			pace := Pace{
				Slice: 750 * time.Microsecond,
				Wait:  func() { end(); begin() },
				Block: func(fn func() error) error { end(); defer begin(); return fn() },
			}
			for b.Loop() {
				b.StopTimer()
				w.overwrite(records / 2)
				b.StartTimer()
				begin()
				if err := w.c.Collect(b.Context(), pace); err != nil {
					b.Fatal(err)
				}
				end()
			}
			for p, d := range longest {
				b.ReportMetric(float64(d.Microseconds()), Phase(p).String()+"-us")
			}
			b.ReportMetric(1000*float64(over)/float64(all), "over-1ms-of-1000")
		})
	}
}
