package sched

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/cytisus/cytisus/runtime/lane"
)

func TestGo(t *testing.T) {
	var log syncBuffer
	p := newPool(t, Options{Workers: 2, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	why := errors.New("why")
	ended, cancel := context.WithCancelCause(bg)
	cancel(why)
	nop := func(*Task) error { return nil }
	for _, err := range []error{
		p.Go(bg, Spec{}, nop), p.Go(bg, Spec{Lane: lane.Default}, nil), p.Go(ended, Spec{Lane: lane.Default}, nop),
	} {
		if !errors.Is(err, ErrLane) && !errors.Is(err, ErrNilFunc) && !errors.Is(err, why) {
			t.Errorf("err = %v", err)
		}
	}
	var open sync.WaitGroup
	open.Add(5)
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	must(p.Go(bg, Spec{Lane: lane.RPC2, Name: "outside", Client: 7}, func(task *Task) error {
		defer open.Done()
		if task.ID() == 0 || task.Name() != "outside" || task.Client() != 7 || task.Lane() != lane.RPC2 || task.Parent() != 0 {
			t.Error("the task does not know what it is")
		}
		parent := task
		must(task.Go(Spec{Name: "inside"}, func(task *Task) error {
			defer open.Done()
			if task.Parent() != parent.ID() || task.Client() != 7 || task.Lane() != lane.RPC2 || task.Name() != "inside" {
				t.Error("the child does not know what it is")
			}
			return io.EOF
		}))
		must(task.Go(Spec{Lane: lane.Idle, Key: "key"}, func(*Task) error { defer open.Done(); return nil }))
		if err := task.Go(Spec{Lane: 3}, nop); !errors.Is(err, ErrLane) {
			t.Error(err)
		}
		return nil
	}))
	must(p.Go(bg, Spec{Lane: lane.Default, Name: "bad"}, func(*Task) error { defer open.Done(); panic("on purpose") }))
	must(p.Go(bg, Spec{Lane: lane.Default, Key: "key"}, func(*Task) error { defer open.Done(); return nil }))
	open.Wait()
	must(p.Close(bg))
	if err := p.Go(bg, Spec{Lane: lane.Default}, nop); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if sum := p.Stats().Total(); sum.Submitted != 5 || sum.Started != 5 || sum.Completed != 3 || sum.Failed != 1 || sum.Panicked != 1 {
		t.Errorf("%+v", sum)
	}
	if s := log.String(); !strings.Contains(s, "on purpose") || !strings.Contains(s, "name=bad") {
		t.Errorf("nobody is told of the panic: %q", s)
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// A handle that a task asks for stays good, however many tasks come after it.
func TestGoHandle(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	handles := make(chan *Handle, 1)
	for range 3 * lotSize {
		if err := p.Go(bg, Spec{Lane: lane.Default, Name: "kept"}, func(task *Task) error {
			handles <- task.Handle()
			task.Yield()
			return io.EOF
		}); err != nil {
			t.Fatal(err)
		}
		h := <-handles
		id := h.ID()
		if err := wait(t, h); err != io.EOF || h.Name() != "kept" {
			t.Fatalf("%v, %q", err, h.Name())
		}
		for range 3 {
			if err := p.Go(bg, Spec{Lane: lane.Default}, func(*Task) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if h.ID() != id || h.Err() != io.EOF || h.Cancel(nil) {
			t.Fatal("the handle's task was used again")
		}
	}
}

// Tasks without a handle are used again, and only those that nobody can see.
func TestRecycle(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var e Event
	seen := map[*Task]int{}
	again := 0
	runOne := func(task *Task, e *Event, fn func(*Task) error) {
		done := new(Event)
		if err := task.Go(Spec{}, func(child *Task) error { defer done.Fire(); return fn(child) }); err != nil {
			t.Error(err)
		}
		task.Yield()
		e.Fire()
		if err := task.Await(done); err != nil {
			t.Error(err)
		}
	}
	h := submit(t, p, Spec{}, func(task *Task) error {
		for range 10 * lotSize {
			e := new(Event)
			runOne(task, e, func(child *Task) error {
				if child.Err() != nil || child.Local() != nil || child.kept || child.kin.has(spawned) || child.view.Load() != nil {
					t.Error("something of an earlier life is left")
				}
				child.SetLocal(child)
				again += seen[child]
				seen[child] = 1
				return child.Await(e)
			})
		}
		for range 10 * lotSize { // those that must not be used again
			runOne(task, &e, func(child *Task) error {
				if seen[child] == 2 {
					t.Error("a task was used again that somebody may see")
				}
				seen[child] = 2
				switch len(seen) % 3 {
				case 0:
					child.Handle()
				case 1:
					child.Context()
				default:
					return child.Go(Spec{}, func(*Task) error { return nil })
				}
				return nil
			})
		}
		return nil
	})
	if err := wait(t, h); err != nil || again == 0 {
		t.Errorf("err = %v, %d used again", err, again)
	}
}

// In the long run, tasks without a handle cost no memory.
func TestGoAllocations(t *testing.T) {
	if raceEnabled || checking {
		t.Skip("checks allocate, and the race detector makes sync.Pool forget")
	}
	p := newPool(t, Options{Workers: 1})
	const burst = 512
	inside := -1.0
	h := submit(t, p, Spec{}, func(task *Task) error {
		inside = testing.AllocsPerRun(20, func() {
			var all Event
			left := burst
			fn := func(*Task) error {
				if left--; left == 0 {
					all.Fire()
				}
				return nil
			}
			for range burst {
				if err := task.Go(Spec{}, fn); err != nil {
					t.Error(err)
				}
			}
			if err := task.Await(&all); err != nil {
				t.Error(err)
			}
		})
		return nil
	})
	if err := wait(t, h); err != nil || inside > 10 {
		t.Errorf("err = %v, a burst of %d from inside allocates %v times", err, burst, inside)
	}
	var ran atomic.Int64
	count := func(*Task) error { ran.Add(1); return nil }
	outside := testing.AllocsPerRun(50, func() {
		before := ran.Load()
		for range burst {
			if err := p.Go(bg, Spec{Lane: lane.Default}, count); err != nil {
				t.Error(err)
			}
		}
		for ran.Load() < before+burst {
			goruntime.Gosched()
		}
	})
	if outside > burst/4 { // a collection empties the stock of submitters
		t.Errorf("a burst of %d from outside allocates %v times", burst, outside)
	}
}

// What a submitter writes of a task is one cache line, and a task is three.
func TestTaskLayout(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("32 bits")
	}
	var task Task
	if n := unsafe.Sizeof(task); n != 192 {
		t.Errorf("a task takes %d bytes", n)
	}
	if at := unsafe.Offsetof(task.id); at != 64 {
		t.Errorf("the first line ends at %d", at)
	}
	if at := unsafe.Offsetof(task.extra); at != 128 {
		t.Errorf("the second line ends at %d", at)
	}
}
