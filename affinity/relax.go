package affinity

import (
	"sync"
	"time"
)

// pausesPerRelax bounds how long one Relax stays inside assembly, which the Go scheduler cannot
// interrupt: 8 PAUSEs take between 30 and 350 ns, depending on the processor.
const pausesPerRelax = 8

// Relax tells the processor that the caller waits for another one, and takes 30 to 350 ns. Loops
// that poll a word call it between looks.
//
// It must stay an ordinary call. The assembly below cannot be preempted, so a loop made of it alone
// would hold up every stop of the world (48 ms against 0.4 ms measured); the stack check in this
// function's prologue is where such a loop lets the runtime in.
//
//go:noinline
func Relax() { pause(pausesPerRelax) }

// Pause is Relax with n pause instructions instead of 8, for back-off after a lost race. n is cut
// to [1, 8].
//
//go:noinline
func Pause(n uint32) { pause(min(max(n, 1), pausesPerRelax)) }

// SpinsIn returns how many calls of Relax take about d on this machine, at least 0. It measures
// once per process (some tens of microseconds) and keeps the shortest of several runs, so a
// preempted measurement cannot make loops short.
func SpinsIn(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int(d / relaxTime())
}

var relaxTime = sync.OnceValue(func() time.Duration {
	const runs, calls = 5, 16
	best := time.Duration(1 << 62)
	for range runs {
		start := time.Now()
		for range calls {
			Relax()
		}
		best = min(best, time.Since(start)/calls)
	}
	return max(best, time.Nanosecond)
})
