package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

const (
	length = 100 * time.Microsecond // of a task of the load
	hold   = 100 * time.Millisecond // of a task that holds a worker
	queued = 64                     // of each kind of load
	gap    = 250 * time.Microsecond // between requests, at least
	jitter = 100 * time.Microsecond // and at most so much more, lest requests keep step with the tasks of the load
	lost   = time.Minute            // how long a request may take before it counts as lost
)

// Suite compares how soon an urgent task starts under load.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "load",
		Doc:  "start of a request while background and idle work keeps all workers busy",
		Cases: func(env *compare.Env) ([]compare.Case, error) {
			n := env.Size(500, 20)
			few := max(1, n/50) // where a request takes as long as the whole queue before it, or several time slices
			cases := []compare.Case{{
				Name:    "start",
				Columns: []compare.Column{{Suffix: "-p50", Unit: "us"}, {Suffix: "-p99", Unit: "us"}},
				Entrants: []compare.Entrant{
					{Name: "cytisus-sched", Ours: true, Start: entrant(newOurs, n, true, nil)},
					{Name: "cytisus-unloaded", Start: entrant(newOurs, n, false, nil)},
					{Name: "limit", Start: entrant(newOurs, n, false, limit)},
					{Name: "channel-pool", Start: entrant(newChannel, few, true, nil)},
					{Name: "goroutines", Start: entrant(newGoroutines, few, true, nil)},
				},
			}}
			for _, workers := range []int{1, 2} {
				times := env.Size(10, 1)
				cases = append(cases, compare.Case{
					Name:    fmt.Sprintf("held-1of%d", workers),
					Columns: []compare.Column{{Suffix: "-p50", Unit: "us"}, {Suffix: "-max", Unit: "us"}},
					Entrants: []compare.Entrant{
						{Name: "cytisus-sched", Ours: true, Start: holder(newOurs, workers, times)},
						{Name: "cytisus-no-stand-ins", Start: holder(newAlone, workers, times)},
						{Name: "channel-pool", Start: holder(newChannel, workers, times)},
						{Name: "goroutines", Start: holder(newGoroutines, workers, times)},
					},
				})
			}
			return cases, nil
		},
	}
}

// limit is what a figure of ours should not exceed, of the unloaded one.
func limit(unloaded float64) float64 { return 2*unloaded + float64(length.Nanoseconds())/1e3 }

func entrant(make maker, n int, loaded bool, of func(float64) float64) func(context.Context) (compare.Session, error) {
	return func(context.Context) (compare.Session, error) {
		c, err := make(1)
		if err != nil {
			return compare.Session{}, err
		}
		round := func(context.Context) ([]float64, error) {
			figures, err := measure(c, n, loaded)
			for i := range figures {
				if of != nil {
					figures[i] = of(figures[i])
				}
			}
			return figures, err
		}
		return compare.Session{Round: round, Close: c.close}, nil
	}
}

// measure submits n requests, under load if asked.
func measure(c contender, n int, loaded bool) ([]float64, error) {
	var over atomic.Bool
	var running sync.WaitGroup
	if loaded {
		for _, kind := range []int{background, idle} {
			for range queued {
				running.Add(1)
				var task func()
				task = func() {
					compute(length)
					if over.Load() {
						running.Done()
						return
					}
					c.submit(kind, task)
				}
				c.submit(kind, task)
			}
		}
	}
	took, err := requests(c, n)
	over.Store(true)
	running.Wait()
	return []float64{compare.Quantile(took, 0.5), compare.Quantile(took, 0.99)}, err
}

func holder(make maker, workers, times int) func(context.Context) (compare.Session, error) {
	return func(context.Context) (compare.Session, error) {
		c, err := make(workers)
		if err != nil {
			return compare.Session{}, err
		}
		return compare.Session{
			Round: func(context.Context) ([]float64, error) {
				defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(max(goruntime.GOMAXPROCS(0), workers+2)))
				return measureHeld(c, times)
			},
			Close: c.close,
		}, nil
	}
}

// measureHeld submits requests while a task holds one worker, so many times.
func measureHeld(c contender, times int) ([]float64, error) {
	var took []float64
	for range times {
		var begun, over atomic.Bool
		c.submit(request, func() {
			begun.Store(true)
			compute(hold)
			over.Store(true)
		})
		for !begun.Load() {
			continue
		}
		for !over.Load() {
			one, err := requests(c, 1)
			if err != nil {
				return nil, err
			}
			took = append(took, one...)
		}
	}
	return []float64{compare.Quantile(took, 0.5), compare.Quantile(took, 1)}, nil
}

// requests returns how long each of n requests took to start, in microseconds.
func requests(c contender, n int) ([]float64, error) {
	took := make([]float64, 0, n)
	r := rand.New(rand.NewPCG(1, 1))
	var started atomic.Int64 // nanoseconds after epoch, 0 while the task has not started
	epoch := time.Now()
	task := func() { started.Store(max(1, int64(time.Since(epoch)))) }
	for range n {
		compute(gap + time.Duration(r.Int64N(int64(jitter))))
		started.Store(0)
		began := time.Since(epoch)
		c.submit(request, task)
		at := started.Load()
		for at == 0 {
			if at = started.Load(); at == 0 && time.Since(epoch)-began > lost {
				return nil, fmt.Errorf("wrong answer: a request has not started after %v", lost)
			}
		}
		took = append(took, float64(at-int64(began))/1e3)
	}
	return took, compare.Same("number of requests", len(took), n)
}

// compute keeps the CPU for a while without system calls or yields.
func compute(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
		continue
	}
}
