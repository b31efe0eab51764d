package memo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A tree of random spans, some taken out again, finds the same as a list.
func TestRangeTreeAgainstAList(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	word := func() string {
		b := make([]byte, rng.IntN(4))
		for i := range b {
			b[i] = "abc"[rng.IntN(3)]
		}
		return string(b)
	}
	var (
		index nodeIndex
		tree  rangeTree
		list  = map[span]*node{}
	)
	for i := range 3000 {
		switch s := (span{word(), word(), pick(rng, []string{"", "*"}), rng.IntN(2) == 0}); {
		case i%500 == 499:
			out := map[*node]bool{}
			for s, n := range list {
				if rng.IntN(2) == 0 {
					out[n] = true
					delete(list, s)
				}
			}
			tree.remove(func(n *node) bool { return out[n] })
		case rng.IntN(2) == 0:
			n := tree.get(&index, s)
			if old, ok := list[s]; ok != (old == n) {
				t.Fatalf("seed %d: span %v has another node than before", seed, s)
			}
			list[s] = n
		default:
			key := word()
			var want, got []string
			for s := range list {
				if s.lo <= key && (s.hi == "" || key < s.hi) {
					want = append(want, fmt.Sprint(s))
				}
			}
			for _, n := range tree.holding(key, nil) {
				if list[n.span] != n.node {
					t.Fatalf("seed %d: span %v has another node", seed, n.span)
				}
				got = append(got, fmt.Sprint(n.span))
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: %q lies in %v, found %v", seed, key, want, got)
			}
		}
	}
}
