package query

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// memos is a case in which each round computes everything once, in a store of its own: what one
// answer costs in time, allocations and heap and, if stored says so, on the disk. A tenth of the
// answers read ten others, and the rest read a text.
func memos(env *compare.Env, name string, s shape, stored bool) compare.Case {
	columns := []compare.Column{
		{Suffix: "-time", Unit: "ns/answer"},
		{Suffix: "-allocations", Unit: "1/answer"},
		{Suffix: "-heap", Unit: "B/answer"},
		{Suffix: "-disk", Unit: "B/answer"},
	}
	answers := 0
	for n := s.files; ; n = (n + 9) / 10 {
		if answers += n; n == 1 {
			break
		}
	}
	each := func(total float64) float64 { return total / float64(answers) }
	return compare.Case{Name: name, Columns: columns, Entrants: entrants(func(m maker) func(context.Context) (compare.Session, error) {
		return func(context.Context) (compare.Session, error) {
			round := func(ctx context.Context) (figures []float64, err error) {
				dir := ""
				if stored {
					if dir, err = env.TempDir(name); err != nil {
						return nil, err
					}
				}
				c, err := m.make(ctx, dir, s)
				if err != nil {
					return nil, err
				}
				defer func() {
					if cerr := c.close(); err == nil {
						err = cerr
					}
				}()
				disk, err := storedBytes(ctx, c)
				if err != nil {
					return nil, err
				}
				heap, mallocs := compare.LiveHeap(), compare.Mallocs()
				sum, took, err := c.ask(ctx)
				if err == nil {
					err = compare.Same("sum", sum, s.files*base)
				}
				if err != nil {
					return nil, err
				}
				mallocs = compare.Mallocs() - mallocs
				after, err := storedBytes(ctx, c)
				if err != nil {
					return nil, err
				}
				if disk = after - disk; !stored {
					disk = math.NaN()
				}
				return []float64{
					each(float64(took.Nanoseconds())), each(float64(mallocs)),
					each(float64(compare.LiveHeap() - heap)), each(disk),
				}, nil
			}
			return compare.Session{Round: round}, nil
		}
	}, peers[1])}
}

// storedBytes returns what a contender's store holds when all is written, NaN if it has none.
func storedBytes(ctx context.Context, c contender) (float64, error) {
	o, ok := c.(*ours)
	if !ok {
		return math.NaN(), nil
	}
	if err := o.e.Checkpoint(ctx); err != nil {
		return 0, err
	}
	return float64(o.e.Stats().Store.StoredBytes), nil
}

// warm is a case in which each round computes everything in a new store, and then opens the store
// again and asks once more: how long that question takes, and how long it is from opening to the
// answer.
func warm(env *compare.Env, files int) compare.Case {
	s := shape{files: files}
	columns := []compare.Column{{Suffix: "-cold", Unit: "us"}, {Suffix: "-warm", Unit: "us"}, {Suffix: "-opened", Unit: "us"}}
	name := fmt.Sprint("start-", files)
	return compare.Case{Name: name, Columns: columns, Entrants: entrants(func(m maker) func(context.Context) (compare.Session, error) {
		return func(context.Context) (compare.Session, error) {
			round := func(ctx context.Context) ([]float64, error) {
				dir, err := env.TempDir(name)
				if err != nil {
					return nil, err
				}
				var figures []float64
				for range 2 {
					began := time.Now()
					c, err := m.make(ctx, dir, s)
					opening := time.Since(began)
					if err != nil {
						return nil, err
					}
					sum, took, err := c.ask(ctx)
					if err == nil {
						err = compare.Same("sum", sum, files*base)
					}
					if cerr := c.close(); err == nil {
						err = cerr
					}
					if err != nil {
						return nil, err
					}
					figures = append(figures, compare.PerItem(took, 1)/1e3)
					if len(figures) == len(columns)-1 { // the first time it makes the texts
						figures = append(figures, compare.PerItem(opening+took, 1)/1e3)
					}
				}
				return figures, nil
			}
			return compare.Session{Round: round}, nil
		}
	}, peers[0])}
}

// A toil is a piece of work of some 100 us, of which no two are the same.
type toil struct{ Round, Piece int }

func (w toil) work() (sum int) {
	x := uint64(w.Round)<<32 | uint64(w.Piece) | 1
	for range 60_000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		sum += int(x & 1)
	}
	return sum
}

var toils = runtime.NewQuery("toil", 1, func(_ *runtime.Task, w toil) (int, error) { return w.work(), nil })

// workers is a case in which two workers share queries that only compute.
func workers(env *compare.Env) compare.Case {
	pieces := env.Size(400, 20)
	list := func(round int) []toil {
		all := make([]toil, pieces)
		for i := range all {
			all[i] = toil{round, i}
		}
		return all
	}
	with := func(workers int) func(context.Context) (compare.Session, error) {
		return func(context.Context) (compare.Session, error) {
			e, err := runtime.Open("", runtime.Options{Workers: workers, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				return compare.Session{}, err
			}
			n := 0
			round := func(ctx context.Context) ([]float64, error) {
				n++
				all := list(n)
				var took time.Duration
				err := e.Submit(ctx, lane.Default, func(t *runtime.Task) error {
					began := time.Now()
					sums, err := toils.All(t, all)
					took = time.Since(began)
					if err == nil {
						err = compare.Same("sum", sums[1], all[1].work())
					}
					return err
				})
				return []float64{compare.PerItem(took, pieces) / 1e3}, err
			}
			return compare.Session{Round: round, Close: func() error { return e.Close(context.Background()) }}, nil
		}
	}
	goroutines := func(workers int) func(context.Context) (compare.Session, error) {
		return func(context.Context) (compare.Session, error) {
			n := 0
			return compare.Session{Round: func(context.Context) ([]float64, error) {
				n++
				all, sums := list(n), make([]int, pieces)
				began := time.Now()
				var wg sync.WaitGroup
				for w := range workers {
					wg.Go(func() {
						for i := w; i < pieces; i += workers {
							sums[i] = all[i].work()
						}
					})
				}
				wg.Wait()
				took := time.Since(began)
				return []float64{compare.PerItem(took, pieces) / 1e3}, compare.Same("sum", sums[1], all[1].work())
			}}, nil
		}
	}
	return compare.Case{Name: "workers", Columns: []compare.Column{{Unit: "us/query"}}, Entrants: []compare.Entrant{
		{Name: "cytisus-2", Ours: true, Start: with(2)},
		{Name: "cytisus-1", Start: with(1)},
		{Name: "goroutines-2", Start: goroutines(2)},
		{Name: "goroutines-1", Start: goroutines(1)},
	}}
}
