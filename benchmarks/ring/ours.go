package ring

import "github.com/cytisus/cytisus/queue"

type ours struct{ q *queue.MPMC[*item] }

func newOurs() contender { return ours{queue.NewMPMC[*item](capacity)} }

func (o ours) push(it *item) {
	var p patience
	for !o.q.TryPush(it) {
		p.wait()
	}
}

func (o ours) pop() *item {
	var p patience
	for {
		if it, ok := o.q.TryPop(); ok {
			return it
		}
		p.wait()
	}
}

func (o ours) pair(n int) (sum uint64) {
	var p patience
	for i := range n {
		for !o.q.TryPush(&items[i%lap]) {
			p.wait()
		}
		it, ok := o.q.TryPop()
		for !ok {
			p.wait()
			it, ok = o.q.TryPop()
		}
		sum += it.id
	}
	return sum
}

func (o ours) produce(n int) {
	var p patience
	for i := range n {
		for !o.q.TryPush(&items[i%lap]) {
			p.wait()
		}
	}
}

func (o ours) consume(n int) (sum uint64) {
	var p patience
	for range n {
		it, ok := o.q.TryPop()
		for !ok {
			p.wait()
			it, ok = o.q.TryPop()
		}
		sum += it.id
	}
	return sum
}

func (o ours) produceBatches(n, size int) {
	var p patience
	batch := make([]*item, size)
	for at := 0; at < n; at += size {
		for i := range batch {
			batch[i] = &items[(at+i)%lap]
		}
		for rest := batch[:min(size, n-at)]; len(rest) > 0; {
			k := o.q.PushN(rest)
			if k == 0 {
				p.wait()
			}
			rest = rest[k:]
		}
	}
}

func (o ours) consumeBatches(n, size int) (sum uint64) {
	var p patience
	batch := make([]*item, size)
	for got := 0; got < n; {
		k := o.q.PopN(batch[:min(size, n-got)])
		if k == 0 {
			p.wait()
		}
		for _, it := range batch[:k] {
			sum += it.id
		}
		got += k
	}
	return sum
}
