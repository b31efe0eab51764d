package sched

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/bits"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/runtime/lane"
)

var soakTasks = flag.Int("soak.tasks", 0, "how many tasks TestSoak runs, with its progress on standard error; 0 means a million, or fewer under the race detector")

// soakGroup is how many tasks belong together.
const soakGroup = 16

// A soak is groups of tasks of every kind through one pool, with a bit for each task: a task sets
// its bit when it is called, and who was told that it ended without being called sets it instead.
type soak struct {
	p       *Pool
	groups  int64
	next    atomic.Int64 // group to submit
	seen    []atomic.Uint32
	twice   atomic.Int64
	excused atomic.Int64 // ended without being called, for a cause
	lost    atomic.Int64 // ended without being called, for none
	failed  atomic.Int64 // a wait or a spawn went wrong
	never   Event
}

// settle sets the task's bit and reports whether it was set before.
func (s *soak) settle(id int64) (before bool) {
	bit := uint32(1) << (id % 32)
	return s.seen[id/32].Or(bit)&bit != 0
}

// called is what a task does first.
func (s *soak) called(id int64) {
	if s.settle(id) {
		s.twice.Add(1)
	}
}

// check counts what must not be an error.
func (s *soak) check(err error) {
	if err != nil {
		s.failed.Add(1)
	}
}

// plain is a task that only is called.
func (s *soak) plain(id int64) func(*Task) error {
	return func(*Task) error { s.called(id); return nil }
}

// handled submits a task that may end without being called.
func (s *soak) handled(spec Spec, id int64, fn func(*Task) error) *Handle {
	h, err := s.p.Submit(bg, spec, fn)
	if err != nil {
		s.failed.Add(1)
		return nil
	}
	h.Ended().OnFire(func() {
		if s.seen[id/32].Load()&(1<<(id%32)) != 0 {
			return
		}
		if s.excused.Add(1); h.Err() == nil {
			s.lost.Add(1)
		}
		s.settle(id)
	})
	return h
}

// group submits the tasks from id on. What they are is drawn, waits and bursts often, panics and
// dying goroutines seldom.
func (s *soak) group(r *rand.Rand, id int64) {
	spec := Spec{Lane: lane.FromIndex(r.IntN(lane.Count)), Name: "soak"}
	odd := func(at int64, fn func(*Task) error) { // one odd task among plain ones
		for i := range int64(soakGroup) {
			if i != at {
				s.check(s.p.Go(bg, spec, s.plain(id+i)))
				continue
			}
			s.check(s.p.Go(bg, spec, func(t *Task) error { s.called(id + i); return fn(t) }))
		}
	}
	at := r.Int64N(soakGroup)
	switch kind := r.IntN(1000); {
	case kind < 450:
		odd(at, func(t *Task) error { t.Yield(); return nil })
	case kind < 700:
		s.check(s.p.Go(bg, spec, func(t *Task) error {
			s.called(id)
			for i := int64(1); i < soakGroup; i++ {
				s.check(t.Go(Spec{}, s.plain(id+i)))
			}
			return nil
		}))
	case kind < 850:
		s.check(s.p.Go(bg, spec, func(t *Task) error { return s.waits(t, id) }))
	case kind < 900:
		for i := range int64(soakGroup) {
			if h := s.handled(spec, id+i, s.plain(id+i)); h != nil && i%2 == 0 {
				h.Cancel(io.EOF)
			}
		}
	case kind < 930: // each supersedes the one before
		spec.Key = fmt.Sprint(id)
		for i := range int64(soakGroup) {
			s.handled(spec, id+i, func(t *Task) error { s.called(id + i); t.Yield(); return t.Err() })
		}
	case kind < 950:
		spec.Client = uint64(id) + 1
		for i := range int64(soakGroup) {
			s.handled(spec, id+i, func(t *Task) error { s.called(id + i); t.Yield(); return t.Err() })
		}
		s.p.CancelClient(spec.Client, nil)
	case kind < 970:
		odd(at, func(t *Task) error {
			return t.AwaitUntil(&s.never, s.p.Now().Add(20*time.Microsecond), Reason{})
		})
	case kind < 980: // a running task that only its cancellation ends
		for i := range int64(soakGroup) {
			h := s.handled(spec, id+i, func(t *Task) error {
				s.called(id + i)
				if i == at {
					return t.Await(&s.never)
				}
				return nil
			})
			if h != nil && i == at {
				h.Cancel(io.EOF)
			}
		}
	case kind < 990:
		odd(at, func(t *Task) error { return t.Blocking(func() error { return nil }) })
	case kind < 999:
		odd(at, func(*Task) error { panic("on purpose") })
	default:
		odd(at, func(*Task) error { goruntime.Goexit(); return nil })
	}
}

// waits is a task whose children wait for an event that it fires; then it joins one of them.
func (s *soak) waits(t *Task, id int64) error {
	s.called(id)
	var e Event
	var last *Handle
	for i := int64(1); i < soakGroup; i++ {
		h, err := t.Spawn(Spec{}, func(t *Task) error {
			s.called(id + i)
			if i%4 == 0 {
				s.check(t.Await(&e))
			}
			return nil
		})
		s.check(err)
		last = h
	}
	t.Yield()
	e.Fire()
	s.check(t.Join(last))
	return nil
}

// TestSoak runs very many tasks of every kind through two workers: none is lost, none runs twice.
// With a hundred million of them it is make soak.
func TestSoak(t *testing.T) {
	n := *soakTasks
	if n == 0 {
		if n = 1_000_000; raceEnabled || checking {
			n = 30_000
		}
	}
	rnd := newRand(t)
	d := epoch.NewDomain()
	s := &soak{
		p:      newPool(t, Options{Workers: 2, StandIns: 2, Epochs: d, StallAfter: time.Minute}),
		groups: int64((n + soakGroup - 1) / soakGroup),
	}
	s.seen = make([]atomic.Uint32, (s.groups*soakGroup+31)/32)
	began := time.Now()
	var wg sync.WaitGroup
	for g := range 2 {
		r := rand.New(rand.NewPCG(rnd.Uint64(), uint64(g)))
		wg.Go(func() {
			for {
				at := s.next.Add(1) - 1
				if at >= s.groups {
					return
				}
				s.group(r, at*soakGroup)
				if *soakTasks > 0 && at%(s.groups/20+1) == 0 {
					fmt.Fprintf(os.Stderr, "soak: %3d%%, %d tasks submitted, %.0f s\n", 100*at/s.groups, at*soakGroup, time.Since(began).Seconds())
				}
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(bg, patience)
	defer cancel()
	if err := s.p.Close(ctx); err != nil {
		t.Fatalf("Close: %v", err)
	}
	took := time.Since(began)
	s.verify(t, d)
	sum := s.p.Stats().Total()
	t.Logf("%d tasks in %.1f s, %.0f ns each: %d completed, %d failed, %d panicked, %d cancelled of which %d before they started",
		sum.Submitted, took.Seconds(), float64(took.Nanoseconds())/float64(sum.Submitted),
		sum.Completed, sum.Failed, sum.Panicked, sum.Cancelled, s.excused.Load())
}

func (s *soak) verify(t *testing.T, d *epoch.Domain) {
	t.Helper()
	set := int64(0)
	for i := range s.seen {
		set += int64(bits.OnesCount32(s.seen[i].Load()))
	}
	total := s.groups * soakGroup
	if set != total || s.twice.Load() != 0 || s.lost.Load() != 0 || s.failed.Load() != 0 {
		t.Errorf("of %d tasks %d were never called, %d twice; %d ended for no cause, %d calls failed",
			total, total-set, s.twice.Load(), s.lost.Load(), s.failed.Load())
	}
	sum := s.p.Stats().Total()
	if sum.Submitted != uint64(total) || sum.Ended() != uint64(total) || sum.Started+uint64(s.excused.Load()) != uint64(total) || sum.Queued != 0 {
		t.Errorf("%+v, %d did not start", sum, s.excused.Load())
	}
	if total >= 1_000_000 && (sum.Panicked == 0 || sum.Cancelled == 0 || sum.Failed == 0) {
		t.Errorf("too tame: %+v", sum)
	}
	if es := d.Stats(); es.Pinned != 0 || es.Participants != 0 {
		t.Errorf("epochs: %+v", es)
	}
	if err := s.p.Go(bg, Spec{Lane: lane.Default}, s.plain(0)); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed pool takes tasks: %v", err)
	}
}
