package runtime

import (
	"fmt"

	"github.com/cytisus/cytisus/runtime/memo"
)

// ErrDiverges is matched by every DivergenceError.
var ErrDiverges = memo.ErrDiverges

// A DivergenceError says that a value of a cycle grew more often than Fixpoint allows.
type DivergenceError = memo.DivergenceError

// Fixpoint says that keys of a query may need each other, through other queries too if these say it
// as well. They have the least values then that agree with all their functions: the same values,
// whichever key is asked for first.
//
// That takes values with an order: initial gives the least one for a key, join the least one that
// is no less than a and b, and both are pure. The function must be monotone: where it reads values
// that are no less, it gives none that is less. Then reachable nodes, inferred types or possible
// values can be said as they are meant. A value may grow stepsMax times; beyond that the query
// fails with a DivergenceError. The function is called several times on the way, with values that
// are no answers yet: an error that it returns for these is none if it gives a value in the end.
//
// An answer is kept as any, and a change has the whole cycle computed again.
func Fixpoint[K comparable, V any](initial func(K) V, join func(a, b V) V, stepsMax int) QueryOption {
	return func(o *queryOptions) { o.fixpoint = &fixpoint[K, V]{initial, join, stepsMax} }
}

type fixpoint[K comparable, V any] struct {
	initial  func(K) V
	join     func(a, b V) V
	stepsMax int
}

// fixpoint returns what the query's option means for memo; nil: it has none.
func (q *Query[K, V]) fixpoint() (*memo.Fixpoint, error) {
	if q.opts.fixpoint == nil {
		return nil, nil
	}
	fp, ok := q.opts.fixpoint.(*fixpoint[K, V])
	if !ok {
		return nil, fmt.Errorf("%w: query %q at %s is %T, and has a %T", ErrConflict, q.name, q.where, q, q.opts.fixpoint)
	}
	return &memo.Fixpoint{
		StepsMax: fp.stepsMax,
		Initial: func(key string) (memo.Result, error) {
			k, err := q.keys.decode(key)
			if err != nil {
				return memo.Result{}, &DecodeError{What: "a key of query " + q.name, Err: err}
			}
			return q.result(nil, k, fp.initial(k))
		},
		Join: func(key string, a, b memo.Result) (memo.Result, error) {
			k, err := q.keys.decode(key)
			if err != nil {
				return memo.Result{}, &DecodeError{What: "a key of query " + q.name, Err: err}
			}
			return q.result(nil, k, fp.join(q.value(a.Value), q.value(b.Value)))
		},
	}, nil
}

// result returns a value as it is stored, in the memory of dst if it can be, and as it comes back
// from there.
func (q *Query[K, V]) result(dst []byte, k K, v V) (memo.Result, error) {
	res, err := q.results.encode(dst, v)
	if err != nil {
		return res, fmt.Errorf("runtime: encoding the result of %s(%v): %w", q.name, k, err)
	}
	return res, nil
}
