package ring

import "github.com/puzpuzpuz/xsync/v3"

type xsync3 struct{ q *xsync.MPMCQueueOf[*item] }

func newXsync3() contender { return xsync3{xsync.NewMPMCQueueOf[*item](capacity)} }

func (c xsync3) push(it *item) {
	var p patience
	for !c.q.TryEnqueue(it) {
		p.wait()
	}
}

func (c xsync3) pop() *item {
	var p patience
	for {
		if it, ok := c.q.TryDequeue(); ok {
			return it
		}
		p.wait()
	}
}

func (c xsync3) pair(n int) (sum uint64) {
	var p patience
	for i := range n {
		for !c.q.TryEnqueue(&items[i%lap]) {
			p.wait()
		}
		it, ok := c.q.TryDequeue()
		for !ok {
			p.wait()
			it, ok = c.q.TryDequeue()
		}
		sum += it.id
	}
	return sum
}

func (c xsync3) produce(n int) {
	var p patience
	for i := range n {
		for !c.q.TryEnqueue(&items[i%lap]) {
			p.wait()
		}
	}
}

func (c xsync3) consume(n int) (sum uint64) {
	var p patience
	for range n {
		it, ok := c.q.TryDequeue()
		for !ok {
			p.wait()
			it, ok = c.q.TryDequeue()
		}
		sum += it.id
	}
	return sum
}
