package sched

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A stage is a pool of one worker that is held busy while a test queues tasks, and that records the
// order they start in.
type stage struct {
	t       *testing.T
	p       *Pool
	clock   atomic.Int64 // ns, for ageing
	release chan struct{}
	order   []string // written by the worker's tasks only, read after all have ended
	tasks   []*Handle
}

func newStage(t *testing.T, o Options) *stage {
	s := &stage{t: t}
	o.Workers = 1
	o.now = func() time.Duration { return time.Duration(s.clock.Load()) }
	s.p = newPool(t, o)
	s.hold()
	return s
}

// hold makes the worker busy until play.
func (s *stage) hold() {
	s.release = make(chan struct{})
	var running Event
	submit(s.t, s.p, Spec{Lane: lane.SyncHydration, Name: "hold"}, func(*Task) error {
		running.Fire()
		<-s.release
		return nil
	})
	await(s.t, &running)
}

// queue adds a task that records its name.
func (s *stage) queue(l lane.Lane, name string) {
	s.tasks = append(s.tasks, submit(s.t, s.p, Spec{Lane: l, Name: name}, func(*Task) error {
		s.order = append(s.order, name)
		return nil
	}))
}

// play lets the worker go and returns the order of everything queued.
func (s *stage) play() []string {
	close(s.release)
	for _, h := range s.tasks {
		wait(s.t, h)
	}
	return s.order
}

func TestMostUrgentFirst(t *testing.T) {
	s := newStage(t, Options{})
	var want []string
	for l := range lane.All.Lanes() {
		want = append(want, l.String()+" 1", l.String()+" 2")
	}
	for i := lane.Count - 1; i >= 0; i-- {
		for n := range 2 {
			l := lane.FromIndex(i)
			s.queue(l, fmt.Sprintf("%v %d", l, n+1))
		}
	}
	// The 61st pick is a share; with the holding task and its own pick fewer than that are made.
	if got := s.play()[:shareEvery-3]; !slices.Equal(got, want[:shareEvery-3]) {
		t.Errorf("got %v", got)
	}
}

// Every lane has its share, so collection on the idle lane proceeds on a busy server, whatever else
// is queued.
func TestLowLanesHaveAShare(t *testing.T) {
	s := newStage(t, Options{QueueLimit: 1 << 14})
	const flood = 40 * shareEvery
	for i := range flood {
		s.queue(lane.Default, "default")
		if i < flood/shareEvery {
			s.queue(lane.Idle, "idle")
			s.queue(lane.Transition3, "transition")
			s.queue(lane.Speculative, "speculative")
		}
	}
	order := s.play()
	last := slices.Index(order[len(order)-flood/2:], "default") // the flood is not over in the first half
	counts := map[string]int{}
	for _, name := range order[:len(order)-flood/2+last] {
		counts[name]++
	}
	// A round of shares serves speculative, idle, transition and default; so each lane gets one
	// pick in about 61*4.
	for _, name := range []string{"idle", "transition", "speculative"} {
		if least := flood / 2 / (shareEvery * 5); counts[name] < least {
			t.Errorf("%s ran %d times among %d default tasks, want at least %d", name, counts[name], counts["default"], least)
		}
	}
	if counts["default"] < 40*counts["idle"] {
		t.Errorf("shares are meant to be small: %v", counts)
	}
}

func TestShareOrder(t *testing.T) {
	s := newStage(t, Options{})
	s.p.workers[0].picks = shareEvery - 1 // the next pick is a share; the worker is held, and play orders this before it
	s.queue(lane.Sync, "sync")
	s.queue(lane.Idle, "idle")
	s.queue(lane.Speculative, "speculative")
	if got := s.play(); !slices.Equal(got, []string{"speculative", "sync", "idle"}) {
		t.Error(got)
	}
}

// A request that waits climbs by time alone: no arrivals, no picks, no moving.
func TestRPCAgeing(t *testing.T) {
	s := newStage(t, Options{AgeEvery: time.Millisecond})
	s.queue(lane.RPC3, "old 3")
	s.clock.Add(int64(time.Millisecond))
	s.queue(lane.RPC2, "new 2") // as urgent as "old 3" by now, hence behind it
	s.clock.Add(int64(5 * time.Millisecond))
	s.queue(lane.RPC0, "new 0")
	s.queue(lane.RPC3, "new 3")
	s.queue(lane.Input, "input") // ageing stays inside the RPC lanes
	s.queue(lane.Default, "default")
	want := []string{"input", "old 3", "new 2", "new 0", "new 3", "default"}
	if got := s.play(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRPCDoesNotAgeEarly(t *testing.T) {
	s := newStage(t, Options{AgeEvery: time.Millisecond})
	s.clock.Add(int64(time.Hour)) // an idle time before the first request is not its age
	s.queue(lane.RPC3, "3")
	s.queue(lane.RPC0, "0")
	s.queue(lane.RPC1, "1")
	if got := s.play(); !slices.Equal(got, []string{"0", "1", "3"}) {
		t.Error(got)
	}
}

// While the top RPC lane never runs empty, each age step lets the lowest one have a pick.
func TestRPCOverdue(t *testing.T) {
	s := newStage(t, Options{AgeEvery: time.Millisecond})
	for range 10 {
		s.queue(lane.RPC0, "top")
	}
	for range 2 {
		s.queue(lane.RPC3, "low")
	}
	for range 2 {
		s.tasks = append(s.tasks, submit(t, s.p, Spec{Lane: lane.Input}, func(*Task) error {
			s.clock.Add(int64(time.Millisecond))
			return nil
		}))
	}
	got := s.play()
	if i := slices.Index(got, "low"); i < 0 || i > 2 {
		t.Errorf("the low request waits for the top lane to run empty: %v", got)
	}
}

// However often the rings are renamed, every request runs once, and none under the wrong group.
func TestRotationKeepsEverything(t *testing.T) {
	s := newStage(t, Options{AgeEvery: time.Millisecond})
	rnd := newRand(t)
	const n = 500
	for i := range n {
		s.queue(lane.RPC(rnd.IntN(4)), fmt.Sprint(i))
		s.clock.Add(int64(rnd.IntN(int(time.Millisecond))))
		if rnd.IntN(20) == 0 {
			s.play()
			s.hold()
		}
	}
	got := slices.Clone(s.play())
	slices.Sort(got)
	if len(got) != n || len(slices.Compact(got)) != n {
		t.Errorf("%d ran, %d different", len(got), len(slices.Compact(got)))
	}
}

// A yielding task lets its lane and more urgent ones go first, and nobody else.
func TestYield(t *testing.T) {
	s := newStage(t, Options{})
	s.tasks = append(s.tasks, submit(t, s.p, Spec{}, func(task *Task) error {
		s.order = append(s.order, "begin")
		task.Yield()
		s.order = append(s.order, "end")
		return nil
	}))
	s.queue(lane.Default, "same")
	s.queue(lane.Idle, "lower")
	s.queue(lane.Input, "higher")
	if got := s.play(); !slices.Equal(got, []string{"higher", "begin", "same", "end", "lower"}) {
		t.Error(got)
	}
}

// Preemption by yielding: with one worker and many yielding tasks, an urgent one that comes later
// runs next.
func TestYieldLetsUrgentWorkIn(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var steps, at atomic.Int64
	var hs []*Handle
	for i := range 100 {
		hs = append(hs, submit(t, p, Spec{}, func(task *Task) error {
			for n := range 5 {
				steps.Add(1)
				if i == 0 && n == 2 {
					spawn(t, task, Spec{Lane: lane.Sync}, func(*Task) error {
						at.Store(steps.Load())
						return nil
					})
					at.Store(-steps.Load())
				}
				task.Yield()
			}
			return nil
		}))
	}
	for _, h := range hs {
		wait(t, h)
	}
	if at.Load() <= 0 || steps.Load() != 500 {
		t.Fatalf("at %d of %d", at.Load(), steps.Load())
	}
}

// A task that only yields cannot keep lower lanes from running, even on the only worker.
func TestYieldLoopLeavesAShare(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var seen atomic.Bool
	h := submit(t, p, Spec{Lane: lane.Sync}, func(task *Task) error {
		spawn(t, task, Spec{Lane: lane.Speculative}, func(*Task) error { seen.Store(true); return nil })
		for !seen.Load() {
			task.Yield()
		}
		return nil
	})
	wait(t, h)
}

// A resumed task of a low lane does not go before a queued one of a high lane, and on a tie both
// sides advance.
func TestResumesKeepTheirLane(t *testing.T) {
	s := newStage(t, Options{})
	var e, low Event
	s.tasks = append(s.tasks, submit(t, s.p, Spec{Lane: lane.Idle}, func(task *Task) error {
		low.Fire()
		if err := task.Await(&e); err != nil {
			return err
		}
		s.order = append(s.order, "resumed")
		return nil
	}))
	close(s.release)
	await(t, &low)
	s.hold()
	e.Fire()
	s.queue(lane.Retry0, "retry")
	s.queue(lane.Speculative, "speculative")
	if got := s.play(); !slices.Equal(got, []string{"retry", "resumed", "speculative"}) {
		t.Error(got)
	}
}

// One submit wakes at most one sleeper, and none while a worker searches.
func TestOneWakePerSubmit(t *testing.T) {
	const workers = 4
	p := newPool(t, Options{Workers: workers, Spin: -1})
	asleep := func() {
		for p.idle.Sleepers() != workers {
			time.Sleep(10 * time.Microsecond)
		}
	}
	const n = 200
	for range n {
		asleep()
		before := p.Stats().Wakes
		wait(t, submit(t, p, Spec{}, func(*Task) error { return nil }))
		asleep()
		if woke := p.Stats().Wakes - before; woke > 1 {
			t.Fatalf("%d workers woken by one submit", woke)
		}
	}
}

// A worker wakes for its own resume only.
func TestDirectedWake(t *testing.T) {
	p := newPool(t, Options{Workers: 3, Spin: -1})
	var e Event
	var worker atomic.Int32
	var waits Event
	h := submit(t, p, Spec{}, func(task *Task) error {
		worker.Store(int32(task.Worker()))
		waits.Fire()
		err := task.Await(&e)
		if int(worker.Load()) != task.Worker() {
			t.Error("S2: resumed elsewhere")
		}
		return err
	})
	await(t, &waits)
	for p.idle.Sleepers() != 3 {
		time.Sleep(10 * time.Microsecond)
	}
	before := p.Stats()
	e.Fire()
	wait(t, h)
	after := p.Stats()
	if n := after.Wakes - before.Wakes; n != 1 {
		t.Errorf("%d wakes", n)
	}
	for i := range after.Workers {
		if d := after.Workers[i].Resumed - before.Workers[i].Resumed; (d == 1) != (i == int(worker.Load())) {
			t.Errorf("worker %d resumed %d tasks", i, d)
		}
	}
}

// Bound or not, workers run tasks, and the thread gets its processors back.
func TestAffinity(t *testing.T) {
	for _, mode := range []affinity.Mode{affinity.Auto, affinity.On, affinity.Off} {
		p, err := New(Options{Workers: 2, Affinity: mode, Logger: quiet()})
		if errors.Is(err, affinity.ErrUnsupported) && mode == affinity.On {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		bound := 0
		for _, w := range p.workers {
			if w.cpu != affinity.Unbound {
				bound++
			}
		}
		if mode == affinity.On && bound == 0 || mode == affinity.Off && bound != 0 {
			t.Errorf("%v: %d bound", mode, bound)
		}
		for range 10 {
			wait(t, submit(t, p, Spec{}, func(task *Task) error { goruntime.Goexit(); return nil }))
			wait(t, submit(t, p, Spec{}, func(task *Task) error { task.Yield(); return nil }))
		}
		if err := p.Close(bg); err != nil {
			t.Error(err)
		}
	}
	if p := newPool(t, Options{}); p.Workers() != max(1, affinity.Usable()-1) {
		t.Errorf("%d workers by default", p.Workers())
	}
}
