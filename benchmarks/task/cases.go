package task

import (
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// lost is how long tasks may take before they count as lost.
const lost = time.Minute

func outside(n int) measure {
	return func(c contender) ([]float64, error) {
		return count(n, func(task func()) { c.submitN(n, task) })
	}
}

func inside(n int) measure {
	return func(c contender) ([]float64, error) {
		if in, ok := c.(inner); ok {
			return count(n, func(task func()) { in.inside(n, task) })
		}
		return count(n, func(task func()) { chain(c, n, task) })
	}
}

// count times n tasks from the first submit to the end of the last.
func count(n int, submit func(task func())) ([]float64, error) {
	t := newTally(n)
	before := compare.Mallocs()
	began := time.Now()
	submit(t.task)
	if err := t.wait(lost); err != nil {
		return nil, err
	}
	took := time.Since(began)
	return []float64{compare.PerItem(took, n), float64(compare.Mallocs()-before) / float64(n)}, t.check()
}

func waiting(n int) measure {
	return func(c contender) ([]float64, error) {
		before := compare.Mallocs()
		began := time.Now()
		seen, err := c.(waiter).waits(n)
		took := time.Since(began)
		if err == nil {
			err = compare.Same("number of waits", seen, n)
		}
		return []float64{compare.PerItem(took, n), float64(compare.Mallocs()-before) / float64(n)}, err
	}
}

// wake measures starts of single tasks, with a pause of computing before each.
func wake(starts int, pause time.Duration) measure {
	return func(c contender) ([]float64, error) {
		took := make([]float64, 0, starts)
		var started atomic.Int64 // nanoseconds after epoch, 0 while the task has not started
		epoch := time.Now()
		task := func() { started.Store(max(1, int64(time.Since(epoch)))) }
		for range starts {
			compute(pause)
			started.Store(0)
			began := time.Since(epoch)
			c.submit(task)
			at := started.Load()
			for at == 0 { // goes on computing; a submitter that blocked would hand its CPU over
				at = started.Load()
				if time.Since(epoch)-began > lost {
					return nil, compare.Same("started", false, true)
				}
			}
			took = append(took, float64(at-int64(began))/1e3)
		}
		return []float64{compare.Quantile(took, 0.5), compare.Quantile(took, 0.99)}, nil
	}
}

// compute keeps the CPU for a while without system calls or yields.
func compute(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
		continue
	}
}
