package sched

import (
	"errors"
	"os"
	"os/exec"
	goruntime "runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/runtime/lane"
)

// These tests go through what coroutines on locked threads do not allow, and what the pool makes of
// it.

// Where the lock count of a thread cannot be read, a task that changes it across a wait is stopped
// by the Go runtime; nothing can recover from it, so a process of its own shows it.
func TestLockOSThreadAcrossWait(t *testing.T) {
	if knowsThreads {
		t.Skip("TestThreadLeftLocked is for this processor")
	}
	const env = "SCHED_TEST_LOCK"
	if os.Getenv(env) != "" {
		p := newPool(t, Options{Workers: 1})
		wait(t, submit(t, p, Spec{}, func(task *Task) error {
			goruntime.LockOSThread()
			defer goruntime.UnlockOSThread()
			return forever(task)
		}))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockOSThreadAcrossWait$")
	cmd.Env = append(os.Environ(), env+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "fatal error: coro: OS thread") {
		t.Errorf("err = %v, output:\n%s", err, out)
	}
}

// Locking and unlocking between two waits is fine, and Blocking is the place for more.
func TestLockOSThreadBetweenWaits(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := submit(t, p, Spec{}, func(task *Task) error {
		goruntime.LockOSThread()
		goruntime.UnlockOSThread()
		return task.Blocking(func() error {
			goruntime.LockOSThread() // and never unlocked: the goroutine's thread ends with it
			return nil
		})
	})
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
}

func TestBlocking(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := submit(t, p, Spec{}, func(task *Task) error {
		var other Event
		spawn(t, task, Spec{}, func(*Task) error { other.Fire(); return nil })
		// The only worker is free meanwhile, or this would not end.
		err := task.Blocking(func() error { <-other.Done(); return errWhy })
		if err != errWhy {
			t.Errorf("err = %v", err)
		}
		if err := task.Blocking(func() error { goruntime.Goexit(); return nil }); err != ErrGoexit {
			t.Errorf("Goexit: %v", err)
		}
		return task.Blocking(func() error { panicDeep("inside"); return nil })
	})
	var pe *PanicError
	if err := wait(t, h); !errors.As(err, &pe) || pe.Value != "inside" || !strings.Contains(string(pe.Stack), "panicDeep") {
		t.Errorf("err = %v", err)
	}
	// A cancelled task still waits for the call, which may use the task's variables; the call
	// learns of it.
	var ran atomic.Bool
	h = submit(t, p, Spec{}, func(task *Task) error {
		ctx := task.Context()
		err := task.Blocking(func() error {
			<-ctx.Done()
			ran.Store(true)
			return nil
		})
		if !ran.Load() {
			t.Error("Blocking returned before the call")
		}
		return err
	})
	for len(p.Stats().Waiting) == 0 {
		time.Sleep(time.Microsecond)
	}
	h.Cancel(nil)
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
}

// Goexit ends the task, not the worker, and not the other tasks whose coroutines are parked there.
func TestGoexit(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	exits := func(task *Task) error {
		task.Yield()
		if task.ID()%2 == 0 {
			_ = task.Sleep(time.Microsecond)
		}
		goruntime.Goexit()
		return nil
	}
	run := func(n int) {
		for range n {
			if err := wait(t, submit(t, p, Spec{}, exits)); err != ErrGoexit {
				t.Fatal(err)
			}
		}
	}
	run(10) // nothing waits: the worker is renewed
	var e Event
	var hs []*Handle
	for range 3 {
		hs = append(hs, started(t, p, bg, Spec{}, func(task *Task) error { return task.Await(&e) }))
	}
	run(10) // the parked tasks keep their thread
	e.Fire()
	for _, h := range hs {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
	run(10)
	st := p.Stats()
	if st.Workers[0].Goexits != 30 || st.Total().Panicked != 30 {
		t.Errorf("%+v", st.Workers[0])
	}
	// The last act of a pool may be a Goexit as well.
	submit(t, p, Spec{}, exits)
	if err := p.Close(bg); err != nil {
		t.Error(err)
	}
}

// A panic that a task recovers itself, around a wait, is its own business.
func TestRecoverAroundWait(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := submit(t, p, Spec{}, func(task *Task) (err error) {
		defer func() {
			_ = recover()
			err = task.Sleep(time.Microsecond) // waiting in a deferred function works
		}()
		_ = task.Sleep(time.Microsecond)
		panic("mine")
	})
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
}

// The stack of a waiting task is complete, and so is that of a running one.
func TestStacksAreComplete(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var e Event
	h := started(t, p, bg, Spec{}, func(task *Task) error { return waitsHere(task, &e) })
	for len(p.Stats().Waiting) == 0 {
		time.Sleep(time.Microsecond)
	}
	var b strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
	if !strings.Contains(b.String(), "waitsHere") {
		t.Error("the waiting frame is not in the goroutine profile")
	}
	e.Fire()
	wait(t, h)
}

//go:noinline
func waitsHere(task *Task, e *Event) error { return task.Await(e) }

// Beyond the limit of waiting tasks starts wait and resumes run; and what everybody waits for
// starts in the end.
func TestWaitingLimit(t *testing.T) {
	p := newPool(t, Options{Workers: 1, WaitingLimit: 4})
	var e Event
	var began atomic.Int64
	var hs []*Handle
	for range 8 {
		hs = append(hs, submit(t, p, Spec{}, func(task *Task) error {
			began.Add(1)
			return task.Await(&e)
		}))
	}
	fires := submit(t, p, Spec{Lane: lane.Speculative}, func(*Task) error {
		if n := began.Load(); n != 8 {
			t.Errorf("%d began before", n)
		}
		e.Fire()
		return nil
	})
	for _, h := range append(hs, fires) {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
	// Resumes go on at the limit.
	var turns [2]Event
	ping := submit(t, p, Spec{}, func(task *Task) error {
		for range 3 {
			spawn(t, task, Spec{}, func(c *Task) error { return c.Await(&turns[1]) })
		}
		turns[0].Fire()
		for range 100 {
			if err := task.Sleep(0); err != nil {
				return err
			}
		}
		turns[1].Fire()
		return nil
	})
	if err := wait(t, ping); err != nil {
		t.Error(err)
	}
}

// A worker keeps a bounded number of idle coroutines.
func TestFreeLoopsAreBounded(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	before := goruntime.NumGoroutine()
	var e Event
	var hs []*Handle
	for range 4 * freeLoopsMax {
		hs = append(hs, submit(t, p, Spec{}, func(task *Task) error { return task.Await(&e) }))
	}
	submit(t, p, Spec{Lane: lane.Speculative}, func(*Task) error { e.Fire(); return nil })
	for _, h := range hs {
		wait(t, h)
	}
	last := submit(t, p, Spec{}, func(task *Task) error { task.Yield(); return nil })
	wait(t, last)
	if n := goruntime.NumGoroutine() - before; n > freeLoopsMax+8 {
		t.Errorf("%d more goroutines than before", n)
	}
}

// A wait from a goroutine that is not the task's is caught by check builds. Other builds catch it
// only if the task happens to wait already; else the Go runtime ends the process, which is why this
// test does not try it there.
func TestForeignWait(t *testing.T) {
	if !checking {
		t.Skip("needs the check build tag")
	}
	p := newPool(t, Options{Workers: 1})
	var message atomic.Value
	h := submit(t, p, Spec{}, func(task *Task) error {
		return task.Blocking(func() error {
			defer func() { message.Store(recover()) }()
			task.mustBeOwner()
			return nil
		})
	})
	wait(t, h)
	if s, _ := message.Load().(string); !strings.Contains(s, "S2") {
		t.Errorf("panic %q", s)
	}
}

// A task that leaves its thread locked fails by name, however it ends, and the worker goes on:
// those that wait on it, and those that come.
func TestThreadLeftLocked(t *testing.T) {
	if lockCountAt() == 0 {
		if knowsThreads {
			t.Fatal("the lock count of a thread is not found")
		}
		t.Skip("the lock count of a thread is not known here")
	}
	lock := func(n int) {
		for range n {
			goruntime.LockOSThread()
		}
	}
	failed := errors.New("its own")
	for _, o := range []Options{{Workers: 1}, {Workers: 2}, {Workers: 1, Affinity: affinity.On}} {
		o.Logger = quiet()
		p, err := New(o)
		if errors.Is(err, affinity.ErrUnsupported) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer closeAtEnd(t, p)
		var goOn Event
		var parked []*Handle
		for range 2 * o.Workers {
			parked = append(parked, submit(t, p, Spec{}, func(task *Task) error { return task.Await(&goOn) }))
		}
		for name, c := range map[string]struct {
			fn   func(task *Task) error
			also error
		}{
			"returns":            {func(*Task) error { lock(1); return nil }, nil},
			"three times":        {func(*Task) error { lock(3); return nil }, nil},
			"with an error":      {func(*Task) error { lock(1); return failed }, failed},
			"panics":             {func(*Task) error { lock(2); panic(failed) }, failed},
			"goexit":             {func(*Task) error { lock(2); goruntime.Goexit(); return nil }, ErrGoexit},
			"waits":              {func(task *Task) error { lock(1); return task.Await(&goOn) }, nil},
			"waits and unlocks":  {func(task *Task) error { lock(1); defer goruntime.UnlockOSThread(); return task.Await(&goOn) }, nil},
			"blocks":             {func(task *Task) error { lock(1); return task.Blocking(func() error { return nil }) }, nil},
			"yields":             {func(task *Task) error { lock(1); task.Yield(); return nil }, nil},
			"after it waited":    {func(task *Task) error { err := task.Blocking(func() error { return nil }); lock(1); return err }, nil},
			"unlocks the worker": {func(*Task) error { goruntime.UnlockOSThread(); return nil }, nil},
		} {
			if name == "unlocks the worker" && !p.bound {
				continue // it is not locked
			}
			h := submit(t, p, Spec{Name: "locker"}, c.fn)
			err := wait(t, h)
			if !errors.Is(err, ErrThreadLocked) || !strings.Contains(err.Error(), `"locker"`) || c.also != nil && !errors.Is(err, c.also) {
				t.Errorf("%s: %v", name, err)
			}
			// With nobody to tell, and the next task on the same coroutine.
			if err := p.Go(bg, Spec{Lane: lane.Default}, func(*Task) error { lock(1); return nil }); err != nil {
				t.Fatal(err)
			}
			if err := wait(t, submit(t, p, Spec{}, func(task *Task) error { return task.Blocking(func() error { return nil }) })); err != nil {
				t.Errorf("the task after it: %v", err)
			}
		}
		goOn.Fire()
		for _, h := range parked {
			if err := wait(t, h); err != nil {
				t.Error(err)
			}
		}
	}
}
