package epoch

import (
	"sync"

	"github.com/puzpuzpuz/xsync/v4"
)

// rwMutex guards a plain pointer.
type rwMutex struct {
	mu     sync.RWMutex
	shared *object
}

func newRWMutex(o *object) contender { return &rwMutex{shared: o} }

func (c *rwMutex) reader() reader { return c }
func (c *rwMutex) close()         {}

func (c *rwMutex) pins(n int) (sum uint64) {
	for range n {
		c.mu.RLock()
		sum += c.shared.id
		c.mu.RUnlock()
	}
	return sum
}

func (c *rwMutex) task(_ reader, read func(*object)) {
	c.mu.RLock()
	read(c.shared)
	c.mu.RUnlock()
}

func (c *rwMutex) replace(next *object, free func(*object)) {
	c.mu.Lock()
	old := c.shared
	c.shared = next
	c.mu.Unlock()
	free(old)
}

func (c *rwMutex) poll() {}

// rbMutex is xsync's mutex for reads that vastly outnumber writes.
type rbMutex struct {
	mu     *xsync.RBMutex
	shared *object
}

func newRBMutex(o *object) contender { return &rbMutex{mu: xsync.NewRBMutex(), shared: o} }

func (c *rbMutex) reader() reader { return c }
func (c *rbMutex) close()         {}

func (c *rbMutex) pins(n int) (sum uint64) {
	for range n {
		t := c.mu.RLock()
		sum += c.shared.id
		c.mu.RUnlock(t)
	}
	return sum
}

func (c *rbMutex) task(_ reader, read func(*object)) {
	t := c.mu.RLock()
	read(c.shared)
	c.mu.RUnlock(t)
}

func (c *rbMutex) replace(next *object, free func(*object)) {
	c.mu.Lock()
	old := c.shared
	c.shared = next
	c.mu.Unlock()
	free(old)
}

func (c *rbMutex) poll() {}

// mutex lets one reader in at a time.
type mutex struct {
	mu     sync.Mutex
	shared *object
}

func newMutex(o *object) contender { return &mutex{shared: o} }

func (c *mutex) reader() reader { return c }
func (c *mutex) close()         {}

func (c *mutex) pins(n int) (sum uint64) {
	for range n {
		c.mu.Lock()
		sum += c.shared.id
		c.mu.Unlock()
	}
	return sum
}
