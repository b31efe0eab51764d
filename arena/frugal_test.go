package arena

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unsafe"
)

// appended is an arena with one segment, and an appender that has written n bytes to it, each of
// which tells where it is. step is told of each piece before it is committed.
func appended(t *testing.T, a *Arena, src Source, n int, step func()) (*Segment, *Appender) {
	t.Helper()
	s, err := a.Map(Spec{Source: src})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Unmap(); err != nil {
			t.Error(err)
		}
	})
	p := new(Appender)
	if err := p.Attach(s); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < n; at += 4096 {
		_, b, err := p.Reserve(4096)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] = byte((at + i) / Unit * 7)
		}
		step()
		p.Commit()
	}
	return s, p
}

func fileSource(t *testing.T, n int64) (Source, *os.File) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "segment"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(n); err != nil {
		t.Fatal(err)
	}
	return File(f), f
}

// F1: a read copies what is there, whoever has the memory, up to the length, and at least what the
// caller knows to be there; what is not to be had it says.
func TestRead(t *testing.T) {
	const n = 1 << 20
	file, f := fileSource(t, n)
	failing := Failing(file, func(string) error { return nil })
	for name, src := range map[string]Source{"heap": Heap(), "file": file, "failing": failing} {
		a, err := New(Options{SegmentBytes: n, Table: name == "heap"})
		if err != nil {
			t.Fatal(err)
		}
		a.SetFrugal(true, 0)
		s, p := appended(t, a, src, n/2, func() {})
		b := make([]byte, 3*Unit)
		for off := int64(0); off < n/2; off += 5 * Unit {
			want := int(min(int64(len(b)), n/2-off))
			if got := a.Read(s.At(off), b, Unit); got != want || !bytes.Equal(b[:got], s.Mem()[off:off+int64(got)]) {
				t.Fatalf("%s: %d bytes from %d on are %x, want %d, %x", name, got, off, b[:got], want, s.Mem()[off:off+int64(want)])
			}
		}
		_, ahead, err := p.Reserve(2 * Unit)
		if err != nil {
			t.Fatal(err)
		}
		ahead[2*Unit-1] = 1
		if got := a.Read(s.At(n/2), b, Unit); got != Unit {
			t.Errorf("%s: %d bytes of what is not committed, want %d, which the caller knows of", name, got, Unit)
		}
		if got := a.Read(s.At(n-Unit), b, 2*Unit); got != 0 {
			t.Errorf("%s: %d bytes across the end", name, got)
		}
		if got := a.Read(Addr(a.reserved/Unit)-1, b, Unit); got != 0 {
			t.Errorf("%s: %d bytes where no segment is", name, got)
		}
		p.Rollback()
		if name == "failing" {
			if err := f.Truncate(n / 4); err != nil {
				t.Fatal(err)
			}
			if got := a.Read(s.At(n/4-Unit), b, 2*Unit); got != 0 {
				t.Errorf("%d bytes of a file that was cut", got)
			}
			if err := f.Truncate(n); err != nil {
				t.Fatal(err)
			}
		}
		if allocs := testing.AllocsPerRun(100, func() { a.Read(s.First(), b, Unit) }); allocs > 0 && !Race {
			t.Errorf("%s: a read allocates %v times", name, allocs)
		}
	}
}

// F1, F2: of a frugal arena no more is in memory than was made ready and the last that was written,
// however much is written and read.
func TestFrugal(t *testing.T) {
	const n, behind = 16 << 20, 1 << 20
	const most = behind + 3*populateBytesMax
	a, err := New(Options{SegmentBytes: n})
	if err != nil {
		t.Fatal(err)
	}
	a.SetFrugal(true, behind)
	src, _ := fileSource(t, n)
	var s *Segment
	peak := int64(0)
	look := func() {
		if s = a.Segment(1); s == nil {
			t.Fatal("no segment")
		}
		r, _ := s.Resident()
		peak = max(peak, r)
	}
	s, p := appended(t, a, src, n*3/4, look)
	if _, ok := s.Resident(); !ok {
		t.Skip("this system does not say what is in memory")
	}
	if peak > most {
		t.Errorf("%d bytes were in memory while %d were written, want %d at most", peak, n*3/4, most)
	}
	peak = 0
	b := make([]byte, Unit)
	for off := int64(0); off < s.Length(); off += 4096 {
		if a.Read(s.At(off), b, Unit) != Unit || b[0] != byte(off/Unit*7) {
			t.Fatalf("%x at %d", b, off)
		}
	}
	if look(); peak > most {
		t.Errorf("%d bytes were in memory when all had been read, want %d at most", peak, most)
	}
	p.Detach().Seal()
	peak = 0
	if look(); peak > populateBytesMax {
		t.Errorf("%d bytes are in memory when the appender has gone", peak)
	}
	// Once memory is not short any more, nothing is given back.
	a.SetFrugal(false, 0)
	for off := int64(0); off < s.Length(); off += 4096 {
		touch(s.Mem()[off:])
	}
	if look(); peak < s.Length() {
		t.Errorf("%d bytes are in memory of %d that were looked at", peak, s.Length())
	}
}

// F1: of a segment that is sealed no appender has the end, however much of it was written last: a
// read brings none of it into memory.
func TestReadOfSealedBringsNothing(t *testing.T) {
	const n = 4 << 20
	a, err := New(Options{SegmentBytes: n})
	if err != nil {
		t.Fatal(err)
	}
	a.SetFrugal(true, n)
	src, _ := fileSource(t, n)
	s, p := appended(t, a, src, n/2, func() {})
	p.Detach().Seal()
	before, ok := s.Resident()
	if !ok {
		t.Skip("this system does not say what is in memory")
	}
	if before > n/4 {
		t.Fatalf("%d bytes are in memory when the appender has gone", before)
	}
	b := make([]byte, Unit)
	for off := int64(0); off < s.Length(); off += 4096 {
		if a.Read(s.At(off), b, Unit) != Unit || b[0] != byte(off/Unit*7) {
			t.Fatalf("%x at %d", b, off)
		}
	}
	if now, _ := s.Resident(); now > before {
		t.Errorf("reads of a sealed segment brought %d bytes into memory, want none", now-before)
	}
}

// watched notes which pages of a file are given back.
type watched struct {
	file
	mem     *[]byte
	dropped *[][2]int64 // from and to
}

func (w watched) drop(mem []byte) bool {
	from := int64(uintptr(unsafe.Pointer(&mem[0])) - uintptr(unsafe.Pointer(&(*w.mem)[0])))
	*w.dropped = append(*w.dropped, [2]int64{from, from + int64(len(mem))})
	return w.file.drop(mem)
}

// F2: an appender gives each page back once, from where it was attached on: what others look at
// behind it stays in memory, and giving back costs what was written and not the segment's length.
func TestPagesAreGivenBackOnce(t *testing.T) {
	const n = 16 << 20
	a, err := New(Options{SegmentBytes: n})
	if err != nil {
		t.Fatal(err)
	}
	src, _ := fileSource(t, n)
	s, p := appended(t, a, src, n/4, func() {})
	var dropped [][2]int64
	s.source = watched{src.(file), &s.mem, &dropped}
	if p.Detach(); len(dropped) > 0 {
		t.Fatalf("pages were given back while memory is not short: %v", dropped)
	}
	a.SetFrugal(true, 1<<20)
	p = new(Appender)
	if err := p.Attach(s); err != nil {
		t.Fatal(err)
	}
	for at := int64(n / 4); at < n*3/4; at += 4096 {
		if _, _, err := p.Reserve(4096); err != nil {
			t.Fatal(err)
		}
		p.Commit()
	}
	p.Detach()
	next := int64(n / 4)
	for _, d := range dropped {
		if d[0] != next {
			t.Errorf("pages from %d to %d were given back, want those from %d on: each once, from where the appender was attached", d[0], d[1], next)
		}
		next = d[1]
	}
	if len(dropped) < 2 || next != n*3/4 {
		t.Errorf("pages up to %d were given back, in %d times, want all up to %d while it is written", next, len(dropped), n*3/4)
	}
}
