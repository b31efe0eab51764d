package mmapcas

import "testing"

// While memory is short, tables that grow leave few pages in memory of those that have the headers
// of their records.
func TestFrugalGrowth(t *testing.T) {
	resident := func(frugal bool) int64 {
		s := mustOpen(t, t.TempDir(), Options{SegmentBytes: 1 << 20})
		defer mustClose(t, s)
		const n = 10_000
		for i := range n {
			mustPut(t, s, 1, payload(i, 1000))
		}
		s.SetFrugal(frugal)
		s.DropPages()
		if !s.MemoryUse().Known {
			t.Skip("this system does not say what is in memory")
		}
		for i := range 3 * n { // each table grows more than once
			mustPut(t, s, 1, payload(n+i, 8))
		}
		return s.MemoryUse().Segments.Resident
	}
	if usual, frugal := resident(false), resident(true); frugal > usual/2 {
		t.Errorf("%d bytes are in memory after tables have grown while memory was short, %d else", frugal, usual)
	}
}
