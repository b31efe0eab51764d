package epoch

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/epoch"
)

// ours is a domain whose readers are participants.
type ours struct {
	d      *epoch.Domain
	shared atomic.Pointer[object]
}

func newOurs(o *object) contender {
	c := &ours{d: epoch.NewDomain()}
	c.shared.Store(o)
	return c
}

type oursReader struct {
	c *ours
	p *epoch.Participant
}

func (c *ours) reader() reader { return oursReader{c, c.d.Register("benchmark")} }

func (r oursReader) pins(n int) (sum uint64) {
	p, shared := r.p, &r.c.shared
	for range n {
		p.Enter()
		sum += shared.Load().id
		p.Leave()
	}
	return sum
}

func (r oursReader) repins(n int) (sum uint64) {
	p, shared := r.p, &r.c.shared
	p.Enter()
	for range n {
		p.Refresh()
		sum += shared.Load().id
	}
	p.Leave()
	return sum
}

func (r oursReader) close() { r.p.Close() }

func (c *ours) task(r reader, read func(*object)) {
	p := r.(oursReader).p
	p.Enter()
	read(c.shared.Load())
	p.Leave()
}

func (c *ours) replace(next *object, free func(*object)) {
	old := c.shared.Swap(next)
	c.d.Retire(0, func() { free(old) })
}

func (c *ours) poll() { c.d.Collect() }

// oursGuard is the same with guards.
type oursGuard struct{ ours }

func newOursGuard(o *object) contender {
	c := &oursGuard{ours{d: epoch.NewDomain()}}
	c.shared.Store(o)
	return c
}

type guardReader struct{ c *oursGuard }

func (c *oursGuard) reader() reader { return guardReader{c} }

func (r guardReader) pins(n int) (sum uint64) {
	d, shared := r.c.d, &r.c.shared
	for range n {
		g := d.Pin()
		sum += shared.Load().id
		g.Unpin()
	}
	return sum
}

func (guardReader) close() {}
