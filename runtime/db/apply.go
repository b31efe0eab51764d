package db

import (
	"bytes"
	"slices"
	"sort"
)

// An edit sets a key to a record, or removes it if hash is zero.
type edit struct {
	key  string
	hash Hash
}

// An applier applies edits to one tree after the other. It belongs to one goroutine.
//
// Edits go down the tree in one descent. Each level has a list of what its touched nodes became,
// which the level above takes up. A leaf in which records change and keys do not is copied and
// patched; an inner node whose children each became one with the same first key gets another list
// of children and nothing else; all other nodes are built anew.
type applier struct {
	src    loader
	fan    int      // most entries of a node that it makes, 2 to fanMax
	made   int64    // bytes of leaves made
	diffs  []Change // what apply changed is appended here, in key order
	part   PartID   // for diffs
	around bool     // nodes that cannot be read are given up, and counted in holes
	holes  []keyRange
	levels [levelMax + 1]scratch
}

// scratch is what is at work on one level.
type scratch struct {
	out  []item // what the nodes touched under one parent became
	hits []hit
	all  []item // entries of one node and what replaces some of them
	pair []item
	at   []int // positions to patch
}

// A hit is a child that became the items from to before to on the level below.
type hit struct{ child, from, to int }

// spareMax is the number of items that a list may keep for its next use.
const spareMax = 64 * fanMax

// drop empties a list, so that it holds on to no node, and forgets it if it is large.
func drop(list []item) []item {
	if cap(list) > spareMax {
		return nil
	}
	clear(list)
	return list[:0]
}

// apply returns root with the edits, which must be sorted and distinct, applied. If nothing differs
// it is root itself. On an error root is as good as before, and diffs means nothing.
func (a *applier) apply(part PartID, root *link, edits []edit) (*link, error) {
	a.part = part
	a.holes = nil
	var tops []item
	level := 0
	if root == nil {
		tops, _ = a.merge(nil, edits, nil)
	} else {
		n := root.node.Load()
		level = n.level()
		own := &a.levels[level]
		defer func() { own.out = drop(own.out) }()
		if same, err := a.descend(root, n, "", edits); same || err != nil {
			return root, err
		}
		tops = own.out
	}
	for len(tops) > 1 {
		level++
		tops = a.build(level, tops, nil)
	}
	if len(tops) == 0 {
		return nil, nil
	}
	root = tops[0].link
	for {
		n := root.node.Load()
		if n.leaf() || n.len() > 1 {
			return root, nil
		}
		if _, err := child(a.src, n, 0); a.around && isHole(err) {
			a.holes = append(a.holes, keyRange{lo: n.key(0)})
			return nil, nil
		} else if err != nil { // a root is in memory
			return nil, err
		}
		root = n.kids[0]
	}
}

// applyAround is apply, and gives up nodes that cannot be read where edits come to them. It returns
// the keys that were theirs.
func (a *applier) applyAround(part PartID, root *link, edits []edit) (*link, []keyRange, error) {
	a.around = true
	root, err := a.apply(part, root, edits)
	a.around = false
	return root, a.holes, err
}

// afresh appends what a node of a level becomes that was given up: a node, or more, of the edits
// alone.
func (a *applier) afresh(level int, edits []edit, out []item) []item {
	tops, _ := a.merge(nil, edits, nil)
	for l := 1; l <= level && len(tops) > 0; l++ {
		tops = a.build(l, tops, nil)
	}
	return append(out, tops...)
}

// descend applies edits under n, to which l leads, whose keys lie below hi, and appends what n
// became to its level's list, or reports that n stays as it is.
func (a *applier) descend(l *link, n *node, hi string, edits []edit) (same bool, err error) {
	level := n.level()
	own := &a.levels[level]
	if level == 0 {
		own.out, same = a.merge(n, edits, own.out)
		return same, nil
	}
	below := &a.levels[level-1]
	own.hits = own.hits[:0]
	defer func() { below.out = drop(below.out) }()
	simple := true // every child that changed became one that stands at the same key
	for i := 0; len(edits) > 0; {
		i = max(i, n.route(edits[0].key))
		mine := len(edits)
		if i+1 < len(n.kids) && n.compare(i+1, edits[mine-1].key) <= 0 {
			mine = sort.Search(mine, func(j int) bool { return n.compare(i+1, edits[j].key) <= 0 })
		}
		end := hi
		if a.around && i+1 < len(n.kids) { // else nobody asks where a hole would end
			end = n.key(i + 1)
		}
		c, err := child(a.src, n, i)
		from, unchanged := len(below.out), false
		if a.around && isHole(err) {
			a.holes = append(a.holes, keyRange{n.key(i), end})
			below.out = a.afresh(level-1, edits[:mine], below.out)
		} else if err != nil {
			return false, err
		} else if unchanged, err = a.descend(n.kids[i], c, end, edits[:mine]); err != nil {
			return false, err
		}
		if !unchanged {
			own.hits = append(own.hits, hit{i, from, len(below.out)})
			simple = simple && len(below.out) == from+1 && !a.small(&below.out[from]) && sameKey(below.out[from].from, 0, n, i)
		}
		edits = edits[mine:]
	}
	if len(own.hits) == 0 {
		return true, nil
	}
	if simple {
		size, was := l.size, n.kids
		n := newInner(n.raw, n.tail, len(was))
		copy(n.kids, was)
		for _, h := range own.hits {
			c := below.out[h.from].link
			size += c.size - was[h.child].size
			n.kids[h.child] = c
		}
		own.out = append(own.out, item{from: n, link: newLink(n, size), fresh: true})
		return false, nil
	}
	own.all = own.all[:0]
	at := 0
	for _, h := range own.hits {
		for ; at < h.child; at++ {
			own.all = append(own.all, item{from: n, at: at, link: n.kids[at]})
		}
		own.all = append(own.all, below.out[h.from:h.to]...)
		at++
	}
	for ; at < len(n.kids); at++ {
		own.all = append(own.all, item{from: n, at: at, link: n.kids[at]})
	}
	own.all = a.fill(level-1, own.all)
	own.out = a.build(level, own.all, own.out)
	own.all = drop(own.all)
	return false, nil
}

// compare compares key i with key.
func (n *node) compare(i int, key string) int {
	p := n.prefix()
	if len(key) < len(p) || key[:len(p)] != string(p) {
		if string(p) < key {
			return -1
		}
		return 1
	}
	s, rest := n.suffix(i), key[len(p):]
	switch {
	case string(s) < rest:
		return -1
	case string(s) == rest:
		return 0
	default:
		return 1
	}
}

// sameKey reports whether key i of n is key j of m.
func sameKey(n *node, i int, m *node, j int) bool {
	if p := n.prefix(); bytes.Equal(p, m.prefix()) {
		return bytes.Equal(n.suffix(i), m.suffix(j))
	}
	var room [2][128]byte
	return bytes.Equal(n.appendKey(room[0][:0], i), m.appendKey(room[1][:0], j))
}

// patch is merge for edits that only set keys which are there. ok is false, and nothing was done,
// if there are others.
func (a *applier) patch(n *node, edits []edit) (l *link, same, ok bool) {
	before, own := len(a.diffs), &a.levels[0]
	own.at = own.at[:0]
	pos, count := 0, n.len()
	for i := range edits {
		e := &edits[i]
		if e.hash.IsZero() || pos == count {
			a.diffs = a.diffs[:before]
			return nil, false, false
		}
		if n.compare(pos, e.key) != 0 { // adjacent keys are next to each other
			var found bool
			if pos, found = n.searchFrom(pos, e.key); !found {
				a.diffs = a.diffs[:before]
				return nil, false, false
			}
		}
		if old := n.value(pos); old != e.hash {
			a.diffs = append(a.diffs, Change{a.part, e.key, old, e.hash})
			own.at = append(own.at, pos)
		}
		pos++
	}
	if len(own.at) == 0 {
		return nil, true, true
	}
	l, raw := newLeaf(len(n.raw), n.tail, count)
	copy(raw, n.raw)
	a.made += int64(len(raw))
	for i, at := range own.at {
		copy(raw[n.tail+hashLen*at:], a.diffs[before+i].New[:])
	}
	return l, false, true
}

// merge applies edits to a leaf; a nil leaf is empty. What the leaf became is appended to out, if
// it does not stay the same.
func (a *applier) merge(n *node, edits []edit, out []item) (_ []item, same bool) {
	count := 0
	if n != nil {
		if l, same, ok := a.patch(n, edits); ok {
			if !same {
				out = append(out, item{from: l.node.Load(), link: l, fresh: true})
			}
			return out, same
		}
		count = n.len()
	}
	own := &a.levels[0]
	list, pos := own.all[:0], 0
	before := len(a.diffs)
	for i := range edits {
		e := &edits[i]
		var old Hash
		if pos < count {
			at, found := n.searchFrom(pos, e.key)
			for ; pos < at; pos++ {
				list = append(list, item{from: n, at: pos, hash: n.value(pos)})
			}
			if found {
				old = n.value(pos)
				pos++
			}
		}
		if !e.hash.IsZero() {
			list = append(list, item{key: e.key, hash: e.hash})
		}
		if old != e.hash {
			a.diffs = append(a.diffs, Change{a.part, e.key, old, e.hash})
		}
		if full := 32 * a.fan; len(list) >= 2*full { // a load: full leaves as they come
			out = a.build(0, list[:full], out)
			list = list[:copy(list, list[full:])]
		}
	}
	if len(a.diffs) == before && n != nil {
		own.all = drop(list)
		return out, true
	}
	for ; pos < count; pos++ {
		list = append(list, item{from: n, at: pos, hash: n.value(pos)})
	}
	out = a.build(0, list, out)
	own.all = drop(list)
	return out, false
}

// small reports whether an item leads to a node of this chunk's making that should be merged with a
// neighbour (T4).
func (a *applier) small(it *item) bool {
	if !it.fresh {
		return false
	}
	n := it.link.node.Load()
	return n.len() < max(a.fan/4, 2) && n.tail < textMax/2
}

// fill merges small nodes with a neighbour (T4). A neighbour that cannot be read stays as it is.
func (a *applier) fill(level int, list []item) []item {
	own := &a.levels[level]
	for i := 0; i < len(list) && len(list) > 1; {
		if !a.small(&list[i]) {
			i++
			continue
		}
		at := max(i-1, 0)
		pair, ok := own.pair[:0], true
		for j := at; j < at+2 && ok; j++ {
			c := list[j].link.node.Load()
			if c == nil {
				var err error
				if c, err = loadChild(a.src, list[j].from, list[j].at, list[j].link); err != nil {
					ok = false
					continue
				}
			}
			pair = c.items(pair)
		}
		if !ok {
			own.pair = drop(pair)
			i++
			continue
		}
		merged := a.build(level, pair, nil)
		own.pair = drop(pair)
		list = slices.Replace(list, at, at+2, merged...)
		i = at + len(merged)
	}
	return list
}
