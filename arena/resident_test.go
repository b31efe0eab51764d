package arena

import (
	"testing"
)

// fileSegment maps a file of n bytes, all of them committed.
func fileSegment(t *testing.T, a *Arena, n int64) *Segment {
	t.Helper()
	src, _ := fileSource(t, n)
	s, err := a.Map(Spec{Source: src, Bytes: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Unmap(); err != nil {
			t.Error(err)
		}
	})
	s.SetLength(n)
	return s
}

// What is resident of a segment follows what was touched and dropped, and what was written before a
// drop is there after it.
func TestDroppedPagesComeBack(t *testing.T) {
	const n = 4 << 20
	a, err := New(Options{SegmentBytes: n})
	if err != nil {
		t.Fatal(err)
	}
	s := fileSegment(t, a, n)
	if _, ok := s.Resident(); !ok {
		t.Skip("this system does not say what is in memory")
	}
	for i := range s.Mem() {
		s.Mem()[i] = byte(i * 7)
	}
	if r, _ := s.Resident(); r != n {
		t.Fatalf("%d bytes are resident after all %d were written", r, n)
	}
	if !s.DropPages() {
		t.Fatal("the pages of a file's segment were not dropped")
	}
	if r, _ := s.Resident(); r != 0 {
		t.Fatalf("%d bytes are resident after the drop", r)
	}
	for i, b := range s.Mem() {
		if b != byte(i*7) {
			t.Fatalf("byte %d is %d after the drop, want %d", i, b, byte(i*7))
		}
	}
	if r, _ := s.Resident(); r != n {
		t.Fatalf("%d bytes are resident after all %d were read", r, n)
	}
}

// Memory that no file has is never dropped.
func TestMemoryWithoutFileStays(t *testing.T) {
	a, err := New(Options{SegmentBytes: minSegmentBytes})
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Map(Spec{Source: Anonymous()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Unmap()
	s.Mem()[0] = 1
	s.SetLength(s.Bytes())
	if s.DropPages() || s.Mem()[0] != 1 {
		t.Fatal("the pages of a segment in memory were dropped")
	}
}

// Blocks are counted while they are there.
func TestBlockBytes(t *testing.T) {
	if Race || !canPlace {
		t.Skip("blocks lie on the Go heap")
	}
	const n = 32 << 20
	before := ReadBlockBytes()
	b, err := NewBlock(n)
	if err != nil {
		t.Fatal(err)
	}
	clear(b.Bytes())
	with := ReadBlockBytes()
	if got := with.Mapped - before.Mapped; got != n {
		t.Errorf("a block of %d bytes counts as %d", n, got)
	}
	if _, ok := ReadResidence(); ok && with.Resident-before.Resident != n {
		t.Errorf("of a block of %d bytes, all written, %d are resident", n, with.Resident-before.Resident)
	}
	if err := b.Free(); err != nil {
		t.Fatal(err)
	}
	if after := ReadBlockBytes(); after.Mapped != before.Mapped {
		t.Errorf("%d bytes are mapped after the block was freed, and %d were before", after.Mapped, before.Mapped)
	}
}

// Of a table on small pages only what was touched is in memory.
func TestBlocksOnSmallPages(t *testing.T) {
	UseHugePages(false)
	defer UseHugePages(true)
	const n = 8 << 20
	before := ReadBlockBytes()
	b, err := NewBlock(n)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Free(); err != nil {
			t.Error(err)
		}
	}()
	for at := 0; at < n; at += 1 << 20 {
		b.Bytes()[at] = 1
	}
	with := ReadBlockBytes()
	if got := with.Mapped - before.Mapped; b.mapped && got != n {
		t.Errorf("%d bytes more are mapped, want %d", got, n)
	}
	if _, ok := ReadResidence(); ok && with.Resident-before.Resident > 1<<20 {
		t.Errorf("%d bytes more are in memory for 8 that were touched", with.Resident-before.Resident)
	}
}
