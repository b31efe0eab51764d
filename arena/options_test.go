package arena

import (
	"math"
	"testing"
)

// TestReservationUnderALimit: the reservation takes at most a quarter of the address space that the
// process may use, and at most a GiB where addresses have 32 bits.
func TestReservationUnderALimit(t *testing.T) {
	if !canPlace {
		t.Skip("this system has the table form only, which reserves nothing")
	}
	const none = math.MaxInt64
	for _, c := range []struct {
		what    string
		o       Options
		narrow  bool
		limit   int64
		segment int64
		reserve int64
		table   bool
	}{
		{"no limit", Options{}, false, none, 64 << 20, 1 << 40, false},
		{"64 GiB", Options{}, false, 64 << 30, 64 << 20, 16 << 30, false},
		{"a GiB", Options{}, false, 1 << 30, 64 << 20, 256 << 20, false},
		{"a byte less", Options{}, false, 1<<30 - 1, 32 << 20, 224 << 20, false},
		{"300 MB", Options{}, false, 300e6, 16 << 20, 64 << 20, false},
		{"next to nothing", Options{}, false, 1 << 19, 64 << 10, 0, true},
		{"segments of a store", Options{SegmentBytes: 64 << 20}, false, 800 << 20, 64 << 20, 1 << 40, true},
		{"a wish", Options{ReserveBytes: 1 << 30}, false, 2 << 30, 64 << 20, 512 << 20, false},
		{"a wish that can be met", Options{ReserveBytes: 1 << 30}, false, none, 64 << 20, 1 << 30, false},
		{"32 bits", Options{}, true, none, 16 << 20, 256 << 20, false},
		{"32 bits and a wish", Options{SegmentBytes: 64 << 20, ReserveBytes: 1 << 40}, true, none, 64 << 20, 1 << 30, false},
		{"32 bits and a limit", Options{}, true, 1 << 30, 16 << 20, 256 << 20, false},
	} {
		o := c.o.withDefaults(c.narrow, c.limit)
		if o.SegmentBytes != c.segment || o.Table != c.table {
			t.Errorf("%s: segments of %d, table %v; want %d, %v", c.what, o.SegmentBytes, o.Table, c.segment, c.table)
		}
		if !c.table && o.ReserveBytes != c.reserve {
			t.Errorf("%s: reserves %d, want %d", c.what, o.ReserveBytes, c.reserve)
		}
		if o.ReserveBytes < slotsMin*o.SegmentBytes {
			t.Errorf("%s: %d bytes are less than %d segments of %d", c.what, o.ReserveBytes, slotsMin, o.SegmentBytes)
		}
	}
}
