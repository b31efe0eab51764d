package sched

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/runtime/lane"
)

var seed = flag.Uint64("seed", 0, "seed of the randomised tests; 0 picks one")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRand(t testing.TB) *rand.Rand {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("replay with -seed=%d", s)
	return rand.New(rand.NewPCG(s, 1))
}

// patience bounds waits that never take long; it is no measure of speed.
const patience = 30 * time.Second

var bg = context.Background()

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// newPool makes a pool that is drained at the end of the test. It has stand-ins only if they are
// asked for: many a test holds the only worker, or counts on its tasks running one after the other.
func newPool(t testing.TB, o Options) *Pool {
	t.Helper()
	if o.StandIns == 0 {
		o.StandIns = -1
	}
	if o.Logger == nil {
		o.Logger = quiet()
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAtEnd(t, p) })
	return p
}

func closeAtEnd(t testing.TB, p *Pool) {
	ctx, cancel := context.WithTimeout(bg, patience)
	defer cancel()
	var ce *CloseError
	if err := p.Close(ctx); err != nil && (!errors.As(err, &ce) || len(ce.Stuck) > 0 || ctx.Err() != nil) {
		t.Errorf("Close: %v", err)
	}
}

func submit(t testing.TB, p *Pool, s Spec, fn func(*Task) error) *Handle {
	t.Helper()
	if s.Lane == 0 {
		s.Lane = lane.Default
	}
	h, err := p.Submit(bg, s, fn)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// wait returns how the task ended, and fails the test if it does not.
func wait(t testing.TB, h *Handle) error {
	t.Helper()
	select {
	case <-h.Done():
		return h.Err()
	case <-time.After(patience):
		t.Fatalf("task %d %q does not end", h.ID(), h.Name())
		return nil
	}
}

// await fails the test if the event does not fire.
func await(t testing.TB, e *Event) {
	t.Helper()
	select {
	case <-e.Done():
	case <-time.After(patience):
		t.Fatal("event does not fire")
	}
}

func spawn(t *testing.T, parent *Task, s Spec, fn func(*Task) error) *Handle {
	h, err := parent.Spawn(s, fn)
	if err != nil {
		t.Errorf("Spawn: %v", err)
	}
	return h
}

func TestSubmitRuns(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	boom := errors.New("boom")
	h := submit(t, p, Spec{Name: "fails", Client: 7, Lane: lane.RPC2}, func(task *Task) error {
		if task.Name() != "fails" || task.Client() != 7 || task.Lane() != lane.RPC2 || task.Parent() != 0 || task.Pool() != p {
			t.Error("the task does not know what it is")
		}
		if task.Err() != nil || task.Worker() < 0 || task.Worker() >= 2 || task.Handle().ID() != task.ID() {
			t.Error("the task does not know where it is")
		}
		return boom
	})
	if err := wait(t, h); err != boom {
		t.Errorf("err = %v", err)
	}
	if err := h.Wait(bg); err != boom {
		t.Errorf("Wait = %v", err)
	}
	if err := wait(t, submit(t, p, Spec{}, func(*Task) error { return nil })); err != nil {
		t.Error(err)
	}
	st := p.Stats()
	if l := st.Lanes[lane.RPC2.Index()]; l.Submitted != 1 || l.Started != 1 || l.Failed != 1 || l.Ended() != 1 {
		t.Errorf("%+v", l)
	}
	if sum := st.Total(); sum.Completed != 1 || sum.Ended() != 2 || sum.Queued != 0 {
		t.Errorf("%+v", sum)
	}
}

func TestBadArguments(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	nop := func(*Task) error { return nil }
	for bit := range 32 {
		l := lane.Lane(1) << bit
		_, err := p.Submit(bg, Spec{Lane: l}, nop)
		if bit < lane.Count && err != nil || bit >= lane.Count && !errors.Is(err, ErrLane) {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
	for _, l := range []lane.Lane{0, 3, lane.Lane(1<<31 | 1)} {
		if _, err := p.Submit(bg, Spec{Lane: l}, nop); !errors.Is(err, ErrLane) {
			t.Errorf("%v: %v", l, err)
		}
	}
	if _, err := p.Submit(bg, Spec{Lane: lane.Default}, nil); !errors.Is(err, ErrNilFunc) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(bg)
	why := errors.New("why")
	cancel(why)
	if _, err := p.Submit(ctx, Spec{Lane: lane.Default}, nop); !errors.Is(err, why) {
		t.Error(err)
	}
	wait(t, submit(t, p, Spec{}, func(task *Task) error {
		if _, err := task.Spawn(Spec{Lane: 3}, nop); !errors.Is(err, ErrLane) {
			t.Error(err)
		}
		if _, err := task.Spawn(Spec{}, nil); !errors.Is(err, ErrNilFunc) {
			t.Error(err)
		}
		return nil
	}))
	for _, o := range []Options{{Workers: -1}, {Workers: workersMax + 1}, {QueueLimit: -1}, {WaitingLimit: -1}, {AgeEvery: -1}, {CloseGrace: -1}} {
		if _, err := New(o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// With one worker a task that waits for another must not keep it from running.
func TestAwaitOneWorker(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := submit(t, p, Spec{Name: "parent"}, func(task *Task) error {
		var e Event
		local := 41
		child := spawn(t, task, Spec{Name: "child"}, func(c *Task) error {
			if c.Parent() != task.ID() || c.Lane() != task.Lane() || c.Client() != task.Client() {
				t.Error("the child did not inherit")
			}
			local++
			e.Fire()
			return io.EOF
		})
		if err := task.Await(&e); err != nil {
			return err
		}
		if local != 42 {
			t.Error("no happens-before between Fire and Await")
		}
		if err := task.Join(child); err != io.EOF {
			t.Errorf("Join = %v", err)
		}
		if err := task.Join(task.Handle()); err != ErrSelfJoin {
			t.Errorf("self Join = %v", err)
		}
		return nil
	})
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
}

// A chain of tasks that each wait for the next, deeper than there are workers, resumed from the far
// end.
func TestDeepChain(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	var down func(n int) func(*Task) error
	down = func(n int) func(*Task) error {
		return func(task *Task) error {
			if n == 0 {
				return nil
			}
			return task.Join(spawn(t, task, Spec{}, down(n-1)))
		}
	}
	if err := wait(t, submit(t, p, Spec{}, down(200))); err != nil {
		t.Error(err)
	}
}

func TestManyWaitersOneEvent(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	var e Event
	var hs []*Handle
	for range 500 {
		hs = append(hs, submit(t, p, Spec{}, func(task *Task) error { return task.Await(&e) }))
	}
	called := 0
	e.OnFire(func() { called++ })
	submit(t, p, Spec{}, func(*Task) error {
		if !e.Fire() || e.Fire() {
			t.Error("Fire must tell who was first")
		}
		return nil
	})
	for _, h := range hs {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
	e.OnFire(func() { called++ })
	if called != 2 || !e.Fired() {
		t.Errorf("called %d times", called)
	}
	await(t, &e)
}

func TestPanicFailsItsTaskOnly(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var deferred atomic.Int32
	for _, v := range []any{"bad", io.EOF, []int{1}, nil} {
		h := submit(t, p, Spec{}, func(task *Task) error {
			defer deferred.Add(1)
			task.Yield()
			panicDeep(v)
			return nil
		})
		var pe *PanicError
		if err := wait(t, h); !errors.As(err, &pe) || !strings.Contains(string(pe.Stack), "panicDeep") {
			t.Fatalf("err = %v", err)
		}
		if v == io.EOF && !errors.Is(h.Err(), io.EOF) {
			t.Error("a panic with an error must match it")
		}
	}
	if err := wait(t, submit(t, p, Spec{}, func(*Task) error { return nil })); err != nil {
		t.Error(err)
	}
	if n := p.Stats().Total().Panicked; n != 4 || deferred.Load() != 4 {
		t.Errorf("%d panicked, %d deferred", n, deferred.Load())
	}
}

//go:noinline
func panicDeep(v any) { panic(v) }
