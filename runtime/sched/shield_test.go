package sched

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// Whatever cancels the task waits until the shielded function has returned.
func TestShieldPutsOff(t *testing.T) {
	why := errors.New("why")
	for name, c := range map[string]struct {
		cancel func(p *Pool, parent, h *Handle, end context.CancelCauseFunc)
		want   error
	}{
		"itself":   {cancel: func(_ *Pool, _, h *Handle, _ context.CancelCauseFunc) { h.Cancel(why) }, want: why},
		"ancestor": {cancel: func(_ *Pool, parent, _ *Handle, _ context.CancelCauseFunc) { parent.Cancel(why) }, want: why},
		"client":   {cancel: func(p *Pool, _, _ *Handle, _ context.CancelCauseFunc) { p.CancelClient(7, why) }, want: why},
		"context":  {cancel: func(_ *Pool, _, _ *Handle, end context.CancelCauseFunc) { end(why) }, want: why},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, Options{Workers: 1})
			ctx, end := context.WithCancelCause(bg)
			defer end(nil)
			var inside, goOn, never, over Event
			child := make(chan *Handle, 1)
			parent, err := p.Submit(ctx, Spec{Lane: lane.Default, Client: 7}, func(task *Task) error {
				h := spawn(t, task, Spec{}, func(task *Task) error {
					outer := task.Context()
					shared, release := context.WithCancel(bg)
					defer release()
					if err := task.Shield(shared, func() error {
						inside.Fire()
						if err := task.Await(&goOn); err != nil {
							t.Errorf("the wait was not shielded: %v", err)
						}
						if task.Err() != nil || task.Context().Err() != nil {
							t.Errorf("err = %v, context %v", task.Err(), task.Context().Err())
						}
						if task.Cancelled() != c.want {
							t.Errorf("beyond the shield: %v", task.Cancelled())
						}
						h, err := task.Spawn(Spec{}, func(child *Task) error {
							if child.Client() != 7 || child.Parent() != task.ID() {
								t.Error("the child did not inherit")
							}
							return child.Err()
						})
						if err != nil {
							return err
						}
						return task.Join(h)
					}); err != nil {
						t.Errorf("shielded: %v", err)
					}
					if task.Err() != c.want || outer.Err() == nil || context.Cause(outer) != c.want {
						t.Errorf("err = %v, context %v", task.Err(), context.Cause(outer))
					}
					return task.Await(&never)
				})
				h.Ended().OnFire(func() { over.Fire() })
				child <- h
				return task.Await(&over)
			})
			if err != nil {
				t.Fatal(err)
			}
			h := <-child
			await(t, &inside)
			c.cancel(p, parent, h, end)
			goOn.Fire()
			if err := wait(t, h); err != c.want {
				t.Errorf("err = %v", err)
			}
			wait(t, parent)
		})
	}
}

func TestShieldPutsOffDeadline(t *testing.T) {
	p := simulated(t, 1, Options{})
	h := submit(t, p, Spec{Deadline: p.Now().Add(time.Minute)}, func(task *Task) error {
		if err := task.Shield(bg, func() error { return task.Sleep(time.Hour) }); err != nil {
			t.Errorf("the wait was not shielded: %v", err)
		}
		return task.Sleep(time.Hour)
	})
	if err := h.Wait(bg); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

// The shield's context decides, for waits, for the task's context and for children, and so does closing the pool.
func TestShieldObeys(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var inside, never Event
	ctx, end := context.WithCancelCause(bg)
	h := submit(t, p, Spec{}, func(task *Task) error {
		return task.Shield(bg, func() error {
			var late *Handle
			err := task.Shield(ctx, func() error {
				view := task.Context()
				late = spawn(t, task, Spec{}, func(child *Task) error { return child.Await(&never) })
				inside.Fire()
				err := task.Await(&never)
				if view.Err() == nil || task.Err() != err {
					t.Errorf("context %v, err = %v", view.Err(), task.Err())
				}
				return err
			})
			if err != io.EOF || task.Err() != nil || task.Context().Err() != nil {
				t.Errorf("err = %v; then %v, %v", err, task.Err(), task.Context().Err())
			}
			if err := task.Join(late); err != io.EOF {
				t.Errorf("a child of the computation: %v", err)
			}
			return task.Await(&never)
		})
	})
	await(t, &inside)
	end(io.EOF)
	closed, cancel := context.WithTimeout(bg, 10*time.Millisecond)
	defer cancel()
	var ce *CloseError
	if err := p.Close(closed); !errors.As(err, &ce) || len(ce.Stuck) > 0 {
		t.Errorf("Close: %v", err)
	}
	if err := wait(t, h); !errors.Is(err, ErrClosed) {
		t.Errorf("err = %v", err)
	}
}

// In every order: a computation that two tasks share goes on until neither wants it.
func TestShieldShared(t *testing.T) {
	for seed := range uint64(50) {
		p := simulated(t, seed, Options{})
		ctx, end := context.WithCancelCause(bg)
		wanted := 2
		unwant := func() {
			if wanted--; wanted == 0 {
				end(io.EOF)
			}
		}
		var done, never Event
		var result error
		first := submit(t, p, Spec{}, func(task *Task) error {
			task.Handle().Ended().OnFire(func() {}) // somebody looks
			result = task.Shield(ctx, func() error { return task.Await(&never) })
			done.Fire()
			return task.Err()
		})
		second := submit(t, p, Spec{}, func(task *Task) error {
			err := task.Await(&done)
			unwant()
			return err
		})
		submit(t, p, Spec{}, func(*Task) error {
			first.Cancel(nil)
			unwant()
			return nil
		})
		p.Simulate(nil)
		if done.Fired() || wanted != 1 {
			t.Fatalf("seed %d: the computation ended although somebody wants it", seed)
		}
		second.Cancel(nil)
		p.Simulate(nil)
		if result != io.EOF {
			t.Fatalf("seed %d: err = %v", seed, result)
		}
		first.Wait(bg)
	}
}
