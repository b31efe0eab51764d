package runtime

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/memo"
)

// A Table is a query whose answers are tables, from names to values. A query that reads some names
// of a table runs again when one of these has another value, appears or goes, and not when the
// table was computed again and they are as they were.
type Table[K comparable, V any] struct{ query *Query[K, map[string]V] }

// NewTable is NewQuery for answers that are read by name. fn gives all names of the table of a key
// with their values, of which each may be what a value may be. A nil map is an empty table.
func NewTable[K comparable, V any](name string, version int, fn func(*Task, K) (map[string]V, error), opts ...QueryOption) *Table[K, V] {
	return &Table[K, V]{newQuery(name, version, fn, tableResults[V]{codecFor[V]()}, opts)}
}

// Whole returns the query whose answers are the whole tables. What reads one depends on all of it.
// Explain, Prove and GraphAround tell of a table as of this query, and of what reads it by name
// which names it has read.
func (tab *Table[K, V]) Whole() *Query[K, map[string]V] { return tab.query }

// Get returns the value of a name in the table of k, if the table has the name. Inside a query the
// read is recorded: that of this name, there or not. The value is shared and must not be changed.
func (tab *Table[K, V]) Get(t *Task, k K, name string) (v V, there bool, err error) {
	a, at, err := tab.part(t, k, name)
	if err != nil || at[0] < 0 {
		return v, false, err
	}
	return a.Value.(*heldTable[V]).value(at[0]), true, nil
}

// GetBatch is Get for many names of one table, which says which of them are there.
func (tab *Table[K, V]) GetBatch(t *Task, k K, names []string) (values []V, there []bool, err error) {
	a, at, err := tab.part(t, k, names...)
	if err != nil {
		return nil, nil, err
	}
	values, there = make([]V, len(names)), make([]bool, len(names))
	for i := range names {
		if there[i] = at[i] >= 0; there[i] {
			values[i] = a.Value.(*heldTable[V]).value(at[i])
		}
	}
	return values, there, nil
}

func (tab *Table[K, V]) part(t *Task, k K, names ...string) (a memo.Answer, at []int, err error) {
	if _, _, err := t.reads(); err != nil {
		return a, nil, err
	}
	m, key, err := tab.query.resolve(t.eng, k)
	if err != nil {
		return a, nil, fails(t, err)
	}
	a, at, err = t.eng.memo.Part(t.frame, m, key, names...)
	return a, at, public(err)
}

// Names returns the names in the table of k, in order. Inside a query it depends on which names
// there are, and not on their values.
func (tab *Table[K, V]) Names(t *Task, k K) ([]string, error) {
	if _, _, err := t.reads(); err != nil {
		return nil, err
	}
	m, key, err := tab.query.resolve(t.eng, k)
	if err != nil {
		return nil, fails(t, err)
	}
	a, err := t.eng.memo.Names(t.frame, m, key)
	if err != nil {
		return nil, public(err)
	}
	parts := a.Value.(*heldTable[V]).parts
	names := make([]string, parts.Len())
	for i := range names {
		names[i] = parts.Name(i)
	}
	return names, nil
}

// Ask is Get from outside of any task, as Query.Ask is.
func (tab *Table[K, V]) Ask(ctx context.Context, e *Engine, k K, name string, opts ...TaskOption) (v V, there bool, err error) {
	if err := e.admitBy(ctx, "Ask"); err != nil {
		return v, false, err
	}
	if ctx.Err() == nil {
		if v, there, ok := tab.known(e, k, name, opts); ok {
			return v, there, nil
		}
	}
	type answer struct {
		v     V
		there bool
	}
	get := func(t *Task) (a answer, err error) {
		a.v, a.there, err = tab.Get(t, k, name)
		return a, err
	}
	a, err := Evaluate(ctx, e, 0, get, append([]TaskOption{Named("ask " + tab.query.name)}, opts...)...)
	return a.v, a.there, err
}

// known is Query.known for a name.
func (tab *Table[K, V]) known(e *Engine, k K, name string, opts []TaskOption) (v V, there, ok bool) {
	m, key, err := tab.query.resolve(e, k)
	if err != nil {
		return v, false, false
	}
	var newest db.Snapshot
	snap := glance(e, opts, &newest)
	if snap == nil {
		return v, false, false
	}
	a, at, ok := e.memo.KnownPart(m, key, name, snap)
	if there = ok && at >= 0; there {
		v = a.Value.(*heldTable[V]).value(at)
	}
	return v, there, ok
}

// tableResults are stored as tables.
type tableResults[V any] struct{ values codec[V] }

// A heldTable is a table in memory. Each value is decoded when it is first read.
type heldTable[V any] struct {
	parts  *memo.Parts
	codec  *codec[V]
	values []atomic.Pointer[V]
	all    atomic.Pointer[map[string]V]
}

func (r tableResults[V]) refused() error { return r.values.err }

func (r tableResults[V]) refers() bool { return true } // to those of its values, each for itself

// The first byte of a stored value says which of these it is.
const (
	partNil   = 0
	partValue = 1
)

// scratch is false, as the table that is held refers to the payload.
func (r tableResults[V]) scratch() bool { return false }

func (r tableResults[V]) encode(_ []byte, table map[string]V) (memo.Result, error) {
	res := memo.Result{Kind: memo.KindParts}
	names := slices.Sorted(maps.Keys(table))
	parts := make([]memo.Part, len(names))
	seen := map[mmapcas.Hash]bool{}
	for i, name := range names {
		v := table[name]
		kind, payload, refs, err := r.values.encode(nil, v)
		if err != nil {
			return res, fmt.Errorf("name %q: %w", name, err)
		}
		if kind == kindRefValue {
			if _, payload, err = splitRefs(payload); err != nil {
				return res, err
			}
		}
		for _, ref := range refs {
			if !seen[ref] {
				seen[ref] = true
				res.Refs = append(res.Refs, ref)
			}
		}
		parts[i] = memo.Part{Name: name, Value: append(make([]byte, 0, 1+len(payload)), partNil)}
		if kind != kindNil {
			parts[i].Value[0] = partValue
			parts[i].Value = append(parts[i].Value, payload...)
		}
	}
	var err error
	if res.Payload, err = memo.EncodeParts(res.Refs, parts); err != nil {
		return res, err
	}
	held, err := r.hold(res.Payload)
	if err != nil {
		return res, err
	}
	if !r.values.form.timed {
		for i, name := range names {
			v := table[name]
			held.values[i].Store(&v)
		}
	}
	res.Value = held
	return res, nil
}

func (r tableResults[V]) hold(payload []byte) (*heldTable[V], error) {
	parts, err := memo.ReadParts(memo.KindParts, payload)
	if err != nil {
		return nil, err
	}
	return &heldTable[V]{parts: parts, codec: &r.values, values: make([]atomic.Pointer[V], parts.Len())}, nil
}

func (r tableResults[V]) decode(kind mmapcas.Kind, payload []byte) (any, error) {
	if r.values.err != nil {
		return nil, r.values.err
	}
	if kind != memo.KindParts {
		return nil, fmt.Errorf("%w: %d", errKind, kind)
	}
	return r.hold(slices.Clone(payload))
}

func (r tableResults[V]) value(held any) map[string]V {
	if h, ok := held.(*heldTable[V]); ok {
		return *h.all.Load()
	}
	return nil
}

// whole has all of a table decoded, for value.
func (r tableResults[V]) whole() func(any) error {
	return func(held any) error {
		h, ok := held.(*heldTable[V])
		if !ok {
			return fmt.Errorf("runtime: a table is held as %T", held)
		}
		if h.all.Load() != nil {
			return nil
		}
		all := make(map[string]V, len(h.values))
		for i := range h.values {
			if err := h.Decode(i); err != nil {
				return err
			}
			all[h.parts.Name(i)] = h.value(i)
		}
		h.all.CompareAndSwap(nil, &all)
		return nil
	}
}

// Parts is part of memo.Parted.
func (h *heldTable[V]) Parts() *memo.Parts { return h.parts }

// Decode is part of memo.Parted.
func (h *heldTable[V]) Decode(i int) error {
	if h.values[i].Load() != nil {
		return nil
	}
	var v V
	p := h.parts.Value(i)
	kind, ok := kindValue, len(p) > 0
	if ok && p[0] == partNil {
		kind, ok = kindNil, len(p) == 1
	}
	err := errKind
	if ok {
		v, err = h.codec.decodeRecord(kind, p[1:])
	}
	if err != nil {
		// As of a whole result: as good as damaged, the query runs again.
		return fmt.Errorf("%w: %w", mmapcas.ErrCorrupt, &DecodeError{What: fmt.Sprintf("name %q of a table", h.parts.Name(i)), Err: err})
	}
	h.values[i].CompareAndSwap(nil, &v)
	return nil
}

// String shows the table to people, who are told of a query that is not pure, say.
func (h *heldTable[V]) String() string {
	read := tableResults[V]{*h.codec}
	if err := read.whole()(h); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%+v", read.value(h))
}

// value returns a value that was decoded.
func (h *heldTable[V]) value(i int) V { return *h.values[i].Load() }
