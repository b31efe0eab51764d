package ring

import (
	"fmt"
	"sync"
)

// check shows that a queue is one: in order on one thread, and with two producers and two consumers
// every item once, each consumer seeing each producer's items in their order.
func check(c contender) error {
	const n = 20_000
	for start := range 3 {
		for i := range capacity - start {
			c.push(&items[i])
		}
		for i := range capacity - start {
			if got := c.pop(); got != &items[i] {
				return fmt.Errorf("wrong answer: item %d came out as %d", i+1, got.id)
			}
		}
	}

	var sent [2][n]item
	var got [2][]*item
	var done sync.WaitGroup
	for p := range sent {
		done.Go(func() {
			for i := range sent[p] {
				sent[p][i] = item{id: uint64(i), producer: p}
				c.push(&sent[p][i])
			}
		})
		done.Go(func() {
			for range n {
				got[p] = append(got[p], c.pop())
			}
		})
	}
	done.Wait()

	seen := make(map[*item]bool, 2*n)
	for consumer, list := range got {
		last := [2]int{-1, -1}
		for _, it := range list {
			if seen[it] {
				return fmt.Errorf("wrong answer: item %d of producer %d came out twice", it.id, it.producer)
			}
			seen[it] = true
			if int(it.id) <= last[it.producer] {
				return fmt.Errorf("wrong answer: consumer %d got item %d of producer %d after item %d",
					consumer, it.id, it.producer, last[it.producer])
			}
			last[it.producer] = int(it.id)
		}
	}
	if len(seen) != 2*n {
		return fmt.Errorf("wrong answer: %d of %d items came out", len(seen), 2*n)
	}
	return nil
}
