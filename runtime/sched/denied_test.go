package sched

import (
	"reflect"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A stoppedPush is a push to a lane of a pool that has claimed its place and not filled it.
type stoppedPush struct {
	turn *atomic.Uint64
	val  *job
}

// stopPush claims the next place of an untouched lane's ring, as a push does that is stopped right
// afterwards. It reaches into package queue, which has no door for this.
func stopPush(p *Pool, l lane.Lane) stoppedPush {
	ring := reflect.ValueOf(p.lanes).Elem().FieldByName("lanes").Index(l.Index()).FieldByName("ring")
	tail := (*atomic.Uint64)(ring.FieldByName("tail").Addr().UnsafePointer())
	if ticket := tail.Add(1) - 1; ticket != 0 {
		panic("the lane has been used")
	}
	bits := (*atomic.Uint32)(reflect.ValueOf(p.lanes).Elem().FieldByName("bits").Addr().UnsafePointer())
	bits.Or(uint32(l))
	cell := ring.FieldByName("cells").Index(0)
	return stoppedPush{
		turn: (*atomic.Uint64)(cell.FieldByName("turn").Addr().UnsafePointer()),
		val:  (*job)(unsafe.Pointer(cell.FieldByName("val").Addr().Pointer())),
	}
}

// goOn is the rest of the push.
func (s stoppedPush) goOn(j job) {
	*s.val = j
	s.turn.Store(1)
}

// TestDeniedWorkerTurnsAwayAndYields: a push that has stopped hides its lane and no other; a worker
// for which there is nothing else gives its processor away, as the one that pushes may be waiting
// for it, and does not sleep.
func TestDeniedWorkerTurnsAwayAndYields(t *testing.T) {
	for _, workers := range []int{1, 2} {
		p := newPool(t, Options{Workers: workers})
		stopped := stopPush(p, lane.Default)
		for _, l := range []lane.Lane{lane.Idle, lane.Sync, lane.RPC2} {
			runOn(t, p, l)
		}
		gaveWay := func() (n uint64) {
			for _, w := range p.Stats().Workers {
				n += w.GaveWay
			}
			return n
		}
		for before := gaveWay(); gaveWay() < before+10; {
			goruntime.Gosched()
		}
		ran := make(chan struct{})
		behind := submit(t, p, Spec{Lane: lane.Default}, func(*Task) error { return nil })
		runOn(t, p, lane.Idle)
		if s := p.Stats().Lanes[lane.Default.Index()]; s.Started != 0 {
			t.Errorf("%d tasks have started from behind the stopped push", s.Started)
		}
		p.outside.lanes[lane.Default.Index()].submitted.n.Add(1)
		stopped.goOn(unmade(lane.Default.Index(), "stopped", func(*Task) error { close(ran); return nil }))
		<-ran
		if err := behind.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestUrgentLanesOvertake: in the lanes that somebody waits for, tasks run although a push in front
// of them has stopped.
func TestUrgentLanesOvertake(t *testing.T) {
	if <-affinity.WantRemoteFences(); plainTallies && !affinity.RemoteFences() {
		t.Skip("this system has no fence for the threads of others, so nothing is overtaken")
	}
	for _, workers := range []int{1, 2} {
		p := newPool(t, Options{Workers: workers, AgeEvery: time.Hour})
		for l := range (lane.Syncs | lane.Inputs | lane.RPC0to3).Lanes() {
			stopPush(p, l)
			for range 3 {
				runOn(t, p, l)
			}
		}
	}
}

// runOn has a task of a lane run.
func runOn(t *testing.T, p *Pool, l lane.Lane) {
	t.Helper()
	if err := submit(t, p, Spec{Lane: l}, func(*Task) error { return nil }).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}
