package db

import "unsafe"

// A MemoryUse says what a database has in memory.
type MemoryUse struct {
	Partitions []PartitionMemory // by ID
	Old        NodeMemory        // nodes that older generations alone have, for snapshots and for Options.History
	Notes      int64             // bytes of what waits for Replaced
}

// A PartitionMemory is what of a partition's tree is in memory.
type PartitionMemory struct {
	ID   PartID
	Name string
	NodeMemory
}

// A NodeMemory counts nodes of trees.
type NodeMemory struct{ Nodes, Bytes int64 }

// MemoryUse goes through the nodes that are in memory, and waits for nobody.
func (d *DB) MemoryUse() (m MemoryUse) {
	cur, side := d.current.Load(), d.side.Load()
	cat := d.catalog.Load()
	seen := map[*node]struct{}{}
	count := func(root *link, to *NodeMemory) {
		walkLoaded(root, func(_ *link, n *node) {
			if _, ok := seen[n]; ok {
				return
			}
			seen[n] = struct{}{}
			to.Nodes++
			to.Bytes += int64(n.bytes()) + nodeBytes
		})
	}
	for _, def := range cat.defs[1:] {
		st := cur
		if def.side {
			st = side
		}
		p := PartitionMemory{ID: def.id, Name: def.name}
		if t := st.tree(def.id); t != nil && t.root != nil {
			count(t.root, &p.NodeMemory)
		}
		m.Partitions = append(m.Partitions, p)
	}
	for _, st := range d.live.all() {
		for _, t := range st.trees {
			if t != nil && t.root != nil {
				count(t.root, &m.Old)
			}
		}
	}
	m.Notes = d.old.bytes()
	return m
}

// nodeBytes is what a node takes beside its bytes and its links.
const nodeBytes = int64(unsafe.Sizeof(node{}))

// bytes is the memory of the notes.
func (r *replaced) bytes() (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.blocks {
		n += int64(cap(b)) * int64(unsafe.Sizeof(replacement{}))
	}
	return n
}

// bytes is the memory of the cache.
func (p *points) bytes() (n int64) {
	if p == nil {
		return 0
	}
	n = int64(p.held.Len())
	for i := range p.parts {
		if s := p.parts[i].Load(); s != nil {
			n += int64(s.block.Len())
		}
	}
	return n
}

// PointBytes returns the memory of the point cache, which lies off the Go heap.
func (d *DB) PointBytes() int64 { return d.points.bytes() }
