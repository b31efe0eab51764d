package epoch

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/benchmarks/compare"
)

const (
	objectID    = 3
	taskTime    = time.Millisecond
	replaceTime = taskTime / 2
	pollTime    = 100 * time.Microsecond
)

// A measure runs a round on a contender.
type measure func(contender) ([]float64, error)

func newObject() *object { return &object{id: objectID} }

// pins is n pins on each of the given number of threads.
func pins(threads, n int) measure {
	return func(c contender) ([]float64, error) {
		took, sum := together(threads, func(r reader) uint64 { return r.pins(n) }, c)
		return []float64{compare.PerItem(took, threads*n)}, compare.Same("sum of ids", sum, uint64(threads*n)*objectID)
	}
}

func repins(n int) measure {
	return func(c contender) ([]float64, error) {
		took, sum := together(1, func(r reader) uint64 { return r.(repinner).repins(n) }, c)
		return []float64{compare.PerItem(took, n)}, compare.Same("sum of ids", sum, uint64(n)*objectID)
	}
}

// together lets readers run at once, each on a goroutine of its own, and gives the time from the
// moment in which all are ready to the last one's end.
func together(threads int, run func(reader) uint64, c contender) (took time.Duration, sum uint64) {
	var (
		total   atomic.Uint64
		ready   sync.WaitGroup
		readers sync.WaitGroup
		begin   = make(chan struct{})
	)
	ready.Add(threads)
	for range threads {
		readers.Go(func() {
			r := c.reader()
			defer r.close()
			ready.Done()
			<-begin
			total.Add(run(r))
		})
	}
	ready.Wait()
	began := time.Now()
	close(begin)
	readers.Wait()
	return time.Since(began), total.Load()
}

// grace replaces the object n times, with a reader registered that is not inside.
func grace(n int) measure {
	return func(c contender) ([]float64, error) {
		k := c.(reclaimer)
		r := c.reader()
		defer r.close()
		freed := 0
		free := func(*object) { freed++ }
		next := [2]*object{newObject(), newObject()}
		began := time.Now()
		for i := range n {
			k.replace(next[i&1], free)
			k.poll()
		}
		took := time.Since(began)
		return []float64{compare.PerItem(took, n)}, compare.Same("objects freed", freed, n)
	}
}

// busy computes for a while.
func busy(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
		affinity.Relax()
	}
}

// retire replaces n objects while a worker runs tasks.
func retire(n int) measure {
	return func(c contender) ([]float64, error) {
		k := c.(reclaimer)
		var (
			stop   atomic.Bool
			early  atomic.Int64
			worker sync.WaitGroup
			mu     sync.Mutex // frees may come from the worker
			times  []float64
		)
		begun := make(chan struct{}, 1)
		worker.Go(func() {
			r := c.reader()
			defer r.close()
			for !stop.Load() {
				k.task(r, func(o *object) {
					o.reader.Store(true)
					select {
					case begun <- struct{}{}:
					default:
					}
					busy(taskTime)
					o.reader.Store(false)
				})
			}
		})
		<-begun
		freed := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(times)
		}
		var due time.Time
		for made := 0; freed() < n; busy(pollTime) {
			if now := time.Now(); made < n && now.After(due) {
				made++
				due = now.Add(replaceTime)
				k.replace(newObject(), func(o *object) {
					if o.reader.Load() {
						early.Add(1)
					}
					mu.Lock()
					defer mu.Unlock()
					times = append(times, float64(time.Since(now))/1e3)
				})
			}
			k.poll()
		}
		stop.Store(true)
		worker.Wait()
		if early.Load() > 0 {
			return nil, fmt.Errorf("wrong answer: %d objects freed while they were read", early.Load())
		}
		return []float64{compare.Quantile(times, 0.5), compare.Quantile(times, 0.99)}, nil
	}
}
