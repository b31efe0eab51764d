package epoch

import "sync/atomic"

// An object is what readers look at. reader is set while one is at it, in retire only.
type object struct {
	id     uint64
	reader atomic.Bool
}

// A contender is a way to protect the object that it shares.
type contender interface {
	// reader returns a reader for one goroutine.
	reader() reader
}

// A reader is one goroutine's way in. The loops are repeated for each contender because a call
// through an interface would cost as much as what is measured.
type reader interface {
	pins(n int) (sum uint64) // n times: enter, load, read, leave
	close()
}

// A repinner is a reader that can say that it holds nothing without leaving.
type repinner interface {
	reader
	repins(n int) (sum uint64)
}

// A reclaimer is a contender that can tell when an object has no reader.
type reclaimer interface {
	contender
	// task enters, calls read with the object, and leaves.
	task(r reader, read func(*object))
	// replace puts next in the place of the shared object; free is called with the old one when it
	// has no reader, from replace, poll or the end of a task.
	replace(next *object, free func(*object))
	// poll calls free for what can go.
	poll()
}
