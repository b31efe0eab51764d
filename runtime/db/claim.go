package db

import (
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// A claim is what must be there of the values that a chunk names, for the chunk to be replayed.
type claim uint8

const (
	claimNone   claim = iota // a collection may have taken them (C6)
	claimValues              // the records themselves
	claimAll                 // and all that they refer to (R1)
)

// claim returns what is claimed of a chunk.
func (tr *trail) claim(c found) claim {
	switch {
	case c.seq <= tr.note.bare:
		return claimNone
	case c.seq <= tr.note.headSeq:
		return claimValues
	default:
		return claimAll
	}
}

// met returns the edits of a partition that are to be replayed: those given, if each value meets
// the claim. In a side partition one that does not becomes a deletion (R2); elsewhere it is a
// *DanglingError.
func (d *DB) met(r *recovery, must claim, def *definition, edits []edit) ([]edit, error) {
	own := false
	for i, e := range edits {
		if e.hash.IsZero() || must == claimNone ||
			must == claimValues && d.st.Has(e.hash) || must == claimAll && d.complete(r, e.hash) {
			continue
		}
		if !def.side {
			return nil, &DanglingError{def.name, e.key, e.hash}
		}
		if !own {
			edits, own = slices.Clone(edits), true // a replay from another root reads them again
		}
		edits[i].hash = Hash{}
	}
	return edits, nil
}

// complete reports whether a value is there, and all that it refers to.
func (d *DB) complete(r *recovery, h Hash) bool {
	if d.o.Refs == nil {
		return d.st.Has(h)
	}
	var seen []Hash // in this call: r.whole has them only if all of them are there
	for todo := []Hash{h}; len(todo) > 0; {
		h, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if _, ok := r.whole[h]; ok {
			continue
		}
		r.whole[h] = struct{}{}
		seen = append(seen, h)
		err := d.st.View(h, func(kind mmapcas.Kind, payload []byte) error {
			todo = append(todo, d.o.Refs(kind, payload)...)
			return nil
		})
		if err != nil {
			for _, h := range seen {
				delete(r.whole, h)
			}
			return false
		}
	}
	return true
}
