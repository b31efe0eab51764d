package sched_test

import (
	"context"
	"fmt"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A task spawns children, waits for them without holding its worker, and returns an error like any
// function.
func Example() {
	ctx := context.Background()
	pool, err := sched.New(sched.Options{Workers: 1})
	if err != nil {
		panic(err)
	}
	h, err := pool.Submit(ctx, sched.Spec{Name: "sum", Lane: lane.RPC2, Client: 1}, func(t *sched.Task) error {
		squares := make([]int, 4)
		var children []*sched.Handle
		for i := range squares {
			child, err := t.Spawn(sched.Spec{Name: "square"}, func(*sched.Task) error { // lane and client are inherited
				squares[i] = i * i
				return nil
			})
			if err != nil {
				return err
			}
			children = append(children, child)
		}
		sum := 0
		for i, child := range children {
			if err := t.Join(child); err != nil { // the children run meanwhile, on the same worker
				return err
			}
			sum += squares[i]
		}
		fmt.Println(sum)
		return nil
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(h.Wait(ctx), pool.Close(ctx))
	// Output:
	// 14
	// <nil> <nil>
}

// An Event is fired by whoever finds the answer; tasks, goroutines and callbacks can wait for it.
func ExampleEvent() {
	var found sched.Event
	found.OnFire(func() { fmt.Println("told") })
	fmt.Println(found.Fire(), found.Fire())
	<-found.Done()
	// Output:
	// told
	// true false
}
