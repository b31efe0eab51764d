package arena

import (
	"errors"
	"testing"
)

// What an appender says of its segment follows what is done to it, and ends with it.
func TestAppenderAccounts(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		s, err := a.Map(Spec{Bytes: testSegment, Source: source(testSegment)})
		if err != nil {
			t.Fatal(err)
		}
		var p Appender
		says := func(when string, segment *Segment, length int64) {
			t.Helper()
			room := int64(0)
			if segment != nil {
				room = testSegment - length
			}
			if p.Segment() != segment || p.Room() != room {
				t.Errorf("%s: segment %v, room %d; want %v, %d", when, p.Segment() != nil, p.Room(), segment != nil, room)
			}
			if ready := p.Ready(); ready < 0 || ready > room {
				t.Errorf("%s: %d bytes are ready of %d", when, ready, room)
			}
		}
		says("before", nil, 0)
		if _, _, err := p.Reserve(1); !errors.Is(err, ErrFull) {
			t.Errorf("without a segment: %v", err)
		}
		if err := p.Attach(s); err != nil {
			t.Fatal(err)
		}
		says("attached", s, 0)
		if p.Ready() != 0 {
			t.Errorf("%d bytes are ready before any was touched", p.Ready())
		}
		addr, b, err := p.Reserve(Unit + 1)
		if err != nil || addr != s.At(0) || len(b) != 2*Unit || cap(b) != len(b) {
			t.Fatalf("%v, %d bytes, %v", addr, len(b), err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("two reservations at once")
				}
			}()
			_, _, _ = p.Reserve(1)
		}()
		b[0], b[len(b)-1] = 1, 2
		p.Commit()
		says("committed", s, 2*Unit)
		if s.Length() != 2*Unit {
			t.Errorf("the segment has %d bytes", s.Length())
		}
		if ready := p.Ready(); ready < populateBytesMin-2*Unit {
			t.Errorf("%d bytes are ready behind the first", ready)
		}
		_, b, err = p.Reserve(1)
		if err != nil {
			t.Fatal(err)
		}
		b[0] = 3
		p.Rollback()
		says("rolled back", s, 2*Unit)
		if _, b, err = p.Reserve(1); err != nil || b[0] != 0 {
			t.Errorf("rolled back and reserved again: %d, %v", b[0], err)
		}
		p.Rollback()
		if got := p.Detach(); got != s {
			t.Error("another segment was detached")
		}
		says("detached", nil, 0)
		if err := p.Attach(s); err != nil {
			t.Fatal(err)
		}
		says("attached again", s, 2*Unit)
		if addr, b, err = p.Reserve(testSegment - 2*Unit); err != nil || addr != s.At(2*Unit) || b[0] != 0 {
			t.Fatalf("all the rest: %v, %v", addr, err)
		}
		p.Commit()
		says("full", s, testSegment)
		if _, _, err := p.Reserve(1); !errors.Is(err, ErrFull) {
			t.Errorf("full: %v", err)
		}
		if w := s.mem[0]; w != 1 || s.mem[2*Unit-1] != 2 {
			t.Errorf("the first bytes are %d, %d", w, s.mem[2*Unit-1])
		}
		p.Detach()
		s.Seal()
		if err := p.Attach(s); !errors.Is(err, ErrSealed) {
			t.Errorf("sealed: %v", err)
		}
		if err := errors.Join(s.Unmap(), a.Close()); err != nil {
			t.Error(err)
		}
	})
}

// Pages are made ready up to a multiple of the next power of two, within bounds.
func TestAhead(t *testing.T) {
	for _, c := range []struct{ end, most, ready, want int64 }{
		{1, populateBytesMax, 1 << 30, populateBytesMin},
		{populateBytesMin, populateBytesMax, 1 << 30, 2 * populateBytesMin},
		{populateBytesMin + 1, populateBytesMax, 1 << 30, 2 * populateBytesMin},
		{300 << 10, populateBytesMax, 1 << 30, 512 << 10},
		{3 << 20, populateBytesMax, 1 << 30, 3 << 20},
		{3<<20 + 1, populateBytesMax, 1 << 30, 4 << 20},
		{3<<20 + 1, populateBytesMin, 1 << 30, 3<<20 + populateBytesMin},
		{3<<20 + 1, populateBytesMax, 3<<20 + 4096, 3<<20 + 4096},
	} {
		if got := ahead(c.end, c.most, c.ready); got != c.want {
			t.Errorf("ahead(%d, %d, %d) = %d, want %d", c.end, c.most, c.ready, got, c.want)
		}
	}
}

// Words and bytes at an address are those of its segment, in both forms of arena.
func TestWordsOfSegments(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		var ps [2]Appender
		for i := range ps {
			s, err := a.Map(Spec{Bytes: testSegment, Source: source(testSegment)})
			if err != nil {
				t.Fatal(err)
			}
			if err := ps[i].Attach(s); err != nil {
				t.Fatal(err)
			}
			addr, b, err := ps[i].Reserve(40 * Unit)
			if err != nil {
				t.Fatal(err)
			}
			for j := range b {
				b[j] = byte(j + i)
			}
			ps[i].Commit()
			for _, off := range []int64{0, 8, Unit, 3*Unit + 8, 39*Unit + Unit - 16} {
				word := func(at int64) (w uint64) {
					for k := int64(7); k >= 0; k-- {
						w = w<<8 | uint64(byte(at+k+int64(i)))
					}
					return w
				}
				if lo, hi := a.Pair(addr, off); lo != word(off) || hi != word(off+8) {
					t.Errorf("segment %d, %d: %#x %#x, want %#x %#x", i, off, lo, hi, word(off), word(off+8))
				}
			}
			a.Fetch(addr)
			if a.Segment(addr) != s {
				t.Errorf("segment %d is not found at its address", i)
			}
		}
		if a.Segment(Addr(len(a.slots))<<a.slotShift) != nil {
			t.Error("a segment behind the last")
		}
		for i := range ps {
			if err := ps[i].Detach().Unmap(); err != nil {
				t.Error(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if _, err := a.Map(Spec{Bytes: testSegment, Source: source(testSegment)}); err == nil {
			t.Error("a closed arena maps a segment")
		}
	})
}

// Units are rounded up, and what is one stays.
func TestRoundUp(t *testing.T) {
	for n := range int64(4 * Unit) {
		if up := RoundUp(n); up%Unit != 0 || up < n || up >= n+Unit {
			t.Errorf("RoundUp(%d) = %d", n, up)
		}
	}
}

func TestLimitInWords(t *testing.T) {
	if s := limitInWords(1<<63 - 1); s != "" {
		t.Errorf("no limit is told as %q", s)
	}
	if s := limitInWords(300 << 20); s != " (ulimit -v leaves the process 300 MiB in all)" {
		t.Errorf("%q", s)
	}
}
