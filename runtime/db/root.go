package db

import (
	"encoding/binary"
	"slices"
)

// A root is the state of a database at a checkpoint.
type root struct {
	seq   uint64 // the newest chunk in it
	gen   uint64
	last  Hash        // that chunk; zero if there never was one
	parts []rootEntry // partition i+1
	gone  futures     // as far as they were known when it was made
}

type rootEntry struct {
	name    string
	side    bool
	tree    Hash // of the root node; zero if empty
	changed uint64
	lost    lost
}

func (r *root) encode() []byte {
	format := byte(formatV1)
	switch {
	case len(r.gone) > 0:
		format = formatV3
	case r.lossy():
		format = formatV2
	}
	b := []byte{format}
	b = binary.AppendUvarint(b, r.seq)
	b = binary.AppendUvarint(b, r.gen)
	b = append(b, r.last[:]...)
	b = binary.AppendUvarint(b, uint64(len(r.parts)))
	for i, p := range r.parts {
		b = appendDefinition(b, definition{PartID(i + 1), p.side, p.name})
		b = append(b, p.tree[:]...)
		b = binary.AppendUvarint(b, p.changed)
		if format >= formatV2 {
			b = binary.AppendUvarint(b, uint64(len(p.lost)))
			for _, l := range p.lost {
				b = appendString(appendString(b, l.lo), l.hi)
			}
		}
	}
	if format >= formatV3 {
		b = r.gone.append(b)
	}
	return b
}

// lossy reports whether something is lost of a partition.
func (r *root) lossy() bool {
	return slices.ContainsFunc(r.parts, func(p rootEntry) bool { return len(p.lost) > 0 })
}

func decodeRoot(payload []byte) (*root, error) {
	d := &decoder{b: payload}
	format := d.format(formatV3)
	r := &root{seq: d.uvarint(), gen: d.uvarint(), last: d.hash()}
	names := map[string]bool{}
	for i := range d.count(3 + hashLen + 1) {
		def := d.definition()
		if def.id != PartID(i+1) || names[def.name] {
			d.fail("partition %d is called %d, %q", i+1, def.id, def.name)
		}
		names[def.name] = true
		e := rootEntry{name: def.name, side: def.side, tree: d.hash(), changed: d.uvarint()}
		if format >= formatV2 {
			e.lost = d.lost()
		}
		r.parts = append(r.parts, e)
	}
	if format >= formatV3 {
		r.gone = d.futures()
	}
	if format == formatV2 && !r.lossy() {
		d.fail("format %d, and nothing is lost", format)
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return r, nil
}

// lostOf returns what r says is lost of a partition.
func (r *root) lostOf(id PartID) lost {
	if int(id) > len(r.parts) {
		return nil
	}
	return r.parts[id-1].lost
}

// lost reads ranges of keys.
func (d *decoder) lost() (l lost) {
	for range d.count(2) {
		r := keyRange{d.string(MaxKeyBytes + 1), d.string(MaxKeyBytes + 1)} // a bound may be a key and a zero byte
		if n := len(l); r.hi != "" && r.hi <= r.lo || n > 0 && (l[n-1].hi == "" || l[n-1].hi >= r.lo) {
			d.fail("lost from %.40q to %.40q, out of order", r.lo, r.hi)
		}
		l = append(l, r)
	}
	return l
}

// A note is what the store's manifest keeps for the database: where to begin at Open.
type note struct {
	// formatV2 once a chunk has had a graft, formatV3 once bare is not zero, formatV4 once
	// something was lost, formatV5 once gone is not empty; zero is formatV1.
	format  byte
	root    Hash   // the newest root
	seq     uint64 // its seq, gen and last, should it be damaged
	gen     uint64
	last    Hash
	before  Hash   // the root before it; zero if none
	head    Hash   // the newest chunk when the note was written; zero if none
	headSeq uint64 // at least seq
	headGen uint64
	bare    uint64 // what chunks up to this seq name, and roots before it, may be gone unless the newest of them still names it; at most headSeq
	gone    futures
}

func (n *note) encode() []byte {
	b := append([]byte{max(n.format, formatV1)}, n.root[:]...)
	b = binary.AppendUvarint(b, n.seq)
	b = binary.AppendUvarint(b, n.gen)
	b = append(b, n.last[:]...)
	b = append(b, n.before[:]...)
	b = append(b, n.head[:]...)
	b = binary.AppendUvarint(b, n.headSeq)
	b = binary.AppendUvarint(b, n.headGen)
	if n.format >= formatV3 {
		b = binary.AppendUvarint(b, n.bare)
	}
	if n.format >= formatV5 {
		b = n.gone.append(b)
	}
	return b
}

func decodeNote(b []byte) (note, error) {
	d := &decoder{b: b}
	format := d.format(formatV5)
	n := note{
		format: format, root: d.hash(), seq: d.uvarint(), gen: d.uvarint(), last: d.hash(),
		before: d.hash(), head: d.hash(), headSeq: d.uvarint(), headGen: d.uvarint(),
	}
	if format >= formatV3 {
		n.bare = d.uvarint()
	}
	if format >= formatV5 {
		n.gone = d.futures()
	}
	if n.headSeq < n.seq || n.headGen < n.gen || n.headSeq < n.bare {
		d.fail("head before root")
	}
	return n, d.end()
}
