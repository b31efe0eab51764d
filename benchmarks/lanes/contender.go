package lanes

import (
	goruntime "runtime"

	"github.com/cytisus/cytisus/affinity"
)

const (
	lanes    = 31
	capacity = 1024 // of each lane
	lap      = 1024 // how many different items the loops push over and over
)

// An item is what queues carry a pointer to.
type item struct {
	id   uint64
	lane int
}

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

// A contender is a set of lanes. What it does not take part in, it leaves nil. Each loop is the
// contender's own, so that calls to its queue are direct.
type contender struct {
	push  func(lane int, it *item) bool // false: no room
	pop   func() *item                  // nil: nothing there
	polls func(n int) (found int)       // n times pop, where there is nothing
	looks func(n int) (found int)       // n times the look before sleeping, where there is nothing
	pairs func(lane, n int) (sum uint64)
	dry   func(lane, n int) (sum uint64) // n times push, pop, pop
	batch func(lane, n, size int) (sum uint64)
}

// Patience is how all contenders wait: a few pauses, then a yield, then again.
type patience int

func (p *patience) wait() {
	if *p++; *p <= 16 {
		affinity.Pause(4)
		return
	}
	*p = 0
	goruntime.Gosched()
}
