package task

import (
	"context"
	"slices"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A maker makes a contender. One line here and one file beside this one add a peer.
type maker struct {
	name string
	ours bool
	make func() (contender, error)
	only []string // if not empty, the cases it takes part in
}

var contenders = []maker{
	{name: "cytisus-sched", ours: true, make: newOurs},
	{name: "cytisus-with-handle", make: newHandles, only: []string{"outside", "inside"}},
	{name: "goroutine-WaitGroup", make: newGoroutines},
	{name: "channel-pool", make: func() (contender, error) { return newChannelPool(false), nil }},
	{name: "channel-pool-locked", make: func() (contender, error) { return newChannelPool(true), nil }},
	{name: "pond-v2", make: newPond},
	{name: "ants-v2", make: newAnts},
	{name: "conc-pool", make: newConc},
}

// Suite compares schedulers.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "task",
		Doc:  "running small functions: from outside, from inside, wait and resume",
		Cases: func(env *compare.Env) ([]compare.Case, error) {
			n := env.Size(300_000, 3000)
			perTask := []compare.Column{{Unit: "ns/task"}, {Suffix: "-allocs", Unit: "allocs/task"}}
			perWait := []compare.Column{{Unit: "ns/wait"}, {Suffix: "-allocs", Unit: "allocs/wait"}}
			return []compare.Case{
				{Name: "outside", Columns: perTask, Entrants: entrants(contenders, "outside", outside(n))},
				{Name: "inside", Columns: perTask, Entrants: entrants(contenders, "inside", inside(n))},
				{Name: "wait", Columns: perWait, Entrants: waiters(n)},
			}, nil
		},
	}
}

// A measure runs a round on a contender.
type measure func(contender) ([]float64, error)

func entrants(makers []maker, name string, m measure) (list []compare.Entrant) {
	for _, k := range makers {
		if len(k.only) == 0 || slices.Contains(k.only, name) {
			list = append(list, compare.Entrant{Name: k.name, Ours: k.ours, Start: start(k.make, m)})
		}
	}
	return list
}

// waiters is who takes part in the case of waits: most pools have no way to wait without blocking a
// worker.
func waiters(n int) []compare.Entrant {
	all := append([]maker(nil), contenders[0])
	all = append(all,
		maker{name: "goroutine-channel", make: func() (contender, error) { return turns{}, nil }},
		maker{name: "goroutine-channel-locked", make: func() (contender, error) { return turns{locked: true}, nil }})
	list := entrants(all, "wait", waiting(n))
	lockedCost := min(n, 5000) // tens of microseconds each
	list[2].Start = start(all[2].make, waiting(lockedCost))
	return list
}

func start(make func() (contender, error), m measure) func(context.Context) (compare.Session, error) {
	return func(context.Context) (compare.Session, error) {
		c, err := make()
		if err != nil {
			return compare.Session{}, err
		}
		return compare.Session{
			Round: func(context.Context) ([]float64, error) { return m(c) },
			Close: c.close,
		}, nil
	}
}
