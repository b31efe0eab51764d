package db

import (
	"slices"
	"sort"
)

// An edit sets a key to a record, or removes it if hash is zero.
type edit struct {
	key  string
	hash Hash
}

// A diff is an edit that made a difference.
type diff struct {
	key      string
	old, new Hash
}

// A loader reads the node that a hash names.
type loader interface {
	load(h Hash) (*node, error)
}

// An applier applies edits to one tree after the other. It belongs to one goroutine.
type applier struct {
	src   loader
	fan   int    // most entries of a node that it makes, 2 to fanMax
	diffs []diff // what the last apply changed, in key order
	spare [][]item
}

// take returns an empty list with room for a node and more; give takes it back.
func (a *applier) take() []item {
	if n := len(a.spare); n > 0 {
		s := a.spare[n-1]
		a.spare = a.spare[:n-1]
		return s
	}
	return make([]item, 0, 2*fanMax)
}

func (a *applier) give(s []item) {
	if cap(s) > 64*fanMax {
		return // after a large chunk
	}
	clear(s) // holds on to no node
	a.spare = append(a.spare, s[:0])
}

// apply returns root with the edits, which must be sorted and distinct, applied. If nothing differs it is root
// itself. On an error root is as good as before.
func (a *applier) apply(root *node, edits []edit) (*node, error) {
	a.diffs = a.diffs[:0]
	var tops []item
	level := 0
	if root == nil {
		tops, _ = a.merge(nil, edits)
	} else {
		var same bool
		var err error
		level = root.level()
		if tops, same, err = a.descend(root, edits); same || err != nil {
			return root, err
		}
	}
	for len(tops) > 1 {
		level++
		tops = a.build(level, tops, nil)
	}
	if len(tops) == 0 {
		return nil, nil
	}
	root = tops[0].child
	for !root.leaf() && root.len() == 1 {
		var err error
		if root, err = child(a.src, root, 0); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// descend applies edits under n and returns the entries that stand for n afterwards, or same if n does.
func (a *applier) descend(n *node, edits []edit) (out []item, same bool, err error) {
	if n.leaf() {
		out, same = a.merge(n, edits)
		return out, same, nil
	}
	kids, list := n.items(a.take()), a.take()
	defer func() { a.give(kids); a.give(list) }()
	same = true
	for i, it := range kids {
		mine := len(edits)
		if i+1 < len(kids) {
			mine = sort.Search(len(edits), func(j int) bool { return edits[j].key >= kids[i+1].key })
		}
		if mine == 0 {
			list = append(list, it)
			continue
		}
		c, err := child(a.src, n, i)
		if err != nil {
			return nil, false, err
		}
		part, unchanged, err := a.descend(c, edits[:mine])
		if err != nil {
			return nil, false, err
		}
		if unchanged {
			it.child = c
			list = append(list, it)
		} else {
			same = false
			list = append(list, part...)
		}
		edits = edits[mine:]
	}
	if same {
		return nil, true, nil
	}
	list = a.fill(n.level()-1, list)
	return a.build(n.level(), list, nil), false, nil
}

// merge applies edits to a leaf; a nil leaf is empty.
func (a *applier) merge(n *node, edits []edit) (out []item, same bool) {
	all, list := a.take(), a.take()
	if n != nil {
		all = n.items(all)
	}
	have := all
	before := len(a.diffs)
	for len(edits) > 0 {
		e := edits[0]
		for len(have) > 0 && have[0].key < e.key {
			list, have = append(list, have[0]), have[1:]
		}
		var old Hash
		if len(have) > 0 && have[0].key == e.key {
			old, have = have[0].hash, have[1:]
		}
		if !e.hash.IsZero() {
			list = append(list, item{key: e.key, hash: e.hash, n: 1})
		}
		if old != e.hash {
			a.diffs = append(a.diffs, diff{e.key, old, e.hash})
		}
		edits = edits[1:]
	}
	same = len(a.diffs) == before && n != nil
	list = append(list, have...)
	if !same {
		out = a.build(0, list, nil)
	}
	a.give(all)
	a.give(list)
	return out, same
}

// fill merges small nodes of this chunk's making with a neighbour (T4). A neighbour that cannot be read stays as it is.
func (a *applier) fill(level int, list []item) []item {
	for i := 0; i < len(list) && len(list) > 1; {
		if !list[i].fresh || list[i].child.len() >= max(a.fan/4, 2) || list[i].child.tail >= textMax/2 {
			i++
			continue
		}
		at := max(i-1, 0)
		pair := a.take()
		ok := true
		for j := at; j < at+2 && ok; j++ {
			c := list[j].child
			if c == nil {
				var err error
				if c, err = loadChild(a.src, &list[j], level); err != nil {
					ok = false
					continue
				}
			}
			pair = c.items(pair)
		}
		if !ok {
			a.give(pair)
			i++
			continue
		}
		merged := a.build(level, pair, nil)
		a.give(pair)
		list = slices.Replace(list, at, at+2, merged...)
		i = at + len(merged)
	}
	return list
}
