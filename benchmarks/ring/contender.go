package ring

import (
	goruntime "runtime"

	"github.com/cytisus/cytisus/affinity"
)

// capacity of every queue.
const capacity = 1024

// An item is what queues carry a pointer to.
type item struct {
	id       uint64
	producer int
}

// lap is how many different items the loops push over and over; their count of items is a multiple
// of it or below it.
const lap = 1024

var items = func() (all [lap]item) {
	for i := range all {
		all[i].id = uint64(i) + 1
	}
	return all
}()

// sumOf is the sum of the ids of n items as the loops push them.
func sumOf(n int) uint64 {
	full, rest := uint64(n/lap), uint64(n%lap)
	return full*(lap*(lap+1)/2) + rest*(rest+1)/2
}

// A contender is a queue with the loops that use it. The loops are repeated for each queue because
// a call through an interface would cost as much as some of the operations measured.
type contender interface {
	push(*item) // waits for room; for the check only
	pop() *item // waits for an item; for the check only

	pair(n int) (sum uint64)    // n times push, then pop
	produce(n int)              // pushes n items, waiting for room
	consume(n int) (sum uint64) // pops n items, waiting for them
}

// A batcher is a contender that can move several items at once.
type batcher interface {
	contender
	produceBatches(n, size int)
	consumeBatches(n, size int) (sum uint64)
}

// Patience is how all contenders wait whose queue does not: a few pauses, then a yield, then again.
type patience int

func (p *patience) wait() {
	if *p++; *p <= 16 {
		affinity.Pause(4)
		return
	}
	*p = 0
	goruntime.Gosched()
}
