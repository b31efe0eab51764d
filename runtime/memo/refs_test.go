package memo

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// What is referred to comes first and once, also where it is referred to from several places, in a
// chain and in a lattice that has more ways through it than there is time.
func TestBelowVisitsWhatIsReferredToFirst(t *testing.T) {
	name := func(n int) (h mmapcas.Hash) { binary.LittleEndian.PutUint64(h[:], uint64(n)+1); return h }
	number := func(h mmapcas.Hash) int { return int(binary.LittleEndian.Uint64(h[:])) - 1 }
	for what, refs := range map[string]func(n int) []int{
		"chain":   func(n int) []int { return []int{n - 1} },
		"lattice": func(n int) []int { return []int{n - 1, n - 2} },
		"back":    func(n int) []int { return []int{n - 2, n - 1, n - 1} },
	} {
		const n = 100_000
		at, asked := map[int]int{}, 0
		err := below(name(n), func(h mmapcas.Hash) (all []mmapcas.Hash, err error) {
			asked++
			for _, ref := range refs(number(h)) {
				if ref >= 0 {
					all = append(all, name(ref))
				}
			}
			return all, nil
		}, func(h mmapcas.Hash) error {
			n := number(h)
			if _, twice := at[n]; twice {
				return fmt.Errorf("%d is visited twice", n)
			}
			for _, ref := range refs(n) {
				if _, done := at[ref]; ref >= 0 && !done {
					return fmt.Errorf("%d is visited before %d", n, ref)
				}
			}
			at[n] = len(at)
			return nil
		})
		if err != nil || len(at) != n+1 || asked != n+1 {
			t.Errorf("%s: %v; %d of %d visited, %d asked", what, err, len(at), n+1, asked)
		}
	}
}

// An undo puts all that its result refers to again: a list of records, each of which is referred to
// twice by the next.
func TestReviveOfALongList(t *testing.T) {
	r := newRig(t, 1, Options{})
	const kindList, n = kindTest + 10, 2000
	r.table.o.Refs = func(kind mmapcas.Kind, p []byte) (refs []mmapcas.Hash) {
		if kind == kindList {
			for half := range slices.Chunk(p, len(mmapcas.Hash{})) {
				refs = append(refs, mmapcas.Hash(half))
			}
		}
		return refs
	}
	head, _, err := r.store.Put(kindTest, []byte("end"))
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if head, _, err = r.store.Put(kindList, slices.Concat(head[:], head[:])); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.table.revive(head); err != nil {
		t.Error(err)
	}
}
