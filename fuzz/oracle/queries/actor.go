package queries

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime"
)

// A saying is an actor and what it was told.
type saying struct {
	*Actor
	at     *held // nil: the newest generation
	handle *runtime.Handle
	gone   atomic.Bool // was cancelled

	gens  []uint64 // one of which it was told about; nil: not known
	texts []string
	err   error
	known bool // of a Peek
}

// cells are what an actor asks for.
func (a *Actor) cells() (all []Cell) {
	if a.Kind != AskAll {
		return []Cell{a.Cell}
	}
	for _, arg := range args {
		all = append(all, Cell{a.Cell.Query, arg})
	}
	return all
}

var errGone = errors.New("the actor was cancelled")

// speak is the task of an actor. before is the actor before.
func (t *trial) speak(task *runtime.Task, a, before *saying) error {
	for range a.After {
		task.Yield()
	}
	switch a.Kind {
	case AskOne:
		a.gens = []uint64{task.Generation()}
		res, err := t.query(a.Cell.Query).get(task, a.Cell.Arg)
		a.take(task, []result{res}, err)
	case AskAll:
		a.gens = []uint64{task.Generation()}
		all, err := t.query(a.Cell.Query).all(task, args)
		a.take(task, all, err)
	case AskOut, Peek:
		t.speakOutside(task.Context(), a)
	case Change1:
		return t.commit(task.Context(), task.Commit, &Step{Changes: a.Changes})
	case Cancel:
		if before != nil && before.handle != nil && before.Kind <= AskAll {
			before.gone.Store(true)
			before.handle.Cancel(errGone)
		}
	}
	return nil
}

// speakOutside is an actor that has no need of a task.
func (t *trial) speakOutside(ctx context.Context, a *saying) {
	var opts []runtime.TaskOption
	snap := t.eng.Snapshot()
	defer snap.Release()
	from := snap
	if a.at != nil {
		opts, from = append(opts, runtime.At(a.at.Snapshot)), a.at.Snapshot
		a.gens = []uint64{a.at.gen}
	}
	q := t.query(a.Cell.Query)
	if a.Kind == AskOut {
		res, err := q.ask(ctx, t.eng, a.Cell.Arg, opts...)
		a.take(from, []result{res}, err)
		return
	}
	a.gens = []uint64{from.Generation()}
	res, ok, err := q.peek(from, a.Cell.Arg)
	if a.known = ok; ok || err != nil {
		a.take(from, []result{res}, err)
	}
}

// take takes down what an actor was told.
func (a *saying) take(from runtime.Reader, all []result, err error) {
	a.texts, a.err = nil, failure(err)
	if err != nil {
		return
	}
	for _, r := range all {
		text, err := r.whole(from)
		if err != nil {
			a.err = err
			return
		}
		a.texts = append(a.texts, text)
	}
}
