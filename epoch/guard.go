package epoch

const (
	guardSlots  = 64 // slots for Pin; a power of two
	guardProbes = 8  // neighbours tried before an overflow slot
)

// A Guard is a pin held by any goroutine. It is a value: copy it freely, but [Guard.Unpin] one of
// the copies, once. The zero Guard holds nothing.
type Guard struct {
	s     *slot
	debug checkGuard // empty without the check tag
}

// Pin enters the domain until [Guard.Unpin]. It never blocks. Keep pins short: one that stays holds
// back all freeing of the domain. A task must not hold one while it waits.
func (d *Domain) Pin() Guard {
	w := inside(d.global.Load())
	h := stackHash()
	for i := range uint64(guardProbes) {
		s := &d.guards[(h+i)&(guardSlots-1)]
		if s.word.Load() == 0 && s.word.CompareAndSwap(0, w) { // R1 of the package comment
			return Guard{s, s.debug.pinned(1)}
		}
	}
	return d.pinSlow()
}

// pinSlow takes an overflow slot that is free, or chains a new one on.
func (d *Domain) pinSlow() Guard {
	w := inside(d.global.Load())
	for o := d.overflow.Load(); o != nil; o = o.next {
		if o.slot.word.Load() == 0 && o.slot.word.CompareAndSwap(0, w) {
			return Guard{&o.slot, o.slot.debug.pinned(2)}
		}
	}
	o := new(overflowSlot)
	for {
		// The slot is pinned before it is published, and the epoch is loaded again each time: with
		// one from before a long wait for the list it would hold back more than it must.
		o.slot.word.Store(inside(d.global.Load()))
		o.next = d.overflow.Load()
		if d.overflow.CompareAndSwap(o.next, o) {
			return Guard{&o.slot, o.slot.debug.pinned(2)}
		}
	}
}

// Unpin leaves. Nothing read under the guard may be used afterwards. Unpin of the zero Guard does
// nothing; a second Unpin of the same pin is a bug that frees somebody else's pin, and check builds
// panic on it.
func (g Guard) Unpin() {
	if g.s == nil {
		return
	}
	g.s.debug.unpinned(g.debug)
	g.s.leave()
}

// MustHold panics in check builds if the guard holds nothing (any more), and does nothing in
// others. Code that hands out views calls it where a view is used.
func (g Guard) MustHold() { g.mustHold() }
