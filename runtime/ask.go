package runtime

import (
	"context"
	"fmt"
	"sync"

	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/memo"
)

// Ask answers the query for k from outside of any task, in the newest generation or At a snapshot;
// it waits for the answer or for ctx. When ctx ends, what was computed for this call alone stops;
// what others wait for goes on.
//
// An answer that is known to hold is returned at once, by the calling goroutine: then there is no
// task, and what opts say of one has no effect. With Supersede or Deadline there always is one.
func (q *Query[K, V]) Ask(ctx context.Context, e *Engine, k K, opts ...TaskOption) (V, error) {
	if err := e.admitBy(ctx, "Ask"); err != nil {
		var zero V
		return zero, err
	}
	if ctx.Err() == nil {
		if v, ok, err := q.known(e, k, opts); ok {
			return v, err
		}
	}
	return q.askInTask(ctx, e, k, opts)
}

func (q *Query[K, V]) askInTask(ctx context.Context, e *Engine, k K, opts []TaskOption) (V, error) {
	get := func(t *Task) (V, error) { return q.Get(t, k) }
	return Evaluate(ctx, e, 0, get, append([]TaskOption{Named("ask " + q.name)}, opts...)...)
}

// known returns the answer that Ask need not look for. Whatever is not as it should be it leaves to
// the task, which says what.
func (q *Query[K, V]) known(e *Engine, k K, opts []TaskOption) (v V, ok bool, err error) {
	m, err := q.memo(e)
	if err != nil {
		return v, false, nil
	}
	var newest db.Snapshot
	snap := glance(e, opts, &newest)
	if snap == nil {
		return v, false, nil
	}
	var a memo.Answer
	if q.keys.append != nil {
		room := askedKeys.Get().(*[]byte)
		if *room, err = q.keys.append((*room)[:0], k); err == nil {
			a, ok = e.memo.KnownBytes(m, *room, snap)
		}
		if cap(*room) <= scratchMax {
			askedKeys.Put(room)
		}
	} else if key, err := q.encode(k); err == nil {
		a, ok = e.memo.Known(m, key, snap)
	}
	if !ok {
		return v, false, nil
	}
	v, err = q.answer(a)
	return v, true, err
}

// askedKeys lends memory for encoded keys to goroutines that have no task.
var askedKeys = sync.Pool{New: func() any { return new([]byte) }}

// glance returns what a task with opts would read, or nil if there has to be a task. It has newest
// for that of now. Of the snapshot only the generation can be relied on.
func glance(e *Engine, opts []TaskOption, newest *db.Snapshot) *db.Snapshot {
	if len(opts) > 0 {
		var o taskOptions
		for _, opt := range opts {
			opt(&o)
		}
		switch {
		case o.spec.Key != "", !o.spec.Deadline.IsZero(), o.snap != nil && o.snap.err != nil:
			return nil
		case o.snap != nil:
			return o.snap.snap
		}
	}
	e.db.Glance(newest)
	return newest
}

// Peek returns the answer for k in r's generation if one is known to hold there, and runs nothing:
// it is what can be shown at once, while Ask or Get finds out. False means that no answer is known
// to hold, which is not to say that the query must run. The value is shared and must not be
// changed. It is not allowed inside a query, whose result would depend on what was asked before.
func (q *Query[K, V]) Peek(r Reader, k K) (v V, ok bool, err error) {
	eng, view, err := r.reads()
	if err == nil && view.frame != nil && view.frame.Strand().InQuery() {
		err = fmt.Errorf("%w: Peek", ErrInQuery)
	}
	if err != nil {
		return v, false, view.failed(err)
	}
	m, key, err := q.resolve(eng, k)
	if err != nil {
		return v, false, err
	}
	a, ok, err := eng.memo.Peek(m, key, view.snap)
	if ok {
		v, err = q.answer(a)
		return v, true, err
	}
	return v, false, public(err)
}
