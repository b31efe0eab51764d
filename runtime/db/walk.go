package db

// A walk goes through the leaves of a span, in its direction.
type walk struct {
	src   loader
	span  Span
	depth int              // frames in use
	path  [walkDepth]frame // the first of them
	deep  []frame          // the others, of trees that are higher
	top   *node            // not looked at yet
}

// walkDepth is the height of a tree of 60^6 entries. A walk is made for every scan, so it must not
// be large.
const walkDepth = 6

// frame returns frame i.
func (w *walk) frame(i int) *frame {
	if i < walkDepth {
		return &w.path[i]
	}
	if i -= walkDepth; i == len(w.deep) {
		w.deep = append(w.deep, frame{})
	}
	return &w.deep[i]
}

// A frame is a node on the way and the children that are still to be visited.
type frame struct {
	n       *node
	at, end int8 // children at to before end; fanMax fits
	lo, hi  int8 // the child that the lower and the upper bound may lie in; -1: none
}

// first returns the child that is visited next.
func (f *frame) first(reverse bool) int8 {
	if reverse {
		return f.end - 1
	}
	return f.at
}

func (w *walk) begin(src loader, root *link, s Span) {
	w.src, w.span = src, s
	if root != nil && !s.empty() {
		w.top = root.node.Load()
	}
}

// leaf returns the next leaf with entries of the span, those at from to before to. A nil leaf is
// the end.
func (w *walk) leaf() (n *node, from, to int, err error) {
	lo, hi := true, true
	if n = w.top; n == nil {
		n, lo, hi, err = w.next()
	}
	w.top = nil
	for ; n != nil && err == nil; n, lo, hi, err = w.next() {
		from, to = 0, n.len()
		if lo && w.span.Lo != "" {
			if n.leaf() {
				from, _ = n.search(w.span.Lo)
			} else {
				from = n.route(w.span.Lo)
			}
		}
		if hi = hi && w.span.Hi != ""; hi {
			to, _ = n.search(w.span.Hi)
		}
		if n.leaf() {
			if from < to {
				return n, from, to, nil
			}
			continue
		}
		f := frame{n: n, at: int8(from), end: int8(to), lo: -1, hi: -1}
		if lo {
			f.lo = int8(from)
		}
		if hi {
			f.hi = int8(to - 1)
		}
		if n.level() == 1 && from < to {
			n.kids[f.first(w.span.Reverse)].fetch()
		}
		*w.frame(w.depth) = f
		w.depth++
	}
	return nil, 0, 0, err
}

// next returns the next node to look at and whether the bounds may lie in it.
func (w *walk) next() (n *node, lo, hi bool, err error) {
	for w.depth > 0 {
		f := w.frame(w.depth - 1)
		if f.at >= f.end {
			f.n = nil
			w.depth--
			continue
		}
		i := f.at
		if w.span.Reverse {
			f.end--
			i = f.end
		} else {
			f.at++
		}
		if f.at < f.end && f.n.level() == 1 {
			f.n.kids[f.first(w.span.Reverse)].fetch() // comes while this one is read
		}
		n, err = child(w.src, f.n, int(i))
		return n, i == f.lo, i == f.hi, err
	}
	return nil, false, false, nil
}

// get returns the record at key in the tree of a versioned partition in generation gen.
func (d *DB) get(t *tree, gen uint64, part PartID, key string) (Hash, bool, error) {
	p := d.points
	if p == nil || t.supposed || t.entries() < p.treeMin {
		h, ok, err := get(d.st, t.root, key)
		if err == nil && !ok {
			err = t.miss(key)
		}
		return h, ok, err
	}
	k := p.print(part, key)
	if h, ok := p.find(k, t, gen); ok {
		checkPoint(d, t, key, h)
		return h, !h.IsZero(), nil
	}
	h, ok, err := get(d.st, t.root, key)
	if err == nil && !ok {
		err = t.miss(key)
	}
	if err == nil {
		p.add(k, gen, h)
	}
	return h, ok, err
}

// get returns the record at key.
func get(src loader, root *link, key string) (Hash, bool, error) {
	if root == nil {
		return Hash{}, false, nil
	}
	n := root.node.Load()
	for level := n.level(); level > 0; level-- {
		i := n.route(key)
		if level == 1 {
			n.kids[i].fetch()
			return find(src, n, i, key)
		}
		var err error
		if n, err = child(src, n, i); err != nil {
			return Hash{}, false, err
		}
	}
	i, found := n.search(key)
	if !found {
		return Hash{}, false, nil
	}
	return n.value(i), true, nil
}

// leafOf returns the leaf in which key is, or would be.
func leafOf(src loader, root *link, key string) (*node, error) {
	n := root.node.Load()
	for level := n.level(); level > 0; level-- {
		i := n.route(key)
		if level == 1 {
			n.kids[i].fetch()
		}
		var err error
		if n, err = child(src, n, i); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// scan calls fn for the entries of a span until it returns false.
func scan(src loader, root *link, s Span, fn func(string, Hash) bool) error {
	var w walk
	w.begin(src, root, s)
	var room [fanMax]string
	for left := s.Limit; ; {
		n, from, to, err := w.leaf()
		if n == nil || err != nil {
			return err
		}
		if s.Limit > 0 && to-from > left {
			if s.Reverse {
				from = to - left
			} else {
				to = from + left
			}
		}
		for i, keys := 0, n.keys(from, to, room[:0]); i < len(keys); i++ {
			at := i
			if s.Reverse {
				at = len(keys) - 1 - i
			}
			if !fn(keys[at], n.value(from+at)) {
				return nil
			}
		}
		if left -= to - from; left == 0 {
			return nil // not reached without a limit: left is below zero from the first leaf on
		}
	}
}

// A batch reads one key after the other in a tree. Keys that lie in one leaf share the way to it.
type batch struct {
	src  loader
	tree *tree
	leaf *node // the one read last
}

// get returns the record at key, zero if there is none.
func (b *batch) get(key string) (h Hash, err error) {
	if n := b.leaf; n == nil || n.compare(0, key) > 0 || n.compare(n.len()-1, key) < 0 {
		if b.tree.top() == nil {
			return Hash{}, b.tree.miss(key)
		}
		if b.leaf, err = leafOf(b.src, b.tree.root, key); err != nil {
			return Hash{}, err
		}
	}
	i, found := b.leaf.search(key)
	if !found {
		return Hash{}, b.tree.miss(key)
	}
	return b.leaf.value(i), nil
}

// getBatch appends the records at keys to out.
func getBatch(src loader, t *tree, keys []string, out []Hash) ([]Hash, error) {
	b := batch{src: src, tree: t}
	for _, key := range keys {
		h, err := b.get(key)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// getBatch is getBatch in the tree of a versioned partition in generation gen.
func (d *DB) getBatch(t *tree, gen uint64, part PartID, keys []string, out []Hash) ([]Hash, error) {
	p := d.points
	if t == nil || p == nil || t.supposed || t.entries() < p.treeMin {
		return getBatch(d.st, t, keys, out)
	}
	b := batch{src: d.st, tree: t}
	var prints [pointsAhead]pointPrint
	for len(keys) > 0 {
		some := keys[:min(len(keys), pointsAhead)]
		keys = keys[len(some):]
		for i, key := range some {
			prints[i] = p.print(part, key)
			p.fetch(prints[i])
		}
		for i, key := range some {
			h, ok := p.find(prints[i], t, gen)
			if ok {
				checkPoint(d, t, key, h)
			} else {
				var err error
				if h, err = b.get(key); err != nil {
					return nil, err
				}
				p.add(prints[i], gen, h)
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// count returns the number of entries in a span, whatever its limit. It reads the paths to the two
// bounds.
func count(src loader, root *link, s Span) (uint64, error) {
	if root == nil || s.empty() {
		return 0, nil
	}
	return countUnder(src, root.node.Load(), s, true, true)
}

// countUnder counts under n. lo and hi say whether the bounds may lie in it.
func countUnder(src loader, n *node, s Span, lo, hi bool) (uint64, error) {
	from, to := 0, n.len()
	if lo = lo && s.Lo != ""; lo {
		if n.leaf() {
			from, _ = n.search(s.Lo)
		} else {
			from = n.route(s.Lo)
		}
	}
	if hi = hi && s.Hi != ""; hi {
		to, _ = n.search(s.Hi)
	}
	if n.leaf() {
		return uint64(max(to-from, 0)), nil
	}
	var sum uint64
	for i := from; i < to; i++ {
		atLo, atHi := lo && i == from, hi && i == to-1
		if !atLo && !atHi {
			sum += n.kids[i].size
			continue
		}
		c, err := child(src, n, i)
		if err != nil {
			return 0, err
		}
		part, err := countUnder(src, c, s, atLo, atHi)
		if err != nil {
			return 0, err
		}
		sum += part
	}
	return sum, nil
}
