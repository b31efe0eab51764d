package epoch

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

// firstEpoch is where the clock starts. Tests start it elsewhere.
const firstEpoch = 2

// advanceEvery is the number of retirements after which the retiring goroutine tries to advance the
// epoch, so that garbage ripens even if the collector is late. A try costs about a nanosecond a
// slot, and the fence.
const advanceEvery = 256

// A Domain is one reclamation clock with its readers and its retired objects. Objects of one domain
// are protected only by pins of the same domain. All methods are safe for concurrent use. A Domain
// must not be copied; make it with [NewDomain].
type Domain struct {
	global atomic.Uint64 // current epoch (E0)
	_      [lineBytes - 8]byte

	participants atomic.Pointer[[]*Participant] // replaced whole under mu, read by scans
	guards       [guardSlots]slot               // for Pin; taken by CAS
	overflow     atomic.Pointer[overflowSlot]   // grows at the head, never shrinks

	retired    [retireShards]retireList
	advances   atomic.Uint64 // successful TryAdvance calls
	refusedAt  atomic.Int64  // when the current epoch was first held back, ns since start; 0 = it was not
	started    time.Time     // immutable; the origin of refusedAt
	freed      atomic.Uint64
	freedBytes atomic.Uint64

	mu    sync.Mutex // serialises Register and Participant.Close
	debug checkDomain
}

// NewDomain returns an empty domain.
func NewDomain() *Domain {
	d := &Domain{started: time.Now()}
	d.global.Store(firstEpoch)
	d.participants.Store(new([]*Participant))
	return d
}

// Epoch returns the current epoch, for reports.
func (d *Domain) Epoch() uint64 { return d.global.Load() }

// TryAdvance moves the epoch one step if every pinned slot is in the current one, and reports
// whether this call moved it. It never blocks.
func (d *Domain) TryAdvance() bool {
	g := d.global.Load() // before everything else: see "Safety"
	held := d.heldBack(g)
	if !held && len(*d.participants.Load()) > 0 && affinity.RemoteFences() { // looked at first, since the fence is dear
		affinity.RemoteFence()
		held = d.heldBack(g)
	}
	if held {
		d.refusedAt.CompareAndSwap(0, d.sinceStart())
		return false
	}
	if !d.global.CompareAndSwap(g, g+1) {
		return false
	}
	d.refusedAt.Store(0)
	d.advances.Add(1)
	return true
}

// heldBack reports whether some slot is pinned in an epoch other than g.
func (d *Domain) heldBack(g uint64) bool {
	for s := range d.pinned {
		if s.epoch != g {
			return true
		}
	}
	return false
}

// sinceStart returns the age of the domain in nanoseconds, never 0.
func (d *Domain) sinceStart() int64 { return int64(time.Since(d.started)) + 1 }

// pin is one pinned slot as a scan sees it.
type pin struct {
	epoch uint64
	label string
}

// pinned yields every slot that is inside right now.
func (d *Domain) pinned(yield func(pin) bool) {
	for _, p := range *d.participants.Load() {
		if w := p.slot.word.Load(); w != 0 && !yield(pin{w >> 1, p.label}) {
			return
		}
	}
	for i := range d.guards {
		if w := d.guards[i].word.Load(); w != 0 && !yield(pin{w >> 1, d.guards[i].debug.label()}) {
			return
		}
	}
	for o := d.overflow.Load(); o != nil; o = o.next {
		if w := o.slot.word.Load(); w != 0 && !yield(pin{w >> 1, o.slot.debug.label()}) {
			return
		}
	}
}

// Stats is a snapshot of a domain's counters. Numbers taken at one moment need not add up while
// others are at work.
type Stats struct {
	Epoch        uint64 // current epoch
	Advances     uint64 // epochs passed since the domain was made
	Participants int    // registered and not closed
	Pinned       int    // participants and guards inside right now
	Overflow     int    // overflow slots made so far
	Pending      int    // objects retired and not yet freed
	PendingBytes int64
	Freed        uint64 // objects freed
	FreedBytes   uint64
}

// Stats reads the counters.
func (d *Domain) Stats() Stats {
	st := Stats{
		Epoch:        d.global.Load(),
		Advances:     d.advances.Load(),
		Participants: len(*d.participants.Load()),
		Freed:        d.freed.Load(),
		FreedBytes:   d.freedBytes.Load(),
	}
	for range d.pinned {
		st.Pinned++
	}
	for o := d.overflow.Load(); o != nil; o = o.next {
		st.Overflow++
	}
	for i := range d.retired {
		n, bytes := d.retired[i].pending()
		st.Pending += n
		st.PendingBytes += bytes
	}
	return st
}

// A Stall is a pinned slot that keeps the epoch from moving.
type Stall struct {
	Label string        // the participant's label, or "guard" (in check builds with the place of the Pin)
	Epoch uint64        // the epoch it is in
	Age   time.Duration // for how long it is known to have held the epoch back
}

// Stalled returns the slots that have held the epoch back for at least the given time. Age counts
// from the first refused [Domain.TryAdvance], so nothing is reported while nobody tries.
func (d *Domain) Stalled(least time.Duration) []Stall {
	at := d.refusedAt.Load()
	if at == 0 {
		return nil
	}
	age := time.Duration(d.sinceStart() - at)
	if age < least {
		return nil
	}
	g := d.global.Load()
	var stalls []Stall
	for p := range d.pinned {
		if p.epoch != g {
			stalls = append(stalls, Stall{Label: p.label, Epoch: p.epoch, Age: age})
		}
	}
	return stalls
}
