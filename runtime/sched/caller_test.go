package sched

import (
	"context"
	"errors"
	goruntime "runtime"
	"sync"
	"testing"
)

// self tells goroutines that live apart, and stays the same when their stacks move.
func TestSelf(t *testing.T) {
	const goroutines = 50
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[uintptr]bool{}
	all.Add(goroutines)
	for range goroutines {
		wg.Go(func() {
			me := self()
			mu.Lock()
			if seen[me] {
				t.Errorf("two goroutines are %#x", me)
			}
			seen[me] = true
			mu.Unlock()
			all.Done()
			all.Wait() // all of them live
			if deep(2000) != me || self() != me {
				t.Error("another self after the stack has moved")
			}
		})
	}
	wg.Wait()
}

//go:noinline
func deep(n int) uintptr {
	var room [64]byte
	room[n%64] = 1
	if n == 0 {
		goruntime.GC()
		return self()
	}
	return deep(n-1) + uintptr(room[(n+1)%64])
}

// A task knows itself on its own goroutine, across waits and after others ended by a panic or
// Goexit; what it calls in Blocking knows for whom it works; nobody else is taken for a task.
func TestCurrent(t *testing.T) {
	for _, workers := range []int{1, 3} {
		p := newPool(t, Options{Workers: workers})
		if Current() != nil || Caller() != nil {
			t.Error("the test is no task")
		}
		var handles []*Handle
		for i := range 200 {
			handles = append(handles, submit(t, p, Spec{}, func(task *Task) error {
				mine := func() {
					if Current() != task || Caller() != task {
						t.Errorf("task %d is taken for %v", task.id, Current())
					}
				}
				mine()
				task.Yield()
				mine()
				err := task.Blocking(func() error {
					if Current() != nil || Caller() != task {
						t.Errorf("a blocking call of task %d works for %v, and is %v", task.id, Caller(), Current())
					}
					return nil
				})
				mine()
				other := make(chan *Task)
				go func() { other <- Caller() }()
				if <-other != nil {
					t.Error("a goroutine is taken for a task")
				}
				switch i % 4 {
				case 1:
					panic("as planned")
				case 2:
					goruntime.Goexit()
				case 3:
					return task.Join(spawn(t, task, Spec{}, func(child *Task) error {
						if Current() != child {
							t.Error("a child is taken for another")
						}
						return nil
					}))
				}
				return err
			}))
		}
		for _, h := range handles {
			_ = wait(t, h)
			h.Ended().OnFire(func() {
				if Current() != nil {
					t.Error("the end of a task is taken for the task")
				}
			})
		}
	}
}

// No loop or call stays in the table when its goroutine has ended.
func TestCallersAreForgotten(t *testing.T) {
	before := callers.Size()
	p, err := New(Options{Workers: 2, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		h := submit(t, p, Spec{}, func(task *Task) error {
			if i%3 == 0 {
				goruntime.Goexit()
			}
			return task.Blocking(func() error { return nil })
		})
		_ = wait(t, h)
	}
	if err := p.Close(bg); err != nil {
		t.Fatal(err)
	}
	// A coroutine, and a call that has told of its end, leave a moment later.
	for callers.Size() > before {
		goruntime.Gosched()
	}
}

// A task that waits for another through its handle, as those outside do, does not hold its worker.
func TestHandleWaitInATask(t *testing.T) {
	p := newPool(t, Options{Workers: 1, QueueLimit: 4})
	failed := errors.New("failed")
	h := submit(t, p, Spec{}, func(task *Task) error {
		var handles []*Handle
		for range 20 { // more than there is room for
			h, err := p.Submit(bg, Spec{Lane: task.Lane()}, func(*Task) error { return failed })
			if err != nil {
				return err
			}
			handles = append(handles, h)
		}
		for _, h := range handles {
			if err := h.Wait(bg); err != failed {
				t.Errorf("waited for %v", err)
			}
		}
		ctx, cancel := context.WithCancelCause(bg)
		h, err := p.Submit(bg, Spec{Lane: task.Lane()}, func(task *Task) error { cancel(failed); return forever(task) })
		if err != nil {
			return err
		}
		if err := h.Wait(ctx); !errors.Is(err, failed) || task.Err() != nil {
			t.Errorf("a wait that was given up: %v, %v", err, task.Err())
		}
		h.Cancel(nil)
		if err := task.Handle().Wait(bg); !errors.Is(err, ErrSelfJoin) {
			t.Errorf("a wait for itself: %v", err)
		}
		task.SetLocal(noJoin{})
		if err := h.Wait(bg); !errors.Is(err, errNoJoin) {
			t.Errorf("a wait that the guard does not allow: %v", err)
		}
		return nil
	})
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
}

var errNoJoin = errors.New("no")

type noJoin struct{}

func (noJoin) MayJoin() error { return errNoJoin }

// Close from within is an error, and the pool stays open.
func TestCloseInATask(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	for name, fn := range map[string]func(*Task) error{
		"itself":      func(*Task) error { return p.Close(bg) },
		"its context": func(task *Task) error { return p.Close(task.Context()) },
		"a shield's context": func(task *Task) error {
			return task.Shield(&Shield{}, &others{}, func() error {
				ch := make(chan error)
				go func() { ch <- p.Close(task.Context()) }()
				return <-ch
			})
		},
		"blocking": func(task *Task) error { return task.Blocking(func() error { return p.Close(bg) }) },
	} {
		if err := wait(t, submit(t, p, Spec{}, fn)); !errors.Is(err, ErrInTask) {
			t.Errorf("%s: %v, want ErrInTask", name, err)
		}
	}
}
