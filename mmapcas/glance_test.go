package mmapcas

import (
	"bytes"
	"testing"

	"github.com/cytisus/cytisus/arena"
)

// TestGlance: glance answers what is simply there, in assembly if that is what this build has, and after a change of any one bit of
// a record it vouches for nothing.
func TestGlance(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	rng := seeded(t)
	for i, n := range []int{0, 1, 31, 32, 33, 95, 96, 97, 127, 128, 129, 160, 255, 256, 300, 511, 512, 513, 544, 600, 2000} {
		kind := Kind(1 + 9*i)
		h := mustPut(t, s, kind, payload(i, n))
		at, word := s.index.glance(keyOf(&h))
		if fast := s.index.base != nil; fast && at != s.index.find(h) || fast != (word != 0) && n <= glanceBytesMax {
			t.Fatalf("%d bytes: glance says %d and %x", n, at, word)
		}
		if word != 0 && (Kind(word>>32) != kind || !bytes.Equal(s.index.glanced(at, word), payload(i, n))) {
			t.Fatalf("%d bytes: a wrong record", n)
		}
		at = s.index.find(h)
		if _, p, ok := s.whole(at); !ok || !bytes.Equal(p, payload(i, n)) {
			t.Fatalf("%d bytes: not whole", n)
		}
		record := s.arena.Bytes(at, int(extent(n)))
		for j := range record {
			bit := byte(1) << rng.IntN(8)
			record[j] ^= bit
			if at, word := s.index.glance(keyOf(&h)); at == absent || word != 0 {
				t.Fatalf("%d bytes, byte %d changed: glance says %d and %x", n, j, at, word)
			}
			if _, _, ok := s.whole(at); ok && (j < hashAt || j >= payloadSumAt) {
				t.Fatalf("%d bytes, byte %d changed: whole", n, j)
			}
			record[j] ^= bit
		}
		h[0]++
		if at, word := s.index.glance(keyOf(&h)); at > absent || word != 0 {
			t.Fatalf("absent name: %d and %x", at, word)
		}
	}
}

// TestGlanceAtTheEnd: a header whose checksum is right but whose payload would end beyond the segment's place is nothing for
// glance, even where other memory follows.
func TestGlanceAtTheEnd(t *testing.T) {
	r := newIndexRig(t)
	if r.base == nil {
		t.Skip("only for the reserved form")
	}
	next, err := r.a.Map(arena.Spec{Source: arena.Anonymous(), Length: segmentHeaderBytes})
	if err != nil {
		t.Fatal(err)
	}
	if next.First() != r.seg.First()+arena.Addr(r.seg.Bytes()/arena.Unit) {
		t.Fatal("the second segment does not follow the first")
	}
	for _, beyond := range []int64{0, arena.Unit} {
		p := bytes.Repeat([]byte{1}, 64)
		h := HashOf(1, p)
		h[0] = byte(beyond / arena.Unit) // another bucket
		off := r.seg.Bytes() - extent(len(p)) + beyond
		both := r.a.Bytes(r.seg.At(off), int(extent(len(p))))
		clear(both)
		writeRecord(both, 1, h, p, new([headerBytes]byte))
		if _, err := r.insert(h, r.seg.At(off)); err != nil {
			t.Fatal(err)
		}
		at, word := r.glance(keyOf(&h))
		if at != r.seg.At(off) || (word != 0) != (beyond == 0) {
			t.Fatalf("%d bytes beyond the end: %d and %x", beyond, at, word)
		}
	}
}
