package task

import (
	goruntime "runtime"
	"sync"
)

// Turns is two goroutines that wait for each other over unbuffered channels.
type turns struct{ locked bool }

func (turns) submit(func()) { panic("task: turns only wait") }

func (turns) submitN(int, func()) { panic("task: turns only wait") }

func (turns) close() error { return nil }

func (c turns) waits(n int) (int, error) {
	there, back := make(chan struct{}), make(chan struct{})
	var seen [2]int
	var done sync.WaitGroup
	player := func(i, rounds int, in <-chan struct{}, out chan<- struct{}, first bool) {
		if c.locked {
			goruntime.LockOSThread()
			defer goruntime.UnlockOSThread()
		}
		for range rounds {
			if first {
				out <- struct{}{}
			}
			<-in
			seen[i]++
			if !first {
				out <- struct{}{}
			}
		}
	}
	done.Go(func() { player(0, n/2, there, back, false) })
	done.Go(func() { player(1, n/2, back, there, true) })
	done.Wait()
	return seen[0] + seen[1] + n%2, nil // an odd one has no partner
}
