package db

import (
	"encoding/binary"
)

const (
	partMax    = 1 << 20   // partitions of one database
	pieceBytes = 256 << 10 // of sections; a chunk with more is written in pieces
)

// A chunk is what one commit changed, as the log keeps it.
type chunk struct {
	seq  uint64 // one more than the chunk before
	gen  uint64 // the generation that it makes visible
	prev Hash   // the chunk before; zero in the first
	turn Hash   // random in the chunk that a recovery writes, else zero (C3)

	defs     []definition // partitions made
	resets   []PartID     // partitions emptied without a list of what was in them; they come before sections. Ascending
	sections []section
	pieces   []Hash // records with more sections, before those above. Only one of the two is used
	grafts   []graft
}

// A graft gives a partition another tree. It comes after resets and sections, and no section is of
// its partition.
type graft struct {
	part PartID
	root Hash // of the tree; zero: empty
	Delta
}

// A definition names a partition.
type definition struct {
	id   PartID
	side bool
	name string
}

// A section is a run of one partition's changes. Sections are ordered by partition; two in a row of
// one partition have ascending keys.
type section struct {
	part    PartID
	edits   []edit   // sorted by key, at least one
	changes []Change // the same, in a chunk that is being made
}

func (s *section) len() int { return max(len(s.edits), len(s.changes)) }

func (s *section) at(i int) (key string, h Hash) {
	if s.changes != nil {
		return s.changes[i].Key, s.changes[i].New
	}
	return s.edits[i].key, s.edits[i].hash
}

// slice returns the entries from to before to.
func (s *section) slice(from, to int) section {
	if s.changes != nil {
		return section{part: s.part, changes: s.changes[from:to]}
	}
	return section{part: s.part, edits: s.edits[from:to]}
}

func (c *chunk) encode() []byte { return c.append(nil) }

// append appends c's record to b.
func (c *chunk) append(b []byte) []byte {
	format := byte(formatV1)
	if len(c.grafts) > 0 {
		format = formatV2
	}
	b = append(b, format)
	b = binary.AppendUvarint(b, c.seq)
	b = binary.AppendUvarint(b, c.gen)
	b = append(b, c.prev[:]...)
	if c.turn.IsZero() {
		b = append(b, 0)
	} else {
		b = append(append(b, 1), c.turn[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(c.defs)))
	for _, d := range c.defs {
		b = appendDefinition(b, d)
	}
	b = binary.AppendUvarint(b, uint64(len(c.resets)))
	for _, id := range c.resets {
		b = binary.AppendUvarint(b, uint64(id))
	}
	b = binary.AppendUvarint(b, uint64(len(c.pieces)))
	for _, h := range c.pieces {
		b = append(b, h[:]...)
	}
	b = appendSections(b, c.sections)
	if format == formatV1 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(c.grafts)))
	for _, g := range c.grafts {
		b = append(binary.AppendUvarint(b, uint64(g.part)), g.root[:]...)
		for _, n := range []uint64{g.Inserted, g.Changed, g.Deleted} {
			b = binary.AppendUvarint(b, n)
		}
	}
	return b
}

func decodeChunk(payload []byte) (*chunk, error) {
	d := &decoder{b: payload}
	c, format := d.chunkHead()
	c.sections = d.sections()
	if len(c.pieces) > 0 && len(c.sections) > 0 {
		d.fail("sections both inside and outside")
	}
	if format == formatV2 {
		d.grafts(c)
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return c, nil
}

// chunkHead reads what comes before the sections.
func (d *decoder) chunkHead() (c *chunk, format byte) {
	format = d.format(formatV2)
	c = &chunk{seq: d.uvarint(), gen: d.uvarint(), prev: d.hash()}
	switch d.byte() {
	case 0:
	case 1:
		if c.turn = d.hash(); c.turn.IsZero() {
			d.fail("turn of zero")
		}
	default:
		d.fail("chunk of unknown kind")
	}
	for range d.count(3) {
		c.defs = append(c.defs, d.definition())
	}
	for range d.count(1) {
		id := d.part()
		if n := len(c.resets); n > 0 && c.resets[n-1] >= id {
			d.fail("resets out of order")
		}
		c.resets = append(c.resets, id)
	}
	for range d.count(hashLen) {
		c.pieces = append(c.pieces, d.hash())
	}
	return c, format
}

// grafts reads what a chunk has in the second format only.
func (d *decoder) grafts(c *chunk) {
	n := d.count(1 + hashLen + 3)
	if n == 0 {
		d.fail("second format without a graft")
	}
	for range n {
		g := graft{part: d.part(), root: d.hash(), Delta: Delta{d.uvarint(), d.uvarint(), d.uvarint()}}
		if n := len(c.grafts); n > 0 && c.grafts[n-1].part >= g.part {
			d.fail("grafts out of order")
		}
		if g.Delta == (Delta{}) {
			d.fail("graft of nothing")
		}
		c.grafts = append(c.grafts, g)
	}
}

func appendDefinition(b []byte, d definition) []byte {
	b = binary.AppendUvarint(b, uint64(d.id))
	side := byte(0)
	if d.side {
		side = 1
	}
	return appendString(append(b, side), d.name)
}

func (d *decoder) definition() definition {
	def := definition{id: d.part()}
	side := d.byte()
	if side > 1 {
		d.fail("partition of kind %d", side)
	}
	def.side = side == 1
	def.name = d.string(MaxKeyBytes)
	return def
}

// appendSections writes sections: for each its partition, puts with their hashes, and deletions.
func appendSections(b []byte, sections []section) []byte {
	b = binary.AppendUvarint(b, uint64(len(sections)))
	for i := range sections {
		s := &sections[i]
		b = binary.AppendUvarint(b, uint64(s.part))
		b = binary.AppendUvarint(b, uint64(s.len()))
		before := ""
		for j := range s.len() {
			key, h := s.at(j)
			b = appendKey(b, before, key)
			before = key
			if h.IsZero() {
				b = append(b, 0)
			} else {
				b = append(append(b, 1), h[:]...)
			}
		}
	}
	return b
}

func (d *decoder) sections() []section {
	var out []section
	for range d.count(5) {
		s := section{part: d.part()}
		before, first := "", true
		if n := len(out); n > 0 {
			if out[n-1].part > s.part {
				d.fail("sections out of order")
			}
		}
		edits := d.count(3)
		if edits == 0 {
			d.fail("empty section")
			return nil
		}
		for range edits {
			e := edit{key: d.key(before, first)}
			before, first = e.key, false
			switch d.byte() {
			case 0:
			case 1:
				if e.hash = d.hash(); e.hash.IsZero() {
					d.fail("put of the zero hash")
				}
			default:
				d.fail("edit of unknown kind")
			}
			if d.err != nil {
				return nil
			}
			s.edits = append(s.edits, e)
		}
		if n := len(out); n > 0 && out[n-1].part == s.part && out[n-1].edits[len(out[n-1].edits)-1].key >= s.edits[0].key {
			d.fail("sections overlap")
		}
		out = append(out, s)
	}
	return out
}

func appendPiece(b []byte, sections []section) []byte {
	return appendSections(append(b, formatV1), sections)
}

func decodePiece(payload []byte) ([]section, error) {
	d := &decoder{b: payload}
	d.format(formatV1)
	s := d.sections()
	return s, d.end()
}

// sectionBytes is about what an entry takes in a chunk or a piece, without its key.
const sectionBytes = hashLen + 4

// long reports whether cut makes more than one list of sections, or one of full length.
func long(sections []section, pieceBytes int) bool {
	size := 0
	for i := range sections {
		s := &sections[i]
		for j := range s.len() {
			key, _ := s.at(j)
			if size += len(key) + sectionBytes; size >= pieceBytes {
				return true
			}
		}
	}
	return false
}

// cut splits sections into lists of about pieceBytes each; one list if that is enough.
func cut(sections []section, pieceBytes int) [][]section {
	var out [][]section
	var list []section
	size := 0
	for i := range sections {
		s := &sections[i]
		from := 0
		for j := range s.len() {
			key, _ := s.at(j)
			if size += len(key) + sectionBytes; size < pieceBytes {
				continue
			}
			list = append(list, s.slice(from, j+1))
			out, list, size, from = append(out, list), nil, 0, j+1
		}
		if from < s.len() {
			list = append(list, s.slice(from, s.len()))
		}
	}
	if len(list) > 0 {
		out = append(out, list)
	}
	return out
}
