package db

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// A plan is a chunk reduced to what does not depend on the state it meets.
type plan struct {
	part   PartID
	edits  []edit   // sorted by key, one for each key
	clears []string // sorted; none is a prefix of another. Edits under them are puts that follow the clear
}

// A workbench is what a commit needs until it is answered.
type workbench struct {
	edits   []edit
	plans   [1]plan
	names   []Hash
	pending pending
}

var benches = sync.Pool{New: func() any { return new(workbench) }}

// clear gives the bench to the next commit, with nothing on it.
func (b *workbench) clear() {
	const keep = 4096
	b.plans[0], b.pending = plan{}, pending{}
	clear(b.edits)
	if b.edits, b.names = b.edits[:0], b.names[:0]; cap(b.edits) > keep || cap(b.names) > keep {
		*b = workbench{}
	}
	benches.Put(b)
}

// plan is makePlans. Operations on one partition that are in order already, and no clears, which is
// what most chunks are, take one pass.
func (b *workbench) plan(ops []Op, cat *catalog) ([]plan, error) {
	known := func(id PartID) error {
		_, err := cat.find(id)
		return err
	}
	for i := range ops {
		op := &ops[i]
		if i > 0 && (op.Part != ops[0].Part || op.Key <= ops[i-1].Key) || len(op.Key) > MaxKeyBytes ||
			op.Verb != Delete && (op.Verb != Put || op.Hash.IsZero()) {
			return makePlans(ops, known)
		}
		e := edit{op.Key, op.Hash}
		if op.Verb == Delete {
			e.hash = Hash{}
		}
		b.edits = append(b.edits, e)
	}
	if len(ops) == 0 {
		return nil, nil
	}
	b.plans[0] = plan{part: ops[0].Part, edits: b.edits}
	return b.plans[:], known(ops[0].Part)
}

// allThere reports whether the store has every record that plans name.
func (b *workbench) allThere(st store, plans []plan) bool {
	for i := range plans {
		last := Hash{}
		for j := range plans[i].edits {
			if h := plans[i].edits[j].hash; h != last && !h.IsZero() {
				b.names = append(b.names, h)
				last = h
			}
		}
	}
	return st.HasAll(b.names) < 0
}

// makePlans reduces ops to one plan for each partition, ordered by partition. Order counts within a
// partition: the last operation on a key wins.
func makePlans(ops []Op, known func(PartID) error) ([]plan, error) {
	type point struct {
		Op
		at int
	}
	points := make([]point, 0, len(ops))
	clears := map[PartID]*clearing{}
	checked := PartID(0)
	for i, op := range ops {
		if op.Part != checked {
			if err := known(op.Part); err != nil {
				return nil, err
			}
			checked = op.Part
		}
		if len(op.Key) > MaxKeyBytes {
			return nil, fmt.Errorf("%w: %d bytes, %.40q…", ErrKeyTooLong, len(op.Key), op.Key)
		}
		switch {
		case op.Verb == ClearPrefix:
			c := clears[op.Part]
			if c == nil {
				c = &clearing{last: map[string]int{}}
				clears[op.Part] = c
			}
			c.last[op.Key] = i
		case op.Verb == Delete:
			op.Hash = Hash{}
			points = append(points, point{op, i})
		case op.Verb == Put && !op.Hash.IsZero():
			points = append(points, point{op, i})
		default:
			return nil, fmt.Errorf("%w: verb %d, key %q, hash %v", ErrBadOp, op.Verb, op.Key, op.Hash)
		}
	}
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Key, b.Key), cmp.Compare(a.at, b.at))
	})
	var plans []plan
	for i, p := range points {
		if i == 0 || p.Part != points[i-1].Part {
			plans = append(plans, plan{part: p.Part})
		}
		if i+1 < len(points) && p.Part == points[i+1].Part && p.Key == points[i+1].Key {
			continue // overtaken
		}
		if c := clears[p.Part]; c != nil && c.covers(p.Key, p.at) {
			continue // the clear says it too
		}
		last := &plans[len(plans)-1]
		last.edits = append(last.edits, edit{p.Key, p.Hash})
	}
	for part, c := range clears {
		i, found := slices.BinarySearchFunc(plans, part, func(p plan, id PartID) int { return cmp.Compare(p.part, id) })
		if !found {
			plans = slices.Insert(plans, i, plan{part: part})
		}
		plans[i].clears = c.outermost()
	}
	return plans, nil
}

// A clearing is the prefixes that a chunk clears in one partition.
type clearing struct {
	last    map[string]int // prefix to the position of its last clear
	lengths []int          // of the prefixes, distinct; filled by covers
}

// covers reports whether key, written by operation at, is cleared by a later one.
func (c *clearing) covers(key string, at int) bool {
	if c.lengths == nil {
		for p := range c.last {
			c.lengths = append(c.lengths, len(p))
		}
		slices.Sort(c.lengths)
		c.lengths = slices.Compact(c.lengths)
	}
	for _, n := range c.lengths {
		if n > len(key) {
			break
		}
		if last, ok := c.last[key[:n]]; ok && last > at {
			return true
		}
	}
	return false
}

// outermost returns the prefixes that no other contains, sorted.
func (c *clearing) outermost() []string {
	all := make([]string, 0, len(c.last))
	for p := range c.last {
		all = append(all, p)
	}
	slices.Sort(all)
	out := all[:0]
	for _, p := range all {
		if n := len(out); n > 0 && len(out[n-1]) <= len(p) && p[:len(out[n-1])] == out[n-1] {
			continue
		}
		out = append(out, p)
	}
	return out
}

// resolve adds to the edits a removal of every key in the tree that is cleared and not put again.
func (p *plan) resolve(src loader, root *link) ([]edit, error) {
	if len(p.clears) == 0 {
		return p.edits, nil
	}
	edits := make([]edit, 0, len(p.edits))
	rest := p.edits
	for _, prefix := range p.clears {
		err := scan(src, root, Prefix(prefix), func(key string, _ Hash) bool {
			for len(rest) > 0 && rest[0].key < key {
				edits, rest = append(edits, rest[0]), rest[1:]
			}
			if len(rest) == 0 || rest[0].key != key {
				edits = append(edits, edit{key: key})
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return append(edits, rest...), nil
}
