package runtime

import (
	"context"
	"fmt"

	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A Writer collects the changes of one commit. It belongs to the function it was given to and ends with it.
type Writer struct {
	eng    *Engine
	ops    []db.Op
	frozen map[db.PartID]string // names of the frozen partitions among those that ops change
}

// An origin says on whose behalf a commit is made; watchers inherit it.
type origin struct {
	lane   lane.Lane
	client uint64
	parent uint64 // the task that commits; 0: none
	hops   *hop   // the watchers since a commit from elsewhere
}

// Commit calls fn and applies what it wrote as a whole: all of it becomes visible in one generation, in all partitions, or none of it. If
// nothing differs from what is there, the generation stays and no watcher runs. It returns fn's error, or that of the
// store (mmapcas.ErrNoSpace, mmapcas.ErrReadOnly, …), in which case nothing was applied, unless it is db.ErrNotDurable: then all was,
// and a power cut may undo it.
//
// Commit does not wait for readers, and readers do not wait for it.
func (e *Engine) Commit(ctx context.Context, fn func(*Writer) error) error {
	if e.closing.Load() {
		return ErrClosed
	}
	return e.commit(ctx, origin{lane: lane.Default}, fn)
}

// Commit is Engine.Commit on behalf of the task: watchers run on its lane and for its client. The task goes on reading
// its own snapshot. It is not allowed inside a query (ErrInQuery).
func (t *Task) Commit(fn func(*Writer) error) error {
	if t.frame.InQuery() {
		return fmt.Errorf("%w: Commit", ErrInQuery)
	}
	return t.eng.commit(t.Context(), origin{t.Lane(), t.Client(), t.task().ID(), t.root.from.hops}, fn)
}

func (e *Engine) commit(ctx context.Context, from origin, fn func(*Writer) error) error {
	defer e.gc.Session()()
	w := &Writer{eng: e}
	if err := fn(w); err != nil {
		return err
	}
	if len(w.ops) == 0 {
		return nil
	}
	for i := range w.ops {
		if w.ops[i].Verb == db.Put {
			e.gc.Shade(w.ops[i].Hash)
		}
	}
	var check func([]db.Change) error
	if w.frozen != nil {
		check = w.checkFrozen
	}
	res, err := e.db.CommitIf(ctx, w.ops, check)
	// A commit that is applied but not durable has changes and an error.
	if len(res.Changes) > 0 {
		e.gc.Referred(res.Changes)
		e.watchers.dispatch(res, from, nil)
	}
	if err != nil {
		return fmt.Errorf("runtime: commit of %d changes: %w", len(w.ops), err)
	}
	return nil
}
