package query

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

var (
	files = runtime.NewPartition[string]("files")

	leaf = runtime.NewQuery("leaf", 1, func(t *runtime.Task, i int) (int, error) {
		text, err := files.Get(t, key(i))
		return len(text), err
	})
	both = runtime.NewQuery("both", 1, func(t *runtime.Task, i int) (int, error) {
		own, err := leaf.Get(t, i)
		if err != nil {
			return 0, err
		}
		text, err := files.Get(t, "shared")
		return own + len(text), err
	})
	all = runtime.NewQuery("all", 1, func(t *runtime.Task, n int) (int, error) {
		keys := make([]int, n)
		for i := range keys {
			keys[i] = i
		}
		list, err := leaf.All(t, keys)
		sum := 0
		for _, n := range list {
			sum += n
		}
		return sum, err
	})
	sums = newSums("sum", leaf)
	twos = newSums("sum of both", both)
)

// A part is the answers from number From*Width on, Width of them.
type part struct {
	Width, From, Of int
}

// newSums makes a query that adds up a query's answers for numbers below Of, ten to one.
func newSums(name string, of *runtime.Query[int, int]) *runtime.Query[part, int] {
	var q *runtime.Query[part, int]
	q = runtime.NewQuery(name, 1, func(t *runtime.Task, p part) (int, error) {
		sum, below := 0, p.Width/10
		for i := range 10 {
			from := p.From*10 + i
			if from*below >= p.Of {
				break
			}
			var (
				n   int
				err error
			)
			if below == 1 {
				n, err = of.Get(t, from)
			} else {
				n, err = q.Get(t, part{below, from, p.Of})
			}
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	})
	return q
}

type ours struct {
	e    *runtime.Engine
	root func(*runtime.Task) (int, error)
	done bool
}

func newOurs(ctx context.Context, dir string, s shape) (contender, error) {
	e, err := runtime.Open(dir, runtime.Options{Workers: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	o := &ours{e: e}
	width := 10
	for width < s.files {
		width *= 10
	}
	switch whole := (part{Width: width, Of: s.files}); {
	case s.wide:
		o.root = func(t *runtime.Task) (int, error) { return all.Get(t, s.files) }
	case s.shared:
		o.root = func(t *runtime.Task) (int, error) { return twos.Get(t, whole) }
	default:
		o.root = func(t *runtime.Task) (int, error) { return sums.Get(t, whole) }
	}
	there := false
	err = e.Submit(ctx, lane.Default, func(t *runtime.Task) (err error) {
		_, err = files.Get(t, key(0))
		there = err == nil
		if errors.Is(err, runtime.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err == nil && !there {
		err = e.Commit(ctx, func(w *runtime.Writer) error {
			for i := range s.files {
				if err := files.Put(w, key(i), "text"); err != nil {
					return err
				}
			}
			return files.Put(w, "shared", "text")
		})
	}
	if err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return o, nil
}

func (o *ours) set(ctx context.Context, key, text string) error {
	return o.e.Commit(ctx, func(w *runtime.Writer) error { return files.Put(w, key, text) })
}

func (o *ours) ask(ctx context.Context) (sum int, took time.Duration, err error) {
	return o.timed(ctx, o.root)
}

func (o *ours) one(ctx context.Context) (length int, took time.Duration, err error) {
	return o.timed(ctx, func(t *runtime.Task) (int, error) { return leaf.Get(t, 0) })
}

func (o *ours) timed(ctx context.Context, question func(*runtime.Task) (int, error)) (n int, took time.Duration, err error) {
	err = o.e.Submit(ctx, lane.Default, func(t *runtime.Task) (err error) {
		began := time.Now()
		n, err = question(t)
		took = time.Since(began)
		return err
	})
	return n, took, err
}

func (o *ours) close() error {
	if o.done {
		return nil
	}
	o.done = true
	return o.e.Close(context.Background())
}
