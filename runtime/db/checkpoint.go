package db

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/mmapcas"
)

// checkpointBatch is the number of nodes that are encoded, hashed and written together.
const checkpointBatch = 64

// Checkpoint writes all nodes that are not in the store yet and a root, and makes everything put so
// far durable as the store is set to. Commits and reads go on meanwhile; what is committed after
// Checkpoint began may be left to the log.
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
	damage := d.st.Damaged()

	r := &root{seq: seq, gen: cur.gen, last: last, gone: d.gone}
	for _, def := range cat.defs[1:] {
		s := cur
		if def.side {
			s = side
		}
		e := rootEntry{name: def.name, side: def.side}
		if t := s.tree(def.id); t != nil {
			e.changed, e.lost = t.changed, t.lost
			if t.root != nil && !cat.unlogged[def.id] {
				if err := d.write(ctx, t.root); err != nil {
					return fmt.Errorf("db: checkpoint of partition %q: %w", def.name, err)
				}
				if damage != d.damageSeen.Load() {
					if err := d.writeAgain(ctx, t.root); err != nil {
						return fmt.Errorf("db: checkpoint of partition %q: %w", def.name, err)
					}
				}
				e.tree = t.root.id()
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
	d.damageSeen.Store(damage)

	d.turn.Lock()
	d.due.chunks -= was.chunks
	d.due.bytes -= was.bytes
	d.due.made -= was.made
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
//
// The note names the newest chunk, too, and no other is put until the store has settled what its
// manifest covers. A chunk put in between would be neither in the crash tail nor named, and nobody
// would find it unless a later one led to it.
func (d *DB) point(h Hash, r *root) (before note, err error) {
	d.turn.Lock()
	unlock := sync.OnceFunc(d.turn.Unlock)
	defer unlock()
	d.noteMu.Lock()
	defer d.noteMu.Unlock()
	before = d.note
	n := note{format: before.format, root: h, seq: r.seq, gen: r.gen, last: r.last, before: before.root, head: d.last, headSeq: d.seq, bare: before.bare, gone: d.gone}
	if r.lossy() {
		n.format = max(n.format, formatV4)
	}
	if len(n.gone) > 0 {
		n.format = formatV5
	}
	if h == before.root {
		n.before = before.before
	}
	n.headGen = max(before.headGen, r.gen, d.current.Load().gen)
	if err := d.st.CommitCovered(n.encode(), unlock); err != nil {
		return before, err
	}
	d.note = n
	return before, nil
}

// advance has the store's note name the newest chunk, and say what change makes it say. The turn is
// held until covered is called.
func (d *DB) advance(gen uint64, covered func(), change func(*note)) error {
	d.noteMu.Lock()
	defer d.noteMu.Unlock()
	n := d.note
	n.head, n.headSeq, n.headGen = d.last, d.seq, max(n.headGen, gen)
	change(&n)
	if err := d.st.CommitCovered(n.encode(), covered); err != nil {
		return err
	}
	d.note = n
	return nil
}

// write puts the dirty nodes that l leads to into the store, children first.
func (d *DB) write(ctx context.Context, l *link) error {
	if !l.dirty.Load() {
		return nil
	}
	levels := make([][]*link, l.node.Load().level()+1)
	collectDirty(l, levels)
	var (
		payloads [checkpointBatch][]byte
		hashes   []Hash
	)
	for level, links := range levels {
		kind := KindInner
		if level == 0 {
			kind = KindLeaf
		}
		for len(links) > 0 {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			batch := links[:min(len(links), checkpointBatch)]
			for i, l := range batch {
				payloads[i] = l.node.Load().payload()
			}
			var err error
			if hashes, err = d.st.PutBatch(kind, payloads[:len(batch)], hashes[:0]); err != nil {
				return err
			}
			for i, l := range batch {
				l.hash = hashes[i]
				l.dirty.Store(false)
			}
			d.counts.nodesWritten.Add(uint64(len(batch)))
			links = links[len(batch):]
		}
	}
	return nil
}

// writeAgain puts the clean nodes that are in memory, once something in the store was found to be
// damaged: the record of any of them may be, and a put of one that is whole writes nothing.
func (d *DB) writeAgain(ctx context.Context, root *link) error {
	var payloads [2][][]byte
	var hashes []Hash
	put := func(i int, kind mmapcas.Kind) (err error) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		hashes, err = d.st.PutBatch(kind, payloads[i], hashes[:0])
		payloads[i] = payloads[i][:0]
		return err
	}
	var failed error
	walkLoaded(root, func(l *link, n *node) {
		i, kind := 0, KindLeaf
		if !n.leaf() {
			i, kind = 1, KindInner
		}
		if failed != nil || l.dirty.Load() {
			return // dirty: of a commit that came since
		}
		if payloads[i] = append(payloads[i], n.payload()); len(payloads[i]) == checkpointBatch {
			failed = put(i, kind)
		}
	})
	if failed == nil {
		failed = put(0, KindLeaf)
	}
	if failed == nil {
		failed = put(1, KindInner)
	}
	return failed
}

// collectDirty adds the dirty links from l down to the lists of their levels (T5).
func collectDirty(l *link, levels [][]*link) {
	if !l.dirty.Load() {
		return
	}
	n := l.node.Load()
	levels[n.level()] = append(levels[n.level()], l)
	for _, k := range n.kids {
		collectDirty(k, levels)
	}
}

// Bound makes the bound of Options.CacheBytes another, as of the next look; negative is none.
func (d *DB) Bound(bytes int64) {
	if bytes <= 0 {
		bytes = math.MaxInt64
	}
	d.cacheMax.Store(bytes)
	d.st.loadedMax.Store(max(bytes/4, d.o.loadedMin))
}

// Trim looks now whether more nodes are in memory than there may be. What is not written yet stays.
func (d *DB) Trim() {
	d.checkpointing.Lock()
	defer d.checkpointing.Unlock()
	d.trim(d.current.Load(), d.side.Load())
}

// trim drops clean leaves from memory if the trees hold more than CacheBytes, then, level by level,
// the inner nodes above them. Whoever reads on loads them again. Only the holder of checkpointing
// trims.
func (d *DB) trim(states ...*state) {
	d.st.loaded.Store(0)
	bytes, top := int64(0), 0
	walk := func(visit func(*link, *node)) {
		for _, s := range states {
			for _, t := range s.trees {
				if t != nil && t.root != nil {
					walkLoaded(t.root, visit)
				}
			}
		}
	}
	walk(func(_ *link, n *node) {
		bytes += int64(n.bytes())
		top = max(top, n.level())
	})
	for level := 1; level <= top && bytes > d.cacheMax.Load(); level++ {
		walk(func(l *link, n *node) {
			if n.level() == level {
				bytes -= n.forget(l)
			}
		})
	}
	d.counts.cachedBytes.Store(bytes)
}

// forget replaces the node that l leads to by an equal one with links to children that are not in
// memory, but for dirty ones. It returns the bytes of those that were, without what is below them.
func (n *node) forget(l *link) (bytes int64) {
	stale := func(k *link) bool { return !k.dirty.Load() && (k.node.Load() != nil || k.asked.Load()) }
	if !slices.ContainsFunc(n.kids, stale) {
		return 0
	}
	// Links are replaced rather than emptied: one that was born with its leaf keeps it. Who has the
	// old node reads on in it.
	links := make([]link, len(n.kids))
	bare := newInner(n.raw, n.tail, len(n.kids))
	for i, k := range n.kids {
		bare.kids[i] = k
		if stale(k) {
			links[i].hash, links[i].size = k.hash, k.size
			bare.kids[i] = &links[i]
			if c := k.node.Load(); c != nil {
				bytes += int64(c.bytes())
			}
		}
	}
	l.node.Store(bare)
	return bytes
}

// walkLoaded calls visit for the nodes in memory, a parent before its children.
func walkLoaded(l *link, visit func(*link, *node)) {
	n := l.node.Load()
	if n == nil {
		return
	}
	visit(l, n)
	for _, k := range n.kids {
		walkLoaded(k, visit)
	}
}

// BareRefs returns those of Refs that name records of this package. It is quick: a collection asks
// this about all of the log, and keys and values, which most of a chunk is, are not taken apart
// where nothing comes behind them.
func BareRefs(kind mmapcas.Kind, payload []byte) []Hash {
	switch kind {
	case KindLeaf, KindPiece:
		return nil // they name values only
	case KindChunk:
		d := &decoder{b: payload}
		if c, format := d.chunkHead(); d.err != nil {
			return nil
		} else if format == formatV1 { // without grafts
			return c.pieces
		}
	}
	var out []Hash
	refs(kind, payload, func(h Hash, own bool) {
		if own {
			out = append(out, h)
		}
	})
	return out
}

// Refs returns the hashes in a record that this package wrote; for one that it did not write, or
// that is damaged, none. The payload is only read during the call. Links back in time (a chunk's
// predecessor, a root's log) are none of them: they must not keep the past alive.
func Refs(kind mmapcas.Kind, payload []byte) []Hash {
	if kind == KindLeaf || kind == KindInner {
		return nodeRefs(kind, payload)
	}
	var out []Hash
	refs(kind, payload, func(h Hash, _ bool) { out = append(out, h) })
	return out
}
