package index

import (
	"context"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// makers is ours and the peers. One line here and one file beside this one add a peer.
var makers = []maker{
	{name: "cytisus-db", ours: true, open: openOurs, beside: true},
	{name: "cytisus-no-log", open: openVolatile, beside: true},
	{name: "tidwall-btree", open: openTidwall},
	{name: "google-btree", open: openGoogle},
	{name: "go-immutable-radix", open: openRadix},
	{name: "pebble-v2", open: openPebble, beside: true},
	{name: "bbolt", open: openBolt, beside: true},
	{name: "lmdb", open: openLMDB, skip: lmdbSkip, beside: true},
}

// Suite compares ordered maps.
func Suite() compare.Suite {
	return compare.Suite{Name: "index", Doc: "ordered maps with snapshots: commit, get, scan, snapshot, size", Cases: cases}
}

func cases(env *compare.Env) ([]compare.Case, error) {
	f := &fleet{env: env, n: max(env.Size(200_000, 2000), group), ships: make(map[string]*loaded)}
	commits, snapshots, updates, reads := 200, 20_000, 2000, 50_000
	if env.Quick {
		commits, snapshots, updates, reads = 20, 100, 100, 1000
	}
	one := func(unit string) []compare.Column { return []compare.Column{{Unit: unit}} }
	list := []compare.Case{
		{Name: "size-heap", Columns: one("bytes/entry"), Entrants: f.alone(size)}, // these two first: nothing else is loaded yet
		{Name: "gc-cycle", Columns: one("us"), Entrants: f.alone(cycle)},
		{Name: "get-first", Columns: one("ns/get"), Entrants: f.entrants(getFirst)},
		{Name: "get", Columns: one("ns/get"), Entrants: f.entrants(get)},
		{Name: "scan-100", Columns: one("ns/scan"), Entrants: f.entrants(scan)},
		{Name: "snapshot", Columns: one("ns/snapshot"), Entrants: f.entrants(take(snapshots))},
		{Name: "commit-100", Columns: one("ns/commit"), Entrants: f.entrants(commit(commits))},
		{Name: "snapshot+update", Columns: one("ns/update"), Entrants: f.entrants(update(updates))},
		{
			Name:     "get-beside",
			Columns:  []compare.Column{{Suffix: "-quiet-p99", Unit: "ns/get"}, {Suffix: "-commits-p99", Unit: "ns/get"}, {Suffix: "-ratio", Unit: "p99/p99"}},
			Entrants: f.besides(beside(reads)),
		},
	}
	return list, nil
}

// A fleet is the contenders with all entries. Each is loaded when it is first asked for.
type fleet struct {
	env   *compare.Env
	n     int
	data  *data // nil until a contender is asked for
	ships map[string]*loaded
}

// A loaded contender holds all entries.
type loaded struct {
	c        contender
	d        *data
	versions []int // of each group
	cursor   int   // where the next round goes on
	firsts   int   // probes of which getFirst has read each once
	warm     bool  // all keys have been read
}

// alone loads a contender for each round and measures it while the process holds nothing but what
// it holds: no other one, and no list of entries.
func (f *fleet) alone(m func(c contender, entries int) float64) (list []compare.Entrant) {
	for _, k := range makers {
		list = append(list, compare.Entrant{
			Name: k.name, Ours: k.ours, Skip: k.skip, Rounds: 3,
			Start: func(ctx context.Context) (compare.Session, error) {
				return compare.Session{Round: func(context.Context) ([]float64, error) {
					c, entries, err := f.single(ctx, k)
					if err != nil {
						return nil, err
					}
					figure := m(c, entries)
					return []float64{figure}, c.close()
				}}, nil
			},
		})
	}
	return list
}

// single loads a contender and lets go of everything else.
func (f *fleet) single(ctx context.Context, k maker) (contender, int, error) {
	dir, err := f.env.TempDir(k.name)
	if err != nil {
		return nil, 0, err
	}
	l, err := load(ctx, k, dir, newData(f.env, f.n))
	if err != nil {
		return nil, 0, err
	}
	return l.c, len(l.d.entries), l.checkGroups(0, l.d.groups())
}

func (f *fleet) entrants(m measure) (list []compare.Entrant) {
	for _, k := range makers {
		list = append(list, compare.Entrant{
			Name: k.name, Ours: k.ours, Skip: k.skip,
			Start: func(ctx context.Context) (compare.Session, error) {
				l, err := f.get(ctx, k)
				return compare.Session{Round: func(context.Context) ([]float64, error) { return m(l) }}, err
			},
		})
	}
	return list
}

// besides is entrants for those that can be read while they are written to.
func (f *fleet) besides(m measure) (list []compare.Entrant) {
	for i, e := range f.entrants(m) {
		if makers[i].beside {
			list = append(list, e)
		}
	}
	return list
}

func (f *fleet) get(ctx context.Context, k maker) (*loaded, error) {
	if l := f.ships[k.name]; l != nil {
		return l, nil
	}
	if f.data == nil {
		f.data = newData(f.env, f.n)
	}
	dir, err := f.env.TempDir(k.name)
	if err != nil {
		return nil, err
	}
	l, err := load(ctx, k, dir, f.data)
	if err != nil {
		return nil, err
	}
	f.env.Cleanup(l.c.close)
	f.ships[k.name] = l
	return l, nil
}

// load opens a contender and commits all groups.
func load(ctx context.Context, k maker, dir string, d *data) (*loaded, error) {
	c, err := k.open(ctx, dir, d)
	if err != nil {
		return nil, err
	}
	for g := range d.groups() {
		if err := c.commit(d.edits(g, 0)); err != nil {
			return nil, err
		}
	}
	return &loaded{c: c, d: d, versions: make([]int, d.groups())}, nil
}
