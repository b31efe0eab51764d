package wake

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

const (
	lost    = time.Minute // how long a task may take before it counts as lost
	parkGap = 200 * time.Microsecond
	spinGap = 5 * time.Microsecond
	longest = time.Millisecond // ours looks for work for so long in the case of spinning
)

// A maker makes a contender for one task. One line here and a few in contender.go add a peer.
type maker struct {
	name string
	make func(task func()) (contender, error)
}

var peers = []maker{
	{"goroutine", newGoroutine},
	{"channel-worker", newChannel(false)},
	{"channel-worker-locked", newChannel(true)},
}

// Suite compares how soon a task starts.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "wake",
		Doc:  "submit to start on an idle worker: from sleep, and while it looks for work",
		Cases: func(env *compare.Env) ([]compare.Case, error) {
			starts := env.Size(1000, 20)
			columns := []compare.Column{{Suffix: "-p50", Unit: "us"}, {Suffix: "-p99", Unit: "us"}}
			return []compare.Case{
				{Name: "park", Columns: columns, Entrants: entrants(newOurs(0), starts, parkGap)},
				{Name: "spinning", Columns: columns, Entrants: entrants(newOurs(longest), starts, spinGap)},
			}, nil
		},
	}
}

func entrants(ours func(func()) (contender, error), starts int, gap time.Duration) []compare.Entrant {
	list := []compare.Entrant{{Name: "cytisus-sched", Ours: true, Start: start(ours, starts, gap)}}
	for _, k := range peers {
		list = append(list, compare.Entrant{Name: k.name, Start: start(k.make, starts, gap)})
	}
	return list
}

func start(make func(func()) (contender, error), starts int, gap time.Duration) func(context.Context) (compare.Session, error) {
	return func(context.Context) (compare.Session, error) {
		s := &stopwatch{epoch: time.Now()}
		c, err := make(s.task)
		if err != nil {
			return compare.Session{}, err
		}
		return compare.Session{
			Round: func(context.Context) ([]float64, error) { return s.round(c, starts, gap) },
			Close: c.close,
		}, nil
	}
}

// A stopwatch tells when the task started.
type stopwatch struct {
	epoch   time.Time
	started atomic.Int64 // nanoseconds after epoch, 0 while the task has not started
	runs    atomic.Int64
}

func (s *stopwatch) task() {
	s.started.Store(max(1, int64(time.Since(s.epoch))))
	s.runs.Add(1)
}

// round measures single starts, with a pause of computing before each.
func (s *stopwatch) round(c contender, starts int, gap time.Duration) ([]float64, error) {
	took := make([]float64, 0, starts)
	before := s.runs.Load()
	for range starts {
		for began := time.Now(); time.Since(began) < gap; {
			continue // computing: no system calls, no yields
		}
		s.started.Store(0)
		began := time.Since(s.epoch)
		if err := c.submit(); err != nil {
			return nil, err
		}
		at := s.started.Load()
		for at == 0 {
			if at = s.started.Load(); at == 0 && time.Since(s.epoch)-began > lost {
				return nil, fmt.Errorf("wrong answer: a task has not started after %v", lost)
			}
		}
		took = append(took, float64(at-int64(began))/1e3)
	}
	for until := time.Now().Add(lost); s.runs.Load()-before < int64(starts) && time.Now().Before(until); {
		continue // the last one has started, and may not have counted itself
	}
	return []float64{compare.Quantile(took, 0.5), compare.Quantile(took, 0.99)},
		compare.Same("number of tasks run", s.runs.Load()-before, int64(starts))
}
