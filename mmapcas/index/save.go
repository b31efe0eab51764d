package index

import (
	"io"

	"github.com/cytisus/cytisus/arena"
)

// Save writes the index as one that covers the reaches of h. beyond hears about each entry that
// leads elsewhere, and is not written; it may subtract the bytes of its record from h.Live. All
// shards are in memory.
func (x *Index) Save(f io.WriterAt, h *Head, beyond func(at arena.Addr)) error {
	covered := newCoverage(x.arena)
	for _, r := range h.Reaches {
		covered.add(r.First, r.Length)
	}
	var b []byte
	at := headSize(len(h.Reaches))
	for i := range h.parts {
		b, h.parts[i] = x.encodeShard(b, i, covered.has, beyond)
		if len(b) < savedChunkBytes && i < Shards-1 {
			continue
		}
		if _, err := f.WriteAt(b, at); err != nil {
			return err
		}
		at += int64(len(b))
		b = b[:0]
	}
	h.Live = max(h.Live, 0)
	_, err := f.WriteAt(h.encode(), 0)
	return err
}

func (x *Index) encodeShard(b []byte, i int, covered func(arena.Addr) bool, beyond func(arena.Addr)) ([]byte, part) {
	g := x.epochs.Pin()
	defer g.Unpin()
	return encodeTable(b, x.shards[i].table.Load(), covered, beyond)
}
