package ring

// Blocks is how one moves batches with channels alone: blocks of pointers go one way, and come back
// empty another way. It is a queue of blocks, so a single item waits until its block is full; hence
// it takes part only where batches do.
type blocks struct {
	full, empty chan *block
}

type block struct {
	n     int
	items [64]*item
}

func newBlocks() contender {
	// The blocks in circulation bound the queue; full has room for the check, which sends blocks of
	// its own.
	b := blocks{make(chan *block, capacity), make(chan *block, capacity/64)}
	for range capacity / 64 {
		b.empty <- new(block)
	}
	return b
}

func (c blocks) push(it *item) {
	// In the check a block carries one item: what is checked is the way of the blocks.
	c.full <- &block{n: 1, items: [64]*item{it}}
}

func (c blocks) pop() *item { return (<-c.full).items[0] }

func (c blocks) pair(n int) (sum uint64) {
	for i := range n {
		c.push(&items[i%lap])
		sum += c.pop().id
	}
	return sum
}

func (c blocks) produce(n int) { c.produceBatches(n, 1) }

func (c blocks) consume(n int) (sum uint64) { return c.consumeBatches(n, 1) }

func (c blocks) produceBatches(n, size int) {
	for at := 0; at < n; at += size {
		b := <-c.empty
		b.n = min(size, len(b.items), n-at)
		for i := range b.n {
			b.items[i] = &items[(at+i)%lap]
		}
		c.full <- b
	}
}

func (c blocks) consumeBatches(n, _ int) (sum uint64) {
	for got := 0; got < n; {
		b := <-c.full
		for _, it := range b.items[:b.n] {
			sum += it.id
		}
		got += b.n
		c.empty <- b
	}
	return sum
}
