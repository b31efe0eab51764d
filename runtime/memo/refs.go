package memo

import "github.com/cytisus/cytisus/mmapcas"

// below calls visit for what h refers to, directly or not, and for h at last: each once, and after
// all that it refers to itself. refs is called once for each of them. It does not recurse: records
// may be a chain of any length.
func below(h mmapcas.Hash, refs func(mmapcas.Hash) ([]mmapcas.Hash, error), visit func(mmapcas.Hash) error) error {
	direct, err := refs(h)
	if err != nil {
		return err
	}
	if len(direct) == 0 {
		return visit(h)
	}
	type place struct {
		h     mmapcas.Hash
		leave bool // what it refers to has been visited
	}
	places := []place{{h, true}}
	add := func(direct []mmapcas.Hash) {
		for i := range direct {
			places = append(places, place{h: direct[len(direct)-1-i]})
		}
	}
	add(direct)
	seen := map[mmapcas.Hash]bool{}
	for len(places) > 0 {
		last := len(places) - 1
		at := places[last]
		switch {
		case at.leave:
			places = places[:last]
			if err := visit(at.h); err != nil {
				return err
			}
		case seen[at.h]:
			places = places[:last]
		default:
			seen[at.h] = true
			places[last].leave = true
			direct, err := refs(at.h)
			if err != nil {
				return err
			}
			add(direct)
		}
	}
	return nil
}
