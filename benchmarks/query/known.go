package query

import (
	"context"
	"fmt"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// known are the cases in which one answer that is known is asked for again and again: from inside
// a task, and from a goroutine that is none.
func known(env *compare.Env) []compare.Case {
	asks := env.Size(200_000, 100)
	s := shape{files: 100}
	columns := []compare.Column{{Suffix: "-time", Unit: "ns"}, {Suffix: "-allocations", Unit: "1/ask"}}

	// timed runs what asks for the answer so many times.
	timed := func(ask func(ctx context.Context, times int) (int, error), end func() error) compare.Session {
		round := func(ctx context.Context) ([]float64, error) {
			if _, err := ask(ctx, 1); err != nil { // known from here on
				return nil, err
			}
			mallocs, began := compare.Mallocs(), time.Now()
			length, err := ask(ctx, asks)
			took := time.Since(began)
			if err == nil {
				err = compare.Same("length", length, base)
			}
			mallocs = compare.Mallocs() - mallocs
			return []float64{compare.PerItem(took, asks), float64(mallocs) / float64(asks)}, err
		}
		return compare.Session{Round: round, Close: end}
	}

	inside := func(o *ours) func(context.Context, int) (int, error) {
		return func(ctx context.Context, times int) (length int, err error) {
			err = o.e.Submit(ctx, lane.Default, func(t *runtime.Task) (err error) {
				for range times {
					if length, err = leaf.Get(t, 0); err != nil {
						return err
					}
				}
				return nil
			})
			return length, err
		}
	}
	outside := func(o *ours) func(context.Context, int) (int, error) {
		return func(ctx context.Context, times int) (length int, err error) {
			for range times {
				if length, err = leaf.Ask(ctx, o.e, 0); err != nil {
					return 0, err
				}
			}
			return length, nil
		}
	}
	start := func(ask func(*ours) func(context.Context, int) (int, error)) func(context.Context) (compare.Session, error) {
		return func(ctx context.Context) (compare.Session, error) {
			c, err := newOurs(ctx, "", s)
			if err != nil {
				return compare.Session{}, fmt.Errorf("known: %w", err)
			}
			o := c.(*ours)
			return timed(ask(o), o.close), nil
		}
	}
	mapped := func(ctx context.Context) (compare.Session, error) {
		c, err := newMemoMap(ctx, "", s)
		if err != nil {
			return compare.Session{}, fmt.Errorf("known: %w", err)
		}
		m := c.(*memoMap)
		return timed(func(_ context.Context, times int) (length int, err error) {
			for range times {
				length = m.sum(node{text, 0})
			}
			return length, nil
		}, m.close), nil
	}
	both := func(name string, ask func(*ours) func(context.Context, int) (int, error)) compare.Case {
		return compare.Case{Name: name, Columns: columns, Entrants: []compare.Entrant{
			{Name: "cytisus", Ours: true, Start: start(ask)},
			{Name: "map-singleflight", Start: mapped},
		}}
	}
	return []compare.Case{both("known-inside", inside), both("known-outside", outside)}
}
