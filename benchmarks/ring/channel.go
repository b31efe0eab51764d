package ring

// A channel waits by itself, which is faster for it than polling with select and default.
type channel struct{ q chan *item }

func newChannel() contender { return channel{make(chan *item, capacity)} }

func (c channel) push(it *item) { c.q <- it }

func (c channel) pop() *item { return <-c.q }

func (c channel) pair(n int) (sum uint64) {
	for i := range n {
		c.q <- &items[i%lap]
		it := <-c.q
		sum += it.id
	}
	return sum
}

func (c channel) produce(n int) {
	for i := range n {
		c.q <- &items[i%lap]
	}
}

func (c channel) consume(n int) (sum uint64) {
	for range n {
		it := <-c.q
		sum += it.id
	}
	return sum
}
