package arena

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/epoch"
)

const testSegment = 64 << 10

// forms runs fn over both forms of arena and all sources that fit them.
func forms(t *testing.T, fn func(t *testing.T, a *Arena, source func(bytes int64) Source)) {
	files := func(t *testing.T) func(int64) Source {
		dir := t.TempDir()
		n := 0
		return func(bytes int64) Source {
			n++
			f, err := os.Create(filepath.Join(dir, strconv.Itoa(n)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			if err := f.Truncate(bytes); err != nil {
				t.Fatal(err)
			}
			return File(f)
		}
	}
	for _, c := range []struct {
		name   string
		table  bool
		source func(*testing.T) func(int64) Source
	}{
		{"reserved/anonymous", false, func(*testing.T) func(int64) Source { return func(int64) Source { return Anonymous() } }},
		{"reserved/file", false, files},
		{"table/heap", true, func(*testing.T) func(int64) Source { return func(int64) Source { return Heap() } }},
		{"table/anonymous", true, func(*testing.T) func(int64) Source { return func(int64) Source { return Anonymous() } }},
		{"table/file", true, files},
		{"table/memory", true, func(*testing.T) func(int64) Source {
			return func(int64) Source { return Memory(func(n int64) ([]byte, error) { return make([]byte, n), nil }) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := New(Options{SegmentBytes: testSegment, ReserveBytes: 8 * testSegment, Table: c.table})
			if err != nil {
				t.Fatal(err)
			}
			fn(t, a, c.source(t))
		})
	}
}

func mustMap(t *testing.T, a *Arena, s Spec) *Segment {
	t.Helper()
	seg, err := a.Map(s)
	if err != nil {
		t.Fatal(err)
	}
	return seg
}

// TestAppendModel: reservations of random sizes, committed or rolled back, against a plain byte
// slice.
func TestAppendModel(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 1))
		type chunk struct {
			at Addr
			b  []byte
		}
		var chunks []chunk
		var p Appender
		var segs []*Segment
		for len(segs) < 4 {
			n := rng.Int64N(3000)
			at, b, err := p.Reserve(n)
			if errors.Is(err, ErrFull) {
				if s := p.Detach(); s != nil {
					s.Seal()
				}
				seg := mustMap(t, a, Spec{Source: source(testSegment), Owner: len(segs)})
				segs = append(segs, seg)
				if err := p.Attach(seg); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if int64(len(b)) != RoundUp(n) || !bytes.Equal(b, make([]byte, len(b))) {
				t.Fatalf("reserved %d bytes for %d, or not zero", len(b), n)
			}
			for i := range b {
				b[i] = byte(rng.Uint32() | 1)
			}
			if rng.IntN(4) == 0 {
				p.Rollback()
				continue
			}
			p.Commit()
			chunks = append(chunks, chunk{at, bytes.Clone(b)})
		}
		for _, c := range chunks {
			if !bytes.Equal(a.Bytes(c.at, len(c.b)), c.b) {
				t.Fatalf("bytes at %d changed", c.at)
			}
			s := a.Segment(c.at)
			off := s.Offset(c.at)
			if s.At(off) != c.at || !bytes.Equal(s.Mem()[off:off+int64(len(c.b))], c.b) || off+int64(len(c.b)) > s.Length() {
				t.Fatalf("address %d is offset %d", c.at, off)
			}
		}
		if segs[0].Owner() != 0 || !segs[0].Sealed() || segs[3].Sealed() {
			t.Error("owner or seal")
		}
		if err := p.Attach(segs[0]); !errors.Is(err, ErrSealed) {
			t.Errorf("attach a sealed segment: %v", err)
		}
		if err := a.Close(); err == nil {
			t.Error("closed an arena with segments in it")
		}
		for _, s := range segs {
			if err := errors.Join(s.Flush(0), s.Unmap()); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSlots: segments of one slot and of several come and go; addresses never overlap, and all
// slots come back (A4).
func TestSlots(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		rng := rand.New(rand.NewPCG(4, 4))
		var live []*Segment
		used := func() (n int64) {
			for _, s := range live {
				n += (s.Bytes() + testSegment - 1) / testSegment
			}
			return n
		}
		for range 60 {
			size := (1 + rng.Int64N(3)) * testSegment
			if rng.IntN(2) == 0 && len(live) > 0 {
				i := rng.IntN(len(live))
				if err := live[i].Unmap(); err != nil {
					t.Fatal(err)
				}
				live = append(live[:i], live[i+1:]...)
				continue
			}
			s, err := a.Map(Spec{Source: source(size), Bytes: size})
			if err != nil {
				if !errors.Is(err, ErrAddressSpace) || used()*3 < 8-3 {
					t.Fatalf("%d slots used: %v", used(), err)
				}
				continue
			}
			for _, o := range live {
				if s.First() < o.At(o.Bytes()) && o.First() < s.At(s.Bytes()) {
					t.Fatal("segments overlap")
				}
			}
			live = append(live, s)
			s.Mem()[0], s.Mem()[size-1] = 1, 1
			if a.Segment(s.At(size-Unit)) != s || a.Segment(s.First()) != s {
				t.Fatal("segment not found by address")
			}
		}
		for _, s := range live {
			if err := s.Unmap(); err != nil {
				t.Fatal(err)
			}
			if a.Segment(s.First()) != nil {
				t.Error("unmapped segment is found")
			}
		}
		big := mustMap(t, a, Spec{Source: source(8 * testSegment), Bytes: 8 * testSegment})
		if err := big.Unmap(); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFixed maps segments where an earlier process had them, or not at all.
func TestFixed(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		const slot = Addr(testSegment / Unit)
		at := func(first Addr, slots int64) (*Segment, error) {
			return a.Map(Spec{Source: source(slots * testSegment), Bytes: slots * testSegment, Fixed: true, First: first})
		}
		two, err := at(3*slot, 2)
		if err != nil || two.First() != 3*slot {
			t.Fatal(err)
		}
		for _, first := range []Addr{3 * slot, 4 * slot, 8 * slot, 7*slot + 1, 1 << 40} {
			if _, err := at(first, 1); !errors.Is(err, ErrAddressSpace) {
				t.Errorf("slot at %d: %v", first, err)
			}
		}
		if _, err := at(2*slot, 2); !errors.Is(err, ErrAddressSpace) {
			t.Errorf("a run into slots that are taken: %v", err)
		}
		zero, err := at(0, 1)
		if err != nil || zero.First() != 0 {
			t.Fatal(err)
		}
		// Others go elsewhere.
		other := mustMap(t, a, Spec{Source: source(testSegment)})
		for _, s := range []*Segment{two, zero, other} {
			if a.Segment(s.First()) != s {
				t.Error("segment not found by address")
			}
			if err := s.Unmap(); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestGrow(t *testing.T) {
	a, err := New(Options{SegmentBytes: testSegment, ReserveBytes: 4 * testSegment})
	if err != nil {
		t.Fatal(err)
	}
	full := true
	var asked []int64
	seg := mustMap(t, a, Spec{Source: Anonymous(), Ready: 100, Grow: func(_, n int64) (int64, error) {
		asked = append(asked, n)
		if full {
			return 0, syscall.ENOSPC
		}
		return n + 1000, nil
	}})
	var p Appender
	if err := p.Attach(seg); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Reserve(64); err != nil {
		t.Fatal(err)
	}
	p.Commit()
	for range 2 {
		if _, _, err := p.Reserve(64); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("full disk: %v", err)
		}
	}
	full = false
	if _, _, err := p.Reserve(64); err != nil {
		t.Fatal(err)
	}
	p.Commit()
	if _, _, err := p.Reserve(64); err != nil {
		t.Fatal(err)
	}
	p.Commit()
	if len(asked) != 3 || asked[2] != 128 {
		t.Errorf("asked to grow to %v", asked)
	}
	if err := errors.Join(seg.Unmap(), a.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestConfine: faults of the arena's memory become errors, other panics pass, and the goroutine's
// setting is restored.
func TestConfine(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		src := source(2 * testSegment)
		f, isFile := src.(file)
		seg := mustMap(t, a, Spec{Source: src, Bytes: 2 * testSegment})
		if isFile && goruntime.GOOS != "windows" { // which lets nobody cut a file that is mapped
			if err := f.f.Truncate(testSegment); err != nil {
				t.Fatal(err)
			}
			const off = testSegment + 4096 + 77
			err := a.Confine(func() error {
				seg.Mem()[off] = 1
				return nil
			})
			fe, ok := errors.AsType[*FaultError](err)
			if !ok || !errors.Is(err, ErrFault) || fe.Segment != seg || fe.Offset != off || fe.Addr != seg.At(off) {
				t.Fatalf("%+v, %v", fe, err)
			}
			if err := a.Confine(func() error { seg.Mem()[5] = 1; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		mine := errors.New("mine")
		if err := a.Confine(func() error { return mine }); err != mine {
			t.Errorf("%v", err)
		}
		func() {
			defer func() {
				if v := recover(); v != "mine" {
					t.Errorf("recovered %v", v)
				}
			}()
			_ = a.Confine(func() error { panic("mine") })
		}()
		if n := testing.AllocsPerRun(100, func() { _ = a.Confine(func() error { return nil }) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		if err := errors.Join(seg.Unmap(), a.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAbandon: a segment whose memory failed in the middle of a reservation is given up and sealed.
// Without a reservation nothing has happened.
func TestAbandon(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		seg := mustMap(t, a, Spec{Source: source(testSegment), Bytes: testSegment})
		var p Appender
		p.Abandon()
		if err := p.Attach(seg); err != nil {
			t.Fatal(err)
		}
		if p.Abandon(); p.Segment() != seg || seg.Sealed() {
			t.Error("given up without a reservation")
		}
		if _, _, err := p.Reserve(100); err != nil {
			t.Fatal(err)
		}
		if p.Abandon(); p.Segment() != nil || !seg.Sealed() || seg.Length() != 0 {
			t.Errorf("after Abandon: segment %v, sealed %t, length %d", p.Segment(), seg.Sealed(), seg.Length())
		}
		if err := p.Attach(seg); !errors.Is(err, ErrSealed) {
			t.Errorf("attached again: %v", err)
		}
		if err := errors.Join(seg.Unmap(), a.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestStaleAddress: in the reserved form, what was unmapped faults; it does not show other bytes.
func TestStaleAddress(t *testing.T) {
	a, err := New(Options{SegmentBytes: testSegment})
	if err != nil {
		t.Fatal(err)
	}
	if a.Table() {
		t.Skip("no reserved form here")
	}
	d := epoch.NewDomain()
	seg := mustMap(t, a, Spec{Source: Anonymous()})
	at := seg.At(64)
	g := d.Pin()
	var after error = errors.New("not called")
	seg.Retire(d, func(err error) { after = err })
	d.Collect()
	if err := a.Confine(func() error { a.Bytes(at, 1)[0] = 1; return nil }); err != nil {
		t.Fatalf("pinned memory is gone: %v", err)
	}
	g.Unpin()
	d.Collect()
	if after != nil {
		t.Fatal(after)
	}
	err = a.Confine(func() error { a.Bytes(at, 1)[0] = 1; return nil })
	if fe, ok := errors.AsType[*FaultError](err); !ok || fe.Addr != at || fe.Segment != nil {
		t.Fatalf("%v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnly(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		src := source(testSegment)
		f, ok := src.(file)
		if !ok {
			return
		}
		if _, err := f.f.WriteAt([]byte("hello"), 64); err != nil {
			t.Fatal(err)
		}
		seg := mustMap(t, a, Spec{Source: src, ReadOnly: true, Length: 96})
		if string(seg.Mem()[64:69]) != "hello" || !seg.Sealed() {
			t.Error("bytes")
		}
		if err := a.Confine(func() error { seg.Mem()[64] = 1; return nil }); !errors.Is(err, ErrFault) {
			t.Errorf("store into a read-only segment: %v", err)
		}
		if err := errors.Join(seg.Unmap(), a.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOptions(t *testing.T) {
	for _, bad := range []Options{
		{SegmentBytes: 1000}, {SegmentBytes: 48 << 10}, {SegmentBytes: 3 << 20}, {SegmentBytes: 8 << 30}, {SegmentBytes: -1},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%+v is valid", bad)
		}
		if _, err := New(bad); err == nil {
			t.Errorf("%+v makes an arena", bad)
		}
	}
	a, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a.SegmentBytes() != (Options{}).WithDefaults().SegmentBytes {
		t.Error(a.SegmentBytes())
	}
	if _, err := a.Map(Spec{Source: Anonymous(), Length: 5}); err == nil {
		t.Error("mapped with a length that is no multiple of the unit")
	}
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Map(Spec{Source: Anonymous()}); err == nil {
		t.Error("mapped into a closed arena")
	}
}

func TestWords(t *testing.T) {
	b := heapBytes(64)
	StoreWord(b[8:], 0x0102030405060708)
	if b[8] != 8 || b[15] != 1 || LoadWord(b[8:]) != 0x0102030405060708 {
		t.Errorf("% x", b)
	}
}

func TestBlock(t *testing.T) {
	for _, n := range []int{64, 1000 * 64, pieceBytesMin, pieceBytesMax, pieceBytesMax + 64, 3 << 20} {
		b, err := NewBlock(n)
		if err != nil {
			t.Fatal(err)
		}
		w := b.Words()
		if len(w) != n/8 || b.Len() != n || w[0].Load() != 0 {
			t.Fatalf("block of %d bytes has %d words", n, len(w))
		}
		w[len(w)-1].Store(1)
		if err := errors.Join(b.Free(), b.Free()); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkConfine(b *testing.B) {
	a, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_ = a.Confine(func() error { return nil })
	}
	_ = a.Close()
}

func BenchmarkAppend(b *testing.B) {
	a, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	var p Appender
	var segs []*Segment
	for b.Loop() {
		_, m, err := p.Reserve(96)
		if errors.Is(err, ErrFull) {
			if len(segs) == 4 { // reuse, to stay small
				for _, s := range segs {
					if err := s.Unmap(); err != nil {
						b.Fatal(err)
					}
				}
				segs = nil
			}
			seg, err := a.Map(Spec{Source: Anonymous()})
			if err != nil {
				b.Fatal(err)
			}
			segs = append(segs, seg)
			if err := p.Attach(seg); err != nil {
				b.Fatal(err)
			}
			continue
		}
		m[0] = 1
		p.Commit()
	}
}
