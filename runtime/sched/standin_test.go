package sched

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// standsIn makes a pool with the stand-ins that pools have if nothing is said.
func standsIn(t testing.TB, o Options) *Pool {
	o.StandIns = 2 + o.Workers/4
	return newPool(t, o)
}

// eventually fails the test if the condition does not come to hold.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s", what)
		}
	}
}

// holders are what a task may hold its thread with, until it is released.
var holders = map[string]func(release *Event){
	"computes": func(release *Event) {
		for n := 0; !release.Fired(); n++ { // no call of the scheduler
		}
	},
	"blocks on a channel": func(release *Event) { <-release.Done() },
	"blocks in the kernel": func(release *Event) {
		r, stop := blockingReader(release)
		defer stop()
		_, _ = r.Read(make([]byte, 1))
	},
}

// While tasks hold all threads of a pool, everything else goes on: what is queued, what the holders
// have spawned, and what waited, at the same worker, before they came.
func TestLongTaskStarvesNobody(t *testing.T) {
	for name, hold := range holders {
		for _, workers := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/workers=%d", name, workers), func(t *testing.T) {
				p := standsIn(t, Options{Workers: workers})
				var wake, release Event
				defer release.Fire()
				var parked, held, kids []*Handle
				for range 4 * workers {
					parked = append(parked, started(t, p, bg, Spec{Name: "parked"}, func(task *Task) error { return task.Await(&wake) }))
				}
				for range workers {
					kid := make(chan *Handle, 1)
					held = append(held, started(t, p, bg, Spec{Name: "holds"}, func(task *Task) error {
						kid <- spawn(t, task, Spec{Name: "kid"}, func(task *Task) error { return task.Sleep(0) })
						hold(&release)
						return nil
					}))
					kids = append(kids, <-kid)
				}
				wake.Fire()
				for _, h := range slices.Concat(parked, kids) {
					if err := wait(t, h); err != nil {
						t.Errorf("%s: %v", h.Name(), err)
					}
				}
				for l := range lane.All.Lanes() {
					if err := wait(t, submit(t, p, Spec{Lane: l}, func(task *Task) error { task.Yield(); return nil })); err != nil {
						t.Error(err)
					}
				}
				if st := p.Stats().StandIns; st.Now < 1 || st.Now > workers || st.Most > st.Max {
					t.Errorf("%+v", st)
				}
				release.Fire()
				for _, h := range held {
					if err := wait(t, h); err != nil {
						t.Error(err)
					}
				}
				eventually(t, "as many threads as workers", func() bool { return p.Stats().StandIns.Now == 0 })
			})
		}
	}
}

// A task that was put aside does everything that others do, and is at its worker again after a
// wait.
func TestHeldTaskComesBack(t *testing.T) {
	p := standsIn(t, Options{Workers: 1, Epochs: epoch.NewDomain()})
	aside := func(task *Task) {
		for task.Worker() < p.Workers() {
			goruntime.Gosched()
		}
	}
	var e Event
	for name, c := range map[string]struct {
		end  func(task *Task) error
		want error
	}{
		"returns": {func(*Task) error { return nil }, nil},
		"fails":   {func(*Task) error { return io.EOF }, io.EOF},
		"panics":  {func(*Task) error { panic(io.EOF) }, io.EOF},
		"exits":   {func(*Task) error { goruntime.Goexit(); return nil }, ErrGoexit},
		"waits":   {func(task *Task) error { return task.Sleep(time.Microsecond) }, nil},
		"does not wait for long": {func(task *Task) error { // what it waits for happens while it is on its way
			e.Fire()
			return task.Await(&e)
		}, nil},
		"is seen to wait": {func(task *Task) error {
			var seen Event
			go func() {
				for len(p.Stats().Waiting) == 0 {
					time.Sleep(time.Microsecond)
				}
				seen.Fire()
			}()
			return task.Await(&seen)
		}, nil},
		"yields":    {func(task *Task) error { task.Yield(); return nil }, nil},
		"blocks":    {func(task *Task) error { return task.Blocking(func() error { return io.EOF }) }, io.EOF},
		"times out": {func(task *Task) error { return task.AwaitUntil(new(Event), p.Now().Add(time.Microsecond), Reason{}) }, ErrTimeout},
		"is cancelled": {func(task *Task) error {
			task.Handle().Cancel(io.EOF)
			return task.Await(new(Event))
		}, io.EOF},
		"defers a wait": {func(task *Task) (err error) {
			defer func() { err = errors.Join(recover().(error), task.Sleep(time.Microsecond)) }()
			panic(io.EOF)
		}, io.EOF},
		"spawns": {func(task *Task) error {
			for range 100 {
				if err := task.Go(Spec{}, func(*Task) error { return nil }); err != nil {
					return err
				}
			}
			task.Refresh()
			return task.Join(spawn(t, task, Spec{Lane: lane.Idle}, func(*Task) error { return io.EOF }))
		}, io.EOF},
	} {
		back := -1
		h := submit(t, p, Spec{Name: name}, func(task *Task) error {
			aside(task)
			if Current() != task {
				t.Error("it does not know itself")
			}
			defer func() { back = task.Worker() }()
			err := c.end(task)
			if name == "waits" || name == "yields" {
				aside(task) // once more
			}
			return err
		})
		if err := wait(t, h); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		eventually(t, "nobody aside", func() bool { return p.Stats().StandIns.Now == 0 })
		if name == "is seen to wait" && back != 0 {
			t.Errorf("at %d after its wait", back)
		}
	}
}

// The stand-ins are as many as was said, and as many again where something more urgent waits.
func TestStandInsAreBounded(t *testing.T) {
	p := newPool(t, Options{Workers: 1, StandIns: 1})
	var release Event
	defer release.Fire()
	hold := func(l lane.Lane) *Handle {
		return started(t, p, bg, Spec{Lane: l, Name: "holds"}, func(*Task) error { <-release.Done(); return nil })
	}
	now := func() int { return p.Stats().StandIns.Now }
	held := []*Handle{hold(lane.Default)}
	eventually(t, "one", func() bool { return now() == 1 })
	held = append(held, hold(lane.Default)) // by the stand-in
	// Of the same urgency, so it waits for a thread. Looks are made, and to no effect: the same
	// ones do stand in as soon as something more urgent waits.
	queued := submit(t, p, Spec{Lane: lane.Default}, func(*Task) error { return nil })
	w := p.workers[0]
	l := w.on.load()
	for range 100 {
		if p.lookout.standIn(w, l, l.user.load(), 0) {
			t.Fatal("a second one for the same lane")
		}
	}
	if queued.Ended().Fired() {
		t.Error("the queued task has run")
	}
	urgent := submit(t, p, Spec{Lane: lane.RPC0}, func(*Task) error { return nil })
	held = append(held, urgent, queued) // once there is a thread, it serves all
	for _, h := range held[2:] {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
	held = append(held, hold(lane.Default))
	submit(t, p, Spec{Lane: lane.Sync}, func(*Task) error { return nil })
	if st := p.Stats().StandIns; st.Now != 2 || st.Most != 2 || st.Max != 2 {
		t.Errorf("%+v", st)
	}
	release.Fire()
	for _, h := range held {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
}

// A task that holds a worker after all sidings were taken has a stand-in as soon as one is free.
func TestStandInComesWhenOneIsFree(t *testing.T) {
	p := newPool(t, Options{Workers: 1, StandIns: 1})
	var first, second Event
	defer second.Fire()
	defer first.Fire()
	hold := func(e *Event) *Handle {
		return started(t, p, bg, Spec{}, func(*Task) error { <-e.Done(); return nil })
	}
	a := hold(&first)
	b := hold(&second)
	queued := submit(t, p, Spec{}, func(*Task) error { return nil })
	first.Fire()
	for _, h := range []*Handle{a, queued} {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
	second.Fire()
	if err := wait(t, b); err != nil {
		t.Error(err)
	}
}

// A pool at rest has no thread that looks from time to time, and one that is not, has.
func TestLookoutSleeps(t *testing.T) {
	p := standsIn(t, Options{Workers: 2})
	for range 3 {
		eventually(t, "asleep", p.lookout.asleep.Load)
		var release Event
		h := started(t, p, bg, Spec{}, func(*Task) error { <-release.Done(); return nil })
		eventually(t, "seen", func() bool { return p.Stats().StandIns.Now == 1 })
		eventually(t, "asleep, as workers rest", p.lookout.asleep.Load)
		release.Fire()
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
}

// What a task that was put aside has pinned stays so, and nothing of what others do there moves it.
func TestHeldTaskKeepsItsPin(t *testing.T) {
	d := epoch.NewDomain()
	p := standsIn(t, Options{Workers: 1, Epochs: d})
	var release Event
	var freed atomic.Bool
	h := started(t, p, bg, Spec{}, func(*Task) error { <-release.Done(); return nil })
	eventually(t, "aside", func() bool { return p.Stats().StandIns.Now == 1 })
	d.Retire(1, func() { freed.Store(true) })
	for range 10 {
		if err := wait(t, submit(t, p, Spec{}, func(task *Task) error { return task.Sleep(0) })); err != nil {
			t.Error(err)
		}
		d.TryAdvance()
		d.Collect()
	}
	if freed.Load() {
		t.Error("freed while it was pinned")
	}
	release.Fire()
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
	eventually(t, "freed", func() bool { d.TryAdvance(); d.Collect(); return freed.Load() })
}

// The status of a task that is put aside after it was found on its worker says so, and the
// watchdog, which looks at the worker of a task that is not aside, finds one.
func TestStatusOfHeldTask(t *testing.T) {
	p := standsIn(t, Options{Workers: 1})
	var release Event
	found := make(chan *Task, 1)
	h := started(t, p, bg, Spec{}, func(task *Task) error { found <- task; <-release.Done(); return nil })
	task := <-found
	eventually(t, "aside", func() bool { return p.Stats().StandIns.Now == 1 })
	st := p.Stats()
	st.Running = append(st.Running, p.holder(task)) // as one that was found before it was put aside
	for i := range st.Running {
		if s := &st.Running[i]; s.ID != task.ID() || !s.StoodIn || s.Worker < len(st.Workers) {
			t.Errorf("%+v of %d workers", s, len(st.Workers))
		}
	}
	if len(st.Running) != 2 {
		t.Errorf("%d tasks", len(st.Running))
	}
	newWatchdog(p, nil).lookAtRunning(&st, time.Now())
	release.Fire()
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
}

// Closing drains a pool with tasks aside, names them if they do not end, and waits for their
// threads.
func TestCloseWithStandIns(t *testing.T) {
	p := standsIn(t, Options{Workers: 1, CloseGrace: time.Millisecond})
	var release Event
	held := started(t, p, bg, Spec{Name: "holds"}, func(task *Task) error { <-release.Done(); return task.Await(new(Event)) })
	eventually(t, "aside", func() bool { return p.Stats().StandIns.Now == 1 })
	kept := started(t, p, bg, Spec{Name: "waits"}, func(task *Task) error { return task.Join(held) })
	var ce *CloseError
	if err := p.Close(ended()); !errors.As(err, &ce) || !slices.Contains(ce.Stuck, fmt.Sprintf(`task %d "holds" (running)`, held.ID())) {
		t.Errorf("Close: %v", err)
	}
	release.Fire()
	for _, h := range []*Handle{held, kept} {
		if err := wait(t, h); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	if err := p.Close(bg); !errors.As(err, &ce) || len(ce.Stuck) != 0 {
		t.Errorf("Close: %v", err)
	}
}

func TestStandInOptions(t *testing.T) {
	for _, o := range []Options{{StandIns: 1, Affinity: affinity.On}, {StandIns: standInsMax + 1}} {
		if _, err := New(o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for workers, want := range map[int]int{1: 4, 2: 4, 4: 6, 16: 12} {
		p, err := New(Options{Workers: workers, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		if n := p.Stats().StandIns.Max; n != want || p.bound {
			t.Errorf("%d stand-ins of %d workers, bound: %v", n, workers, p.bound)
		}
		closeAtEnd(t, p)
	}
	p := newPool(t, Options{Workers: 1, StandIns: -1})
	if st := p.Stats().StandIns; st != (StandInStats{}) {
		t.Errorf("%+v", st)
	}
}

// A stand-in comes at every moment that there is: the storm of TestStress, with a lookout that
// takes no task's code for too short. Nothing is lost or run twice, and no worker is in two hands.
func TestStandInAtAnyMoment(t *testing.T) {
	<-affinity.WantRemoteFences()
	rnd := newRand(t)
	for _, workers := range []int{1, 2} {
		for _, wait := range []bool{true, false} {
			d := epoch.NewDomain()
			s := &storm{p: newPool(t, Options{Workers: workers, StandIns: 4, WaitingLimit: 50, QueueLimit: 64, Epochs: d})}
			var stop atomic.Bool
			var all sync.WaitGroup
			all.Go(func() {
				for !stop.Load() {
					for _, w := range s.p.workers {
						if l := w.on.load(); l != nil {
							s.p.lookout.standIn(w, l, l.user.load(), l.stretch.Load())
						}
					}
				}
			})
			r := rand.New(rand.NewPCG(rnd.Uint64(), 1))
			s.submit(t, r, 2000)
			for range 8 { // calls, with more or less of their own code between
				s.calls.Add(1)
				s.ended.Add(1)
				pause := r.Uint32N(50)
				if err := s.p.Go(bg, Spec{Lane: lane.Default}, func(task *Task) error {
					for i := range 300 {
						affinity.Pause(pause * uint32(i%8))
						if l := task.loop; i%16 == 8 && !l.worker().siding { // it is in its own code, for sure
							s.p.lookout.standIn(l.worker(), l, l.user.load(), 0)
						}
						s.ended.Add(1)
						if err := task.Go(Spec{}, func(*Task) error { s.calls.Add(1); return nil }); err != nil {
							s.ended.Add(-1)
							return err
						}
						if task.Refresh(); wait && i%16 == 0 {
							task.Yield()
						}
					}
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
			for i := range s.events {
				s.events[i].Fire()
			}
			if err := s.p.Close(bg); err != nil {
				t.Errorf("Close: %v", err)
			}
			stop.Store(true)
			all.Wait()
			s.verify(t, d)
			st := s.p.Stats().StandIns
			if t.Logf("%+v", st); st.Total == 0 || st.Now != 0 {
				t.Errorf("%+v", st)
			}
		}
	}
}
