package runtime

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/internal/caller"
	"github.com/cytisus/cytisus/runtime/memo"
)

// A Query is a memoised pure function from K to V. It is a name with a function: the same Query may
// be used with any number of engines.
type Query[K comparable, V any] struct {
	name    string
	version int
	where   string
	fn      func(*Task, K) (V, error)
	opts    queryOptions
	keys    keyCodec[K]
	results resultForm[V]
	repeats repeats
}

// A resultForm says how the results of a query are stored, and what is held of them in memory.
type resultForm[V any] interface {
	refused() error                              // why no result of the type can be stored
	refers() bool                                // results may refer to records
	encode(dst []byte, v V) (memo.Result, error) // the payload is put into the memory of dst, if scratch
	scratch() bool
	decode(kind mmapcas.Kind, payload []byte) (any, error)
	value(held any) V       // of what is no V itself
	whole() func(any) error // memo.Query.Whole
}

// NewQuery names a query. Results are kept in the store under the name, and are ignored when the
// version differs: raise it whenever fn may give another result for the same reads, or let Code do
// that. Results of queries that read this one are verified then, and need no version of their own.
// Both K and V are of types that values may be (see the package comment), which shows at first use;
// a result that would not come back fails its query.
//
// Queries may be nested as deep as memory allows: there is no limit for them in the stack. Where
// they are nested deeper than some 1,000 levels, a read of another query may leave fn by a panic of
// the engine, and fn is called again later, also several times. So what fn has to undo it defers,
// and it must not hold a lock across a read. That fn recovers from such a panic changes nothing.
//
// Engines know every query by name, so that stored traces that mention it can be verified; make
// queries once, as package variables. What else is to be said of a query, such as how long its
// answers are kept, is a QueryOption; the zero of each is what suits most queries.
func NewQuery[K comparable, V any](name string, version int, fn func(*Task, K) (V, error), opts ...QueryOption) *Query[K, V] {
	return newQuery(name, version, fn, plainResults[V]{codecFor[V]()}, opts)
}

func newQuery[K comparable, V any](name string, version int, fn func(*Task, K) (V, error), results resultForm[V], opts []QueryOption) *Query[K, V] {
	q := &Query[K, V]{name: name, version: version, where: caller.Outside(), fn: fn, keys: keyCodecFor[K](), results: results}
	for _, opt := range opts {
		opt(&q.opts)
	}
	q.repeats = repeatsFor[K](results)
	allQueries.add(name, q)
	return q
}

// Name returns the query's name.
func (q *Query[K, V]) Name() string { return q.name }

// anyQuery is a query of any type.
type anyQuery interface {
	memo(e *Engine) (*memo.Query, error)
	versioned() int
}

func (q *Query[K, V]) versioned() int { return q.version }

// allQueries holds every query of the program, for traces that mention one which the engine has not
// met in this process.
var allQueries names[anyQuery]

// A boundQuery is a query as one engine knows it.
type boundQuery struct {
	what    any
	version int
	where   string
	memo    *memo.Query
}

func (q *Query[K, V]) memo(e *Engine) (*memo.Query, error) {
	b, ok := e.queries.Load(q.name)
	if !ok {
		if q.keys.err != nil {
			return nil, fmt.Errorf("%w: keys of query %q at %s: %w", ErrBadValue, q.name, q.where, q.keys.err)
		}
		if err := q.results.refused(); err != nil {
			return nil, fmt.Errorf("%w: results of query %q at %s: %w", ErrBadValue, q.name, q.where, err)
		}
		if err := q.opts.conflict(q.name, q.where, q.results.whole() != nil); err != nil {
			return nil, err
		}
		fp, err := q.fixpoint()
		if err != nil {
			return nil, err
		}
		b, _ = e.queries.LoadOrCompute(q.name, func() boundQuery {
			return boundQuery{what: q, version: q.version, where: q.where, memo: q.bind(e, fp)}
		})
	}
	if b.what != any(q) {
		return nil, fmt.Errorf("%w: query %q is %T version %d at %s and %T version %d at %s",
			ErrConflict, q.name, b.what, b.version, b.where, q, q.version, q.where)
	}
	return b.memo, nil
}

func (q *Query[K, V]) bind(e *Engine, fp *memo.Fixpoint) *memo.Query {
	scratch := q.results.scratch()
	return e.memo.Bind(&memo.Query{
		Name:     q.name,
		Version:  uint32(q.version),
		Where:    q.where,
		Fixpoint: fp,

		MemoryOnly: q.opts.memoryOnly,
		TracesMax:  q.opts.runsKept,
		Cost:       q.opts.cost,
		Eval: func(f *memo.Frame, key string) (memo.Result, error) {
			k, err := q.keys.decode(key)
			if err != nil {
				return memo.Result{}, &DecodeError{What: "a key of query " + q.name, Err: err}
			}
			t := e.taskIn(f)
			v, err := q.fn(t, k)
			if err != nil {
				return q.failed(err)
			}
			if !scratch {
				return q.result(nil, k, v)
			}
			res, err := q.result(t.root.payload[:0], k, v)
			if err == nil && cap(res.Payload) <= scratchMax {
				t.root.payload = res.Payload[:0]
			}
			return res, err
		},
		Whole: q.results.whole(),
		Decode: func(kind mmapcas.Kind, payload []byte) (any, error) {
			v, err := q.decoded(kind, payload)
			if err != nil {
				// Bytes of another type or version of the type: as good as damaged, the query runs
				// again.
				return nil, fmt.Errorf("%w: %w", mmapcas.ErrCorrupt, &DecodeError{What: "a result of query " + q.name, Err: err})
			}
			return v, nil
		},
		ShowKey: func(key string) string {
			k, err := q.keys.decode(key)
			if err != nil {
				return fmt.Sprintf("%q", key)
			}
			return fmt.Sprintf("%v", k)
		},
	})
}

// Get answers the query for k in t's snapshot, running it if it must. Inside a query the read is
// recorded. The value is shared and must not be changed.
func (q *Query[K, V]) Get(t *Task, k K) (V, error) {
	var zero V
	if _, _, err := t.reads(); err != nil {
		return zero, err
	}
	m, err := q.memo(t.eng)
	if err != nil {
		return zero, fails(t, err)
	}
	if q.keys.append != nil {
		return q.getBytes(t, m, k)
	}
	key, err := q.encode(k)
	if err != nil {
		return zero, fails(t, err)
	}
	a, err := t.eng.memo.Get(t.frame, m, key)
	if err != nil {
		return zero, public(err)
	}
	return q.answer(a)
}

// getBytes is Get for keys that are no strings. The encoded key lies behind those of the calls that
// this one is made in, in memory of the task, and memo copies it if it has not met it yet.
func (q *Query[K, V]) getBytes(t *Task, m *memo.Query, k K) (V, error) {
	var zero V
	keys := &t.root.keys
	from := len(*keys)
	defer func() {
		if *keys = (*keys)[:from]; from == 0 && cap(*keys) > scratchMax {
			*keys = nil
		}
	}()
	all, err := q.keys.append(*keys, k)
	if err != nil {
		return zero, fails(t, q.encoding(err))
	}
	*keys = all
	a, err := t.eng.memo.GetBytes(t.frame, m, all[from:])
	if err != nil {
		return zero, public(err)
	}
	return q.answer(a)
}

// value returns what is held of a result as the query gives it.
func (q *Query[K, V]) value(held any) V {
	if v, ok := held.(V); ok {
		return v
	}
	return q.results.value(held)
}

// All answers the query for many keys, in parallel, and returns the answers in the order of ks, or
// the error of the first key that has one, a panic being one. The errors of keys behind it are not
// told.
func (q *Query[K, V]) All(t *Task, ks []K) ([]V, error) {
	if _, _, err := t.reads(); err != nil {
		return nil, err
	}
	if len(ks) == 0 {
		return nil, nil
	}
	m, err := q.memo(t.eng)
	if err != nil {
		return nil, fails(t, err)
	}
	before, remembers := t.frame.ReadsSoFar()
	if remembers = remembers && q.repeats.may && len(ks) >= cmp.Or(t.eng.o.repeatFrom, repeatFrom); remembers {
		if out, ok, err := q.allRepeated(t, m, ks); ok {
			return out, err
		}
	}
	keys := make([]string, len(ks))
	for i, k := range ks {
		if keys[i], err = q.encode(k); err != nil {
			return nil, fails(t, err)
		}
	}
	answers, err := t.eng.memo.All(t.frame, m, keys, t.eng.sched.Workers()-1, t.spawnHelpers(q.name))
	out := make([]V, len(answers))
	for i, a := range answers {
		v, failed := q.answer(a)
		if failed != nil {
			return nil, failed // it comes before err
		}
		out[i] = v
	}
	if err != nil {
		return nil, public(err)
	}
	if remembers {
		q.remember(t, m, before, &allKept[K, V]{slices.Clone(ks), slices.Clone(out)})
	}
	return out, nil
}

func (q *Query[K, V]) resolve(e *Engine, k K) (*memo.Query, string, error) {
	m, err := q.memo(e)
	if err != nil {
		return nil, "", err
	}
	key, err := q.encode(k)
	return m, key, err
}

func (q *Query[K, V]) encode(k K) (string, error) {
	key, err := q.keys.encode(k)
	if err != nil {
		return "", q.encoding(err)
	}
	return key, nil
}

// encoding says that a key could not be encoded. It is not shown: one that holds itself has no end.
func (q *Query[K, V]) encoding(err error) error {
	return fmt.Errorf("runtime: encoding a key of query %s: %w", q.name, err)
}

// plainResults are stored as one value.
type plainResults[V any] struct{ values codec[V] }

func (p plainResults[V]) refused() error { return p.values.err }

func (p plainResults[V]) refers() bool { return p.values.blobs != nil }

func (p plainResults[V]) encode(dst []byte, v V) (memo.Result, error) {
	kind, payload, refs, err := p.values.encode(dst, v)
	if err != nil {
		return memo.Result{}, err
	}
	if v, err = p.values.asStored(v, kind, payload); err != nil {
		return memo.Result{}, &DecodeError{What: "what it was stored as", Err: err}
	}
	return memo.Result{Kind: kind, Payload: payload, Refs: refs, Value: v}, nil
}

func (p plainResults[V]) scratch() bool { return p.values.ours }

func (p plainResults[V]) decode(kind mmapcas.Kind, payload []byte) (any, error) {
	return p.values.decodeRecord(kind, payload)
}

// value is of the nil of an interface.
func (p plainResults[V]) value(any) (v V) { return v }

func (p plainResults[V]) whole() func(any) error { return nil }
