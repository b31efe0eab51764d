package arena

import (
	"bytes"
	"errors"
	"math/rand/v2"
	goruntime "runtime"
	"testing"
)

// What is written ahead of the appender touches nothing that was committed, wherever an appender
// takes a segment over, and leaves zeros behind.
func TestWriteAheadKeepsCommitted(t *testing.T) {
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 1))
		for _, piece := range []int64{0, 16 << 10} {
			const size = 4 * testSegment
			src := source(size)
			seg := mustMap(t, a, Spec{Source: src, Bytes: size, Piece: piece})
			var p Appender
			var want []byte
			for p.Room() == 0 || p.Room() > 8000 {
				if p.Segment() == nil || rng.IntN(20) == 0 {
					p.Detach()
					if err := p.Attach(seg); err != nil {
						t.Fatal(err)
					}
				}
				_, b, err := p.Reserve(1 + rng.Int64N(8000))
				if err != nil {
					t.Fatal(err)
				}
				for i := range b {
					b[i] = byte(rng.Uint32() | 1)
				}
				if rng.IntN(8) == 0 {
					p.Rollback()
					continue
				}
				p.Commit()
				want = append(want, b...)
			}
			n := len(want)
			want = append(want, make([]byte, size-n)...)
			if seg.Length() != int64(n) || !bytes.Equal(seg.Mem(), want) {
				t.Errorf("piece %d: the segment differs from what was committed", piece)
			}
			if f, ok := src.(file); ok {
				got := make([]byte, size)
				if err := seg.Flush(0); err != nil {
					t.Fatal(err)
				}
				if _, err := f.f.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
					t.Errorf("piece %d: the file differs from what was committed: %v", piece, err)
				}
			}
			if err := seg.Unmap(); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// A file that another program has cut is not made longer by an appender: the store behind its end
// faults.
func TestWriteAheadOfCutFile(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("nobody cuts a file that is mapped")
	}
	forms(t, func(t *testing.T, a *Arena, source func(int64) Source) {
		const size = 4 * testSegment
		src := source(size)
		f, ok := src.(file)
		if !ok {
			t.Skip("not in a file")
		}
		seg := mustMap(t, a, Spec{Source: src, Bytes: size})
		var p Appender
		if err := p.Attach(seg); err != nil {
			t.Fatal(err)
		}
		if err := f.f.Truncate(testSegment); err != nil {
			t.Fatal(err)
		}
		err := a.Confine(func() error {
			_, b, err := p.Reserve(2 * testSegment)
			if err != nil {
				return err
			}
			b[len(b)-1] = 1
			return nil
		})
		if !errors.Is(err, ErrFault) {
			t.Errorf("a store behind the end of a file that was cut: %v", err)
		}
		if fi, err := f.f.Stat(); err != nil || fi.Size() != testSegment {
			t.Errorf("the file was cut to %d bytes and has %d: %v", testSegment, fi.Size(), err)
		}
		p.Abandon()
		if err := errors.Join(seg.Unmap(), a.Close()); err != nil {
			t.Fatal(err)
		}
	})
}
