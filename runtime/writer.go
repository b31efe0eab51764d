package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A Writer collects the changes of one commit. It belongs to the function it was given to and ends
// with it: a call that comes later, from whichever goroutine, is ErrEnded and changes nothing.
type Writer struct {
	eng *Engine

	mu      sync.Mutex
	ended   bool                 // guarded by mu; what follows is the commit's from then on
	ops     []db.Op              // guarded by mu
	updates []update             // guarded by mu: those of ops that depend on what is there
	frozen  map[db.PartID]string // guarded by mu: names of the frozen partitions among those that ops change
}

// open reports why the writer takes no more changes.
func (w *Writer) open() error {
	if err := notInQuery("writing"); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.openLocked()
}

func (w *Writer) openLocked() error {
	if !w.ended {
		return nil
	}
	return w.eng.endedErr()
}

// endedErr is ErrEnded, and ErrClosed if the engine is closed as well.
func (e *Engine) endedErr() error {
	if e.closing.Load() {
		return fmt.Errorf("%w: %w", ErrEnded, ErrClosed)
	}
	return ErrEnded
}

// add appends an operation on a partition.
func (w *Writer) add(durability Durability, part db.PartID, name string, op db.Op) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.openLocked(); err != nil {
		return err
	}
	w.note(durability, part, name)
	op.Part = part
	w.ops = append(w.ops, op)
	return nil
}

// end ends the writer.
func (w *Writer) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// An origin says on whose behalf a commit is made; watchers inherit it.
type origin struct {
	lane   lane.Lane
	client uint64
	parent uint64 // the task that commits; 0: none
	hops   *hop   // the watchers since a commit from elsewhere
}

// Commit calls fn and applies what it wrote as a whole: all of it becomes visible in one
// generation, in all partitions, or none of it. If nothing differs from what is there, the
// generation stays and no watcher runs. It returns fn's error, or that of the store (ErrNoSpace,
// ErrReadOnly, …), in which case nothing was applied, unless it is ErrNotDurable: then all was,
// and a power cut may undo it.
//
// Commit does not wait for readers, and readers do not wait for it. fn must not wait for a
// collection, which waits for fn: Collect, Tidy and Repair are ErrInTask where fn calls them.
func (e *Engine) Commit(ctx context.Context, fn func(*Writer) error) error {
	if err := errors.Join(e.admitBy(ctx, "Commit"), e.governor.admits("Commit")); err != nil {
		return err
	}
	return e.limited(e.commit(ctx, e.callerOrigin(), fn))
}

// inCommit notes that the calling goroutine commits.
func (e *Engine) inCommit() (over func()) {
	if root := callingTask(sched.Current()); root != nil {
		root.commits++
		return func() { root.commits-- }
	}
	id := sched.Goroutine()
	outer, _ := e.committing.Load(id)
	e.committing.Store(id, outer+1)
	return func() {
		if outer > 0 {
			e.committing.Store(id, outer)
		} else {
			e.committing.Delete(id)
		}
	}
}

// notInCommit reports a commit function, or the condition of a watcher, that asks for what would
// wait for the commit.
func (e *Engine) notInCommit(what string) error {
	root := callingTask(sched.Caller())
	_, commits := e.committing.Load(sched.Goroutine())
	if commits || root != nil && root.commits > 0 {
		return fmt.Errorf("%w: %s in a commit, for which it would wait", ErrInTask, what)
	}
	return nil
}

// callerOrigin is the origin of what the calling goroutine commits by way of the engine: on behalf
// of no lane and client, but if a task of a watcher calls then its rounds go on.
func (e *Engine) callerOrigin() origin {
	from := origin{lane: lane.Default}
	if t := sched.Current(); t != nil && t.Pool() == e.sched {
		if root := callingTask(t); root != nil {
			from.hops = root.from.hops
		}
	}
	return from
}

// Commit is Engine.Commit on behalf of the task: watchers run on its lane and for its client. The
// task goes on reading its own snapshot. It is not allowed inside a query (ErrInQuery).
func (t *Task) Commit(fn func(*Writer) error) error {
	if err := t.notInQuery("Commit"); err != nil {
		return err
	}
	return t.eng.commit(t.Context(), origin{t.Lane(), t.Client(), t.task().ID(), t.root.from.hops}, fn)
}

func (e *Engine) commit(ctx context.Context, from origin, fn func(*Writer) error) error {
	if e.closed.Load() {
		return fmt.Errorf("runtime: Commit: %w", ErrClosed)
	}
	if err := e.notInUpdate("Commit"); err != nil {
		return err
	}
	put := e.put()
	err := e.commitInSession(ctx, from, fn)
	if e.notInCommit("") == nil { // else a session is open, which a collection waits for
		e.help(put)
	}
	return err
}

func (e *Engine) commitInSession(ctx context.Context, from origin, fn func(*Writer) error) error {
	defer e.gc.Session()()
	defer e.inCommit()()
	w := &Writer{eng: e}
	err := func() error {
		defer w.end()
		return fn(w)
	}()
	if err != nil {
		return public(err)
	}
	switch {
	case len(w.ops) == 0:
		return nil
	case len(w.updates) > 0:
		return e.commitUpdates(ctx, from, w)
	}
	return e.apply(ctx, from, w, nil)
}

// apply commits the operations of w, unless refuse, which may be nil, says so in the turn.
func (e *Engine) apply(ctx context.Context, from origin, w *Writer, refuse func([]db.Change) error) error {
	for i := range w.ops {
		if w.ops[i].Verb == db.Put {
			e.gc.Shade(w.ops[i].Hash)
		}
	}
	check := refuse
	if w.frozen != nil {
		check = func(changes []db.Change) error {
			if refuse != nil {
				if err := refuse(changes); err != nil {
					return err
				}
			}
			return w.checkFrozen(changes)
		}
	}
	began := e.sched.Now()
	res, err := e.db.CommitIf(ctx, w.ops, check)
	e.commitTimes[from.lane.Index()].Add(e.sched.Now().Sub(began))
	// A commit that is applied but not durable has changes and an error.
	if len(res.Changes) > 0 {
		e.gc.Referred(res.Changes)
		e.watchers.dispatch(res, from, nil)
	}
	if err != nil {
		return fmt.Errorf("runtime: commit of %d changes: %w", len(w.ops), public(err))
	}
	return nil
}
