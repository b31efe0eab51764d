package memo

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/cytisus/cytisus/runtime/db"
)

// A nodeIndex finds the nodes that a changed key touches.
type nodeIndex struct {
	parts atomic.Pointer[[]*partNodes] // by PartID; the list is immutable, nil where nothing was read
	mu    sync.Mutex                   // held to replace the list
	made  atomic.Int64                 // nodes that are there

	prints index // nodes of prints (R16), by printKey

	kept    int64  // guarded by Table.flushMu: nodes that sweep left
	evicted uint64 // guarded by Table.flushMu: entries that were evicted before sweep came by
}

// partNodes are the nodes of one partition.
type partNodes struct {
	records, presences index // by key
	ranges             rangeTree
}

func newNode(key string) *node {
	n := &node{}
	n.setKey(key)
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
	all[id] = &partNodes{}
	x.parts.Store(&all)
	return all[id]
}

// keysOf returns the nodes of keys that reads of a kind are about.
func (p *partNodes) keysOf(kind readKind) *index {
	if kind == readPresence {
		return &p.presences
	}
	return &p.records
}

// of returns the node that a read of a partition is about.
func (x *nodeIndex) of(r *read) *node {
	p := x.need(r.part)
	if r.kind.ranged() {
		return p.ranges.get(x, span{r.key, r.hi, r.glob, r.kind&^readFiltered != readRange})
	}
	keys := p.keysOf(r.kind)
	// No record has a key that is longer. To share a node with another makes a mark too many.
	key := r.key[:min(len(r.key), db.MaxKeyBytes)]
	if n := keys.load(key); n != nil {
		return n
	}
	n, there := keys.put(newNode(key))
	if !there {
		x.made.Add(1)
	}
	return n
}

// ofPrint returns the node of a print.
func (x *nodeIndex) ofPrint(p uint32) *node {
	b := printKey(p)
	key := transient(b[:])
	if n := x.prints.load(key); n != nil {
		return n
	}
	n, there := x.prints.put(newNode(strings.Clone(key)))
	if !there {
		x.made.Add(1)
	}
	return n
}

func printKey(p uint32) (key [4]byte) {
	binary.LittleEndian.PutUint32(key[:], p)
	return key
}

// touchedPrints appends the nodes of prints that a change touches.
func (x *nodeIndex) touchedPrints(c *db.Change, to []*node) []*node {
	p := printOf(c.Part, c.Key)
	b := printKey(recordPrint(p))
	if n := x.prints.load(transient(b[:])); n != nil {
		to = append(to, n)
	}
	if c.Old.IsZero() || c.New.IsZero() {
		b = printKey(presencePrint(p))
		if n := x.prints.load(transient(b[:])); n != nil {
			to = append(to, n)
		}
	}
	return to
}

// touched appends the nodes that a change touches.
func (x *nodeIndex) touched(c *db.Change, spans []*spanNode, to []*node) ([]*spanNode, []*node) {
	to = x.touchedPrints(c, to)
	p := x.part(c.Part)
	if p == nil {
		return spans, to
	}
	if n := p.records.load(c.Key); n != nil {
		to = append(to, n)
	}
	replaced := !c.Old.IsZero() && !c.New.IsZero()
	if !replaced {
		if n := p.presences.load(c.Key); n != nil {
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

// sweptAtLeast is how many nodes must have come, or entries gone, before sweep does anything.
const sweptAtLeast = 1024

// sweep takes out the nodes that no living entry reads, and entries that are gone off the lists of
// dependents, if there are many more nodes than it left last, or as many entries went since as
// there are: an entry on a list is memory. The caller holds flushMu.
func (t *Table) sweep() {
	x := &t.nodes
	all, evicted := x.parts.Load(), t.clock.evicted.Load()
	gone := int64(evicted - x.evicted)
	if x.made.Load() < 2*x.kept+sweptAtLeast && gone < t.entries.Load()+sweptAtLeast {
		return
	}
	x.evicted = evicted
	t.sweepEntries()
	t.sweepKeys(&x.prints)
	var parts []*partNodes
	if all != nil {
		parts = *all
	}
	for _, p := range parts {
		if p == nil {
			continue
		}
		t.sweepKeys(&p.records)
		t.sweepKeys(&p.presences)
		t.markMu.Lock()
		p.ranges.remove(func(n *node) bool { return t.unread(n) })
		t.markMu.Unlock()
	}
	x.kept = x.made.Load()
}

func (t *Table) sweepEntries() {
	t.clock.mu.Lock()
	all := slices.Clone(t.clock.ring)
	t.clock.mu.Unlock()
	for _, e := range all {
		e.source.mu.Lock()
		e.tidy()
		e.source.mu.Unlock()
	}
}

func (t *Table) sweepKeys(keys *index) {
	looked := 0
	t.markMu.Lock()
	defer t.markMu.Unlock()
	keys.each(func(n *node) bool {
		if looked++; looked%sweptTogether == 0 {
			t.markMu.Unlock()
			t.markMu.Lock()
		}
		if t.unread(n) {
			keys.remove(n)
		}
		return true
	})
}

// unlink takes an entry that is gone off what tr, one of its traces, was linked to last, and nodes
// that no other reads out of the index. Where the lists are long, or links are older, it is left to
// sweep and to those who append.
func (t *Table) unlink(tr *trace) {
	made, prints := tr.linked(), tr.linkedPrints()
	if made == nil && prints == nil {
		return
	}
	t.markMu.Lock()
	defer t.markMu.Unlock()
	for _, p := range prints {
		key := printKey(p)
		if n := t.nodes.prints.load(transient(key[:])); n != nil && t.unread(n) {
			t.nodes.prints.remove(n)
		}
	}
	if made == nil {
		return
	}
	for i, x := range made.row(len(tr.reads)) {
		if i%sweptTogether == sweptTogether-1 {
			t.markMu.Unlock()
			t.markMu.Lock()
		}
		x.mu.Lock()
		few := x.count() <= manyDependents
		if few && x.isEntry {
			x.tidy()
		}
		x.mu.Unlock()
		if r := &tr.reads[i]; few && !x.isEntry && !r.kind.ranged() && t.unread(x) {
			t.nodes.need(r.part).keysOf(r.kind).remove(x)
		}
	}
}

// unread reports whether no living entry reads a node, which is gone then. The caller holds markMu.
func (t *Table) unread(n *node) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed.Load() == never {
		return n.gone() // or a strand has it that is about to link
	}
	if n.tidy(); n.dependents != nil {
		return false
	}
	n.status |= isGone
	n.changed.Store(never)
	t.nodes.made.Add(-1)
	return true
}
