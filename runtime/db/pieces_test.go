//go:build !check && !race

package db

import (
	"fmt"
	"testing"
)

// Check builds look at each tree, and pools forget on purpose under the race detector.

// A commit makes the nodes and links of one path, the state, the tree, and the list of changes. All
// else is room that is used again.
func TestPiecesOfMemoryOfACommit(t *testing.T) {
	b := newBench(t, Options{Volatile: true})
	values := []Hash{value(t, b.st, "A"), value(t, b.st, "B")}
	ops := make([]Op, 0, 2000)
	for i := range cap(ops) {
		ops = append(ops, Op{b.p, fmt.Sprintf("key%05d", i), Put, values[0]})
	}
	b.commit(ops...)
	levels := b.current.Load().tree(b.p).root.node.Load().level()
	round := 0
	got := testing.AllocsPerRun(200, func() {
		round++
		op := ops[100:101]
		op[0].Hash = values[round%2]
		if _, err := b.Commit(t.Context(), op); err != nil {
			t.Fatal(err)
		}
	})
	const state, trees, treeAndChanges, leaf = 1, 1, 2, 1
	if want := float64(state + trees + treeAndChanges + leaf + 2*levels); got > want {
		t.Errorf("%.1f pieces for %d levels above the leaves, want %.0f", got, levels, want)
	}
}
