package db

import "encoding/binary"

// A root is the state of a database at a checkpoint.
type root struct {
	seq   uint64 // the newest chunk in it
	gen   uint64
	last  Hash        // that chunk; zero if there never was one
	parts []rootEntry // partition i+1
}

type rootEntry struct {
	name    string
	side    bool
	tree    Hash // of the root node; zero if empty
	changed uint64
}

func (r *root) encode() []byte {
	b := []byte{formatV1}
	b = binary.AppendUvarint(b, r.seq)
	b = binary.AppendUvarint(b, r.gen)
	b = append(b, r.last[:]...)
	b = binary.AppendUvarint(b, uint64(len(r.parts)))
	for i, p := range r.parts {
		b = appendDefinition(b, definition{PartID(i + 1), p.side, p.name})
		b = append(b, p.tree[:]...)
		b = binary.AppendUvarint(b, p.changed)
	}
	return b
}

func decodeRoot(payload []byte) (*root, error) {
	d := &decoder{b: payload}
	d.format(formatV1)
	r := &root{seq: d.uvarint(), gen: d.uvarint(), last: d.hash()}
	names := map[string]bool{}
	for i := range d.count(3 + hashLen + 1) {
		def := d.definition()
		if def.id != PartID(i+1) || names[def.name] {
			d.fail("partition %d is called %d, %q", i+1, def.id, def.name)
		}
		names[def.name] = true
		r.parts = append(r.parts, rootEntry{def.name, def.side, d.hash(), d.uvarint()})
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return r, nil
}

// A note is what the store's manifest keeps for the database: where to begin at Open.
type note struct {
	format  byte   // formatV2 once a chunk has had a graft, formatV3 once bare is not zero; zero is formatV1
	root    Hash   // the newest root
	seq     uint64 // its seq, gen and last, should it be damaged
	gen     uint64
	last    Hash
	before  Hash   // the root before it; zero if none
	head    Hash   // the newest chunk when the note was written; zero if none
	headSeq uint64 // at least seq
	headGen uint64
	bare    uint64 // what chunks up to this seq name, and roots before it, may be gone unless the newest of them still names it; at most headSeq
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
	return b
}

func decodeNote(b []byte) (note, error) {
	d := &decoder{b: b}
	format := d.format(formatV3)
	n := note{
		format: format, root: d.hash(), seq: d.uvarint(), gen: d.uvarint(), last: d.hash(),
		before: d.hash(), head: d.hash(), headSeq: d.uvarint(), headGen: d.uvarint(),
	}
	if format >= formatV3 {
		n.bare = d.uvarint()
	}
	if n.headSeq < n.seq || n.headGen < n.gen || n.headSeq < n.bare {
		d.fail("head before root")
	}
	return n, d.end()
}
