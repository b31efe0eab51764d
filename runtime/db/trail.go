package db

import (
	"cmp"
	"fmt"
	"slices"
)

// A found is a chunk record that recovery knows of.
type found struct {
	hash Hash
	*chunk
}

// A tailRoot is a root in the crash tail.
type tailRoot struct {
	hash Hash
	*root
}

// A trail is what a recovery knows of the log, whichever root it begins with.
type trail struct {
	note     note
	roots    []tailRoot // in the crash tail, the newest first
	chunks   map[Hash]found
	gone     futures
	seq, gen uint64 // the greatest of which there is a trace
	searched bool   // chunks has every chunk of the store
}

// follow reads the crash tail.
func (d *DB) follow(n note) (*trail, error) {
	tr := &trail{note: n, chunks: map[Hash]found{}, gone: n.gone, seq: n.headSeq, gen: n.headGen}
	err := d.st.Tail(KindChunk, tr.add)
	if err == nil {
		err = d.st.Tail(KindRoot, func(h Hash, payload []byte) error {
			if r, err := decodeRoot(payload); err == nil {
				tr.roots = append(tr.roots, tailRoot{h, r})
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("reading the crash tail: %w", err)
	}
	for _, c := range tr.chunks {
		tr.seq, tr.gen = max(tr.seq, c.seq), max(tr.gen, c.gen)
	}
	slices.SortFunc(tr.roots, func(a, b tailRoot) int { return cmp.Compare(b.seq, a.seq) })
	// Roots that are newer than the note may know of futures that it does not know to be lost.
	for _, r := range tr.roots {
		tr.seq, tr.gen = max(tr.seq, r.seq), max(tr.gen, r.gen)
		if r.seq > n.seq && !tr.gone.has(r.seq) {
			tr.gone = tr.gone.with(r.gone...)
		}
	}
	tr.roots = slices.DeleteFunc(tr.roots, func(r tailRoot) bool { return tr.gone.has(r.seq) })
	return tr, nil
}

// add takes up a chunk record, if it is one.
func (tr *trail) add(h Hash, payload []byte) error {
	if c, err := decodeChunk(payload); err == nil {
		tr.chunks[h] = found{h, c}
	}
	return nil
}

// behind returns the log behind a root, oldest first. Chunks that neither the crash tail nor a link
// leads to, since a newer one is damaged, are looked for in all of the store.
func (d *DB) behind(rt *root, tr *trail) ([]found, error) {
	if err := d.link(tr, rt.seq); err != nil {
		return nil, err
	}
	log := tr.behind(rt)
	if end := len(log) - 1; tr.searched || end >= 0 && log[end].seq >= tr.note.headSeq || rt.seq >= tr.note.headSeq {
		return log, nil
	}
	tr.searched = true
	if err := d.st.Each(KindChunk, tr.add); damaged(err) {
		d.o.Logger.Warn("db: looking for chunks met damage", "err", err)
	} else if err != nil {
		return nil, fmt.Errorf("looking for chunks: %w", err)
	}
	return tr.behind(rt), nil
}

// link adds the chunks behind seq that are reached from those that are known, or from the note.
func (d *DB) link(tr *trail, seq uint64) error {
	starts := []Hash{tr.note.head, tr.note.last}
	for _, c := range tr.chunks {
		starts = append(starts, c.prev)
	}
	for _, h := range starts {
		for !h.IsZero() {
			if _, ok := tr.chunks[h]; ok {
				break
			}
			c, err := d.readChunk(h)
			if damaged(err) || err == nil && c.seq <= seq {
				break
			}
			if err != nil {
				return err
			}
			tr.chunks[h] = found{h, c}
			h = c.prev
		}
	}
	return nil
}

// behind returns the known chunks that go on from a root, oldest first. Of several that name the
// same chunk before them one that a recovery wrote counts, else one that leads to the note's
// chunks, else the newest (C3).
func (tr *trail) behind(rt *root) (log []found) {
	sure := map[Hash]bool{}
	for _, h := range []Hash{tr.note.head, tr.note.last} {
		for c, ok := tr.chunks[h]; ok && !sure[h]; c, ok = tr.chunks[h] {
			sure[h] = true
			h = c.prev
		}
	}
	rank := func(c found) (n int) {
		if !c.turn.IsZero() {
			n += 2
		}
		if sure[c.hash] {
			n++
		}
		return n
	}
	next := map[Hash]found{}
	for _, c := range tr.chunks {
		if c.seq <= rt.seq || tr.gone.has(c.seq) {
			continue
		}
		o, ok := next[c.prev]
		if !ok || cmp.Or(cmp.Compare(rank(c), rank(o)), cmp.Compare(c.seq, o.seq), slices.Compare(c.hash[:], o.hash[:])) > 0 {
			next[c.prev] = c
		}
	}
	at, seq := rt.last, rt.seq
	for c, ok := next[at]; ok && c.seq > seq; c, ok = next[at] {
		log, at, seq = append(log, c), c.hash, c.seq
	}
	return log
}
