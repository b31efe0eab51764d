package dispatch

import "sync"

// An inbox holds messages that wait for their turn, in the order of their tickets.
type inbox struct {
	max int // immutable: bytes

	mu     sync.Mutex
	change sync.Cond  // broadcast when anything below changes
	queue  []*Request // guarded by mu
	bytes  int        // guarded by mu
	closed bool       // guarded by mu: nothing more comes
	halted bool       // guarded by mu: what is left is not served any more
}

func newInbox(limit int) *inbox {
	b := &inbox{max: limit}
	b.change.L = &b.mu
	return b
}

// put queues a message. It waits while too many bytes are queued (T1), unless the
// inbox is halted.
func (b *inbox) put(r *Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.bytes+r.size > b.max && len(b.queue) > 0 && !b.halted {
		b.change.Wait()
	}
	b.queue = append(b.queue, r)
	b.bytes += r.size
	b.change.Broadcast()
}

// runMax is how many messages take returns at once.
const runMax = 1 << 10

// take waits for the next message and appends it to run, together with those behind it that
// joins says belong to it and that are there already. It returns none when none will come,
// or when the inbox is halted.
func (b *inbox) take(run []*Request, joins func(first, next *Request) bool) []*Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) == 0 && !b.closed && !b.halted {
		b.change.Wait()
	}
	if b.halted {
		return run
	}
	for len(b.queue) > 0 && (len(run) == 0 || len(run) < runMax && joins(run[0], b.queue[0])) {
		r := b.queue[0]
		run = append(run, r)
		b.queue[0] = nil
		b.queue = b.queue[1:]
		b.bytes -= r.size
	}
	b.change.Broadcast()
	return run
}

// close says that no more messages come.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.change.Broadcast()
}

// halt drops what is queued.
func (b *inbox) halt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.halted = true
	b.change.Broadcast()
}

// depth returns how many messages wait.
func (b *inbox) depth() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}
