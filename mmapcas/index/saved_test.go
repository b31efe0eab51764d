package index

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

func headSample() Head {
	h := Head{Seq: 7, Live: 960, Reaches: []Reach{{1, 0, 640}, {4, 2048, 64}}}
	for i := range h.parts {
		h.parts[i] = part{buckets: 16, used: 3, entries: 2, sum: uint32(i)}
	}
	return h
}

func TestIndexHead(t *testing.T) {
	h := headSample()
	got, ok := parseHead(h.encode())
	if !ok || !reflect.DeepEqual(got, h) {
		t.Fatalf("%+v became %+v, %v", h, got, ok)
	}
}

func FuzzIndexHead(f *testing.F) {
	h := headSample()
	f.Add(h.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(b); n > savedHeadBytes {
			b = bytes.Clone(b)
			copy(b, savedMagic)
			binary.LittleEndian.PutUint32(b[8:], savedVersion)
			binary.LittleEndian.PutUint32(b[n-4:], record.Checksum(b[:n-4]))
		}
		h, ok := parseHead(b)
		if !ok {
			return
		}
		if got, ok := parseHead(h.encode()); !ok || !reflect.DeepEqual(got, h) {
			t.Fatalf("%+v became %+v", h, got)
		}
	})
}

func TestCoverage(t *testing.T) {
	a, err := arena.New(arena.Options{SegmentBytes: 64 << 10, ReserveBytes: 1 << 20, Table: true})
	if err != nil {
		t.Fatal(err)
	}
	const slot = 64 << 10 / arena.Unit
	c := newCoverage(a)
	c.add(3*slot, 100_000&^31) // two slots
	c.add(slot, 64)
	for at, want := range map[arena.Addr]bool{
		0: false, slot: true, slot + 1: true, slot + 2: false, 2 * slot: false, 3 * slot: true, 4 * slot: true,
		3*slot + 100_000/32 - 1: true, 3*slot + 100_000/32: false, 5 * slot: false, 1 << 40: false,
	} {
		if c.has(at) != want {
			t.Errorf("address %d: %v", at, !want)
		}
	}
}
