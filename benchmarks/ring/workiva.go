package ring

import "github.com/Workiva/go-datastructures/queue"

// Its Put and Get wait by themselves, yielding; an error means that the ring was disposed of, which
// nobody does here.
type workiva struct{ q *queue.RingBuffer }

func newWorkiva() contender { return workiva{queue.NewRingBuffer(capacity)} }

func (c workiva) push(it *item) { _ = c.q.Put(it) }

func (c workiva) pop() *item {
	it, _ := c.q.Get()
	return it.(*item)
}

func (c workiva) pair(n int) (sum uint64) {
	for i := range n {
		_ = c.q.Put(&items[i%lap])
		it, _ := c.q.Get()
		sum += it.(*item).id
	}
	return sum
}

func (c workiva) produce(n int) {
	for i := range n {
		_ = c.q.Put(&items[i%lap])
	}
}

func (c workiva) consume(n int) (sum uint64) {
	for range n {
		it, _ := c.q.Get()
		sum += it.(*item).id
	}
	return sum
}
