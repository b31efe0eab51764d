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

// take waits for the next message. It returns nil when none will come, or when the
// inbox is halted.
func (b *inbox) take() *Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) == 0 && !b.closed && !b.halted {
		b.change.Wait()
	}
	if len(b.queue) == 0 || b.halted {
		return nil
	}
	r := b.queue[0]
	b.queue[0] = nil
	b.queue = b.queue[1:]
	b.bytes -= r.size
	b.change.Broadcast()
	return r
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
