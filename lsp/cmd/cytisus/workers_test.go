package main

import (
	goruntime "runtime"
	"testing"

	"github.com/cytisus/cytisus/runtime/sched"
)

// The command runs as many workers as the process was given processors, which a quota may make
// fewer than Go counts; the flag decides where it is given.
func TestWorkersAreWhatTheProcessMayUse(t *testing.T) {
	given := goruntime.NumCPU() + 1 // no count that Go could come to
	defer func(was func() int) { usableCPUs = was }(usableCPUs)
	usableCPUs = func() int { return given }
	procs := goruntime.GOMAXPROCS(0)
	defer goruntime.GOMAXPROCS(procs)
	for _, c := range []struct{ flag, want int }{{0, given}, {3, 3}} {
		goruntime.GOMAXPROCS(procs)
		a := &app{err: t.Output(), flags: flags{memory: true, workers: c.flag}}
		l, err := a.openEngine(t.TempDir(), "", "test")
		if err != nil {
			t.Fatal(err)
		}
		if n := len(l.eng.Stats().Scheduler.Workers); n != c.want {
			t.Errorf("%d workers with --workers=%d where the process may use %d processors, want %d", n, c.flag, given, c.want)
		}
		if n := goruntime.GOMAXPROCS(0); n < sched.Processors(c.want) {
			t.Errorf("GOMAXPROCS is %d, which %d workers and what is more urgent can take whole", n, c.want)
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}
}
