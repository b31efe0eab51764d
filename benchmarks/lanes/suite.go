package lanes

import (
	"context"
	"fmt"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// contenders is ours and the peers. One line here and one function in peers.go add a peer.
var contenders = []struct {
	name string
	ours bool
	make func() contender
	only []string // if not empty, the cases it takes part in
}{
	{name: "cytisus-Lanes", ours: true, make: newOurs},
	{name: "single-ring", make: newSingle, only: []string{"lane-20", "lane-20-dry", "1P1C", "batch-16"}},
	{name: "cytisus-rings-scan", make: newRings},
	{name: "xsync-v4-scan", make: newXsync},
	{name: "channels-scan", make: newChannels},
	{name: "mutex-heap", make: newHeap},
}

// Suite compares lanes.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "lanes",
		Doc:  "work of 31 priorities: finding none, finding the most urgent, one lane in use, many",
		Cases: func(env *compare.Env) ([]compare.Case, error) {
			n := max(env.Size(1<<18, 1<<11)/lap*lap, lap)
			list := []compare.Case{}
			for _, c := range []struct {
				name, unit string
				measure
			}{
				{"empty-poll", "ns/poll", emptyPoll},
				{"empty-sleep", "ns/look", emptySleep},
				{"lane-20", "ns/item", pairs},
				{"lane-20-dry", "ns/item", dry},
				{"spread", "ns/item", spread},
				{"1P1C", "ns/item", crossing},
				{"batch-16", "ns/item", batches},
			} {
				list = append(list, compare.Case{
					Name: c.name, Columns: []compare.Column{{Unit: c.unit}}, Entrants: entrants(c.name, n, c.measure),
				})
			}
			return list, nil
		},
	}
}

func entrants(name string, n int, m measure) (list []compare.Entrant) {
	for _, c := range contenders {
		takesPart := len(c.only) == 0
		for _, only := range c.only {
			takesPart = takesPart || only == name
		}
		if !takesPart {
			continue
		}
		list = append(list, compare.Entrant{
			Name: c.name, Ours: c.ours,
			Start: func(context.Context) (compare.Session, error) {
				if err := check(c.make(), len(c.only) == 0); err != nil {
					return compare.Session{}, err
				}
				q := c.make()
				return compare.Session{Round: func(context.Context) ([]float64, error) {
					figure, err := m(q, n)
					return []float64{figure}, err
				}}, nil
			},
		})
	}
	return list
}

// check shows that a contender pops the most urgent first, and the oldest of those; without lanes,
// the oldest of all.
func check(c contender, urgent bool) error {
	const each = 5
	for age := range each {
		for i := range lanes {
			if lane := i * 7 % lanes; !c.push(lane, &item{id: uint64(age), lane: lane}) {
				return fmt.Errorf("no room in lane %d for item %d", lane, age)
			}
		}
	}
	for i := range lanes * each {
		it := c.pop()
		if it == nil {
			return fmt.Errorf("wrong answer: nothing left after %d items", i)
		}
		lane, age := i/each, i%each
		if !urgent {
			lane, age = i*7%lanes, i/lanes
		}
		if it.lane != lane || it.id != uint64(age) {
			return fmt.Errorf("wrong answer: item %d of lane %d came out, want %d of %d", it.id, it.lane, age, lane)
		}
	}
	if it := c.pop(); it != nil {
		return fmt.Errorf("wrong answer: item %d of lane %d came out of nothing", it.id, it.lane)
	}
	return nil
}
