package db

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// A found is a chunk record that recovery knows of.
type found struct {
	hash Hash
	*chunk
}

// A recovery is the state that one root and the log behind it lead to.
type recovery struct {
	rootHash  Hash
	root      *root
	cat       *catalog
	cur, side *state
	seq       uint64
	last      Hash
	log       []logged
	lost      map[PartID]error // partitions that could not be read
	cutShort  string           // why the log ended before its last chunk; "" if it did not
}

// recover sets d to what the store holds.
func (d *DB) recover() error {
	raw := d.st.Note()
	if len(raw) > 0 && raw[0] > formatV4 {
		return fmt.Errorf("%w: database format %d, this program knows %d", mmapcas.ErrNewerFormat, raw[0], formatV4)
	}
	var n note
	if len(raw) > 0 {
		var err error
		if n, err = decodeNote(raw); err != nil {
			d.o.Logger.Error("db: the store's note is damaged; starting empty", "err", err)
			n = note{}
		}
	}
	chunks, err := d.crashTail()
	if err != nil {
		return err
	}
	behind := 0 // chunks that a process which crashed left
	seqMax, genMax := n.headSeq, n.headGen
	for _, c := range chunks {
		if c.seq > n.seq {
			behind++
		}
		seqMax, genMax = max(seqMax, c.seq), max(genMax, c.gen)
	}

	roots, err := d.tailRoots()
	if err != nil {
		return err
	}
	r, err := d.choose(n, chunks)
	if err == nil && r == nil {
		r, err = d.chooseFromTail(roots, n, chunks)
	}
	if err != nil {
		return err
	}
	for _, root := range roots {
		seqMax, genMax = max(seqMax, root.seq), max(genMax, root.gen)
	}
	fresh := r == nil
	if fresh {
		r = &recovery{cat: newCatalog(), cur: &state{pins: new(pins)}, side: &state{}}
	}
	d.note = n
	if fellBack := r.rootHash != n.root; fellBack {
		behind++
		d.logWhole = true
		d.note.root, d.note.before = r.rootHash, Hash{}
		if !fresh {
			d.note.seq = r.root.seq
		}
	}
	turn := chunk{gen: r.cur.gen}
	if len(r.lost) > 0 || r.cutShort != "" || r.seq < seqMax {
		// Numbers that are known to have been given out must not come back with another meaning.
		behind++
		turn.gen = max(genMax, r.cur.gen) + 1
		d.lostChunks = seqMax - min(r.seq, seqMax)
		d.o.Logger.Warn("db: what was committed last is lost", "chunks", d.lostChunks, "generation", turn.gen, "known", genMax, "reason", r.cutShort, "fresh", fresh)
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
	d.seq, d.last, d.log = seqMax, r.last, r.log
	d.due.chunks = len(r.log)
	d.counts.logChunks.Store(int64(len(r.log)))
	d.catalog.Store(r.cat)
	d.live.begin(r.cur, d.o.History)
	d.current.Store(r.cur)
	d.side.Store(r.side)
	if d.o.ReadOnly || d.o.Volatile && fresh || behind == 0 && !fresh {
		return nil
	}
	return d.turnOver(&turn, fresh, len(r.lost) > 0 || r.seq < seqMax)
}

// turnOver writes the chunk that ends a recovery: from here on no record that was not replayed can ever continue the log (C3). Then
// it makes a checkpoint, so that none of this has to be done again. If the chunk cannot be written the database goes on
// where the log ends, unless something was lost.
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

// choose recovers from the newest root, or from the one before if that loses less. Nil: there is nothing to recover from.
func (d *DB) choose(n note, chunks map[Hash]found) (*recovery, error) {
	var best *recovery
	for _, h := range []Hash{n.root, n.before} {
		if h.IsZero() {
			continue
		}
		r, err := d.replay(h, n, chunks)
		if damaged(err) {
			d.o.Logger.Error("db: root is damaged", "root", h, "newest", h == n.root, "err", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(r.lost) == 0 && r.seq >= n.seq {
			return r, nil
		}
		if best == nil {
			best = r
		}
	}
	return best, nil
}

// A tailRoot is a root in the crash tail.
type tailRoot struct {
	hash     Hash
	seq, gen uint64
}

// tailRoots returns the roots in the crash tail, the newest first.
func (d *DB) tailRoots() (roots []tailRoot, err error) {
	err = d.st.Tail(KindRoot, func(h Hash, payload []byte) error {
		if r, err := decodeRoot(payload); err == nil {
			roots = append(roots, tailRoot{h, r.seq, r.gen})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the crash tail: %w", err)
	}
	slices.SortFunc(roots, func(a, b tailRoot) int { return cmp.Compare(b.seq, a.seq) })
	return roots, nil
}

// chooseFromTail recovers from the newest root that lies in the crash tail: where a damaged
// manifest has its newest records, or all of them. Nil: there is none.
func (d *DB) chooseFromTail(roots []tailRoot, n note, chunks map[Hash]found) (*recovery, error) {
	n.bare = math.MaxUint64 // what a note that is gone said about values that may be gone is not known
	for _, root := range roots {
		r, err := d.replay(root.hash, n, chunks)
		if err == nil {
			d.o.Logger.Error("db: the store's note leads nowhere; going on from a root that was found", "root", root.hash)
			return r, nil
		}
		if !damaged(err) {
			return nil, err
		}
	}
	return nil, nil
}

// crashTail reads the chunks of the crash tail.
func (d *DB) crashTail() (map[Hash]found, error) {
	chunks := map[Hash]found{}
	err := d.st.Tail(KindChunk, func(h Hash, payload []byte) error {
		if c, err := decodeChunk(payload); err == nil {
			chunks[h] = found{h, c}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the crash tail: %w", err)
	}
	return chunks, nil
}

// link adds to chunks those behind seq that are reached from them or from the note.
func (d *DB) link(n note, seq uint64, chunks map[Hash]found) error {
	starts := []Hash{n.head, n.last}
	for _, c := range chunks {
		starts = append(starts, c.prev)
	}
	for _, h := range starts {
		for !h.IsZero() {
			if _, ok := chunks[h]; ok {
				break
			}
			c, err := d.readChunk(h)
			if damaged(err) || err == nil && c.seq <= seq {
				break
			}
			if err != nil {
				return err
			}
			chunks[h] = found{h, c}
			h = c.prev
		}
	}
	return nil
}

// replay loads a root and applies the log behind it.
func (d *DB) replay(h Hash, n note, chunks map[Hash]found) (*recovery, error) {
	rt, err := d.readRoot(h)
	if err != nil {
		return nil, err
	}
	r := &recovery{
		rootHash: h, root: rt, cat: newCatalog(), cur: &state{gen: rt.gen, pins: new(pins)}, side: &state{},
		seq: rt.seq, last: rt.last, lost: map[PartID]error{},
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
	if err := d.link(n, rt.seq, chunks); err != nil {
		return nil, err
	}
	for _, c := range logBehind(rt, chunks) {
		if err := d.redo(r, c, c.seq > n.bare); err != nil {
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

// logBehind returns the longest run of chunks that begins at rt, oldest first.
func logBehind(rt *root, chunks map[Hash]found) []found {
	heads := make([]found, 0, len(chunks))
	for _, c := range chunks {
		if c.seq > rt.seq {
			heads = append(heads, c)
		}
	}
	slices.SortFunc(heads, func(a, b found) int { return cmp.Compare(b.seq, a.seq) })
	astray := map[Hash]bool{} // chunks from which rt is not reached
	for _, c := range heads {
		var run []found
		for !astray[c.hash] {
			run = append(run, c)
			if c.prev == rt.last {
				slices.Reverse(run)
				return run
			}
			prev, ok := chunks[c.prev]
			if !ok || prev.seq <= rt.seq || prev.seq >= c.seq {
				break
			}
			c = prev
		}
		for _, c := range run {
			astray[c.hash] = true
		}
	}
	return nil
}

// redo applies a chunk of the log; whole says that all that the chunk names has to be there. On an
// error r is as before, but perhaps for partitions that are lost.
func (d *DB) redo(r *recovery, c found, whole bool) error {
	sections := c.sections
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
	for _, s := range sections {
		if _, err := cat.find(s.part); err != nil {
			return err
		}
		for _, e := range s.edits {
			if whole && !e.hash.IsZero() && !d.st.Has(e.hash) {
				return &DanglingError{cat.defs[s.part].name, e.key, e.hash}
			}
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
