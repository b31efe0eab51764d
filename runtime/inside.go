package runtime

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/internal/inside"
	"github.com/cytisus/cytisus/runtime/sched"
)

func init() {
	inside.Of = func(engine any) *inside.Engine {
		e := engine.(*Engine)
		return &inside.Engine{
			DB: e.db, Store: e.store, Collector: e.gc, Scheduler: e.sched,
			Account: func() account.Account { return e.account(true) },
			Answers: e.answersByQuery,
			Admit:   e.admitBy, NotInCommit: e.notInCommit,
			Flush: func(ctx context.Context) { e.flushTraces(ctx) },
			Durability: func(partition string) any {
				e.durabilities.mu.Lock()
				defer e.durabilities.mu.Unlock()
				return e.durabilities.known[partition]
			},
		}
	}
	inside.Simulated = func(options any, how *sched.Deterministic, in vfs.FS) any {
		o := options.(Options)
		o.simulated, o.fs = how, in
		return o
	}
	inside.Public = public
	inside.Span = func(pattern, options any) db.Span { return pattern.(Pattern).span(options.([]ReadOption)) }
	inside.CursorAfter = func(key string) any { return Cursor{key, true} }
	inside.Decode = decodeAs
	inside.Plain = unwrapped
}

// answersByQuery says what the answers of each query take, by name.
func (e *Engine) answersByQuery() ([]inside.Answers, error) {
	stored, err := e.memo.Stored()
	if err != nil {
		return nil, err
	}
	by := map[string]inside.Answers{}
	for _, q := range stored {
		by[q.Name] = inside.Answers{Query: q.Name, InStore: q.Keys, Stored: q.Traces + q.Results}
	}
	e.queries.Range(func(name string, b boundQuery) bool {
		a, m := by[name], b.memo.Memory()
		a.Query, a.InMemory, a.Heap = name, m.Keys, m.Traces+m.Results
		by[name] = a
		return true
	})
	return slices.SortedFunc(maps.Values(by), func(a, b inside.Answers) int { return cmp.Compare(a.Query, b.Query) }), nil
}

// decodeAs reads a record as the only definition of a partition does.
func decodeAs(partition string, kind mmapcas.Kind, payload []byte) (v any, known bool, err error) {
	p := allPartitions.find(partition)
	if p == nil {
		return nil, false, nil
	}
	v, err = p.decodeAny(kind, payload)
	return v, true, err
}

// unwrapped takes off a value what the engine has put around it.
func unwrapped(kind mmapcas.Kind, payload []byte) (p []byte, ok bool, err error) {
	switch kind {
	case kindValue, kindNil, kindFailure:
	case kindRefValue:
		if _, payload, err = splitRefs(payload); err != nil {
			return nil, true, err
		}
	default:
		return nil, false, nil
	}
	if !utf8.Valid(payload) {
		if byName, err := byNameOf(payload); err == nil {
			payload = byName
		}
	}
	return payload, true, nil
}
