package db

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// SkipRefs is returned by the function given to WalkLive to say: not what this record refers to.
//
//lint:ignore ST1012 a signal and no failure, as fs.SkipDir is
var SkipRefs = errors.New("db: skip what the record refers to")

// Roots returns records from which everything that the database needs can be reached by way of Refs: the current trees, those of
// snapshots, the two newest roots and the log since the older one. It waits for a running checkpoint. Records that are put
// after it was called are not its business.
func (d *DB) Roots() ([]Hash, error) {
	var out []Hash
	err := d.frontier(func(h Hash, _ bool) error {
		out = append(out, h)
		return nil
	})
	return out, err
}

// WalkLive calls fn for every record that the database needs, as of some moment during the call: what Roots returns and all that this package's
// records among them refer to. What the records of others refer to is not followed. fn gets a record at least once; SkipRefs from it
// stops the walk there, any other error ends it. A record that is missing or damaged is given to fn like any other.
// No commit, reader or checkpoint waits while fn runs.
func (d *DB) WalkLive(fn func(h Hash) error) error {
	type ref struct {
		h   Hash
		own bool // one of this package's records
	}
	var stack []ref
	seen := map[Hash]struct{}{}
	visit := func(h Hash, own bool) error {
		stack = append(stack, ref{h, own})
		for len(stack) > 0 {
			r := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if r.own {
				if _, ok := seen[r.h]; ok {
					continue
				}
				seen[r.h] = struct{}{}
			}
			if err := fn(r.h); errors.Is(err, SkipRefs) {
				continue
			} else if err != nil {
				return err
			}
			if !r.own {
				continue
			}
			err := d.st.View(r.h, func(kind mmapcas.Kind, payload []byte) error {
				refs(kind, payload, func(h Hash, own bool) { stack = append(stack, ref{h, own}) })
				return nil
			})
			if err != nil && !damaged(err) {
				return fmt.Errorf("db: walking record %v: %w", r.h, err)
			}
		}
		return nil
	}
	return d.frontier(visit)
}

// frontier calls fn for the roots of what is live: records of this package, and records named by nodes that were never written.
func (d *DB) frontier(fn func(h Hash, own bool) error) error {
	// With both held, no record waits to be named by a state or a note that is not looked at here.
	d.checkpointing.Lock()
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
	d.turn.Unlock()
	if !whole { // once after Open; commits need not wait for it
		older := d.olderLog(n)
		log = append(log, older...)
		d.turn.Lock()
		d.log, d.logWhole = append(older, d.log...), true
		d.turn.Unlock()
	}
	d.checkpointing.Unlock()

	for _, h := range []Hash{n.root, n.before} {
		if !h.IsZero() {
			if err := fn(h, true); err != nil {
				return err
			}
		}
	}
	for _, l := range log {
		if err := fn(l.hash, true); err != nil {
			return err
		}
	}
	seen := map[*link]struct{}{}
	for _, s := range states {
		for _, t := range s.trees {
			if t != nil && t.root != nil {
				if err := fringe(t.root, seen, fn); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// fringe calls fn for the clean nodes next to dirty ones, and for the values of dirty leaves.
func fringe(l *link, seen map[*link]struct{}, fn func(h Hash, own bool) error) error {
	if !l.dirty.Load() {
		return fn(l.hash, true)
	}
	if _, ok := seen[l]; ok {
		return nil
	}
	seen[l] = struct{}{}
	n := l.node.Load()
	if n.leaf() {
		for i := range n.len() {
			if err := fn(n.value(i), false); err != nil {
				return err
			}
		}
		return nil
	}
	for _, k := range n.kids {
		if err := fringe(k, seen, fn); err != nil {
			return err
		}
	}
	return nil
}

// olderLog finds the chunks between the two roots of a note, as far as they can be read, oldest first.
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
		tail, err := checkNode(kind, payload)
		if err != nil {
			return
		}
		for i := range (&node{raw: payload}).len() {
			fn(kidHash(payload, tail, i), kind == KindInner)
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
