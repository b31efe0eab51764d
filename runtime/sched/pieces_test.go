package sched

import (
	"errors"
	"testing"

	"github.com/cytisus/cytisus/queue"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A task that has ended before it is made the newest of its key is not remembered: it has been
// dropped already, and would be superseded, and kept alive, by those that come later.
func TestEndedTaskIsNoNewest(t *testing.T) {
	var k keyTable
	ended := &Task{extra: &extra{key: "k"}}
	ended.state.Store(done)
	if old := k.take(ended); old != nil || len(k.newest) != 0 {
		t.Errorf("a task that has ended is the newest of its key; it supersedes %v", old)
	}
	first, second := &Task{extra: &extra{key: "k"}}, &Task{extra: &extra{key: "k"}}
	if old := k.take(first); old != nil {
		t.Error("the first task of a key supersedes one that has ended")
	}
	if old := k.take(second); old != first {
		t.Error("a task does not supersede the one before it")
	}
	if k.drop(first); len(k.newest) != 1 {
		t.Error("the end of a superseded task has the newer one forgotten")
	}
	if k.drop(second); len(k.newest) != 0 {
		t.Error("a task that has ended is the newest of its key")
	}
}

// A Restartable that is cancelled while its next run is being submitted has that run cancelled: the
// cause was there before the run was known.
func TestCancelBeforeTheRunIsKnown(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	gate := make(chan struct{})
	holds, err := p.Submit(bg, Spec{Lane: lane.Default}, func(*Task) error { <-gate; return nil })
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	r := &Restartable{pool: p, ctx: bg, fn: func(*Task, *Restartable) error { return nil }}
	h, err := p.Submit(bg, Spec{Lane: lane.Default}, r.call)
	if err != nil {
		t.Fatal(err)
	}
	r.Cancel(why) // no run is known yet
	r.follow(h)
	close(gate)
	<-holds.Ended().Done()
	<-r.Ended().Done()
	if err := r.Err(); !errors.Is(err, why) {
		t.Errorf("a Restartable that was cancelled before its run was known ends with %v, want the cause", err)
	}
}

// Every lane that is occupied has its share in a round, the most urgent among them.
func TestRoundHasAllLanes(t *testing.T) {
	w := &worker{}
	for round := range 2 {
		var had uint32
		w.ready.mask = 0
		for i := range queue.LaneCount {
			w.ready.push(&Task{lane: uint8(i)})
		}
		w.pool = &Pool{lanes: queue.NewLanesCap[job](2), waitingLimit: 1}
		for range queue.LaneCount {
			task := w.pickShare()
			if task == nil {
				t.Fatalf("round %d: a share is given to no task, lanes %b had theirs", round, had)
			}
			if had&(1<<task.lane) != 0 {
				t.Errorf("round %d: lane %d has a second share before all have had one", round, task.lane)
			}
			had |= 1 << task.lane
		}
		if had != queue.AllLanes {
			t.Errorf("round %d: lanes %b had a share, want all", round, had)
		}
	}
}

// What the only worker of a pool has fetched from a ring is kept alive by no more than the tasks.
func TestFetchedBatchKeepsNothingAlive(t *testing.T) {
	w := &worker{pool: &Pool{lanes: queue.NewLanesCap[job](8)}}
	const low = 20
	task := &Task{lane: low}
	if err := w.pool.lanes.Push(low, made(task)); err != nil {
		t.Fatal(err)
	}
	if !w.fetchBatch(1<<low) || w.own.pop(low) != task {
		t.Fatal("the task was not fetched")
	}
	for i := range w.batch {
		if w.batch[i].ref != nil || w.batch[i].fn != nil {
			t.Errorf("place %d of the batch keeps a job that has gone to the worker's queue", i)
		}
	}
}

// A waiter that gives up while its event fires leaves the list, if firing has not come to it yet:
// afterwards its task may use it for another event (V5).
func TestWaiterLeavesAnEventThatFires(t *testing.T) {
	var e Event
	w := &waiter{task: &Task{}}
	if !e.join(w) {
		t.Fatal("the event has fired")
	}
	e.state.Store(eventFired) // as fireSlow has, before it tells the first waiter
	if e.leaveTask(w); w.linked.Load() || e.last != nil {
		t.Error("V5: a waiter that has given up is still in the list of an event that fires")
	}
}

// A submit that is refused since the pool closes was counted for a moment: if the look that was to
// find the pool over came then, the refused submit looks itself.
func TestRefusedSubmitLooksWhetherThePoolIsOver(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	p.phase.Store(draining) // and the look of Close has seen the count below
	if _, err := p.Submit(bg, Spec{Lane: lane.Default}, func(*Task) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("a submit to a pool that closes: %v, want ErrClosed", err)
	}
	if !p.over.Fired() {
		t.Error("all tasks have ended and none can come, and a refused submit has left the pool open")
	}
}

// A task that has ended is not entered into the list of those that are found to be cancelled: its
// loop may serve another by now.
func TestEndedTaskIsNotEnlisted(t *testing.T) {
	for state, want := range map[uint32]int{running: 1, done: 0} {
		task := &Task{loop: &loop{roll: &enlistment{}}}
		task.state.Store(state)
		if task.enlist(); task.loop.roll.n != want {
			t.Errorf("a task in state %s is enlisted %d times, want %d", stateNames[state], task.loop.roll.n, want)
		}
	}
}

// Tasks that have ended are not used again while an observer is at work: it may have one of them in
// hand.
func TestObservedTasksAreNotUsedAgain(t *testing.T) {
	p := &Pool{}
	p.recycler.init()
	w := &worker{pool: p}
	for _, observed := range []bool{true, false} {
		w.ended.add(p.newTask())
		if observed {
			p.recycler.observe()
		}
		w.restock()
		if used := w.stock.n > 0; used == observed {
			t.Errorf("an observer is at work: %v, and tasks are used again: %v", observed, used)
		}
		if observed {
			p.recycler.unobserve()
		}
	}
}
