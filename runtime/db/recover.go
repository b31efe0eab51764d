package db

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// A recovery is the state that one root and the log behind it lead to.
type recovery struct {
	rootHash  Hash
	root      *root
	cat       *catalog
	cur, side *state
	seq       uint64
	last      Hash
	log       []logged
	lost      map[PartID]error  // partitions that could not be read
	cutShort  string            // why the log ended before its last chunk; "" if it did not
	whole     map[Hash]struct{} // values that are there with all that they refer to
}

// recover sets d to what the store holds.
func (d *DB) recover() error {
	raw := d.st.Note()
	if len(raw) > 0 && raw[0] > formatV5 {
		return fmt.Errorf("%w: database format %d, this program knows %d", mmapcas.ErrNewerFormat, raw[0], formatV5)
	}
	var n note
	if len(raw) > 0 {
		var err error
		if n, err = decodeNote(raw); err != nil {
			d.o.Logger.Error("db: the store's note is damaged; starting empty", "err", err)
			n = note{}
		}
	}
	tr, err := d.follow(n)
	if err != nil {
		return err
	}
	behind := 0 // chunks that a process which crashed left
	for _, c := range tr.chunks {
		if c.seq > n.seq {
			behind++
		}
	}
	r, err := d.choose(tr)
	if err != nil {
		return err
	}
	fresh := r == nil
	if fresh {
		r = &recovery{cat: newCatalog(), cur: &state{pins: new(pins)}, side: &state{}}
	}
	d.note, d.gone = n, tr.gone
	if fellBack := r.rootHash != n.root; fellBack {
		behind++
		d.logWhole = true
		d.note.root, d.note.before = r.rootHash, Hash{}
		if !fresh {
			d.note.seq, d.note.gen, d.note.last = r.root.seq, r.root.gen, r.root.last
		}
	}
	turn := chunk{gen: r.cur.gen}
	if len(r.lost) > 0 || r.cutShort != "" || r.seq < tr.seq {
		// Numbers that are known to have been given out must not come back with another meaning.
		behind++
		turn.gen = max(tr.gen, r.cur.gen) + 1
		d.lostChunks = tr.seq - r.seq - tr.gone.among(r.seq, tr.seq)
		d.gone = tr.gone.with(numberRange{r.seq, tr.seq})
		d.o.Logger.Warn("db: what was committed last is lost", "chunks", d.lostChunks, "generation", turn.gen, "known", tr.gen, "reason", r.cutShort, "fresh", fresh)
	}
	if d.note.gone = d.gone; len(d.gone) > 0 {
		d.note.format = formatV5
	}
	for id, why := range r.lost {
		t := &tree{changed: turn.gen}
		if r.cat.defs[id].side {
			d.o.Logger.Error("db: partition starts empty; what was in it must be computed again", "partition", r.cat.defs[id].name, "err", why)
			turn.resets = append(turn.resets, id)
		} else {
			was := r.cur.tree(id)
			t.root, t.lost = was.root, was.lost
			d.o.Logger.Error("db: keys of a partition are lost; what was there must be put again", "partition", r.cat.defs[id].name, "ranges", len(t.lost), "err", why)
		}
		r.state(id).set(id, t)
	}
	slices.Sort(turn.resets)
	r.cur.gen = turn.gen
	d.seq, d.last, d.log = tr.seq, r.last, r.log
	d.due.chunks = len(r.log)
	d.counts.logChunks.Store(int64(len(r.log)))
	d.catalog.Store(r.cat)
	d.live.begin(r.cur, d.o.History)
	d.current.Store(r.cur)
	d.side.Store(r.side)
	if d.o.ReadOnly || d.o.Volatile && fresh || behind == 0 && !fresh {
		return nil
	}
	return d.turnOver(&turn, fresh, len(r.lost) > 0 || r.seq < tr.seq)
}

// turnOver writes the chunk that ends a recovery: from here on no record that was not replayed can
// ever continue the log (C3). Then it makes a checkpoint, so that none of this has to be done
// again. If the chunk cannot be written the database goes on where the log ends, unless something
// was lost.
func (d *DB) turnOver(turn *chunk, fresh, lossy bool) error {
	if _, err := rand.Read(turn.turn[:]); err != nil {
		return err
	}
	w := &draft{cat: d.catalog.Load(), cur: d.current.Load(), side: d.side.Load()}
	err := d.append(w, turn)
	if err == nil {
		d.publish(w)
		err = d.checkpoint(d.ctx)
		lossy = false
	}
	if err != nil && !fresh && !lossy {
		d.o.Logger.Warn("db: what a crash left could be read, but not be put in order", "err", err)
		return nil
	}
	return err
}

// choose recovers from the newest root, or from another one if that loses less. Nil: there is
// nothing to recover from.
func (d *DB) choose(tr *trail) (*recovery, error) {
	var best *recovery
	for _, h := range []Hash{tr.note.root, tr.note.before} {
		if h.IsZero() {
			continue
		}
		r, err := d.replay(h, tr)
		if damaged(err) {
			d.o.Logger.Error("db: root is damaged", "root", h, "newest", h == tr.note.root, "err", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(r.lost) == 0 && r.seq >= tr.note.seq {
			best = r
			break
		}
		if best == nil {
			best = r
		}
	}
	return d.chooseFromTail(tr, best)
}

// chooseFromTail recovers from the newest root that lies in the crash tail, where a damaged
// manifest has its newest records, or all of them, if that loses less than best. Where there is a
// best that root was not settled before the process ended, so all of its trees have to be there.
func (d *DB) chooseFromTail(tr *trail, best *recovery) (*recovery, error) {
	blind := *tr
	blind.note.bare = math.MaxUint64 // what a note that is gone said about values that may be gone is not known
	for _, root := range tr.roots {
		if best != nil && best.seq >= root.seq {
			break
		}
		r, err := d.replay(root.hash, &blind)
		whole := best == nil
		if err == nil && !whole {
			whole, err = d.whole(r)
		}
		if err != nil && !damaged(err) {
			return nil, err
		}
		if err != nil || !whole {
			continue
		}
		d.o.Logger.Error("db: what the store's note leads to is not there; going on from a root that was found", "root", root.hash)
		return r, nil
	}
	return best, nil
}

// whole reports whether all of what a recovery leads to can be read.
func (d *DB) whole(r *recovery) (bool, error) {
	whole := len(r.lost) == 0
	for _, s := range []*state{r.cur, r.side} {
		for _, t := range s.trees {
			if !whole {
				return false, nil
			}
			err := scan(d.st, t.top(), Span{}, func(_ string, h Hash) bool {
				whole = d.complete(r, h)
				return whole
			})
			if isHole(err) {
				whole = false
			} else if err != nil {
				return false, err
			}
		}
	}
	return whole, nil
}

// replay loads a root and applies the log behind it.
func (d *DB) replay(h Hash, tr *trail) (*recovery, error) {
	rt, err := d.readRoot(h)
	if err != nil {
		return nil, err
	}
	r := &recovery{
		rootHash: h, root: rt, cat: newCatalog(), cur: &state{gen: rt.gen, pins: new(pins)}, side: &state{},
		seq: rt.seq, last: rt.last, lost: map[PartID]error{}, whole: map[Hash]struct{}{},
	}
	for i, p := range rt.parts {
		id := PartID(i + 1)
		r.cat = r.cat.with(definition{id, p.side, p.name})
		t := &tree{changed: p.changed, lost: p.lost}
		if !p.tree.IsZero() {
			n, err := d.st.load(p.tree)
			if err == nil {
				t.root = rootLink(p.tree, n)
			} else if err := r.lose(id, err); err != nil {
				return nil, err
			} else if !p.side {
				t.lost = lost{allKeys}
			}
		}
		r.state(id).set(id, t)
	}
	log, err := d.behind(rt, tr)
	if err != nil {
		return nil, err
	}
	for _, c := range log {
		if err := d.redo(r, c, tr.claim(c)); err != nil {
			if !damaged(err) && !errors.Is(err, ErrDangling) && !errors.Is(err, ErrNoPartition) {
				return nil, err
			}
			r.cutShort = fmt.Sprintf("chunk %d: %v", c.seq, err)
			break
		}
		r.seq, r.last = c.seq, c.hash
		r.log = append(r.log, logged{c.seq, c.hash})
	}
	return r, nil
}

// redo applies a chunk of the log; must says what has to be there of the values that it names. On
// an error r is as before, but perhaps for partitions that are lost.
func (d *DB) redo(r *recovery, c found, must claim) error {
	sections := slices.Clone(c.sections)
	for _, h := range c.pieces {
		err := d.st.View(h, func(kind mmapcas.Kind, payload []byte) error {
			if kind != KindPiece {
				return fmt.Errorf("%w: kind %d where a piece belongs", errRecord, kind)
			}
			s, err := decodePiece(payload)
			sections = append(sections, s...)
			return err
		})
		if err != nil {
			return fmt.Errorf("piece %v: %w", h, err)
		}
	}
	cat := r.cat
	for _, def := range c.defs {
		if _, ok := cat.byName[def.name]; ok || def.id != cat.next() {
			return fmt.Errorf("%w: partition %q defined again, or as %d", ErrNoPartition, def.name, def.id)
		}
		cat = cat.with(def)
	}
	for _, id := range c.resets {
		if _, err := cat.find(id); err != nil {
			return err
		}
	}
	for i := range sections {
		s := &sections[i]
		def, err := cat.find(s.part)
		if err != nil {
			return err
		}
		if s.edits, err = d.met(r, must, &def, s.edits); err != nil {
			return err
		}
	}
	grafts := make([]*tree, len(c.grafts))
	for i, g := range c.grafts {
		if def, err := cat.find(g.part); err != nil || def.side {
			return fmt.Errorf("%w: a graft on partition %d", ErrNoPartition, g.part)
		}
		grafts[i] = &tree{changed: c.gen, lost: r.root.lostOf(g.part)}
		if g.root.IsZero() {
			continue
		}
		n, err := d.st.load(g.root) // what is below it was durable before the chunk was written (C5)
		if err != nil {
			return fmt.Errorf("%w: %w: a graft on partition %q", errRecord, err, cat.defs[g.part].name)
		}
		grafts[i].root = rootLink(g.root, n)
	}
	r.cat, r.cur.gen = cat, c.gen
	for _, id := range c.resets {
		delete(r.lost, id)
		r.state(id).set(id, &tree{changed: c.gen})
	}
	for _, s := range sections {
		side, t := cat.defs[s.part].side, r.state(s.part).tree(s.part)
		if side && r.lost[s.part] != nil {
			continue
		}
		d.apply.diffs = d.apply.diffs[:0]
		root, err := d.apply.apply(s.part, t.top(), s.edits)
		if err != nil {
			if err := r.lose(s.part, err); err != nil {
				return err
			}
			if side {
				continue
			}
		}
		var holes []keyRange
		if err != nil {
			d.apply.diffs = d.apply.diffs[:0]
			if root, holes, err = d.apply.applyAround(s.part, t.top(), s.edits); err != nil {
				return err
			}
		}
		next := &tree{root: root, changed: c.gen}
		if !side {
			next.lost = t.missing().after(holes, nil, s.edits)
		}
		r.state(s.part).set(s.part, next)
	}
	for i, g := range c.grafts {
		delete(r.lost, g.part)
		r.cur.set(g.part, grafts[i])
	}
	return nil
}

func (r *recovery) state(id PartID) *state {
	if r.cat.defs[id].side {
		return r.side
	}
	return r.cur
}

// lose notes that a partition cannot be read, if that is what err says, else returns it.
func (r *recovery) lose(id PartID, err error) error {
	var bad *nodeError
	if !errors.As(err, &bad) {
		return err
	}
	r.lost[id] = err
	return nil
}

func (d *DB) readRoot(h Hash) (r *root, err error) {
	err = d.read(h, KindRoot, func(payload []byte) (err error) {
		r, err = decodeRoot(payload)
		return err
	})
	return r, err
}

func (d *DB) readChunk(h Hash) (c *chunk, err error) {
	err = d.read(h, KindChunk, func(payload []byte) (err error) {
		c, err = decodeChunk(payload)
		return err
	})
	return c, err
}

func (d *DB) read(h Hash, want mmapcas.Kind, fn func(payload []byte) error) error {
	err := d.st.View(h, func(kind mmapcas.Kind, payload []byte) error {
		if kind != want {
			return fmt.Errorf("%w: kind %d instead of %d", errRecord, kind, want)
		}
		return fn(payload)
	})
	if err != nil {
		return fmt.Errorf("record %v: %w", h, err)
	}
	return nil
}
