package index

import (
	"bytes"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// put writes a whole record and enters it.
func (r *indexRig) put(t testing.TB, kind record.Kind, p []byte) record.Hash {
	t.Helper()
	h := record.NameOf(kind, p)
	r.mu.Lock()
	defer r.mu.Unlock()
	at, b, err := r.app.Reserve(record.Extent(len(p)))
	if err != nil {
		t.Fatal(err)
	}
	record.Write(b, kind, h, record.Plain(p), new([headerBytes]byte))
	r.app.Commit()
	if other, err := r.Insert(h, at); err != nil || other != arena.Nil {
		t.Fatal(other, err)
	}
	return h
}

// TestGlance: Glance answers what is simply there, in assembly if that is what this build has, and
// after a change of any one bit of a record it vouches for nothing.
func TestGlance(t *testing.T) {
	r := newIndexRig(t)
	rng := seeded(t)
	for i, n := range []int{0, 1, 31, 32, 33, 95, 96, 97, 127, 128, 129, 160, 255, 256, 300, 511, 512, 513, 544, 600, 2000} {
		kind := record.Kind(1 + 9*i)
		p := make([]byte, n)
		for j := range p {
			p[j] = byte(rng.Uint32())
		}
		h := r.put(t, kind, p)
		at, word := r.Glance(KeyOf(&h))
		if fast := r.near.fast(); fast && at != r.Find(h) || fast != (word != 0) && n <= glanceBytesMax {
			t.Fatalf("%d bytes: glance says %d and %x", n, at, word)
		}
		if word != 0 && (record.Kind(word>>32) != kind || !bytes.Equal(r.Glanced(at, word), p)) {
			t.Fatalf("%d bytes: a wrong record", n)
		}
		b := r.a.Bytes(r.Find(h), int(record.Extent(n)))
		if _, got, ok := record.Whole(b); !ok || !bytes.Equal(got, p) {
			t.Fatalf("%d bytes: not whole", n)
		}
		for j := range b {
			bit := byte(1) << rng.IntN(8)
			b[j] ^= bit
			if at, word := r.Glance(KeyOf(&h)); at == Absent || word != 0 {
				t.Fatalf("%d bytes, byte %d changed: glance says %d and %x", n, j, at, word)
			}
			if _, _, ok := record.Whole(b); ok && (j < hashAt || j >= payloadSumAt) {
				t.Fatalf("%d bytes, byte %d changed: whole", n, j)
			}
			b[j] ^= bit
		}
		h[0]++
		if at, word := r.Glance(KeyOf(&h)); at > Absent || word != 0 {
			t.Fatalf("absent name: %d and %x", at, word)
		}
	}
}

// TestGlanceAtTheEnd: a header whose checksum is right but whose payload would end beyond the
// segment's place is nothing for Glance, even where other memory follows.
func TestGlanceAtTheEnd(t *testing.T) {
	r := newIndexRig(t)
	if !r.near.fast() {
		t.Skip("only for the reserved form")
	}
	next, err := r.a.Map(arena.Spec{Source: arena.Anonymous(), Length: headRoom})
	if err != nil {
		t.Fatal(err)
	}
	if next.First() != r.seg.First()+arena.Addr(r.seg.Bytes()/arena.Unit) {
		t.Fatal("the second segment does not follow the first")
	}
	for _, beyond := range []int64{0, arena.Unit} {
		p := bytes.Repeat([]byte{1}, 64)
		h := record.NameOf(1, p)
		h[0] = byte(beyond / arena.Unit) // another bucket
		off := r.seg.Bytes() - record.Extent(len(p)) + beyond
		both := r.a.Bytes(r.seg.At(off), int(record.Extent(len(p))))
		clear(both)
		record.Write(both, 1, h, record.Plain(p), new([headerBytes]byte))
		if _, err := r.Insert(h, r.seg.At(off)); err != nil {
			t.Fatal(err)
		}
		at, word := r.Glance(KeyOf(&h))
		if at != r.seg.At(off) || (word != 0) != (beyond == 0) {
			t.Fatalf("%d bytes beyond the end: %d and %x", beyond, at, word)
		}
	}
}
