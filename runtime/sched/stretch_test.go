package sched

import (
	"errors"
	"fmt"
	"io"
	goruntime "runtime"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// stretched submits a task that is in a stretch until release fires, and returns when it is.
func stretched(t *testing.T, p *Pool, release *Event) *Handle {
	t.Helper()
	in := make(chan struct{})
	h := submit(t, p, Spec{Lane: lane.Default, Name: "stretch"}, func(task *Task) error {
		return task.Stretch(func() error {
			close(in)
			<-release.Done()
			return nil
		})
	})
	<-in
	return h
}

// While every worker is in a stretch, a question is answered, also one that waits in between for
// what a stretching worker is told of. Nobody looks from time to time: the push and the wake have
// the stand-in come. What is not more urgent starts on no worker, and when the questions are
// answered, as many threads are there as before.
func TestStretchGivesWayAtOnce(t *testing.T) {
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			d := epoch.NewDomain()
			p := newPool(t, Options{Workers: workers, StandIns: 1, Epochs: d, blind: true})
			var release, wake Event
			defer release.Fire()
			waits := started(t, p, bg, Spec{Lane: lane.RPC2}, func(task *Task) error { return task.Await(&wake) })
			var held []*Handle
			for range workers {
				held = append(held, stretched(t, p, &release))
			}
			low := submit(t, p, Spec{Lane: lane.Default}, func(*Task) error { return nil })
			for i := range 3 * len(p.sidings) {
				if err := wait(t, submit(t, p, Spec{Lane: lane.RPC(i)}, func(task *Task) error {
					return task.Join(spawn(t, task, Spec{}, func(task *Task) error { return task.Sleep(0) }))
				})); err != nil {
					t.Error(err)
				}
			}
			wake.Fire()
			if err := wait(t, waits); err != nil {
				t.Error(err)
			}
			eventually(t, "all taken back", func() bool { return p.Stats().StandIns.Now == 0 })
			if st := p.Stats().StandIns; st.Total == 0 || low.Ended().Fired() {
				t.Errorf("%+v; the other task has run: %v", st, low.Ended().Fired())
			}
			release.Fire()
			for _, h := range append(held, low) {
				if err := wait(t, h); err != nil {
					t.Error(err)
				}
			}
			if n := p.stretches.Load(); n != 0 {
				t.Errorf("%d stretches", n)
			}
		})
	}
}

// With as many of Go's processors as Processors says, nothing waits for one where every worker
// computes in a stretch, something more urgent computes beside each, and a goroutine asks.
func TestProcessorsAreEnoughForStretches(t *testing.T) {
	const workers = 2
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(Processors(workers)))
	p := standsIn(t, Options{Workers: workers})
	var begun atomic.Int32
	var release Event
	compute := func() error {
		begun.Add(1)
		holders["computes"](&release)
		return nil
	}
	defer release.Fire()
	var all []*Handle
	for range workers {
		all = append(all, submit(t, p, Spec{Lane: lane.Default}, func(task *Task) error { return task.Stretch(compute) }))
	}
	eventually(t, "all in stretches", func() bool { return begun.Load() == workers })
	for range workers {
		all = append(all, submit(t, p, Spec{Lane: lane.RPC1}, func(*Task) error { return compute() }))
	}
	eventually(t, "all computing", func() bool { return begun.Load() == 2*workers })
	waiting := []metrics.Sample{{Name: "/sched/goroutines/runnable:goroutines"}}
	eventually(t, "all on processors", func() bool {
		metrics.Read(waiting)
		return waiting[0].Value.Uint64() == 0
	})
	release.Fire()
	for _, h := range all {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
}

// A question that is there when a stretch begins goes before it.
func TestStretchBeginsBehindWhatWaits(t *testing.T) {
	p := newPool(t, Options{Workers: 1, StandIns: 1, blind: true})
	var order []string
	h := submit(t, p, Spec{Lane: lane.Default}, func(task *Task) error {
		urgent := spawn(t, task, Spec{Lane: lane.RPC3}, func(*Task) error { order = append(order, "question"); return nil })
		same := spawn(t, task, Spec{}, func(*Task) error { order = append(order, "same lane"); return nil })
		_ = task.Stretch(func() error { order = append(order, "stretch"); return nil })
		return errors.Join(task.Join(urgent), task.Join(same))
	})
	if err := wait(t, h); err != nil || !slices.Equal(order, []string{"question", "stretch", "same lane"}) {
		t.Errorf("%v, %v", order, err)
	}
	if st := p.Stats().StandIns; st.Total != 0 {
		t.Errorf("%+v", st)
	}
}

// A stretch that is stood in for ends as any other code does.
func TestStretchEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(task *Task) error
		want error
	}{
		"returns": {func(*Task) error { return io.EOF }, io.EOF},
		"panics":  {func(*Task) error { panic(io.EOF) }, io.EOF},
		"waits":   {func(task *Task) error { return errors.Join(task.Sleep(time.Microsecond), io.EOF) }, io.EOF},
		"nested":  {func(task *Task) error { return task.Stretch(func() error { return io.EOF }) }, io.EOF},
		"ends in one": {func(task *Task) error {
			if task.Stretch(func() error { return nil }); task.loop.stretch.Load() == 0 {
				return errors.New("the inner one has ended the outer one")
			}
			return io.EOF
		}, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, Options{Workers: 1, StandIns: 1, blind: true})
			var question, on Event
			in := make(chan struct{})
			h := submit(t, p, Spec{}, func(task *Task) error {
				return task.Stretch(func() error {
					close(in)
					<-on.Done()
					return c.end(task)
				})
			})
			<-in
			q := submit(t, p, Spec{Lane: lane.RPC0}, func(*Task) error { on.Fire(); <-question.Done(); return nil })
			<-on.Done()
			next := submit(t, p, Spec{}, func(*Task) error { return nil })
			if name != "waits" { // which goes home, where the question holds the thread
				if err := wait(t, h); !errors.Is(err, c.want) {
					t.Error(err)
				}
			}
			question.Fire()
			for h, want := range map[*Handle]error{h: c.want, q: nil, next: nil} {
				if err := wait(t, h); !errors.Is(err, want) {
					t.Error(err)
				}
			}
			eventually(t, "nobody aside", func() bool { return p.Stats().StandIns.Now == 0 })
		})
	}
}

// Without stand-ins a stretch is a call, behind what is more urgent.
func TestStretchWithoutStandIns(t *testing.T) {
	p := newPool(t, Options{Workers: 1, StandIns: -1})
	if err := wait(t, submit(t, p, Spec{}, func(task *Task) error {
		return task.Stretch(func() error { return io.EOF })
	})); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// In every order of things: nothing that is less urgent starts while one worker's task is in a
// stretch, what is more urgent may, and the siding may be free again before the stretch ends.
func TestSimulatedStretch(t *testing.T) {
	meanwhile, back := 0, 0
	const seeds = 300
	for seed := range uint64(seeds) {
		p := simulated(t, seed, Options{Workers: 1})
		in := false
		var handles []*Handle
		add := func(l lane.Lane, fn func(*Task) error) { handles = append(handles, submit(t, p, Spec{Lane: l}, fn)) }
		for range 2 {
			add(lane.Transition0, func(task *Task) error {
				return task.Stretch(func() error {
					if in {
						t.Errorf("seed %d: two stretches at a time", seed)
					}
					in = true
					for range 8 {
						if err := task.Go(Spec{Lane: lane.RPC2}, func(*Task) error {
							if in {
								meanwhile++
							}
							return nil
						}); err != nil {
							return err
						}
						if st := p.Stats().StandIns; st.Now < int(st.Total) {
							back++
						}
					}
					in = false
					return nil
				})
			})
		}
		for range 4 {
			add(lane.Transition0, func(task *Task) error {
				if in {
					t.Errorf("seed %d: a task of the same lane starts", seed)
				}
				return nil
			})
		}
		p.Simulate(nil)
		for _, h := range handles {
			if !h.Ended().Fired() {
				t.Fatalf("seed %d: %s has not ended", seed, h.Name())
			}
		}
	}
	if t.Logf("%d questions within, %d times back", meanwhile, back); meanwhile == 0 || back == 0 {
		t.Error("nothing was seen")
	}
}

// What is not more urgent than a stretch has a stand-in later than beside other code that holds its
// thread. The looks are made by hand.
func TestStretchIsStoodInForLate(t *testing.T) {
	p := newPool(t, Options{Workers: 1, StandIns: 1, blind: true})
	var release Event
	defer release.Fire()
	held := stretched(t, p, &release)
	low := submit(t, p, Spec{Lane: lane.Default}, func(*Task) error { return nil })
	for _, c := range []struct {
		at   time.Duration
		want uint64
	}{{0, 0}, {heldAfter, 0}, {stretchedAfter - 1, 0}, {stretchedAfter, 1}} {
		if p.lookout.look(c.at); p.Stats().StandIns.Total != c.want {
			t.Errorf("%d stand-ins after a look at %v, want %d", p.Stats().StandIns.Total, c.at, c.want)
		}
	}
	if err := wait(t, low); err != nil || held.Ended().Fired() {
		t.Errorf("%v; the stretch has ended: %v", err, held.Ended().Fired())
	}
	release.Fire()
	if err := wait(t, held); err != nil {
		t.Error(err)
	}
}

// Q2: what was left to a worker at rest, which takes up something else, has a stand-in.
func TestWorkerThatGetsBusyPresses(t *testing.T) {
	p := newPool(t, Options{Workers: 2, StandIns: 1, blind: true})
	var release, other Event
	defer release.Fire()
	defer other.Fire()
	held := stretched(t, p, &release)
	eventually(t, "a worker at rest", p.lookout.someRest)
	on := make(chan *worker)
	busy := submit(t, p, Spec{Lane: lane.RPC0}, func(task *Task) error {
		on <- task.loop.worker()
		<-other.Done()
		return nil
	})
	w := <-on
	w.busy.Store(false) // as long as it has not said that it is not at rest any more
	question := submit(t, p, Spec{Lane: lane.RPC0}, func(*Task) error { return nil })
	if n := p.Stats().StandIns.Total; n != 0 {
		t.Errorf("%d stand-ins, although a worker is at rest", n)
	}
	p.lookout.stir(w)
	if n := p.Stats().StandIns.Total; n != 1 {
		t.Errorf("%d stand-ins when that has other work, want 1", n)
		other.Fire()
	}
	if err := wait(t, question); err != nil {
		t.Error(err)
	}
	other.Fire()
	release.Fire()
	for _, h := range []*Handle{held, busy} {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
}
