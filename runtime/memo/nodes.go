package memo

import (
	"sync"
	"sync/atomic"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/puzpuzpuz/xsync/v3"

	"github.com/cytisus/cytisus/runtime/db"
)

// A nodeIndex finds the nodes that a changed key touches.
type nodeIndex struct {
	parts atomic.Pointer[[]*partNodes] // by PartID; the list is immutable, nil where nothing was read
	mu    sync.Mutex                   // held to replace the list
	made  atomic.Int64                 // nodes that are there
	kept  int64                        // guarded by Table.flushMu: nodes that sweep left
}

// partNodes are the nodes of one partition.
type partNodes struct {
	records, presences *xsync.MapOf[string, *node] // by key
	ranges             rangeTree
}

func newNode() *node {
	n := &node{}
	n.dependents = n.first[:0]
	n.changed.Store(never)
	return n
}

// part returns the nodes of a partition, nil if there are none.
func (x *nodeIndex) part(id db.PartID) *partNodes {
	if all := x.parts.Load(); all != nil && int(id) < len(*all) {
		return (*all)[id]
	}
	return nil
}

// need returns the nodes of a partition.
func (x *nodeIndex) need(id db.PartID) *partNodes {
	if p := x.part(id); p != nil {
		return p
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if p := x.part(id); p != nil {
		return p
	}
	var old []*partNodes
	if all := x.parts.Load(); all != nil {
		old = *all
	}
	all := make([]*partNodes, max(len(old), int(id)+1))
	copy(all, old)
	all[id] = &partNodes{records: xsync.NewMapOf[string, *node](), presences: xsync.NewMapOf[string, *node]()}
	x.parts.Store(&all)
	return all[id]
}

// of returns the node that a read of a partition is about.
func (x *nodeIndex) of(r *read) *node {
	p := x.need(r.part)
	if r.kind.ranged() {
		return p.ranges.get(x, span{r.key, r.hi, r.glob, r.kind&^readFiltered != readRange})
	}
	m := p.records
	if r.kind == readPresence {
		m = p.presences
	}
	n, there := m.LoadOrCompute(r.key, newNode)
	if !there {
		x.made.Add(1)
	}
	return n
}

// touched appends the nodes that a change touches.
func (x *nodeIndex) touched(c *db.Change, spans []*spanNode, to []*node) ([]*spanNode, []*node) {
	p := x.part(c.Part)
	if p == nil {
		return spans, to
	}
	if n, ok := p.records.Load(c.Key); ok {
		to = append(to, n)
	}
	replaced := !c.Old.IsZero() && !c.New.IsZero()
	if !replaced {
		if n, ok := p.presences.Load(c.Key); ok {
			to = append(to, n)
		}
	}
	spans = p.ranges.holding(c.Key, spans[:0])
	for _, s := range spans {
		if replaced && s.keysOnly || s.glob != "" && !doublestar.MatchUnvalidated(s.glob, c.Key) {
			continue
		}
		to = append(to, s.node)
	}
	return spans, to
}

// sweptTogether is how many nodes sweep looks at before it lets others mark.
const sweptTogether = 256

// sweep takes out the nodes that no living entry reads, if there are many more than it left last.
// The caller holds flushMu.
func (t *Table) sweep() {
	x := &t.nodes
	all := x.parts.Load()
	if all == nil || x.made.Load() < 2*x.kept+1024 {
		return
	}
	for _, p := range *all {
		if p == nil {
			continue
		}
		for _, m := range []*xsync.MapOf[string, *node]{p.records, p.presences} {
			t.sweepKeys(m)
		}
		t.markMu.Lock()
		p.ranges.remove(func(n *node) bool { return t.unread(n) })
		t.markMu.Unlock()
	}
	x.kept = x.made.Load()
}

func (t *Table) sweepKeys(m *xsync.MapOf[string, *node]) {
	looked := 0
	t.markMu.Lock()
	defer t.markMu.Unlock()
	m.Range(func(key string, n *node) bool {
		if looked++; looked%sweptTogether == 0 {
			t.markMu.Unlock()
			t.markMu.Lock()
		}
		if t.unread(n) {
			m.Delete(key)
		}
		return true
	})
}

// unread reports whether no living entry reads a node, which is gone then. The caller holds markMu.
func (t *Table) unread(n *node) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed.Load() == never && !n.gone {
		return false // a strand has it that is about to link
	}
	if n.dependents = tidied(n.dependents); len(n.dependents) > 0 {
		return false
	}
	n.gone = true
	n.changed.Store(never)
	t.nodes.made.Add(-1)
	return true
}
