package sched

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// others says whether others want a task.
type others struct{ n atomic.Int32 }

func (o *others) Wanted() bool { return o.n.Load() > 0 }

// wanting is one other that wants it.
func wanting() *others {
	o := &others{}
	o.n.Store(1)
	return o
}

// waysToCancel are what cancels a task that works for client 7, has a parent, and was submitted
// with a context.
var waysToCancel = map[string]func(p *Pool, parent, h *Handle, end context.CancelCauseFunc, why error){
	"itself":   func(_ *Pool, _, h *Handle, _ context.CancelCauseFunc, why error) { h.Cancel(why) },
	"ancestor": func(_ *Pool, parent, _ *Handle, _ context.CancelCauseFunc, why error) { parent.Cancel(why) },
	"client":   func(p *Pool, _, _ *Handle, _ context.CancelCauseFunc, why error) { p.CancelClient(7, why) },
	"context":  func(_ *Pool, _, _ *Handle, end context.CancelCauseFunc, why error) { end(why) },
}

// family submits a task with a parent, which waits for its end, and returns both, and what ends
// their context.
func family(t *testing.T, p *Pool, fn func(*Task) error) (parent, h *Handle, end context.CancelCauseFunc) {
	t.Helper()
	ctx, end := context.WithCancelCause(bg)
	t.Cleanup(func() { end(nil) })
	var over Event
	child := make(chan *Handle, 1)
	parent, err := p.Submit(ctx, Spec{Lane: lane.Default, Client: 7}, func(task *Task) error {
		h := spawn(t, task, Spec{}, fn)
		h.Ended().OnFire(func() { over.Fire() })
		child <- h
		return task.Await(&over)
	})
	if err != nil {
		t.Fatal(err)
	}
	return parent, <-child, end
}

// Whatever cancels the task waits until the shielded function has returned.
func TestShieldPutsOff(t *testing.T) {
	why := errors.New("why")
	for name, cancel := range waysToCancel {
		for _, viewed := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				p := newPool(t, Options{Workers: 1})
				var inside, goOn, never Event
				parent, h, end := family(t, p, func(task *Task) error {
					var outer context.Context
					if viewed {
						outer = task.Context()
					}
					if err := task.Shield(&Shield{}, wanting(), func() error {
						inside.Fire()
						if err := task.Await(&goOn); err != nil {
							t.Errorf("the wait was not shielded: %v", err)
						}
						if task.Err() != nil || task.Context().Err() != nil {
							t.Errorf("err = %v, context %v", task.Err(), task.Context().Err())
						}
						if task.Cancelled() != why {
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
					if task.Err() != why || viewed && context.Cause(outer) != why || context.Cause(task.Context()) != why {
						t.Errorf("err = %v, context %v", task.Err(), context.Cause(task.Context()))
					}
					return task.Await(&never)
				})
				await(t, &inside)
				cancel(p, parent, h, end, why)
				goOn.Fire()
				if err := wait(t, h); err != why {
					t.Errorf("err = %v", err)
				}
				wait(t, parent)
			})
		}
	}
}

func TestShieldPutsOffDeadline(t *testing.T) {
	p := simulated(t, 1, Options{})
	h := submit(t, p, Spec{Deadline: p.Now().Add(time.Minute)}, func(task *Task) error {
		if err := task.Shield(&Shield{}, wanting(), func() error { return task.Sleep(time.Hour) }); err != nil {
			t.Errorf("the wait was not shielded: %v", err)
		}
		return task.Sleep(time.Hour)
	})
	if err := h.Wait(bg); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

// A shield gives in when both have come: the task is cancelled, in one of all ways, and the last
// other that wanted it has left. The task learns of it where it stands: in a wait, at its context,
// in a goroutine that has its context from before, and in children.
func TestShieldGivesIn(t *testing.T) {
	why := errors.New("why")
	for name, cancel := range waysToCancel {
		for _, leavesFirst := range []bool{true, false} {
			for stands, stand := range map[string]func(*Task, *Event) error{
				"waits": (*Task).Await,
				"looks at its context": func(task *Task, inside *Event) error {
					ctx := task.Context()
					<-ctx.Done()
					return context.Cause(ctx)
				},
				"has children": func(task *Task, never *Event) error {
					h, err := task.Spawn(Spec{}, func(child *Task) error { return child.Await(never) })
					if err != nil {
						return err // it has given in before there was a child
					}
					<-h.Ended().Done()
					return h.Err()
				},
				"asks": func(task *Task, _ *Event) error {
					for task.Err() == nil {
						time.Sleep(time.Millisecond)
					}
					return task.Err()
				},
			} {
				t.Run(name+"/"+stands, func(t *testing.T) {
					p := newPool(t, Options{Workers: 2})
					var s Shield
					by := wanting()
					var inside, never Event
					parent, h, end := family(t, p, func(task *Task) error {
						return task.Shield(&s, by, func() error {
							inside.Fire()
							err := stand(task, &never)
							if task.Err() != why || context.Cause(task.Context()) != why {
								t.Errorf("err = %v, context %v", task.Err(), context.Cause(task.Context()))
							}
							return err
						})
					})
					await(t, &inside)
					leave := func() { by.n.Add(-1); s.Look() }
					if leavesFirst {
						leave()
					}
					cancel(p, parent, h, end, why)
					if !leavesFirst {
						leave()
					}
					if err := wait(t, h); err != why {
						t.Errorf("err = %v", err)
					}
					wait(t, parent)
				})
			}
		}
	}
}

// Of nested shields the innermost decides, and the closing of the pool goes through all.
func TestShieldObeys(t *testing.T) {
	p := newPool(t, Options{Workers: 1, CloseGrace: patience})
	var inside, outside, never Event
	h := submit(t, p, Spec{}, func(task *Task) error {
		return task.Shield(&Shield{}, wanting(), func() error {
			around := task.Context()
			var late *Handle
			err := task.Shield(&Shield{}, &others{}, func() error {
				view := task.Context()
				late = spawn(t, task, Spec{}, func(child *Task) error { return child.Await(&never) })
				inside.Fire()
				err := task.Await(&never)
				if view.Err() == nil || task.Err() != err {
					t.Errorf("context %v, err = %v", view.Err(), task.Err())
				}
				return err
			})
			if err != io.EOF || task.Err() != nil || task.Context() != around || around.Err() != nil {
				t.Errorf("err = %v; then %v, %v", err, task.Err(), task.Context().Err())
			}
			if err := task.Join(late); err != io.EOF {
				t.Errorf("a child of the computation: %v", err)
			}
			outside.Fire()
			err = task.Await(&never)
			if !errors.Is(context.Cause(around), ErrClosed) {
				t.Errorf("the context's cause is %v", context.Cause(around))
			}
			return err
		})
	})
	await(t, &inside)
	h.Cancel(io.EOF)
	await(t, &outside)
	var ce *CloseError
	if err := p.Close(ended()); !errors.As(err, &ce) || len(ce.Stuck) > 0 {
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
		by := wanting()
		var s Shield
		var begun, done, never Event
		var result error
		first := submit(t, p, Spec{}, func(task *Task) error {
			result = task.Shield(&s, by, func() error { begun.Fire(); return task.Await(&never) })
			done.Fire()
			return task.Err()
		})
		second := submit(t, p, Spec{}, func(task *Task) error {
			err := task.Await(&done)
			by.n.Add(-1)
			s.Look()
			return err
		})
		submit(t, p, Spec{}, func(task *Task) error {
			err := task.Await(&begun)
			first.Cancel(io.EOF)
			return err
		})
		p.Simulate(nil)
		if done.Fired() || by.n.Load() != 1 {
			t.Fatalf("seed %d: the computation ended although the second wants it", seed)
		}
		second.Cancel(nil)
		p.Simulate(nil)
		if result != io.EOF {
			t.Fatalf("seed %d: err = %v", seed, result)
		}
		first.Wait(bg)
	}
}

// A shield that is opened again has nothing of the time before: neither its contexts nor its
// outcome.
func TestShieldIsUsedAgain(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := submit(t, p, Spec{}, func(task *Task) error {
		var s Shield
		by := &others{}
		var before context.Context
		task.Handle().Cancel(io.EOF)
		for i := range 3 {
			by.n.Store(int32(i % 2))
			_ = task.Shield(&s, by, func() error {
				ctx := task.Context()
				if !Shielded(ctx) || ctx == before || before != nil && before.Err() == nil {
					t.Errorf("call %d: the context is %v, the one before %v", i, ctx, before)
				}
				wanted := by.Wanted()
				if (ctx.Err() == nil) != wanted || (task.Err() == nil) != wanted {
					t.Errorf("call %d: context %v, err = %v", i, ctx.Err(), task.Err())
				}
				before = ctx
				return nil
			})
			s.Look()
		}
		if Shielded(task.Context()) {
			t.Error("the context of the task is a shield's")
		}
		return nil
	})
	wait(t, h)
}

// A task may be used again for others after a shield, unless a context of the shield has it.
func TestShieldAndTasksUsedAgain(t *testing.T) {
	for _, asks := range []bool{false, true} {
		p := newPool(t, Options{Workers: 1})
		var (
			ctx  context.Context
			s    Shield
			done Event
		)
		h := submit(t, p, Spec{}, func(task *Task) error {
			return task.Go(Spec{}, func(child *Task) error {
				err := child.Shield(&s, &others{}, func() error {
					if asks {
						ctx = child.Context()
					}
					return nil
				})
				done.Fire()
				if child.unseen() == asks {
					t.Errorf("with asks %v it may be used again: %v", asks, child.unseen())
				}
				return err
			})
		})
		wait(t, h)
		await(t, &done)
		s.Look()
		if asks && ctx.Err() == nil {
			t.Error("the context did not end")
		}
	}
}

// What a shield costs a task that asks for no context.
func TestShieldAllocatesNothing(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	h, err := p.Submit(ctx, Spec{Lane: lane.Default, Client: 7}, func(task *Task) error {
		s, by := new(Shield), &others{}
		n := testing.AllocsPerRun(100, func() {
			_ = task.Shield(s, by, func() error { return task.Err() })
		})
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, h)
}
