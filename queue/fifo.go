package queue

// fifoBlock is how many items one block of a fifo holds.
const fifoBlock = 256

// A fifo is an unbounded first-in first-out list for use under a lock. It grows and shrinks by
// blocks and keeps one spare block, so a list that swings around a block's edge does not allocate.
// The zero value is empty.
type fifo[T any] struct {
	first, last *block[T] // nil together; items lie in [first.from, …, last.to)
	spare       *block[T]
	n           int
}

type block[T any] struct {
	vals     [fifoBlock]T
	from, to int // items are vals[from:to]
	next     *block[T]
}

func (f *fifo[T]) push(v T) {
	if f.last == nil || f.last.to == fifoBlock {
		f.grow()
	}
	b := f.last
	b.vals[b.to] = v
	b.to++
	f.n++
}

func (f *fifo[T]) grow() {
	b := f.spare
	if f.spare = nil; b == nil {
		b = new(block[T])
	}
	if f.last == nil {
		f.first = b
	} else {
		f.last.next = b
	}
	f.last = b
}

// peek returns the oldest item. The list must not be empty.
func (f *fifo[T]) peek() T { return f.first.vals[f.first.from] }

// drop removes the oldest item. The list must not be empty.
func (f *fifo[T]) drop() {
	b := f.first
	var zero T
	b.vals[b.from] = zero
	b.from++
	f.n--
	if b.from < b.to {
		return
	}
	// The block is used up: b.from == b.to, and only the last block can be so before it is full.
	if f.first = b.next; f.first == nil {
		f.last = nil
	}
	b.from, b.to, b.next = 0, 0, nil
	f.spare = b
}
