package gc

import (
	"context"
	"math"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

var (
	collected = maker{
		name: "cytisus", ours: true, open: openOurs, files: true, reclaims: oursReclaims,
	}
	uncollected = maker{
		name: "cytisus-uncollected", open: openUncollected, files: true, reclaims: oursReclaims,
	}
	peers = []maker{
		{name: "pebble-v2", open: openPebble, files: true, reclaims: pebbleReclaims},
		{name: "map", open: openMap, reclaims: goReclaims},
	}
)

// What figures of ours should not exceed.
const (
	aimOfUncollected = 1.3  // of the same commits without the collector
	aimShare         = 0.05 // of the processor time
	aimSlice         = 1024 // microseconds: the power of two at 1 ms
	aimCycle         = 300  // nanoseconds a key: 3 s for 10,000,000
	aimDisk          = 1.5  // of what is live
	aimFlat          = 1.1  // of what it was
)

// Suite compares what taking back space costs.
func Suite() compare.Suite {
	return compare.Suite{
		Name:  "gc",
		Doc:   "overwrites: what taking back space costs commits, processor and disk",
		Cases: cases,
	}
}

func cases(env *compare.Env) ([]compare.Case, error) {
	n := max(env.Size(1_000_000, 2000), 2*commitKeys)
	f := &fleet{env: env, n: n, worlds: map[string]*world{}}
	cols := func(unit string, suffixes ...string) (list []compare.Column) {
		for _, suffix := range suffixes {
			list = append(list, compare.Column{Suffix: suffix, Unit: unit})
		}
		return list
	}
	// The uncollected contender in the place of ours: no other collection is in the way.
	quiet := uncollected
	quiet.ours = true
	beatUncollected := times(uncollected, aimOfUncollected)
	commits := append(cols("ns/key", "-mean"), cols("us/commit", "-p50", "-p99", "-max")...)
	return []compare.Case{
		{ // first: nothing else is there yet
			Name:     "flat",
			Columns:  append(cols("ns/key", "-time"), cols("end/begin", "-rss", "-disk")...),
			Entrants: f.alone(),
		},
		{
			Name: "overwrite", Columns: commits,
			Entrants: f.entrants(collected, overwrite(n/2), beatUncollected, peers...),
		},
		{
			Name: "beside", Columns: commits,
			Entrants: f.entrants(collected, beside(n/10), beatUncollected),
		},
		{
			Name: "share", Columns: cols("share", ""),
			Entrants: f.entrants(collected, share(n), aim(aimShare), peers...),
		},
		{
			Name: "cycle", Columns: cols("ns/key", "-time", "-cpu"),
			Entrants: f.entrants(quiet, cycle, aim(aimCycle, aimCycle), peers...),
		},
		{
			Name: "slice", Columns: cols("us", "-p99", "-max"),
			Entrants: f.entrants(quiet, slice, aim(aimSlice, aimSlice)),
		},
		{
			Name: "pause", Columns: cols("us", "-p50", "-p99", "-max"),
			Entrants: append(f.entrants(collected, pause(n/10), aim(aimSlice, aimSlice, aimSlice)),
				f.spinning(spin(n/10))),
		},
		{
			Name: "disk", Columns: cols("of live", "-mean", "-most"),
			Entrants: f.entrants(collected, disk(n), aim(aimDisk, aimDisk), peers[0]),
		},
	}, nil
}

// roundsMax is how many rounds are worth their time: with 1,000,000 keys one takes half a minute.
const roundsMax = 3

// A fleet is the contenders, each with all keys from when it is first asked for.
type fleet struct {
	env    *compare.Env
	n      int
	worlds map[string]*world
}

// A measure is a round of a case.
type measure func(ctx context.Context, w *world, m maker) ([]float64, error)

// A goal adds the entrants that say what is aimed at.
type goal func(f *fleet, of measure) []compare.Entrant

func (f *fleet) entrants(ours maker, of measure, g goal, more ...maker) []compare.Entrant {
	list := []compare.Entrant{f.entrant(ours, of)}
	list[0].Name = collected.name
	for _, m := range more {
		list = append(list, f.entrant(m, of))
	}
	return append(list, g(f, of)...)
}

func (f *fleet) entrant(m maker, of measure) compare.Entrant {
	start := func(ctx context.Context) (compare.Session, error) {
		w, err := f.world(ctx, m)
		if err != nil {
			return compare.Session{}, err
		}
		round := func(ctx context.Context) ([]float64, error) {
			figures, err := of(ctx, w, m)
			if err == nil {
				err = w.check()
			}
			return figures, err
		}
		return compare.Session{Round: round}, nil
	}
	return compare.Entrant{Name: m.name, Ours: m.ours, Rounds: roundsMax, Start: start}
}

// spinning is the entrant that collects nothing, beside the commits of the uncollected contender.
func (f *fleet) spinning(of measure) compare.Entrant {
	e := f.entrant(uncollected, of)
	e.Name = "spin"
	return e
}

func (f *fleet) world(ctx context.Context, m maker) (*world, error) {
	if w := f.worlds[m.name]; w != nil {
		return w, nil
	}
	w, err := newWorld(ctx, f.env, m, f.n)
	if err != nil {
		return nil, err
	}
	f.env.Cleanup(w.close)
	f.worlds[m.name] = w
	return w, nil
}

// aim is a goal of figures that are known beforehand.
func aim(figures ...float64) goal {
	return func(*fleet, measure) []compare.Entrant {
		return []compare.Entrant{said(func() []float64 { return figures })}
	}
}

// times is a goal of so many times what another contender takes, which takes part as well.
func times(m maker, factor float64) goal {
	return func(f *fleet, of measure) []compare.Entrant {
		goal := make([]float64, 4)
		watched := func(ctx context.Context, w *world, m maker) (figures []float64, err error) {
			figures, err = of(ctx, w, m)
			for i := range figures {
				goal[i] = factor * figures[i]
			}
			return figures, err
		}
		return []compare.Entrant{f.entrant(m, watched), said(func() []float64 { return goal })}
	}
}

// said is an entrant that does nothing.
func said(figures func() []float64) compare.Entrant {
	round := func(context.Context) ([]float64, error) { return figures(), nil }
	return compare.Entrant{Name: "aim", Start: func(context.Context) (compare.Session, error) {
		return compare.Session{Round: round}, nil
	}}
}

// unknown is a figure that a contender does not have.
var unknown = math.NaN()
