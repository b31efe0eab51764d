package task

import (
	"context"

	"github.com/cytisus/cytisus/runtime/sched"
)

// Handles is ours with a handle for every task, which can be waited for and cancelled.
type handles struct{ ours }

func newHandles() (contender, error) {
	p, err := sched.New(sched.Options{})
	return handles{ours{p}}, err
}

func (c handles) submit(task func()) {
	_, err := c.pool.Submit(context.Background(), background, func(*sched.Task) error { task(); return nil })
	mustSubmit(err)
}

func (c handles) submitN(n int, task func()) {
	fn := func(*sched.Task) error { task(); return nil }
	ctx := context.Background()
	for range n {
		_, err := c.pool.Submit(ctx, background, fn)
		mustSubmit(err)
	}
}

func (c handles) inside(n int, task func()) {
	fn := func(*sched.Task) error { task(); return nil }
	var next func(left int) func(*sched.Task) error
	next = func(left int) func(*sched.Task) error {
		return func(t *sched.Task) error {
			k := min(left, burst)
			for range k {
				_, err := t.Spawn(sched.Spec{}, fn)
				mustSubmit(err)
			}
			if left -= k; left > 0 {
				_, err := t.Spawn(sched.Spec{}, next(left))
				mustSubmit(err)
			}
			return nil
		}
	}
	_, err := c.pool.Submit(context.Background(), background, next(n))
	mustSubmit(err)
}
