package db

// A Cursor reads the entries of a span one by one, in the generation of its snapshot whatever is committed meanwhile. It belongs to one
// goroutine and needs no closing; it ends with its snapshot. To go on in another snapshot, or another process, take Span.After(Key()).
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
	left int // entries that the limit allows; below zero: any number
	err  error

	n        *node // nil: before the first entry, or behind the last
	at       int
	from, to int    // entries of n in the span
	key      []byte // room for Bytes
	prefix   int    // bytes of n's prefix in key
}

// Cursor returns a cursor before the first entry of a span.
func (s *Snapshot) Cursor(part PartID, sp Span) *Cursor {
	c := &Cursor{s: s, part: part, left: -1}
	if sp.Limit > 0 {
		c.left = sp.Limit
	}
	root, err := s.root(part)
	if err != nil {
		c.err = err
		return c
	}
	c.w.begin(s.d.st, root, sp)
	return c
}

// Next moves to the next entry and reports whether there is one. After an error, and after the end, there is none.
func (c *Cursor) Next() bool {
	if c.left == 0 || c.err != nil {
		c.n = nil
		return false
	}
	reverse := c.w.span.Reverse
	if c.n != nil {
		if reverse {
			c.at--
		} else {
			c.at++
		}
	}
	if c.n == nil || c.at < c.from || c.at >= c.to {
		if c.s.released.Load() {
			c.n, c.err = nil, ErrReleased
			return false
		}
		var err error
		if c.n, c.from, c.to, err = c.w.leaf(); c.n == nil {
			c.left, c.err = 0, c.s.d.explain(c.part, err)
			return false
		}
		if c.at = c.from; reverse {
			c.at = c.to - 1
		}
		c.key = append(c.key[:0], c.n.prefix()...)
		c.prefix = len(c.key)
	}
	c.left--
	return true
}

// Err returns what ended the cursor early: nil, ErrReleased, or what Snapshot.Scan may return. What Next gave before is right.
func (c *Cursor) Err() error { return c.err }

// Bytes returns the key of the entry, valid and to be left alone until Next is called again.
func (c *Cursor) Bytes() []byte {
	c.key = append(c.key[:c.prefix], c.n.suffix(c.at)...)
	return c.key
}

// Key returns the key of the entry, for keeps.
func (c *Cursor) Key() string { return string(c.Bytes()) }

// Hash returns the record of the entry.
func (c *Cursor) Hash() Hash { return c.n.value(c.at) }
