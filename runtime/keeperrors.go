package runtime

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/memo"
)

// A failure is an error that is an answer.
type failure struct{ err error }

// KeepErrors says that errors of type E are answers of the query: they are kept and stored, and
// what has read one holds on as long as an equal one comes. E is of a type that values may be (see
// the package comment), such as a pointer to a struct with exported fields. Two are equal if they
// are equal values; what else is wrapped around one by the query's function is left out, in this
// process as after a restart. Errors in which errors.As finds no E are not kept, as ever.
//
// It does not go with Fixpoint.
func KeepErrors[E error]() QueryOption {
	c := codecFor[E]()
	return func(o *queryOptions) { o.failures = &failures[E]{c} }
}

// failureCodec is a failures of any type.
type failureCodec interface {
	refused() error
	kind() string
	encode(err error) (res memo.Result, kept bool, errEncoding error)
	decode(payload []byte) (failure, error)
}

type failures[E error] struct{ codec codec[E] }

func (f *failures[E]) refused() error { return f.codec.err }

func (f *failures[E]) kind() string { return reflect.TypeFor[E]().String() }

func (f *failures[E]) encode(err error) (memo.Result, bool, error) {
	var e E
	if !errors.As(err, &e) {
		return memo.Result{}, false, nil
	}
	kind, payload, _, err := f.codec.encode(nil, e)
	if err == nil && kind != kindValue {
		err = fmt.Errorf("%w: an error that is nil, or has blobs", ErrBadValue)
	}
	if err == nil {
		e, err = f.codec.asStored(e, kind, payload)
	}
	return memo.Result{Kind: kindFailure, Payload: payload, Value: failure{e}}, true, err
}

func (f *failures[E]) decode(payload []byte) (failure, error) {
	e, err := f.codec.decodeRecord(kindValue, payload)
	return failure{e}, err
}

// answer returns what an answer is to those who asked.
func (q *Query[K, V]) answer(a memo.Answer) (V, error) {
	if f, failed := a.Value.(failure); failed {
		var zero V
		return zero, f.err
	}
	return q.value(a.Value), nil
}

// failed returns what a run has come to that returned an error.
func (q *Query[K, V]) failed(err error) (memo.Result, error) {
	if q.opts.failures == nil {
		return memo.Result{}, err
	}
	res, kept, errEncoding := q.opts.failures.encode(err)
	switch {
	case !kept:
		return memo.Result{}, err
	case errEncoding != nil:
		return memo.Result{}, fmt.Errorf("runtime: keeping the error of query %s: %w: %w", q.name, errEncoding, err)
	}
	return res, nil
}

// decoded is the inverse of result, and of what failures encode.
func (q *Query[K, V]) decoded(kind mmapcas.Kind, payload []byte) (any, error) {
	if kind == kindFailure && q.opts.failures != nil {
		return q.opts.failures.decode(payload)
	}
	return q.results.decode(kind, payload)
}
