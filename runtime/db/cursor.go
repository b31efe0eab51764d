package db

import (
	"encoding/binary"
	"slices"
)

// A Cursor reads the entries of a span one by one, in the generation of its snapshot whatever is
// committed meanwhile. It belongs to one goroutine and needs no closing; it ends with its snapshot.
// To go on in another snapshot, or another process, take Span.After(Key()).
//
//	c := snap.Cursor(part, db.Prefix("file:///"))
//	for c.Next() {
//		use(c.Key(), c.Hash())
//	}
//	if err := c.Err(); err != nil { … }
type Cursor struct {
	s    *Snapshot
	part PartID
	w    walk
	left int // entries that the limit allows behind this leaf; below zero: any number
	err  error
	// unknown is what comes behind the last entry, nil if that is the end.
	unknown error

	// The leaf, taken apart. rest entries of it are still to come, the next at at+step.
	raw      []byte // nil: before the first entry, or behind the last
	text     int    // where the suffixes begin
	tail     int    // where the hashes begin
	at, step int
	rest     int
	key      []byte // room for Bytes
	prefix   int    // bytes of the leaf's prefix in key
}

// Cursor returns a cursor before the first entry of a span.
func (s *Snapshot) Cursor(part PartID, sp Span) *Cursor {
	c := &Cursor{s: s, part: part, left: -1, step: 1}
	if sp.Limit > 0 {
		c.left = sp.Limit
	}
	if sp.Reverse {
		c.step = -1
	}
	t, err := s.tree(part)
	if err != nil {
		c.err = err
		return c
	}
	sp, c.unknown = t.known(sp)
	c.w.begin(s.d.st, t.top(), sp)
	return c
}

// Next moves to the next entry and reports whether there is one. After an error, and after the end,
// there is none.
func (c *Cursor) Next() bool {
	if c.rest == 0 {
		return c.nextLeaf()
	}
	c.rest--
	c.at += c.step
	return true
}

// nextLeaf is Next when the leaf is read.
func (c *Cursor) nextLeaf() bool {
	c.raw = nil
	if c.left == 0 || c.err != nil {
		return false
	}
	if c.s.released.Load() {
		c.err = ErrReleased
		return false
	}
	n, from, to, err := c.w.leaf()
	if n == nil {
		if err == nil {
			err = c.unknown
		}
		c.left, c.err = 0, c.s.d.explain(c.part, err)
		return false
	}
	c.rest = to - from
	if c.left > 0 {
		c.rest = min(c.rest, c.left)
		c.left -= c.rest
	}
	c.rest--
	if c.at = from; c.step < 0 {
		c.at = to - 1
	}
	prefix := n.prefix()
	c.raw, c.tail = n.raw, n.tail
	c.text = headLen + 2*n.len() + len(prefix)
	if c.key = append(c.key[:0], prefix...); cap(c.key) == len(prefix) {
		c.key = slices.Grow(c.key, cursorKeyBytes)
	}
	c.prefix = len(prefix)
	return true
}

// cursorKeyBytes is the least room behind a prefix.
const cursorKeyBytes = 64

// Err returns what ended the cursor early: nil, ErrReleased, or what Snapshot.Scan may return. What
// Next gave before is right.
func (c *Cursor) Err() error { return c.err }

// Bytes returns the key of the entry, valid and to be left alone until Next is called again.
func (c *Cursor) Bytes() []byte {
	from, ends := 0, c.raw[headLen+2*c.at:]
	if c.at > 0 {
		from = int(binary.LittleEndian.Uint16(c.raw[headLen+2*c.at-2:]))
	}
	c.key = append(c.key[:c.prefix], c.raw[c.text+from:c.text+int(binary.LittleEndian.Uint16(ends))]...)
	return c.key
}

// Key returns the key of the entry, for keeps.
func (c *Cursor) Key() string { return string(c.Bytes()) }

// Hash returns the record of the entry.
func (c *Cursor) Hash() Hash { return Hash(c.raw[c.tail+hashLen*c.at:]) }
