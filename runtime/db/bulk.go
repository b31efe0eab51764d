package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

const (
	bulkBatch = 16384 // operations that a bulk applies together: the memory that it needs, 2 to 60 MB
	bulkTries = 3     // how often a bulk is brought up to date before it holds the turn for it
)

// errMoved says that the partition is not what the bulk was made for any more.
var errMoved = errors.New("db: partition changed beside a bulk")

// A Bulk is a commit of any number of operations on one versioned partition in little memory: they
// are given in the order of their keys, and go to the store as nodes of a new tree, which replaces
// the partition's tree when the bulk is committed. What the two trees have in common is shared.
// Nobody sees any of it before.
//
// The operations are compared with the generation in which the bulk began (Base), and what differs
// is what it commits: a put of the record that a key had there says nothing about the key. When
// others have committed to the partition since, their changes stay at the keys that the bulk does
// not change, and lose at those that it does.
//
// A Bulk belongs to one goroutine. It holds a snapshot until Close. What guards records from a
// collector must last from before it began until Close.
type Bulk struct {
	d     *DB
	ctx   context.Context // of BeginBulk
	part  PartID
	base  *Snapshot
	from  *link // the partition in base
	root  *link // what it is with all that was flushed; clean, and nobody else's but for what from has in common with it
	apply applier
	edits []edit
	names []Hash
	last  string
	begun bool // last is a key
	batch int  // bulkBatch
	delta Delta
	note  func(before, after Hash) // what becomes of the changes of a flush
	err   error                    // sticky
}

// BeginBulk begins a bulk commit to a versioned partition. ctx bounds what the bulk does until
// Commit. The nodes of the partition that no checkpoint has written yet are written. The caller
// must Close the bulk.
func (d *DB) BeginBulk(ctx context.Context, part PartID) (*Bulk, error) {
	def, err := d.catalog.Load().find(part)
	switch {
	case err != nil:
		return nil, err
	case def.side:
		return nil, fmt.Errorf("%w: a bulk for side partition %q", ErrPartitionKind, def.name)
	case d.o.ReadOnly:
		return nil, ErrReadOnly
	}
	b := &Bulk{d: d, ctx: ctx, part: part, base: d.Snapshot(), apply: applier{src: d.st, fan: d.o.fan}, batch: bulkBatch}
	b.note = func(before, after Hash) { b.delta.count(before, after, 1) }
	if b.from = b.base.st.root(part); b.from == nil {
		return b, nil
	}
	// Only a checkpoint, or who is in its place, writes nodes that others can see.
	d.checkpointing.Lock()
	err = d.write(ctx, b.from)
	d.checkpointing.Unlock()
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("db: bulk for partition %q: %w", def.name, err)
	}
	b.root = alone(b.from)
	return b, nil
}

// alone returns a link to the same node, with children that are not in memory. All of them must be
// clean.
func alone(l *link) *link {
	n := l.node.Load()
	if n.leaf() {
		return rootLink(l.id(), n)
	}
	links := make([]link, len(n.kids))
	top := newInner(n.raw, n.tail, len(n.kids))
	for i, k := range n.kids {
		links[i].hash, links[i].size = k.id(), k.size
		top.kids[i] = &links[i]
	}
	return rootLink(l.id(), top)
}

// Base returns the generation that the bulk's operations are compared with.
func (b *Bulk) Base() uint64 { return b.base.Gen() }

// Put sets key to a record, which must be in the store. Errors: ErrOrder unless key is greater than
// that of the operation before, ErrKeyTooLong, ErrBadOp for the zero hash, which change nothing;
// ErrDangling, ErrDamaged and those of the store, after which the bulk has ended. An error may
// concern an operation that was given earlier.
func (b *Bulk) Put(key string, h Hash) error {
	if h.IsZero() {
		return fmt.Errorf("%w: put of the zero hash at %q", ErrBadOp, key)
	}
	return b.add(key, h)
}

// Delete removes key. Errors are those of Put.
func (b *Bulk) Delete(key string) error { return b.add(key, Hash{}) }

func (b *Bulk) add(key string, h Hash) error {
	switch {
	case b.err != nil:
		return b.err
	case len(key) > MaxKeyBytes:
		return fmt.Errorf("%w: %d bytes, %.40q…", ErrKeyTooLong, len(key), key)
	case b.begun && key <= b.last:
		return fmt.Errorf("%w: %.40q after %.40q", ErrOrder, key, b.last)
	}
	b.last, b.begun = key, true
	b.edits = append(b.edits, edit{key, h})
	if len(b.edits) < b.batch {
		return nil
	}
	return b.flush()
}

// flush brings the edits into the tree and the tree into the store.
func (b *Bulk) flush() error {
	if b.err == nil {
		b.err = b.flushEdits()
	}
	return b.err
}

func (b *Bulk) flushEdits() error {
	if len(b.edits) == 0 {
		return nil
	}
	b.names = b.names[:0]
	for i := range b.edits {
		if h := b.edits[i].hash; !h.IsZero() && (len(b.names) == 0 || h != b.names[len(b.names)-1]) {
			b.names = append(b.names, h)
		}
	}
	there := b.d.st.HasAll(b.names) < 0
	b.apply.diffs = b.apply.diffs[:0]
	root, err := b.apply.apply(b.part, b.root, b.edits)
	if err != nil {
		return b.d.explain(b.part, err)
	}
	for i := range b.apply.diffs {
		df := &b.apply.diffs[i]
		if !there && !df.New.IsZero() && !b.d.st.Has(df.New) {
			return &DanglingError{b.d.PartitionName(b.part), df.Key, df.New}
		}
		b.note(df.Old, df.New)
	}
	b.edits = b.edits[:0]
	if len(b.apply.diffs) == 0 {
		return nil
	}
	checkTree(root)
	if root != nil {
		if err := b.d.write(b.ctx, root); err != nil {
			return fmt.Errorf("db: bulk for partition %q: %w", b.d.PartitionName(b.part), err)
		}
		root = alone(root) // the next batch loads the path to where it goes on
	}
	b.root = root
	return nil
}

// Commit applies the operations, and ops on other partitions with them, as one chunk, like
// DB.Commit; ops that name the bulk's partition are ErrBadOp. Result.Graft says what the bulk
// changed. What the bulk has written is made durable before, as the store is set to. The bulk has
// ended then, also if Commit fails; only Close is left.
func (b *Bulk) Commit(ctx context.Context, ops ...Op) (Result, error) {
	defer func() { b.err = ErrBulkDone }()
	bench := benches.Get().(*workbench)
	defer bench.clear()
	plans, err := bench.plan(ops, b.d.catalog.Load())
	if err == nil && slices.ContainsFunc(plans, func(p plan) bool { return p.part == b.part }) {
		err = fmt.Errorf("%w: an operation on the partition of the bulk", ErrBadOp)
	}
	if err != nil {
		return Result{}, err
	}
	if err := b.flush(); err != nil {
		return Result{}, err
	}
	there := bench.allThere(b.d.st, plans)
	for try := 0; ; try++ {
		if b.delta != (Delta{}) {
			if err := b.d.secure(); err != nil {
				return Result{}, fmt.Errorf("db: bulk for partition %q: %w", b.d.PartitionName(b.part), err)
			}
		}
		p := &pending{ctx: ctx, plans: plans, there: there, bulk: b, force: try == bulkTries}
		if b.d.submit(p); p.err != errMoved {
			return p.res, p.err
		}
		newer := b.d.Snapshot()
		if err := b.rebase(newer.st.root(b.part)); err != nil {
			newer.Release()
			return Result{}, err
		}
		b.base.Release()
		b.base = newer
	}
}

// graft returns what b does to its partition in a draft, nil if nothing: the differences are those
// from the tree in the draft. It is called in the turn. errMoved says that the tree is not the one
// that b is made for; with force b is brought up to date. A nil b does nothing.
func (b *Bulk) graft(w *draft, force bool) (*Graft, error) {
	if b == nil {
		return nil, nil
	}
	if now := w.cur.root(b.part); now != b.from {
		if !force {
			return nil, errMoved
		}
		if err := b.rebase(now); err != nil {
			return nil, err
		}
		if err := b.d.secureIn(w); err != nil {
			return nil, err
		}
	}
	if b.delta == (Delta{}) {
		return nil, nil
	}
	return &Graft{Part: b.part, Delta: b.delta, d: b.d, before: b.from, after: b.root}, nil
}

// rebase makes b what it would be had it met another tree: what others changed comes to where b
// changes nothing.
func (b *Bulk) rebase(now *link) error {
	own, note := b.root, b.note
	b.note = func(Hash, Hash) {}
	defer func() { b.note = note }()
	var failed error
	err := diff(b.d.st, b.from, now, Span{}, func(key string, before, after Hash) bool {
		var mine Hash
		if mine, _, failed = get(b.d.st, own, key); failed != nil {
			failed = b.d.explain(b.part, failed)
			return false
		}
		if mine != before {
			b.delta.count(before, mine, ^uint64(0))
			b.delta.count(after, mine, 1)
			return true
		}
		b.edits = append(b.edits, edit{key, after})
		if len(b.edits) >= b.batch {
			if failed = b.flush(); own != nil {
				own = alone(own) // lets go of what it has loaded
			}
		}
		return failed == nil
	})
	if err = errors.Join(b.d.explain(b.part, err), failed); err == nil {
		err = b.flush()
	}
	b.from = now
	return err
}

// Close releases what the bulk holds. A bulk that was not committed has changed nothing; a
// collection frees what it wrote.
func (b *Bulk) Close() {
	b.base.Release()
	b.err = ErrBulkDone
	b.edits, b.names, b.root, b.from, b.apply = nil, nil, nil, nil, applier{}
}

// secure makes durable, as the store is set to, what was put so far, so that a chunk may have a
// graft (C5). From then on the note says that there may be one.
func (d *DB) secure() error {
	d.turn.Lock()
	unlock := sync.OnceFunc(d.turn.Unlock)
	defer unlock()
	if d.closed {
		return ErrClosed
	}
	return d.secureWith(d.current.Load().gen, unlock) // unlocked as in point
}

// secureIn is secure with the turn held, before the draft w is published.
func (d *DB) secureIn(w *draft) error { return d.secureWith(w.cur.gen, func() {}) }

func (d *DB) secureWith(gen uint64, covered func()) error {
	if d.o.Volatile {
		return nil
	}
	return d.advance(gen, covered, func(n *note) { n.format = max(n.format, formatV2) })
}

// treeHash returns the hash of a clean tree, zero if it is empty.
func treeHash(root *link) Hash {
	if root == nil {
		return Hash{}
	}
	return root.id()
}
