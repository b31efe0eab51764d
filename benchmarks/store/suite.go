package store

import (
	"context"
	"fmt"
	"os"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// makers is ours, the floor and the peers. One line here and one file beside this one add a peer.
var makers = []maker{
	{name: "cytisus-mmapcas", ours: true, durable: true, open: openOurs(viaVisit)},
	{name: "mmapcas-Reader.View", reads: true, durable: true, open: openOurs(viaReader)},
	{name: "mmapcas-Store.View", reads: true, durable: true, open: openOurs(viaStore)},
	{name: "floor", durable: true, open: openFloor},
	{name: "map+RWMutex", open: openMap},
	{name: "sync.Map", open: openSyncMap},
	{name: "xsync-v4-Map", open: openXsync},
	{name: "bbolt", durable: true, slow: true, open: openBolt},
	{name: "pebble-v2", durable: true, open: openPebble},
	{name: "badger-v4", durable: true, open: openBadger},
	{name: "lmdb", durable: true, slow: true, skip: lmdbSkip, open: openLMDB},
}

// Suite compares stores.
func Suite() compare.Suite {
	return compare.Suite{Name: "store", Doc: "records under hash keys: put, get, size", Cases: cases}
}

func cases(env *compare.Env) ([]compare.Case, error) {
	n := env.Size(200_000, 2000)
	d := newData(env, n)
	fleet := newFleet(env, d)
	perGet := []compare.Column{{Unit: "ns/get"}}
	list := []compare.Case{
		{Name: "put", Columns: []compare.Column{{Unit: "ns/record"}}, Entrants: puts(env, d, n, false)},
		{Name: "put-sync", Columns: []compare.Column{{Unit: "ns/record"}}, Entrants: puts(env, d, max(n/10, batch), true)},
		{
			Name: "get-uniform-1T", Columns: []compare.Column{{Unit: "ns/get"}, {Suffix: "-allocs", Unit: "allocs/get"}},
			Entrants: fleet.entrants(uniform(d, 1, readAll)),
		},
		{Name: "get-uniform-2T", Columns: perGet, Entrants: fleet.entrants(uniform(d, 2, readAll))},
		{
			Name: "get-batch16-1T", Columns: []compare.Column{{Unit: "ns/get"}, {Suffix: "-allocs", Unit: "allocs/get"}},
			Entrants: fleet.entrants(uniform(d, 1, readGroups)),
		},
		{Name: "get-batch16-2T", Columns: perGet, Entrants: fleet.entrants(uniform(d, 2, readGroups))},
		{Name: "get-hot", Columns: perGet, Entrants: fleet.entrants(hot(d))},
		{Name: "get-absent-1T", Columns: perGet, Entrants: fleet.entrants(absent(d, 1))},
		{Name: "get-absent-2T", Columns: perGet, Entrants: fleet.entrants(absent(d, 2))},
		{
			Name: "size", Columns: []compare.Column{
				{Suffix: "-disk", Unit: "bytes/record"}, {Suffix: "-heap", Unit: "bytes/record"}, {Suffix: "-gc", Unit: "ms"},
			},
			Entrants: fleet.entrants(size),
		},
	}
	// A size does not change from round to round.
	for i := range list[len(list)-1].Entrants {
		list[len(list)-1].Entrants[i].Rounds = 1
	}
	return list, nil
}

// puts is the entrants of a case of puts: each round fills a new store.
func puts(env *compare.Env, d *data, n int, sync bool) (list []compare.Entrant) {
	for _, m := range makers {
		if m.reads || sync && !m.durable {
			continue
		}
		e := compare.Entrant{Name: m.name, Ours: m.ours, Skip: m.skip}
		if m.slow {
			e.Rounds = 3
		}
		e.Start = func(context.Context) (compare.Session, error) {
			return compare.Session{Round: func(ctx context.Context) ([]float64, error) {
				return putRound(ctx, env, m, d.records[:min(n, len(d.records))], sync)
			}}, nil
		}
		list = append(list, e)
	}
	return list
}

func putRound(ctx context.Context, env *compare.Env, m maker, records []record, sync bool) (figures []float64, err error) {
	dir, err := env.TempDir(m.name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if rerr := os.RemoveAll(dir); err == nil {
			err = rerr
		}
	}()
	c, err := m.open(ctx, dir, len(records), sync)
	if err != nil {
		return nil, err
	}
	ns, err := load(c, records)
	if err == nil {
		err = spotCheck(c, records)
	}
	if cerr := c.close(); err == nil {
		err = cerr
	}
	return []float64{ns}, err
}

// spotCheck reads some records back.
func spotCheck(c contender, records []record) error {
	r, err := c.reader()
	if err != nil {
		return err
	}
	for i := 0; i < len(records); i += max(1, len(records)/1000) {
		if sum, ok := r.get(&records[i].key); !ok || sum != ends(records[i].value) {
			return fmt.Errorf("wrong answer: record %d reads as %d, %v; want %d", i, sum, ok, ends(records[i].value))
		}
	}
	return r.close()
}
