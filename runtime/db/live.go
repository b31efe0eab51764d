package db

import (
	"fmt"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/mmapcas"
)

// Roots are the records from which everything that a database needs can be reached.
type Roots struct {
	// Live is what readers and later commits see: the current trees and those of snapshots. What
	// these records refer to is needed, and so on, by way of Refs.
	Live []Hash

	// Bare is what Open may begin with: the two newest roots, and the log since the older one. The
	// records of this package that they lead to, by way of BareRefs, are needed; the values that
	// they name are not, but for those that Live leads to. They come after Live, when nothing is
	// left to be followed, what puts have marked meanwhile included (mmapcas.Cycle.Shaded): a
	// record that is marked as one of these is not followed to the values that it names, whoever
	// else needs it.
	Bare []Hash

	seq uint64 // of the newest chunk in them
}

// Roots returns the roots of this moment. It waits for a running checkpoint. Records that are put
// after it was called are not its business. Nothing may be freed before Settle has returned nil for
// them.
func (d *DB) Roots() (r Roots) {
	states := d.frontier(&r)
	seen := map[*link]struct{}{}
	for _, s := range states {
		for _, t := range s.trees {
			if t == nil || t.root == nil {
				continue
			}
			fringe(t.root, seen, func(h Hash) { r.Live = append(r.Live, h) })
		}
	}
	return r
}

// Settle makes sure, as far as the store makes anything durable, that no recovery will ask for what
// r does not lead to: it makes the log up to the newest chunk of r durable, and notes that what
// older chunks name may be gone.
func (d *DB) Settle(r Roots) error {
	if d.o.ReadOnly || d.o.Volatile {
		return nil // there is no recovery, or nothing may be freed
	}
	d.turn.Lock()
	unlock := sync.OnceFunc(d.turn.Unlock) // as in point
	defer unlock()
	err := d.advance(d.current.Load().gen, unlock, func(n *note) { n.format, n.bare = max(n.format, formatV3), max(n.bare, r.seq) })
	if err != nil {
		return fmt.Errorf("db: settling what a collection may free: %w", err)
	}
	return nil
}

// frontier returns the states that can be read, and fills in all of r but Live.
func (d *DB) frontier(r *Roots) []*state {
	// With both held, no record waits to be named by a state or a note that is not looked at here.
	d.checkpointing.Lock()
	defer d.checkpointing.Unlock()
	d.turn.Lock()
	states := []*state{d.current.Load(), d.side.Load()}
	for _, s := range d.live.all() {
		if s != states[0] {
			states = append(states, s)
		}
	}
	d.noteMu.Lock()
	n := d.note
	d.noteMu.Unlock()
	log, whole := slices.Clone(d.log), d.logWhole
	r.seq = d.seq
	d.turn.Unlock()
	if !whole { // once after Open; commits need not wait for it
		older := d.olderLog(n)
		log = append(log, older...)
		d.turn.Lock()
		d.log, d.logWhole = append(older, d.log...), true
		d.turn.Unlock()
	}
	for _, h := range []Hash{n.root, n.before} {
		if !h.IsZero() {
			r.Bare = append(r.Bare, h)
		}
	}
	for _, l := range log {
		r.Bare = append(r.Bare, l.hash)
	}
	return states
}

// fringe calls fn for the clean nodes next to dirty ones, and for the values of dirty leaves.
func fringe(l *link, seen map[*link]struct{}, fn func(h Hash)) {
	if !l.dirty.Load() {
		fn(l.hash)
		return
	}
	if _, ok := seen[l]; ok {
		return
	}
	seen[l] = struct{}{}
	n := l.node.Load()
	if n.leaf() {
		for i := range n.len() {
			fn(n.value(i))
		}
		return
	}
	for _, k := range n.kids {
		fringe(k, seen, fn)
	}
}

// olderLog finds the chunks between the two roots of a note, as far as they can be read, oldest
// first.
func (d *DB) olderLog(n note) []logged {
	if n.before.IsZero() {
		return nil
	}
	r, err := d.readRoot(n.before)
	if err != nil {
		return nil
	}
	var out []logged
	for h := n.last; !h.IsZero() && h != r.last; {
		c, err := d.readChunk(h)
		if err != nil || c.seq <= r.seq {
			break
		}
		out = append(out, logged{c.seq, h})
		h = c.prev
	}
	slices.Reverse(out)
	return out
}

// nodeRefs returns the hashes in a node. Its keys are not looked at: a collection asks this about
// all nodes there are.
func nodeRefs(kind mmapcas.Kind, payload []byte) []Hash {
	tail, err := checkShape(kind, payload)
	if err != nil {
		return nil
	}
	out := make([]Hash, (&node{raw: payload}).len())
	for i := range out {
		out[i] = kidHash(payload, tail, i)
	}
	return out
}

// refs calls fn for the hashes in a record and says whether they name records of this package.
func refs(kind mmapcas.Kind, payload []byte, fn func(h Hash, own bool)) {
	values := func(sections []section) {
		for _, s := range sections {
			for _, e := range s.edits {
				if !e.hash.IsZero() {
					fn(e.hash, false)
				}
			}
		}
	}
	switch kind {
	case KindLeaf, KindInner:
		for _, h := range nodeRefs(kind, payload) {
			fn(h, kind == KindInner)
		}
	case KindRoot:
		r, err := decodeRoot(payload)
		if err != nil {
			return
		}
		for _, p := range r.parts {
			if !p.tree.IsZero() {
				fn(p.tree, true)
			}
		}
	case KindChunk:
		c, err := decodeChunk(payload)
		if err != nil {
			return
		}
		for _, h := range c.pieces {
			fn(h, true)
		}
		values(c.sections)
		for _, g := range c.grafts {
			if !g.root.IsZero() {
				fn(g.root, true)
			}
		}
	case KindPiece:
		if s, err := decodePiece(payload); err == nil {
			values(s)
		}
	}
}
