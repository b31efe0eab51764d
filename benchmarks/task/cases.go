package task

import (
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
