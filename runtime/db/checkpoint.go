package db

import (
	"context"
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
)

// checkpointBatch is the number of nodes that are encoded, hashed and written together.
const checkpointBatch = 64

// Checkpoint writes all nodes that are not in the store yet and a root, and makes everything put so far durable as the store is set to. Commits
// and reads go on meanwhile; what is committed after Checkpoint began may be left to the log.
func (d *DB) Checkpoint(ctx context.Context) error {
	if d.o.ReadOnly {
		return ErrReadOnly
	}
	d.turn.Lock()
	closed := d.closed
	d.turn.Unlock()
	if closed {
		return ErrClosed
	}
	return d.checkpoint(ctx)
}

func (d *DB) checkpoint(ctx context.Context) error {
	d.checkpointing.Lock()
	defer d.checkpointing.Unlock()
	d.turn.Lock()
	cat, cur, side := d.catalog.Load(), d.current.Load(), d.side.Load()
	seq, last, was := d.seq, d.last, d.due
	d.turn.Unlock()

	r := &root{seq: seq, gen: cur.gen, last: last}
	for _, def := range cat.defs[1:] {
		s := cur
		if def.side {
			s = side
		}
		e := rootEntry{name: def.name, side: def.side}
		if t := s.tree(def.id); t != nil {
			e.changed = t.changed
			if t.root != nil {
				if err := d.write(ctx, t.root); err != nil {
					return fmt.Errorf("db: checkpoint of partition %q: %w", def.name, err)
				}
				e.tree = t.root.hash
			}
		}
		r.parts = append(r.parts, e)
	}
	h, _, err := d.st.Put(KindRoot, r.encode())
	if err != nil {
		return fmt.Errorf("db: checkpoint: %w", err)
	}
	before, err := d.point(h, r)
	if err != nil {
		return fmt.Errorf("db: checkpoint: %w", err)
	}

	d.turn.Lock()
	d.due.chunks -= was.chunks
	d.due.bytes -= was.bytes
	d.due.holdOff = 0
	d.counts.logChunks.Store(int64(d.due.chunks))
	if before.root != h {
		// The log from the root before stays, to begin there if this one turns out to be damaged.
		n := 0
		for n < len(d.log) && d.log[n].seq <= before.seq {
			n++
		}
		d.log = append([]logged(nil), d.log[n:]...)
		d.logWhole = true
	}
	d.turn.Unlock()
	d.counts.checkpoints.Add(1)
	if d.o.CacheBytes > 0 {
		d.trim(cur, side)
	}
	return nil
}

// point has the store's note name a new root. It returns the note before.
func (d *DB) point(h Hash, r *root) (before note, err error) {
	d.noteMu.Lock()
	defer d.noteMu.Unlock()
	before = d.note
	n := note{root: h, seq: r.seq, gen: r.gen, last: r.last, before: before.root, head: before.head, headSeq: before.headSeq, headGen: before.headGen}
	if h == before.root {
		n.before = before.before
	}
	if n.headSeq < r.seq {
		n.head, n.headSeq = r.last, r.seq
	}
	n.headGen = max(n.headGen, r.gen)
	if err := d.st.Commit(n.encode()); err != nil {
		return before, err
	}
	d.note = n
	return before, nil
}

// write puts the dirty nodes under n into the store, children first.
func (d *DB) write(ctx context.Context, n *node) error {
	levels := make([][]*node, n.level()+1)
	collectDirty(n, levels)
	var (
		payloads [checkpointBatch][]byte
		hashes   []Hash
	)
	for _, nodes := range levels {
		for len(nodes) > 0 {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			batch := nodes[:min(len(nodes), checkpointBatch)]
			for i, n := range batch {
				payloads[i] = n.payload()
			}
			var err error
			if hashes, err = d.st.PutBatch(batch[0].kind(), payloads[:len(batch)], hashes[:0]); err != nil {
				return err
			}
			for i, n := range batch {
				n.hash = hashes[i]
				n.clean.Store(true)
			}
			d.counts.nodesWritten.Add(uint64(len(batch)))
			nodes = nodes[len(batch):]
		}
	}
	return nil
}

// collectDirty adds the dirty nodes under n to the lists of their levels (T5).
func collectDirty(n *node, levels [][]*node) {
	if n.clean.Load() {
		return
	}
	levels[n.level()] = append(levels[n.level()], n)
	for i := range n.kids {
		if c := n.kids[i].p.Load(); c != nil {
			collectDirty(c, levels)
		}
	}
}

// trim drops clean leaves from memory if the trees hold more than CacheBytes. Whoever reads on loads them again. Only the holder of
// checkpointing trims.
func (d *DB) trim(states ...*state) {
	bytes := int64(0)
	walk := func(visit func(*node)) {
		for _, s := range states {
			for _, t := range s.trees {
				if t != nil && t.root != nil {
					walkLoaded(t.root, visit)
				}
			}
		}
	}
	walk(func(n *node) { bytes += int64(n.bytes()) })
	d.counts.cachedBytes.Store(bytes)
	if bytes <= d.o.CacheBytes {
		return
	}
	walk(func(n *node) {
		if n.leaf() || n.level() > 1 {
			return
		}
		for i := range n.kids {
			k := &n.kids[i]
			if c := k.p.Load(); c != nil && c.clean.Load() {
				if k.hash.IsZero() {
					k.hash = c.hash // nobody has read it: p was never nil (T6)
				}
				k.p.Store(nil)
				bytes -= int64(c.bytes())
			}
		}
	})
	d.counts.cachedBytes.Store(bytes)
}

func walkLoaded(n *node, visit func(*node)) {
	visit(n)
	for i := range n.kids {
		if c := n.kids[i].p.Load(); c != nil {
			walkLoaded(c, visit)
		}
	}
}

// Refs returns the hashes in a record that this package wrote; for one that it did not write, or that is damaged, none. The payload is only read
// during the call. Links back in time (a chunk's predecessor, a root's log) are none of them: they must not keep the past alive.
func Refs(kind mmapcas.Kind, payload []byte) []Hash {
	var out []Hash
	refs(kind, payload, func(h Hash, _ bool) { out = append(out, h) })
	return out
}
