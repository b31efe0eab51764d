package ring

import "github.com/puzpuzpuz/xsync/v4"

type xsync4 struct{ q *xsync.MPMCQueue[*item] }

func newXsync4() contender { return xsync4{xsync.NewMPMCQueue[*item](capacity)} }

func (c xsync4) push(it *item) {
	var p patience
	for !c.q.TryEnqueue(it) {
		p.wait()
	}
}

func (c xsync4) pop() *item {
	var p patience
	for {
		if it, ok := c.q.TryDequeue(); ok {
			return it
		}
		p.wait()
	}
}

func (c xsync4) pair(n int) (sum uint64) {
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

func (c xsync4) produce(n int) {
	var p patience
	for i := range n {
		for !c.q.TryEnqueue(&items[i%lap]) {
			p.wait()
		}
	}
}

func (c xsync4) consume(n int) (sum uint64) {
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
