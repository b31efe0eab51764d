package runtime

import (
	"errors"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/memo"
	"github.com/cytisus/cytisus/runtime/sched"
)

// HydrateFirst has what answers that are stored can do for a task done before anything on its lane
// is computed. The task's function is called on the hydration lane of its lane, where persisted
// answers are verified and brought back but no query runs. If one has to, the function is called
// again from its beginning, on the lane itself and in the same snapshot; what was verified by then
// is at hand. So of many tasks those that need no computing end first. The function must do nothing
// before its last answer that must not be done twice. It is for Go, Submit, Evaluate and Ask, and
// does nothing on lanes that have no hydration lane; other calls refuse it with ErrOption.
func HydrateFirst() TaskOption { return func(o *taskOptions) { o.hydrates = true } }

// hydrateFirst moves the task to the hydration lane of its lane, and returns its function.
func (o *taskOptions) hydrateFirst(fn func(*Task) error) func(*Task) error {
	to := o.spec.Lane
	if o.spec.Lane = to.Hydration(); o.spec.Lane == to {
		return fn
	}
	name, gated := o.spec.Name, o.gated
	o.gated = false // its attempts are
	return func(t *Task) error {
		err := t.attempt(name, to.Hydration(), true, false, fn)
		if errors.Is(err, memo.ErrMustRun) {
			err = t.attempt(name, to, false, gated, fn)
		}
		return err
	}
}

// attempt calls fn as a task of its own, in the same snapshot, and waits for it.
func (t *Task) attempt(name string, l lane.Lane, noRuns, gated bool, fn func(*Task) error) error {
	o := taskOptions{spec: sched.Spec{Name: name, Lane: l}, snap: t.root.snap, from: t.root.from, noRuns: noRuns, gated: gated}
	h, err := t.task().Spawn(o.spec, t.eng.body(&o, func(t *Task) error {
		err := fn(t)
		if why := t.task().Err(); errors.Is(why, memo.ErrMustRun) {
			return why // whatever the function made of it
		}
		return err
	}))
	if h, err = o.submitted(h, err); err != nil {
		return err
	}
	err = t.Join(h)
	// A task that is cancelled ends no sooner than fn: what fn writes is whose the task is.
	for !h.Ended().Fired() {
		if t.eng.o.simulated != nil {
			t.Yield() // nothing but tasks can move the world
			continue
		}
		_ = t.Blocking(func() error { <-h.Ended().Done(); return nil }) // which always is nil
	}
	return err
}
