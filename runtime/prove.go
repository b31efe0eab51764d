package runtime

import (
	"fmt"

	"github.com/cytisus/cytisus/runtime/memo"
)

// A Proof says which changes a query's run is due to. It has been replayed: had these changes not
// been made, and all others had, the run before would have been reused; had any of them been made,
// it would not.
type Proof = memo.Proof

// Prove finds the cause of the last run of what x explains, or of the next one if it is due, in t's
// snapshot. It calls functions of queries to see what would be, and keeps nothing of that. Of
// earlier runs it knows what the store does. It is not allowed inside a query. An Explanation that
// Explain has not made, such as one from JSON, is ErrNotFound.
func Prove(t *Task, x Explanation) (Proof, error) {
	if err := t.notInQuery("Prove"); err != nil {
		return Proof{}, err
	}
	if _, _, err := t.reads(); err != nil {
		return Proof{}, err
	}
	if err := x.of(t.eng); err != nil {
		return Proof{}, err
	}
	p, err := t.eng.memo.Prove(&t.root.strand, x.key.Query, x.key.Key)
	if err != nil {
		return Proof{}, fmt.Errorf("runtime: proving why %s ran: %w", x.Query, public(err))
	}
	return p, nil
}

// A Graph is what some answers rest on, and what rests on them.
type Graph = memo.Graph

// GraphAround returns what is around answers: up to depth steps below them and above them, and at
// most nodes nodes. It is what the newest traces say, in memory or in the store, and nothing is
// computed for it.
func GraphAround(e *Engine, depth, nodes int, of ...Explanation) (Graph, error) {
	if err := e.admit("GraphAround"); err != nil {
		return Graph{}, err
	}
	keys := make([]memo.KeyOf, len(of))
	for i, x := range of {
		if err := x.of(e); err != nil {
			return Graph{}, err
		}
		keys[i] = x.key
	}
	g, err := e.memo.Graph(keys, depth, nodes)
	if err != nil {
		return Graph{}, public(err)
	}
	return g, nil
}

// of reports why x is no explanation of e's.
func (x *Explanation) of(e *Engine) error {
	if x.engine != e || e == nil {
		return fmt.Errorf("%w: an explanation of %s(%s) by this engine", ErrNotFound, x.Query, x.Key)
	}
	return nil
}
