package task

import (
	"context"
	"errors"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

type ours struct{ pool *sched.Pool }

func newOurs() (contender, error) {
	p, err := sched.New(sched.Options{})
	return ours{p}, err
}

var background = sched.Spec{Lane: lane.Default, Name: "task"}

func (c ours) submit(task func()) {
	mustSubmit(c.pool.Go(context.Background(), background, func(*sched.Task) error { task(); return nil }))
}

func (c ours) submitN(n int, task func()) {
	fn := func(*sched.Task) error { task(); return nil }
	ctx := context.Background()
	for range n {
		mustSubmit(c.pool.Go(ctx, background, fn))
	}
}

func (c ours) inside(n int, task func()) {
	fn := func(*sched.Task) error { task(); return nil }
	var next func(left int) func(*sched.Task) error
	next = func(left int) func(*sched.Task) error {
		return func(t *sched.Task) error {
			k := min(left, burst)
			for range k {
				mustSubmit(t.Go(sched.Spec{}, fn))
			}
			if left -= k; left > 0 {
				mustSubmit(t.Go(sched.Spec{}, next(left)))
			}
			return nil
		}
	}
	mustSubmit(c.pool.Go(context.Background(), background, next(n)))
}

// waits: each task waits for its event and then fires the one that the other waits for.
func (c ours) waits(n int) (int, error) {
	turns := make([]sched.Event, n+1)
	var seen [2]int
	var handles [2]*sched.Handle
	for i := range handles {
		h, err := c.pool.Submit(context.Background(), background, func(t *sched.Task) error {
			for at := i; at < n; at += 2 {
				if err := t.Await(&turns[at]); err != nil {
					return err
				}
				seen[i]++
				turns[at+1].Fire()
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		handles[i] = h
	}
	turns[0].Fire()
	err := errors.Join(handles[0].Wait(context.Background()), handles[1].Wait(context.Background()))
	return seen[0] + seen[1], err
}

func (c ours) close() error { return c.pool.Close(context.Background()) }

// mustSubmit: an open pool refuses nothing, and a lost task would show in the tally anyway.
func mustSubmit(err error) {
	if err != nil {
		panic(err)
	}
}
