package epoch

import "sync/atomic"

// refCount counts the readers of each object, itself included as long as it is shared. A reader
// that has counted itself looks whether the object is still the shared one, because it may have
// been the last to be let go before.
type refCount struct{ shared atomic.Pointer[counted] }

type counted struct {
	o     *object
	users atomic.Int64
	free  func(*object) // set before users can reach 0
}

func newRefCount(o *object) contender {
	c := &refCount{}
	k := &counted{o: o}
	k.users.Store(1)
	c.shared.Store(k)
	return c
}

func (c *refCount) enter() *counted {
	for {
		k := c.shared.Load()
		k.users.Add(1)
		if c.shared.Load() == k {
			return k
		}
		k.leave()
	}
}

func (k *counted) leave() {
	if k.users.Add(-1) == 0 {
		k.free(k.o)
	}
}

func (c *refCount) reader() reader { return c }
func (c *refCount) close()         {}

func (c *refCount) pins(n int) (sum uint64) {
	for range n {
		k := c.enter()
		sum += k.o.id
		k.leave()
	}
	return sum
}

// xchgSlot is two atomic stores around the load.
type xchgSlot struct {
	epoch  atomic.Uint64
	shared atomic.Pointer[object]
}

func newXchgSlot(o *object) contender {
	c := &xchgSlot{}
	c.shared.Store(o)
	return c
}

type xchgReader struct {
	c    *xchgSlot
	slot *[16]atomic.Uint64
}

func (c *xchgSlot) reader() reader { return xchgReader{c, new([16]atomic.Uint64)} }

func (r xchgReader) pins(n int) (sum uint64) {
	c, slot := r.c, &r.slot[8]
	for range n {
		slot.Store(c.epoch.Load()<<1 | 1)
		sum += c.shared.Load().id
		slot.Store(0)
	}
	return sum
}

func (xchgReader) close() {}

// load does nothing to protect the object.
type load struct{ shared atomic.Pointer[object] }

func newLoad(o *object) contender {
	c := &load{}
	c.shared.Store(o)
	return c
}

func (c *load) reader() reader { return c }
func (c *load) close()         {}

func (c *load) pins(n int) uint64 { return c.repins(n) }

func (c *load) repins(n int) (sum uint64) {
	for range n {
		sum += c.shared.Load().id
	}
	return sum
}
