package sched

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime/lane"
)

// Tasks that spawn the next one on their lane, and so on, do not shut out what comes from outside,
// on their lane or another.
func TestOwnQueueLeavesRoom(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var stop Event
	var chain func(*Task) error
	chain = func(t *Task) error {
		if stop.Fired() {
			return nil
		}
		return t.Go(Spec{}, chain)
	}
	for range 3 {
		if err := p.Go(bg, Spec{Lane: lane.Default}, chain); err != nil {
			t.Fatal(err)
		}
	}
	for l := range lane.All.Lanes() {
		if err := wait(t, submit(t, p, Spec{Lane: l}, func(*Task) error { return nil })); err != nil {
			t.Errorf("%v: %v", l, err)
		}
	}
	stop.Fire()
}

// Whatever a task comes as, it knows what it is.
func TestJobs(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	for _, name := range []string{"", "a", strings.Repeat("long ", 1000)} {
		for l := range lane.All.Lanes() {
			var ran Event
			if err := p.Go(bg, Spec{Lane: l, Name: name}, func(task *Task) error {
				if task.Name() != name || task.Lane() != l || task.Client() != 0 || task.ID() == 0 || task.Parent() != 0 || task.Err() != nil {
					t.Errorf("%v: %q on %v", l, task.Name(), task.Lane())
				}
				ran.Fire()
				return nil
			}); err != nil {
				t.Error(err)
			}
			await(t, &ran)
		}
	}
}
