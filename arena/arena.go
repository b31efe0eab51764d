package arena

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
)

// narrow: addresses have 32 bits. What is mapped then has to fit beside the Go heap.
const narrow = bits.UintSize == 32

const (
	defaultSegmentBytes = 64 << 20
	minSegmentBytes     = 64 << 10
	maxSegmentBytes     = 4 << 30
	slotsMax            = 1 << 16
	slotsMin            = 4

	// The sizes where addresses have 32 bits.
	narrowSegmentBytes    = 16 << 20
	narrowSegmentBytesMax = 256 << 20
	narrowReserveBytesMax = 1 << 30
)

// Options says how an arena is laid out. The zero value is the reserved form with 64 MiB segments
// where the system can do it.
type Options struct {
	// SegmentBytes is the stride of slots, a power of two from 64 KiB to 4 GiB, 256 MiB where
	// addresses have 32 bits. Zero means 64 MiB, 16 MiB with 32 bits, and less where the process
	// may use so little address space that four of those would be more than a quarter of it.
	SegmentBytes int64
	// ReserveBytes is how much address space to reserve; it costs no memory. Zero means 1 TiB, or
	// 256 MiB where addresses have 32 bits. No more is taken than a quarter of what the process may
	// use (ulimit -v), than addresses reach, 2 TiB, nor than 1 GiB with 32 bits. When that is less
	// than four segments, the arena takes the table form, which reserves nothing.
	ReserveBytes int64
	// Table selects the table form, which heap memory and memory of other owners need.
	Table bool
}

// WithDefaults returns the options with what New takes for zero values and for wishes that cannot
// be met on this system, under the limits of this process.
func (o Options) WithDefaults() Options { return o.withDefaults(narrow, addressSpaceLimit()) }

// withDefaults is WithDefaults for a process that may use limit bytes of address space.
func (o Options) withDefaults(narrow bool, limit int64) Options {
	segmentBytes, reserveBytes, most := int64(defaultSegmentBytes), int64(1<<40), limit/4
	if narrow {
		segmentBytes, reserveBytes, most = narrowSegmentBytes, narrowReserveBytesMax/4, min(most, narrowReserveBytesMax)
	}
	if o.SegmentBytes == 0 {
		for segmentBytes > minSegmentBytes && slotsMin*segmentBytes > most {
			segmentBytes /= 2
		}
		o.SegmentBytes = segmentBytes
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = reserveBytes
	}
	if slotsMin*o.SegmentBytes > most || !canPlace {
		o.Table = true
	}
	if !o.Table {
		o.ReserveBytes = min(o.ReserveBytes, most)
	}
	// The last address of all is none.
	o.ReserveBytes = min(o.ReserveBytes, Unit<<AddrBits-o.SegmentBytes)
	o.ReserveBytes = max(slotsMin, min(o.ReserveBytes/o.SegmentBytes, slotsMax)) * o.SegmentBytes
	return o
}

// Validate reports what is wrong with the options, if anything.
func (o Options) Validate() error {
	o = o.WithDefaults()
	most := int64(maxSegmentBytes)
	if narrow {
		most = narrowSegmentBytesMax
	}
	if o.SegmentBytes < minSegmentBytes || o.SegmentBytes > most || bits.OnesCount64(uint64(o.SegmentBytes)) != 1 {
		return fmt.Errorf("arena: SegmentBytes is %d, want a power of two from %d to %d", o.SegmentBytes, minSegmentBytes, most)
	}
	if page := int64(os.Getpagesize()); o.SegmentBytes%page != 0 {
		return fmt.Errorf("arena: SegmentBytes is %d, no multiple of the page size %d", o.SegmentBytes, page)
	}
	return nil
}

// An Arena is a range of addresses with segments in it. All methods may be called from any
// goroutine.
type Arena struct {
	base         unsafe.Pointer // start of the reservation; nil in the table form; immutable
	reserved     int64          // bytes; immutable
	segmentBytes int64          // immutable
	slotShift    uint           // log2 of units per slot; immutable

	// slots holds the segment of each slot. Written under mu, read by anyone.
	slots  []atomic.Pointer[Segment]
	frugal atomic.Bool
	behind atomic.Int64 // see SetFrugal

	mu     sync.Mutex
	taken  []bool // slots given out or not yet unmapped (A4); guarded by mu
	next   int    // where the search for free slots goes on; guarded by mu
	closed bool   // guarded by mu
}

// New reserves address space. Close gives it back.
func New(o Options) (*Arena, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.WithDefaults()
	a := &Arena{segmentBytes: o.SegmentBytes, slotShift: uint(bits.TrailingZeros64(uint64(o.SegmentBytes / Unit)))}
	a.reserved = o.ReserveBytes
	for !o.Table {
		base, err := reserve(a.reserved)
		if err == nil {
			a.base = base
			break
		}
		if a.reserved /= 2; a.reserved < slotsMin*a.segmentBytes {
			return nil, fmt.Errorf("arena: reserve address space for %d segments of %d MiB%s: %w",
				slotsMin, a.segmentBytes>>20, limitInWords(addressSpaceLimit()), err)
		}
	}
	n := a.reserved / a.segmentBytes
	a.slots = make([]atomic.Pointer[Segment], n)
	a.taken = make([]bool, n)
	return a, nil
}

func limitInWords(limit int64) string {
	if limit == math.MaxInt64 {
		return ""
	}
	return fmt.Sprintf(" (ulimit -v leaves the process %d MiB in all)", limit>>20)
}

// SegmentBytes returns the stride of slots.
func (a *Arena) SegmentBytes() int64 { return a.segmentBytes }

// Table reports whether the arena is of the table form.
func (a *Arena) Table() bool { return a.base == nil }

// Base returns where the reservation starts, nil in the table form: addr lies addr*Unit bytes
// behind.
func (a *Arena) Base() unsafe.Pointer { return a.base }

// Bytes returns the n bytes at addr. The caller vouches that they lie in one mapped segment and
// that it stays mapped while they are used.
func (a *Arena) Bytes(addr Addr, n int) []byte {
	if a.base != nil {
		return bytesAt(a.base, int64(addr)*Unit, n)
	}
	s := a.slots[addr>>a.slotShift].Load()
	off := int64(addr-s.first) * Unit
	return s.mem[off : off+int64(n) : off+int64(n)]
}

// Pair returns the two little-endian words that lie off bytes behind addr, a multiple of 8.
// Otherwise it is Bytes.
func (a *Arena) Pair(addr Addr, off int64) (lo, hi uint64) {
	if a.base != nil {
		return pairAt(a.base, int64(addr)*Unit+off)
	}
	return a.pairInTable(addr, off)
}

// Fetch brings the first line of what lies at addr into the cache. In the reserved form it waits
// for nothing and does nothing if nothing is there; in the table form it reads a byte, unless the
// arena is frugal.
func (a *Arena) Fetch(addr Addr) {
	if a.base != nil {
		affinity.Prefetch(unsafe.Add(a.base, int64(addr)*Unit), 1)
		return
	}
	if !a.Frugal() {
		touch(a.Bytes(addr, 1))
	}
}

// touch reads the first byte of b. It is not inlined, so that the read is not found to be useless.
//
//go:noinline
func touch(b []byte) byte { return b[0] }

func (a *Arena) pairInTable(addr Addr, off int64) (lo, hi uint64) {
	b := a.Bytes(addr+Addr(off/Unit), int(off%Unit)+16)[off%Unit:]
	return binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
}

// Segment returns the segment at addr, nil when there is none.
func (a *Arena) Segment(addr Addr) *Segment {
	if i := addr >> a.slotShift; i < Addr(len(a.slots)) {
		return a.slots[i].Load()
	}
	return nil
}

// takeSlots claims n free slots in a row and returns the first.
func (a *Arena) takeSlots(s Spec, n int) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return 0, fmt.Errorf("arena: map a segment: arena is closed")
	}
	if s.Fixed {
		return a.takeSlotsAt(s.First, n)
	}
	run := 0
	// Going on behind the newest segment, then once more from the start: a run that lies across
	// next is found in the second round.
	for i, end := a.next, a.next+len(a.taken)+n; i < end; i++ {
		at := i % len(a.taken)
		if at == 0 {
			run = 0
		}
		if a.taken[at] {
			run = 0
			continue
		}
		if run++; run == n {
			first := at - n + 1
			for j := first; j <= at; j++ {
				a.taken[j] = true
			}
			a.next = (at + 1) % len(a.taken)
			return first, nil
		}
	}
	return 0, fmt.Errorf("%w: no %d free slots in %d", ErrAddressSpace, n, len(a.taken))
}

func (a *Arena) takeSlotsAt(first Addr, n int) (int, error) {
	slot := int(first >> a.slotShift)
	if first != Addr(slot)<<a.slotShift || slot+n > len(a.taken) || slices.Contains(a.taken[slot:slot+n], true) {
		return 0, fmt.Errorf("%w: %d slots at address %d", ErrAddressSpace, n, first)
	}
	for i := range n {
		a.taken[slot+i] = true
	}
	if slot+n > a.next {
		a.next = (slot + n) % len(a.taken)
	}
	return slot, nil
}

func (a *Arena) freeSlots(first, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := first; i < first+n; i++ {
		a.taken[i] = false
	}
}

// Close gives the reservation back. Every segment must have been unmapped; Close refuses otherwise,
// since a reader may still be in it.
func (a *Arena) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	for i, t := range a.taken {
		if t {
			return fmt.Errorf("arena: close: slot %d is still in use", i)
		}
	}
	a.closed = true
	if a.base == nil {
		return nil
	}
	return unreserve(a.base, a.reserved)
}
