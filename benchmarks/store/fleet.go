package store

import (
	"context"
	"math"
	goruntime "runtime"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A fleet is the contenders with all records loaded, for the cases that only read. Each is loaded
// when it is first asked for.
type fleet struct {
	env   *compare.Env
	data  *data
	ships map[string]*loaded
}

// A loaded contender holds all records.
type loaded struct {
	c       contender
	readers [2]reader
	cursor  int // where the next round of uniform gets begins

	diskPerRecord float64 // NaN for those that keep nothing
	heapPerRecord float64
	gcMillis      float64 // by which a forced collection of Go's takes longer
}

func newFleet(env *compare.Env, d *data) *fleet {
	return &fleet{env: env, data: d, ships: make(map[string]*loaded)}
}

func (f *fleet) entrants(m measure) (list []compare.Entrant) {
	for _, k := range makers {
		list = append(list, compare.Entrant{
			Name: k.name, Ours: k.ours, Skip: k.skip,
			Start: func(ctx context.Context) (compare.Session, error) {
				l, err := f.get(ctx, k)
				if err != nil {
					return compare.Session{}, err
				}
				return compare.Session{Round: func(context.Context) ([]float64, error) { return m(l) }}, nil
			},
		})
	}
	return list
}

// gcTime is how long a forced collection takes, at the least.
func gcTime() time.Duration {
	best := time.Duration(math.MaxInt64)
	for range 3 {
		began := time.Now()
		goruntime.GC()
		best = min(best, time.Since(began))
	}
	return best
}

func (f *fleet) get(ctx context.Context, k maker) (*loaded, error) {
	if l := f.ships[k.name]; l != nil {
		return l, nil
	}
	dir, err := f.env.TempDir(k.name)
	if err != nil {
		return nil, err
	}
	heap, gc := compare.LiveHeap(), gcTime()
	c, err := k.open(ctx, dir, len(f.data.records), false)
	if err != nil {
		return nil, err
	}
	f.env.Cleanup(c.close)
	l := &loaded{c: c, diskPerRecord: math.NaN()}
	if _, err := load(c, f.data.records); err != nil {
		return nil, err
	}
	if s, ok := c.(settler); ok {
		if err := s.settle(); err != nil {
			return nil, err
		}
	}
	n := float64(len(f.data.records))
	l.gcMillis = max(0, float64((gcTime()-gc).Nanoseconds())/1e6)
	l.heapPerRecord = max(0, float64(compare.LiveHeap()-heap)) / n
	if k.durable {
		used, err := compare.DiskUsage(dir)
		if err != nil {
			return nil, err
		}
		l.diskPerRecord = float64(used) / n
	}
	for i := range l.readers {
		if l.readers[i], err = c.reader(); err != nil {
			return nil, err
		}
		f.env.Cleanup(l.readers[i].close)
	}
	f.ships[k.name] = l
	return l, nil
}
