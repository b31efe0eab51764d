package memo

import "slices"

// A recorder takes down what a run reads, each thing once, in the order of reading. Most runs read
// what the run before did, and in its order: then a read is recognised by its place, without
// looking it up among the others, and shares the strings of the one before.
type recorder struct {
	before *trace    // the run before; nil: none that was linked
	links  []*source // what before was linked to
	at     int       // where in before the next read is expected
	shown  *shown    // where others see the reads; nil: nowhere

	reads []read
	from  []*source // of each read: what answered it; nil: a partition
	was   []int32   // of each read: its place in before, counted from 1; 0: it was not found there

	// A read that was found in before can be one of reads already only if that is a stray, which
	// was not found there: what before reads is there once.
	strays  []int32             // places in reads
	seen    map[readID]struct{} // made when reads are many: reads[:counted], and all strays
	counted int
	passed  int  // reads that were looked through for one that was not expected
	fresh   bool // the next read is none of reads, says who makes it

	taken   []stretch // of reads, in order
	batches batches   // that the run asked for
	carried int       // bytes of the values of the last batch that was taken over

	// Where the lists begin: newTrace copies what is not long, so they are used again.
	grown lists // longer ones, empty; nil: there are none
	place struct {
		reads  [readsInPlace]read
		from   [readsInPlace]*source
		was    [readsInPlace]int32
		strays [readsInPlace]int32
	}
}

// lists are what a recorder has taken down.
type lists struct {
	reads []read
	from  []*source
	was   []int32
}

const (
	// readsInPlace is how many reads a trace may have in one piece with itself (newTrace).
	readsInPlace = 3

	// readsCopied is how long lists may be that newTrace copies. Longer ones it takes over.
	readsCopied = 256
)

// begin makes an empty recorder ready.
func (c *recorder) begin() {
	c.strays = c.place.strays[:0]
	if c.grown.reads != nil {
		c.reads, c.from, c.was = c.grown.reads, c.grown.from, c.grown.was
		return
	}
	c.reads, c.from, c.was = c.place.reads[:0], c.place.from[:0], c.place.was[:0]
}

// left returns the lists for the next use. No trace has them, and others do not see them.
func (c *recorder) left() lists {
	if cap(c.reads) <= readsInPlace || cap(c.reads) > readsCopied {
		return c.grown
	}
	clear(c.reads)
	clear(c.from)
	return lists{c.reads[:0], c.from[:0], c.was[:0]}
}

const (
	readsBeforeMap = 12

	// readsAhead is how far a read may have moved towards the front since the run before and still
	// be found there.
	readsAhead = 8
)

// follow has the recorder expect the reads of a trace.
func (c *recorder) follow(before *trace) {
	if before == nil {
		return
	}
	l := before.linked()
	if l == nil {
		return
	}
	c.before, c.links = before, l.row(len(before.reads))
	if n := len(before.reads); n > cap(c.reads) {
		c.reads, c.from, c.was = make([]read, 0, n+1), make([]*source, 0, n+1), make([]int32, 0, n+1)
	}
}

// query returns the entry that answered for a key in the run before, if it is expected at place at
// or soon after, and that place; nil if it is not.
func (c *recorder) query(q *Query, key string, at int) (*entry, int) {
	if c.before == nil {
		return nil, at
	}
	reads := c.before.reads
	for j := at; j < min(at+readsAhead, len(reads)); j++ {
		if r := &reads[j]; r.kind.asks() && r.key == key && r.query == q.Name {
			return c.links[j].asEntry(), j
		}
	}
	return nil, at
}

// expected returns the place of a read in before, -1 if it is not expected.
func (c *recorder) expected(r *read) int {
	if c.before == nil {
		return -1
	}
	for j := c.at; j < min(c.at+readsAhead, len(c.before.reads)); j++ {
		if c.before.reads[j].same(r) {
			return j
		}
	}
	return -1
}

// add takes down a read, unless it is there.
func (c *recorder) add(r read, from *source) {
	j := c.expected(&r)
	if (j < 0 || len(c.strays) > 0) && !c.fresh && c.has(&r, j < 0) {
		return // one snapshot: the second read saw what the first did
	}
	if j >= 0 {
		h := r.hash
		r = c.before.reads[j]
		r.hash = h
		c.at = j + 1
	} else if c.before != nil {
		c.strays = append(c.strays, int32(len(c.reads)))
		if c.seen != nil {
			c.seen[r.id()] = struct{}{}
		}
	}
	c.reads = append(c.reads, r)
	c.from = append(c.from, from)
	c.was = append(c.was, int32(j+1))
	if c.shown != nil {
		c.shown.show(c.reads)
	}
}

// take takes reads of the run before over, with what they were linked to. None of them is there.
func (c *recorder) take(row []*source, from, to int) {
	c.taken = append(c.taken, stretch{len(c.reads), to - from})
	c.reads = append(c.reads, c.before.reads[from:to]...)
	c.from = append(c.from, row[from:to]...)
	c.was = slices.Grow(c.was, to-from)[:len(c.reads)] // of what is taken nothing asks
	c.at = to
	if c.shown != nil {
		c.shown.show(c.reads)
	}
}

// has reports whether a read is there, among strays or among all reads.
func (c *recorder) has(r *read, all bool) bool {
	if c.seen == nil {
		if !all && len(c.strays) < readsBeforeMap {
			return slices.ContainsFunc(c.strays, func(i int32) bool { return c.reads[i].same(r) })
		}
		if all && c.passed <= readsBeforeMap*len(c.reads) {
			c.passed += len(c.reads)
			return slices.ContainsFunc(c.reads, func(o read) bool { return o.same(r) })
		}
		c.seen = make(map[readID]struct{}, 4*readsBeforeMap)
		for _, i := range c.strays {
			c.seen[c.reads[i].id()] = struct{}{}
		}
	}
	if all {
		for ; c.counted < len(c.reads); c.counted++ {
			c.seen[c.reads[c.counted].id()] = struct{}{}
		}
	}
	_, there := c.seen[r.id()]
	return there
}

// fitted returns a list in no more memory than it needs, about.
func fitted[T any](list []T) []T {
	if cap(list) > 2*len(list) {
		return slices.Clone(list)
	}
	return list
}
