package sched

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A storm is random work of every kind on one pool, with everything counted.
type storm struct {
	p      *Pool
	events [8]Event
	calls  atomic.Int64 // task functions called
	ended  atomic.Int64 // ends told, or to be told by nobody
	twice  atomic.Int64 // tasks called a second time
}

// body returns what a task does: something random, decided beforehand so that a seed repeats it.
func (s *storm) body(r *rand.Rand, depth int) func(*Task) error {
	kind, e := r.IntN(16), &s.events[r.IntN(len(s.events))]
	var child func(*Task) error
	if depth < 3 {
		child = s.body(r, depth+1)
	}
	lane := lane.FromIndex(r.IntN(lane.Count))
	var called atomic.Bool
	body := func(t *Task) error {
		s.calls.Add(1)
		if called.Swap(true) {
			s.twice.Add(1)
		}
		switch kind {
		case 0:
			return t.Await(e)
		case 1:
			panic("on purpose")
		case 2:
			t.Yield()
		case 3, 4, 5:
			if child == nil {
				return nil
			}
			h, err := t.Spawn(Spec{Lane: lane}, child)
			if err != nil {
				return err
			}
			h.Ended().OnFire(func() { s.ended.Add(1) })
			if kind == 3 {
				return nil
			}
			return t.Join(h)
		case 6:
			return t.Blocking(func() error { return io.EOF })
		case 7:
			e.Fire()
		case 8:
			goruntime.Goexit()
		case 9:
			return t.AwaitUntil(e, s.p.Now().Add(50*time.Microsecond), Reason{})
		case 10:
			return t.Sleep(10 * time.Microsecond)
		case 11:
			<-contextOrDone(t.Context(), e)
		case 12:
			t.Handle().Cancel(io.EOF)
			return t.Await(e)
		case 13, 14, 15:
			if child == nil {
				return nil
			}
			s.ended.Add(1) // before anybody can count its end
			if err := t.Go(Spec{Lane: lane}, child); err != nil {
				s.ended.Add(-1)
				return err
			}
		}
		return nil
	}
	if r.IntN(4) != 0 {
		return body
	}
	return func(t *Task) error { return t.Stretch(func() error { return body(t) }) }
}

// contextOrDone is a channel that is closed soon, so that blocking on it cannot hold the only
// worker for ever.
func contextOrDone(ctx context.Context, e *Event) <-chan struct{} {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Microsecond)
	context.AfterFunc(ctx, cancel)
	e.OnFire(cancel)
	return ctx.Done()
}

// submit submits n random tasks and cancels some of them. It stops when the pool closes.
func (s *storm) submit(t *testing.T, r *rand.Rand, n int) {
	for i := range n {
		spec := Spec{Lane: lane.FromIndex(r.IntN(lane.Count)), Client: uint64(r.IntN(3)), Name: fmt.Sprint(i)}
		if r.IntN(10) == 0 {
			spec.Key = fmt.Sprint(r.IntN(3))
		}
		if r.IntN(10) == 0 {
			spec.Deadline = s.p.Now().Add(time.Duration(r.IntN(1000)) * time.Microsecond)
		}
		ctx := bg
		if r.IntN(4) == 0 {
			c, cancel := context.WithCancel(bg)
			defer cancel()
			ctx = c
		}
		if r.IntN(2) == 0 {
			s.ended.Add(1)
			if err := s.p.Go(ctx, spec, s.body(r, 0)); err != nil {
				s.ended.Add(-1)
				if s.p.phase.Load() == open {
					t.Errorf("Go: %v", err)
				}
				return
			}
			continue
		}
		h, err := s.p.Submit(ctx, spec, s.body(r, 0))
		if err != nil {
			if s.p.phase.Load() == open {
				t.Errorf("Submit: %v", err)
			}
			return
		}
		h.Ended().OnFire(func() { s.ended.Add(1) })
		switch r.IntN(100) {
		case 0, 1, 2, 3, 4, 5, 6:
			h.Cancel(nil)
		case 7:
			s.p.CancelClient(1, nil)
		case 8:
			s.p.Stats()
		case 9:
			s.p.Profiling(r.IntN(2) == 0)
		}
	}
}

// TestStress lets nothing be lost and nothing run twice, with waits, cancels, panics and Goexits
// mixed, and with the pool drained or closed in the middle of it.
func TestStress(t *testing.T) {
	rnd := newRand(t)
	for _, workers := range []int{1, 2, 3} {
		for _, drain := range []bool{true, false} {
			d := epoch.NewDomain()
			s := &storm{p: newPool(t, Options{
				Workers: workers, StandIns: 2, WaitingLimit: 50, QueueLimit: 64, Epochs: d, StallAfter: time.Millisecond,
			})}
			var wg sync.WaitGroup
			for g := range 2 {
				r := rand.New(rand.NewPCG(rnd.Uint64(), uint64(g)))
				wg.Go(func() { s.submit(t, r, 1000) })
			}
			ctx, cancel := context.WithTimeout(bg, patience)
			if drain {
				wg.Wait()
				for i := range s.events {
					s.events[i].Fire()
				}
			} else {
				time.Sleep(time.Duration(rnd.IntN(5000)) * time.Microsecond)
				cancel()
			}
			err := s.p.Close(ctx)
			wg.Wait()
			if drain && err != nil {
				t.Fatalf("Close: %v", err)
			}
			if !drain {
				ctx, cancel := context.WithTimeout(bg, patience)
				for !s.p.over.Fired() && ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
				cancel()
				_ = s.p.Close(bg)
			}
			cancel()
			s.verify(t, d)
		}
	}
}

func (s *storm) verify(t *testing.T, d *epoch.Domain) {
	t.Helper()
	st := s.p.Stats()
	sum := st.Total()
	// A task whose Submit failed for a closing pool was counted and has ended, but its handle was
	// never given out.
	if sum.Submitted != sum.Ended() || s.ended.Load() > int64(sum.Ended()) || int64(sum.Ended())-s.ended.Load() > 2 {
		t.Errorf("%+v, %d ends told", sum, s.ended.Load())
	}
	if sum.Started != uint64(s.calls.Load()) || s.twice.Load() != 0 {
		t.Errorf("%+v, %d calls, %d twice", sum, s.calls.Load(), s.twice.Load())
	}
	if len(st.Running)+len(st.Waiting) != 0 {
		t.Errorf("left over: %+v %+v", st.Running, st.Waiting)
	}
	if es := d.Stats(); es.Pinned != 0 || es.Participants != 0 {
		t.Errorf("epochs: %+v", es)
	}
	s.p.keys.mu.Lock()
	defer s.p.keys.mu.Unlock()
	if n := len(s.p.keys.newest); n != 0 {
		t.Errorf("%d supersede keys left", n)
	}
}
