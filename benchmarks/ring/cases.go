package ring

import (
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

func pairs(c contender, n int) ([]float64, error) {
	began := time.Now()
	sum := c.pair(n)
	return []float64{compare.PerItem(time.Since(began), n)}, compare.Same("sum of ids", sum, sumOf(n))
}

// crowd returns a measure with k producers and k consumers that pass n items in all.
func crowd(k int) measure {
	return func(c contender, n int) ([]float64, error) {
		each := max(n/k/lap, 1) * lap
		return together(k, each, c.produce, c.consume)
	}
}

// batches returns a measure with one producer and one consumer that hand over size items at a time.
func batches(size int) measure {
	return func(c contender, n int) ([]float64, error) {
		b, ok := c.(batcher)
		if !ok {
			return together(1, n, c.produce, c.consume)
		}
		return together(1, n,
			func(n int) { b.produceBatches(n, size) },
			func(n int) uint64 { return b.consumeBatches(n, size) })
	}
}

// together runs k producers and k consumers of each items, and gives the wall time per item.
func together(k, each int, produce func(int), consume func(int) uint64) ([]float64, error) {
	var total atomic.Uint64
	took := race(2*k, func(i int) {
		if i%2 == 0 {
			produce(each)
		} else {
			total.Add(consume(each))
		}
	})
	return []float64{compare.PerItem(took, k*each)},
		compare.Same("sum of ids", total.Load(), uint64(k)*sumOf(each))
}

// twoThreads lets two threads push and pop on one queue until one of them has done n/2 pairs, and
// gives the wall time per pair and the slower one's share of them.
func twoThreads(c contender, n int) ([]float64, error) {
	const burst = 64 // pairs between two looks at stop
	goal := max(n/2/burst, 1) * burst
	var stop atomic.Bool
	var counts [2]int
	var sums [2]uint64
	took := race(len(counts), func(t int) {
		count, sum := 0, uint64(0)
		for count < goal && !stop.Load() {
			sum += c.pair(burst)
			count += burst
		}
		stop.Store(true)
		counts[t], sums[t] = count, sum
	})
	all := counts[0] + counts[1]
	share := float64(min(counts[0], counts[1])) / float64(all)
	return []float64{compare.PerItem(took, all), share},
		compare.Same("sum of ids", sums[0]+sums[1], uint64(all/burst)*sumOf(burst))
}

// race starts n runners at once, so that nobody has done half of the work before the other has
// begun, and gives the time from the first start to the last finish. The runners look at the clock
// themselves: with as many of them as CPUs, whoever waits for them may get to look only when they
// have finished.
func race(n int, run func(i int)) time.Duration {
	type times struct{ start, finish time.Time }
	runners := make([]times, n)
	var missing atomic.Int32
	missing.Store(int32(n))
	var done sync.WaitGroup
	for i := range runners {
		done.Go(func() {
			missing.Add(-1)
			for missing.Load() > 0 {
				goruntime.Gosched()
			}
			runners[i].start = time.Now()
			run(i)
			runners[i].finish = time.Now()
		})
	}
	done.Wait()
	first, last := runners[0].start, runners[0].finish
	for _, r := range runners {
		if r.start.Before(first) {
			first = r.start
		}
		if r.finish.After(last) {
			last = r.finish
		}
	}
	return last.Sub(first)
}
