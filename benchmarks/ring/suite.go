package ring

import (
	"context"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// contenders is ours and the peers. One line here and one file beside this one add a peer.
var contenders = []struct {
	name string
	ours bool
	make func() contender
	only string // if not empty, the one case it takes part in
}{
	{name: "cytisus-MPMC", ours: true, make: newOurs},
	{name: "channel", make: newChannel},
	{name: "xsync-v3-MPMCQueueOf", make: newXsync3},
	{name: "xsync-v4-MPMCQueue", make: newXsync4},
	{name: "workiva-RingBuffer", make: newWorkiva},
	{name: "mutex-ring", make: newMutexRing},
	{name: "channel-of-blocks", make: newBlocks, only: "batch-64"},
}

// Suite compares queues.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "ring",
		Doc:  "bounded queues: one thread, producers and consumers, batches",
		Cases: func(env *compare.Env) ([]compare.Case, error) {
			n := env.Size(1<<20, 1<<12) / lap * lap
			n = max(n, lap)
			perItem := []compare.Column{{Unit: "ns/item"}}
			fair := []compare.Column{{Unit: "ns/item"}, {Suffix: "-share", Unit: "share"}}
			cases := []compare.Case{
				{Name: "pair", Columns: perItem, Entrants: entrants("pair", n, pairs)},
				{Name: "1P1C", Columns: perItem, Entrants: entrants("1P1C", n, crowd(1))},
				{Name: "2P2C", Columns: perItem, Entrants: entrants("2P2C", n, crowd(2))},
				{Name: "2T", Columns: fair, Entrants: entrants("2T", n, twoThreads)},
				{Name: "batch-64", Columns: perItem, Entrants: entrants("batch-64", n, batches(64))},
			}
			dir, err := env.TempDir("ring")
			if err != nil {
				return nil, err
			}
			m := newMoodycamel(dir)
			for i := range cases {
				c := &cases[i]
				c.Entrants = append(c.Entrants, m.entrant(c.Name, n, len(c.Columns)))
			}
			return cases, nil
		},
	}
}

// A measure runs n items through a queue and returns the figures of a round.
type measure func(c contender, n int) ([]float64, error)

func entrants(name string, n int, m measure) (list []compare.Entrant) {
	for _, c := range contenders {
		if c.only != "" && c.only != name {
			continue
		}
		list = append(list, compare.Entrant{
			Name: c.name, Ours: c.ours,
			Start: func(context.Context) (compare.Session, error) {
				if err := check(c.make()); err != nil {
					return compare.Session{}, err
				}
				q := c.make()
				return compare.Session{Round: func(context.Context) ([]float64, error) { return m(q, n) }}, nil
			},
		})
	}
	return list
}
