package db

import (
	"context"
	"fmt"
	"slices"
)

// A pending is a chunk that waits for the turn.
type pending struct {
	ctx    context.Context
	plans  []plan
	there  bool                 // every record that plans names is in the store
	check  func([]Change) error // nil, or may refuse what the chunk would change
	def    *definition          // a partition to be made; its ID is the answer
	reset  PartID               // a partition to be emptied
	relog  *relog               // partitions that become unlogged, or logged
	bulk   *Bulk                // nil, or whose tree is to be its partition's
	force  bool                 // the bulk is to be brought up to date in the turn
	done   bool                 // guarded by turn; the answer is in res and err
	differ bool                 // something was changed
	logged bool                 // the chunk is in the log
	mended bool                 // it changed what is lost of a partition, which the log does not tell
	owed   bool                 // it is to be made durable before it is answered
	bumped bool                 // it made a generation
	vague  bool                 // it changed more than its list of changes says
	res    Result
	err    error
}

// Commit applies ops, in their order, as one chunk: all of it or, on an error, nothing, with the
// one exception of ErrNotDurable. It returns the generation in which the chunk is visible and what
// it changed. Records must be in the store before they are named here, and what guards them from a
// collector must last until Commit returns.
//
// Commits wait for each other, never for readers. ctx is heeded until the chunk's turn comes. The
// database is as before after ErrClosed, ErrReadOnly, ErrNoPartition, ErrKeyTooLong, ErrBadOp,
// ErrDangling, ErrDamaged, or an error of the store.
func (d *DB) Commit(ctx context.Context, ops []Op) (Result, error) {
	return d.CommitIf(ctx, ops, nil)
}

// CommitIf is Commit of a chunk that is refused if check says so. check is called in the turn, with
// what the chunk would change, and must be quick; its error is returned, and nothing is applied.
func (d *DB) CommitIf(ctx context.Context, ops []Op, check func(changes []Change) error) (Result, error) {
	b := benches.Get().(*workbench)
	defer b.clear()
	plans, err := b.plan(ops, d.catalog.Load())
	if err != nil {
		return Result{}, err
	}
	// Not in the turn, where others would wait for it. If one is missing it may still be that it is
	// at its key already.
	p := &b.pending
	*p = pending{ctx: ctx, plans: plans, there: b.allThere(d.st, plans), check: check}
	d.submit(p)
	d.keepMended(p)
	return p.res, p.err
}

// Reset empties a partition without reading it, which is the way out when it is damaged. It counts
// as a change of the partition (Snapshot.LastChanged), but there is no list of what was in it:
// observers are called with no changes.
func (d *DB) Reset(ctx context.Context, part PartID) error {
	def, err := d.catalog.Load().find(part)
	if err != nil {
		return err
	}
	p := &pending{ctx: ctx, reset: part}
	if d.submit(p); p.differ {
		d.o.Logger.Warn("db: partition reset; what was in it must be computed again", "partition", def.name, "generation", p.res.Gen)
	}
	return p.err
}

// submit has p applied, by the caller or by whoever has the turn before. A context that panics does
// so here, before others depend on p.
func (d *DB) submit(p *pending) {
	if p.err = context.Cause(p.ctx); p.err != nil {
		return
	}
	d.queueMu.Lock()
	d.queue = append(d.queue, p)
	d.queueMu.Unlock()
	d.turn.Lock()
	defer d.turn.Unlock()
	if !p.done {
		d.drain()
	}
}

// A draft is the state that the chunks of one turn lead to.
type draft struct {
	cat       *catalog
	cur, side *state   // clones once they differ from what is published
	past      []*state // what cur was in this turn, if there is a history
	chunks    int
	bytes     int64
	log       []logged
	applied   []*pending
	sections  []section // room for those of one chunk after the other
}

// draftKept bounds the lists of a draft, and of the queue, that are kept for the next turn.
const draftKept = 64

// emptied returns a list without what was in it, as room for the next turn; nil if it is large.
func emptied[E any](list []E) []E {
	if cap(list) > draftKept {
		return nil
	}
	clear(list[:cap(list)])
	return list[:0]
}

// begin returns the turn's draft, which is what readers see. The turn is held.
func (d *DB) begin() *draft {
	w := &d.draft
	w.cat, w.cur, w.side = d.catalog.Load(), d.current.Load(), d.side.Load()
	return w
}

// end forgets what was drafted, and keeps the room. The turn is held.
func (w *draft) end() {
	*w = draft{log: emptied(w.log), applied: emptied(w.applied), sections: emptied(w.sections)}
}

// drain applies all that is queued. The turn is held.
func (d *DB) drain() {
	d.queueMu.Lock()
	batch := d.queue
	d.queue, d.spare = d.spare, nil
	d.queueMu.Unlock()
	w := d.begin()
	whole := false
	defer func() {
		w.end()
		if !whole {
			d.tear(batch)
			return
		}
		d.spare = emptied(batch)
	}()
	for _, p := range batch {
		if p.err = d.admit(p); p.err == nil {
			p.err = d.applyChunk(w, p)
		}
	}
	d.counts.turns.Add(1)
	if d.o.Durable {
		owed := w.chunks > 0
		for _, p := range batch {
			p.owed = p.logged || p.err == nil && d.putAgain(w.cat, p)
			owed = owed || p.owed
		}
		if owed {
			if err := d.sync(w.cur.gen); err != nil {
				for _, p := range batch {
					if p.owed {
						p.err = fmt.Errorf("%w: %w", ErrNotDurable, err)
					}
				}
			}
		}
	}
	if len(w.applied) > 0 {
		d.publish(w)
	}
	for _, p := range batch {
		p.done = true
	}
	for _, p := range batch {
		if p.bumped && len(d.observers) > 0 {
			told := p.res
			told.Changes = w.versioned(told.Changes)
			for _, o := range d.observers {
				o.fn(told) // C4
			}
		}
	}
	whole = true
}

// tear ends a turn that a panic has left (C7).
func (d *DB) tear(batch []*pending) {
	d.torn = true
	for _, p := range batch {
		if !p.done {
			p.done, p.err = true, errTorn
		}
	}
}

// putAgain reports whether p, which changes nothing, names records that a power cut could take:
// their stored copies were damaged, and have just been put again.
func (d *DB) putAgain(cat *catalog, p *pending) bool {
	for i := range p.plans {
		if cat.unlogged[p.plans[i].part] {
			continue
		}
		for _, e := range p.plans[i].edits {
			if !e.hash.IsZero() && !d.st.Synced(e.hash) {
				return true
			}
		}
	}
	return false
}

// admit reports why a chunk must not be applied at all.
func (d *DB) admit(p *pending) error {
	switch {
	case d.closed:
		return ErrClosed
	case d.o.ReadOnly:
		return ErrReadOnly
	case d.torn:
		return errTorn
	}
	return context.Cause(p.ctx)
}

// applyChunk makes p part of w, or leaves w alone and says why not. The turn is held.
func (d *DB) applyChunk(w *draft, p *pending) error {
	c := chunk{sections: w.sections[:0]}
	if p.def != nil {
		if id, ok := w.cat.byName[p.def.name]; ok {
			p.def.id = id // somebody else was faster
			p.res.Gen = w.cur.gen
			return nil
		}
		if p.def.id = w.cat.next(); p.def.id > partMax {
			return fmt.Errorf("%w: %d partitions are all there can be", ErrNoPartition, partMax)
		}
		c.defs = []definition{*p.def}
	}
	type change struct {
		part   PartID
		side   bool
		root   *link
		listed bool // all of it is in the list of changes
		lost   lost
	}
	var room [4]change
	changed := room[:0]
	versioned := false
	if p.reset != 0 {
		if side := w.cat.defs[p.reset].side; !w.pick(side).tree(p.reset).empty() {
			if !w.cat.unlogged[p.reset] {
				c.resets = []PartID{p.reset}
			}
			changed = append(changed, change{part: p.reset, side: side})
			versioned = !side
		}
	}
	if p.relog != nil {
		for _, id := range p.relog.parts {
			full := !w.cur.tree(id).empty()
			if full && !w.cat.unlogged[id] {
				c.resets = append(c.resets, id)
			}
			if full || p.relog.opening {
				changed = append(changed, change{part: id})
				versioned = true
			}
		}
	}
	grafted, err := p.bulk.graft(w, p.force)
	if err != nil {
		return err
	}
	d.apply.diffs = d.apply.diffs[:0]
	for i := range p.plans {
		pl := &p.plans[i]
		side := w.cat.defs[pl.part].side
		from := len(d.apply.diffs)
		edits, after, lost, mended, err := d.applyPlan(pl, w.pick(side).tree(pl.part), side)
		if err != nil {
			return d.explain(pl.part, err)
		}
		diffs := d.apply.diffs[from:]
		if len(diffs) == 0 && !mended {
			continue
		}
		p.mended = p.mended || mended && !side
		checkTree(after)
		changed = append(changed, change{pl.part, side, after, !mended, lost})
		versioned = versioned || !side
		if !p.there {
			for i := range diffs {
				if df := &diffs[i]; !df.New.IsZero() && !d.st.Has(df.New) {
					return &DanglingError{w.cat.defs[pl.part].name, df.Key, df.New}
				}
			}
		}
		if !w.cat.unlogged[pl.part] {
			s := section{part: pl.part, changes: diffs}
			if mended || len(lost) > 0 {
				s.changes, s.edits = nil, edits // a deletion says something, whatever the tree holds
			}
			if s.len() > 0 {
				c.sections = append(c.sections, s)
			}
		}
	}
	changes := d.apply.diffs
	if p.check != nil {
		if err := p.check(changes); err != nil {
			return err
		}
	}
	if grafted != nil {
		if !w.cat.unlogged[grafted.Part] {
			c.grafts = []graft{{grafted.Part, treeHash(grafted.after), grafted.Delta}}
		}
		changed = append(changed, change{part: grafted.Part, root: grafted.after, lost: w.cur.tree(grafted.Part).missing()})
		versioned = true
	}
	if len(changed) == 0 && p.def == nil && p.relog == nil {
		p.res.Gen = w.cur.gen // C1
		d.counts.unchanged.Add(1)
		return nil
	}
	c.gen = w.cur.gen
	if versioned {
		c.gen++
	}
	w.sections = c.sections
	if p.logged = len(c.defs)+len(c.resets)+len(c.sections)+len(c.grafts) > 0; p.logged {
		if err := d.append(w, &c); err != nil {
			p.logged = false
			return err
		}
	}
	if p.relog != nil {
		w.cat = w.cat.relogging(p.relog)
	}
	if p.def != nil {
		w.cat = w.cat.with(*p.def)
	}
	d.apply.diffs = nil // now the result's
	if versioned && d.o.History > 0 && w.cur != d.current.Load() {
		w.past = append(w.past, w.cur) // can be read like any other generation
		w.cur = w.cur.clone()
	}
	for _, ch := range changed {
		p.vague = p.vague || !ch.side && !ch.listed
		s := d.own(w, ch.side)
		t := &tree{root: ch.root, changed: c.gen, lost: ch.lost}
		if ch.listed {
			t.listed, t.floor = true, s.tree(ch.part).noted()
		}
		s.set(ch.part, t)
	}
	if versioned {
		w.cur.gen = c.gen
		d.points.note(c.gen, changes) // before anybody sees them (P1)
	}
	p.differ, p.bumped = true, versioned
	p.res = Result{c.gen, changes, grafted}
	w.applied = append(w.applied, p)
	d.counts.chunks.Add(1)
	d.counts.changes.Add(uint64(len(changes)))
	if grafted != nil {
		d.counts.changes.Add(grafted.Keys())
	}
	return nil
}

// applyPlan applies a plan to a tree. Where it comes to nodes that cannot be read these are given
// up: what was in them is lost, and the commit goes on. lost is what is lost of the partition then,
// and mended says that it gave up something or that this is not what was lost before.
func (d *DB) applyPlan(pl *plan, t *tree, side bool) (edits []edit, after *link, lost lost, mended bool, err error) {
	from, before := len(d.apply.diffs), t.top()
	if edits, err = pl.resolve(d.st, before); err == nil {
		d.apply.diffs = slices.Grow(d.apply.diffs, len(edits))
		after, err = d.apply.apply(pl.part, before, edits)
	}
	var holes []keyRange
	if isHole(err) {
		why := err
		d.apply.diffs = d.apply.diffs[:from]
		if edits, err = pl.resolveAround(d.st, before); err == nil {
			after, holes, err = d.apply.applyAround(pl.part, before, edits)
		}
		for i := 0; i < len(pl.clears) && err == nil; {
			// A node that cannot be read may border on what was cleared now, and nobody knows where
			// it ends.
			if !isHole(scan(d.st, after, Prefix(pl.clears[i]), func(string, Hash) bool { return true })) {
				i++
				continue
			}
			var more []keyRange
			after, more, err = d.apply.applyAround(pl.part, after, []edit{{key: pl.clears[i]}})
			if holes = append(holes, more...); len(more) == 0 {
				i++
			}
		}
		if err == nil {
			d.counts.damaged.Add(1)
			d.o.Logger.Error("db: a commit gives up what cannot be read of a partition",
				"partition", d.catalog.Load().name(pl.part), "ranges", len(holes), "first", fmt.Sprintf("%.40q", holes[0].lo), "err", why)
		}
	}
	mended = len(holes) > 0
	if err != nil || side || !mended && len(t.missing()) == 0 {
		return edits, after, nil, mended, err // of a side partition its owner says again what was in it
	}
	lost = t.missing().after(holes, pl.clears, edits)
	return edits, after, lost, mended || !slices.Equal(lost, t.missing()), nil
}

// keepMended makes a checkpoint after a commit that changed what is lost of a partition: a root
// tells, and the log does not. Without it more may count as lost after a crash than need be.
func (d *DB) keepMended(p *pending) {
	if !p.mended || p.err != nil || d.o.Volatile {
		return
	}
	if err := d.checkpoint(context.WithoutCancel(p.ctx)); err != nil {
		d.o.Logger.Warn("db: what a partition has lost could not be written down", "err", err)
	}
}

func (w *draft) pick(side bool) *state {
	if side {
		return w.side
	}
	return w.cur
}

// own returns the draft's state of one kind, cloned first if it is the published one.
func (d *DB) own(w *draft, side bool) *state {
	if side {
		if w.side == d.side.Load() {
			w.side = w.side.clone()
		}
		return w.side
	}
	if w.cur == d.current.Load() {
		w.cur = w.cur.clone()
	}
	return w.cur
}

// versioned returns the changes without those of side partitions, about which nobody is told.
func (w *draft) versioned(changes []Change) []Change {
	isSide := func(c Change) bool { return w.cat.defs[c.Part].side }
	if !slices.ContainsFunc(changes, isSide) {
		return changes
	}
	return slices.DeleteFunc(slices.Clone(changes), isSide)
}

// append writes the chunk record (C2).
func (d *DB) append(w *draft, c *chunk) error {
	d.seq++ // also if the write fails: whatever is left of it then loses against its successor
	if d.o.Volatile {
		w.chunks++
		return nil
	}
	c.seq, c.prev = d.seq, d.last
	bytes := 0
	if long(c.sections, pieceBytes) {
		lists := cut(c.sections, pieceBytes)
		c.sections = nil
		for _, l := range lists {
			b := appendPiece(d.room[:0], l)
			d.room = b
			h, _, err := d.st.Put(KindPiece, b)
			if err != nil {
				return fmt.Errorf("db: writing a piece of a chunk: %w", err)
			}
			c.pieces = append(c.pieces, h)
			bytes += len(b)
		}
	}
	b := c.append(d.room[:0])
	if d.room = b; cap(b) > 2*pieceBytes {
		d.room = nil
	}
	h, _, err := d.st.PutNew(KindChunk, b) // no two chunks have one number
	if err != nil {
		return fmt.Errorf("db: writing a chunk: %w", err)
	}
	w.chunks++
	d.last = h
	w.log = append(w.log, logged{c.seq, h})
	w.bytes += int64(bytes + len(b))
	return nil
}

// publish makes a draft visible.
func (d *DB) publish(w *draft) {
	d.log = append(d.log, w.log...)
	d.due.chunks += w.chunks
	d.due.bytes += w.bytes
	d.due.made += d.apply.made
	d.apply.made = 0
	d.counts.logChunks.Store(int64(d.due.chunks))
	d.counts.logBytes.Add(uint64(w.bytes))
	for _, p := range w.applied {
		d.old.add(p.res.Gen, p.res.Changes)
	}
	d.catalog.Store(w.cat)
	d.side.Store(w.side)
	for _, j := range d.journals {
		for _, p := range w.applied {
			if p.bumped {
				j.note(p.res.Gen, p.res.Changes, p.vague) // J1
			}
		}
	}
	if w.cur != d.current.Load() {
		d.live.advance(&d.current, append(w.past, w.cur)...)
	}
	if d.isDue() {
		d.tell()
	}
}

// sync makes the log durable up to the newest chunk.
func (d *DB) sync(gen uint64) error {
	d.noteMu.Lock()
	defer d.noteMu.Unlock()
	n := d.note
	n.head, n.headSeq, n.headGen = d.last, d.seq, gen
	if err := d.st.Commit(n.encode()); err != nil {
		return err
	}
	d.note = n
	return nil
}

// An observer is told of each generation.
type observer struct {
	fn func(Result)
}

// OnCommit has fn called for each generation from now on, in order, once it is visible; a snapshot
// taken in fn may be of a later one. fn runs in the commit turn: it must be quick and must not
// commit, checkpoint, close or stop. Changes, which leave out side partitions and are none for a
// Reset, are shared: read-only. stop waits for a running call; fn is not called after it.
func (d *DB) OnCommit(fn func(Result)) (stop func()) {
	o := &observer{fn}
	d.turn.Lock()
	defer d.turn.Unlock()
	d.observers = append(slices.Clip(d.observers), o)
	return func() {
		d.turn.Lock()
		defer d.turn.Unlock()
		d.observers = slices.DeleteFunc(slices.Clone(d.observers), func(x *observer) bool { return x == o })
	}
}
