package epoch

import (
	"context"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A maker makes a contender that shares the object. One line here and one type beside this file add
// a peer.
type maker struct {
	name string
	make func(*object) contender
}

// pinners take part wherever readers are measured, reclaimers where objects go.
var (
	pinners = []maker{
		{"RWMutex", newRWMutex},
		{"xsync-v4-RBMutex", newRBMutex},
		{"Mutex", newMutex},
		{"reference-count", newRefCount},
		{"xchg-slot", newXchgSlot},
		{"load", newLoad},
	}
	reclaimers = []maker{
		{"RWMutex", newRWMutex},
		{"xsync-v4-RBMutex", newRBMutex},
	}
	repinners = []maker{{"load", newLoad}}
)

// Suite compares protection of readers.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "epoch",
		Doc:  "reading what somebody else may free: pin, pin again, and how soon it is freed",
		Cases: func(env *compare.Env) ([]compare.Case, error) {
			n := env.Size(2_000_000, 2000)
			replaced := env.Size(600, 10)
			perPin := []compare.Column{{Unit: "ns/pin"}}
			participant, guard := maker{"cytisus-participant", newOurs}, maker{"cytisus-guard", newOursGuard}
			return []compare.Case{
				{Name: "pin", Columns: perPin, Entrants: entrants(participant, pinners, pins(1, n))},
				{Name: "pin-2T", Columns: perPin, Entrants: entrants(participant, pinners, pins(2, n))},
				{Name: "pin-any", Columns: perPin, Entrants: entrants(guard, pinners, pins(1, n))},
				{Name: "repin", Columns: perPin, Entrants: entrants(participant, repinners, repins(n))},
				{Name: "grace", Columns: []compare.Column{{Unit: "ns/object"}}, Entrants: entrants(participant, reclaimers, grace(n/20))},
				{
					Name:     "retire",
					Columns:  []compare.Column{{Suffix: "-p50", Unit: "us"}, {Suffix: "-p99", Unit: "us"}},
					Entrants: entrants(participant, reclaimers, retire(min(replaced, 600))),
				},
			}, nil
		},
	}
}

func entrants(ours maker, peers []maker, m measure) []compare.Entrant {
	list := []compare.Entrant{{Name: ours.name, Ours: true, Start: start(ours, m)}}
	for _, p := range peers {
		list = append(list, compare.Entrant{Name: p.name, Start: start(p, m)})
	}
	return list
}

func start(k maker, m measure) func(context.Context) (compare.Session, error) {
	return func(context.Context) (compare.Session, error) {
		c := k.make(newObject())
		return compare.Session{Round: func(context.Context) ([]float64, error) { return m(c) }}, nil
	}
}
