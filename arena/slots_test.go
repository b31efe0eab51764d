package arena

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"testing"
)

// TestAddressesAreUsedAgainLate: a segment gets the addresses behind the newest, also behind one
// that was mapped where it had been, and from the start again behind the last: what was unmapped is
// used again when its turn comes, so that an address that is out of date finds nothing for as long
// as can be.
func TestAddressesAreUsedAgainLate(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		const slot = Addr(testSegment / Unit)
		slots := Addr(a.reserved / testSegment)
		next := func(want Addr) {
			t.Helper()
			s := mustMap(t, a, Spec{Source: source(testSegment)})
			if s.First() != want*slot {
				t.Errorf("the segment is in slot %d, want %d of %d", s.First()/slot, want, slots)
			}
			if err := s.Unmap(); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2 * slots {
			next(i % slots)
		}
		fixed := func(first, n Addr) {
			t.Helper()
			bytes := int64(n) * testSegment
			s := mustMap(t, a, Spec{Source: source(bytes), Bytes: bytes, Fixed: true, First: first * slot})
			if s.First() != first*slot {
				t.Errorf("the segment is in slot %d, want %d", s.First()/slot, first)
			}
			if err := s.Unmap(); err != nil {
				t.Fatal(err)
			}
		}
		fixed(2, 2)
		next(4)
		fixed(0, 2) // an older one: the next is behind the newest all the same
		next(5)
		fixed(slots-1, 1) // the last of all
		next(0)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRefusedSegmentTakesNothing: a segment that finds no place leaves all slots that are free to
// others, and all of them can be taken.
func TestRefusedSegmentTakesNothing(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		var segs []*Segment
		for range a.reserved / testSegment {
			segs = append(segs, mustMap(t, a, Spec{Source: source(testSegment)}))
		}
		if _, err := a.Map(Spec{Source: source(testSegment)}); !errors.Is(err, ErrAddressSpace) {
			t.Errorf("one more than there are slots: %v", err)
		}
		for _, s := range segs {
			if err := s.Unmap(); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCloseGivesTheReservationBack: an arena that is closed takes no address space.
func TestCloseGivesTheReservationBack(t *testing.T) {
	if !canPlace {
		t.Skip("nothing is reserved here")
	}
	size := func() int64 {
		b, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Skip("the size of the process is not known here:", err)
		}
		var pages int64
		if _, err := fmt.Sscan(string(b), &pages); err != nil {
			t.Fatal(err)
		}
		return pages * int64(os.Getpagesize())
	}
	before := size()
	a, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a.base == nil {
		t.Skip("the process may not use enough address space")
	}
	if grown := size() - before; grown < a.reserved {
		t.Errorf("%d bytes were reserved, and the process has %d more", a.reserved, grown)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if grown := size() - before; grown > a.reserved/2 {
		t.Errorf("%d bytes were reserved; behind Close the process has %d more than before", a.reserved, grown)
	}
}

// TestLargestSegments: segments of the largest size are valid, and those of twice that are not; no
// reservation reaches the last address, which is none.
func TestLargestSegments(t *testing.T) {
	most := int64(maxSegmentBytes)
	if narrow {
		most = narrowSegmentBytesMax
	}
	if err := (Options{SegmentBytes: most}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (Options{SegmentBytes: 2 * most}).Validate(); err == nil {
		t.Errorf("segments of %d bytes are valid", 2*most)
	}
	o := Options{SegmentBytes: maxSegmentBytes, ReserveBytes: 1 << 62, Table: true}.withDefaults(false, 1<<62)
	if last := Addr((o.ReserveBytes - 1) / Unit); o.ReserveBytes/Unit > 1<<AddrBits-1 {
		t.Errorf("%d bytes are reserved, with the address %#x", o.ReserveBytes, last)
	}
}

// TestConfinedEndsAsItBegan: behind BeginConfined and EndConfined a fault of the goroutine ends the
// process again, unless that was otherwise before.
func TestConfinedEndsAsItBegan(t *testing.T) {
	a, err := New(Options{SegmentBytes: testSegment, Table: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, before := range []bool{false, true} {
		old := debug.SetPanicOnFault(before)
		if fault := a.EndConfined(a.BeginConfined(), nil); fault != nil {
			t.Error(fault)
		}
		if is := debug.SetPanicOnFault(old); is != before {
			t.Errorf("a fault is a panic: %v before, %v behind it", before, is)
		}
	}
}
