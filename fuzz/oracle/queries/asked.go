package queries

import (
	"context"

	"github.com/cytisus/cytisus/runtime"
)

// An asked is a query whose answers, tables and plain values alike, are looked at as results.
type asked interface {
	meet(e *runtime.Engine) error // so that the engine knows its version
	get(t *runtime.Task, arg string) (result, error)
	all(t *runtime.Task, args []string) ([]result, error)
	ask(ctx context.Context, e *runtime.Engine, arg string, opts ...runtime.TaskOption) (result, error)
	peek(r runtime.Reader, arg string) (result, bool, error)
	watch(e *runtime.Engine, arg string, fn answerFunc) (stop func(), err error)
}

type answerFunc = func(t *runtime.Task, old, now *runtime.Answer[result]) error

// An askedAs is a query with answers of a type.
type askedAs[V any] struct {
	*runtime.Query[string, V]
	result func(V) result
}

func (q *askedAs[V]) meet(e *runtime.Engine) error {
	_, err := runtime.Explain(e, q.Query, "")
	return err
}

func (q *askedAs[V]) of(v V, err error) (result, error) {
	if err != nil {
		return result{}, err
	}
	return q.result(v), nil
}

func (q *askedAs[V]) get(t *runtime.Task, arg string) (result, error) { return q.of(q.Get(t, arg)) }

func (q *askedAs[V]) all(t *runtime.Task, args []string) (all []result, err error) {
	vs, err := q.All(t, args)
	for _, v := range vs {
		all = append(all, q.result(v))
	}
	return all, err
}

func (q *askedAs[V]) ask(ctx context.Context, e *runtime.Engine, arg string, opts ...runtime.TaskOption) (result, error) {
	return q.of(q.Ask(ctx, e, arg, opts...))
}

func (q *askedAs[V]) peek(r runtime.Reader, arg string) (result, bool, error) {
	v, ok, err := q.Peek(r, arg)
	if !ok || err != nil {
		return result{}, ok, err
	}
	return q.result(v), true, nil
}

// watch gives the same answer as the same pointer.
func (q *askedAs[V]) watch(e *runtime.Engine, arg string, fn answerFunc) (stop func(), err error) {
	var (
		was  *runtime.Answer[V]
		last *runtime.Answer[result]
	)
	show := func(a *runtime.Answer[V]) *runtime.Answer[result] {
		if a == was {
			return last
		}
		shown := &runtime.Answer[result]{Generation: a.Generation, Err: a.Err}
		if a.Err == nil {
			shown.Value = q.result(a.Value)
		}
		return shown
	}
	return q.Watch(context.Background(), e, arg, func(t *runtime.Task, old, now *runtime.Answer[V]) error {
		before := show(old)
		was, last = now, show(now)
		return fn(t, before, last)
	})
}

// readTable reads what of a table is asked for.
func readTable(t *runtime.Task, tab *runtime.Table[string, int], r *Read) (map[string]int, error) {
	m := map[string]int{}
	switch r.Kind {
	case PartOf:
		v, there, err := tab.Get(t, r.Arg, r.Key)
		if there {
			m[r.Key] = v
		}
		return m, err
	case AsideOf:
		err := t.Unrecorded(func() error {
			all, err := tab.Whole().Get(t, r.Arg)
			if v, there := all[r.Key]; there {
				m[r.Key] = v
			}
			return err
		})
		if err == nil {
			_, _, err = tab.Get(t, r.Arg, r.Key)
		}
		return m, err
	case NamesOf:
		names, err := tab.Names(t, r.Arg)
		for _, name := range names {
			m[name] = 0
		}
		return m, err
	}
	vs, there, err := tab.GetBatch(t, r.Arg, tableNames)
	for i := range vs {
		if there[i] {
			m[tableNames[i]] = vs[i]
		}
	}
	return m, err
}
