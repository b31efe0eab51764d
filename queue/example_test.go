package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/queue"
)

func ExampleMPMC() {
	r := queue.NewMPMC[string](4)
	r.TryPush("a")
	r.TryPush("b")
	n := r.PushN([]string{"c", "d", "e"}) // room for two
	first, _ := r.TryPop()
	rest := make([]string, 8)
	k := r.PopN(rest)
	fmt.Println(n, first, rest[:k])
	// Output: 2 a [b c d]
}

func ExampleLanes() {
	l := queue.NewLanes[string]()
	_ = l.Push(20, "re-check the whole module")
	_ = l.Push(4, "answer the hover")
	for {
		task, lane, ok := l.Pop(queue.AllLanes)
		if !ok {
			break
		}
		fmt.Println(lane, task)
	}
	fmt.Println(l.Push(31, "nowhere"))
	// Output:
	// 4 answer the hover
	// 20 re-check the whole module
	// queue: no such lane: 31 is not in [0, 31)
}

// A submitter from outside feels the load: it is refused, or waits as long as its context allows.
func ExampleLanes_PushWait() {
	l := queue.NewLanesCap[int](2)
	_ = l.PushN(8, []int{1, 2})
	fmt.Println(errors.Is(l.TryPushBounded(8, 3), queue.ErrFull))

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(l.PushWait(ctx, 8, 3))
	// Output:
	// true
	// queue: wait for room in lane 8: context deadline exceeded
}

// Two workers share the lanes, sleep when there is nothing to do, and stop when told to.
func ExampleIdle() {
	const workers, tasks = 2, 1000
	lanes := queue.NewLanes[func()]()
	var stop atomic.Bool
	idle := queue.NewIdle(workers, func() bool { return stop.Load() || lanes.Any(queue.AllLanes) }, nil)

	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			for !stop.Load() {
				task, _, ok := lanes.Pop(queue.AllLanes)
				if !ok {
					idle.Rest(w, 0, time.Time{})
					continue
				}
				idle.Found(w) // before the task: it may pass the search on to another worker
				task()
			}
			idle.Found(w) // a worker that leaves must not count as a searcher
		})
	}

	var sum atomic.Int64
	var done sync.WaitGroup
	for i := range tasks {
		done.Add(1)
		_ = lanes.Push(i%queue.LaneCount, func() { sum.Add(int64(i)); done.Done() })
		idle.Notify()
	}
	done.Wait()
	stop.Store(true)
	idle.WakeAll()
	running.Wait()
	fmt.Println(sum.Load())
	// Output: 499500
}
