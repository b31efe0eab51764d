package keyed

import (
	"reflect"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/internal/caller"
)

// A Partition is a runtime.Partition whose keys are of type K. What its methods say of reading and
// writing is said there.
type Partition[K, V any] struct {
	p    *runtime.Partition[V]
	keys *form
}

// NewPartition names a partition with typed keys. A type that cannot be a key shows at first use,
// as ErrBadKey.
func NewPartition[K, V any](name string, opts ...runtime.PartitionOption) *Partition[K, V] {
	return &Partition[K, V]{runtime.NewPartition[V](name, opts...), formOf(reflect.TypeFor[K](), false, name, caller.Outside())}
}

// Untyped is the partition with its keys as they are stored.
func (p *Partition[K, V]) Untyped() *runtime.Partition[V] { return p.p }

// Encode returns the form in which a key is stored.
func (p *Partition[K, V]) Encode(k K) (string, error) {
	return p.keys.encode(reflect.ValueOf(&k).Elem(), -1)
}

// Decode is the inverse of Encode. What is not the form of a key is ErrBadKey.
func (p *Partition[K, V]) Decode(key string) (k K, err error) {
	err = p.keys.decode(key, reflect.ValueOf(&k).Elem())
	return k, err
}

// Under means every key whose first n fields are those of k; the others do not matter. A key that
// is no struct has one field, and a struct within the key is one.
func (p *Partition[K, V]) Under(k K, n int) (runtime.Pattern, error) {
	return p.keys.under(reflect.ValueOf(&k).Elem(), n)
}

// Prefix is Under, but of the n-th field, which is text, k has the beginning only.
func (p *Partition[K, V]) Prefix(k K, n int) (runtime.Pattern, error) {
	return p.keys.prefix(reflect.ValueOf(&k).Elem(), n)
}

// Range means the keys from lo up to, but not including, hi.
func (p *Partition[K, V]) Range(lo, hi K) (runtime.Pattern, error) {
	l, err := p.Encode(lo)
	if err != nil {
		return runtime.Pattern{}, err
	}
	h, err := p.Encode(hi)
	if h == "" { // the least key; an empty bound would be none
		return nothing, err
	}
	return runtime.Range(l, h), err
}

// nothing is a pattern that no key matches.
var nothing = runtime.Range("\x00", "\x00")

// Get returns the value of a key, or runtime.ErrNotFound.
func (p *Partition[K, V]) Get(r runtime.Reader, k K) (V, error) {
	key, err := p.Encode(k)
	if err != nil {
		var zero V
		return zero, err
	}
	return p.p.Get(r, key)
}

// Has reports whether a key is there.
func (p *Partition[K, V]) Has(r runtime.Reader, k K) (bool, error) {
	key, err := p.Encode(k)
	if err != nil {
		return false, err
	}
	return p.p.Has(r, key)
}

// Keys returns the keys that match, in order.
func (p *Partition[K, V]) Keys(r runtime.Reader, pat runtime.Pattern, opts ...runtime.ReadOption) ([]K, error) {
	stored, err := p.p.Keys(r, pat, opts...)
	if err != nil {
		return nil, err
	}
	keys := make([]K, len(stored))
	for i, s := range stored {
		if keys[i], err = p.Decode(s); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// Scan calls fn for every match, in order of keys, until fn returns an error, which Scan returns.
func (p *Partition[K, V]) Scan(r runtime.Reader, pat runtime.Pattern, fn func(k K, v V) error, opts ...runtime.ReadOption) error {
	return p.p.Scan(r, pat, func(key string, v V) error {
		k, err := p.Decode(key)
		if err != nil {
			return err
		}
		return fn(k, v)
	}, opts...)
}

// Put sets a key to v.
func (p *Partition[K, V]) Put(w *runtime.Writer, k K, v V) error {
	key, err := p.Encode(k)
	if err != nil {
		return err
	}
	return p.p.Put(w, key, v)
}

// Delete removes a key. One that is not there is no error.
func (p *Partition[K, V]) Delete(w *runtime.Writer, k K) error {
	key, err := p.Encode(k)
	if err != nil {
		return err
	}
	return p.p.Delete(w, key)
}

// ClearUnder removes every key that Under means. What the same commit puts afterwards stays:
// together they replace what was said before.
func (p *Partition[K, V]) ClearUnder(w *runtime.Writer, k K, n int) error {
	begin, err := p.keys.begin(reflect.ValueOf(&k).Elem(), n)
	if err != nil {
		return err
	}
	return clearAll(w, p.p, begin, p.keys.plain && n > 0)
}

// clearAll removes the keys that begin so, or the one that is so.
func clearAll[V any](w *runtime.Writer, p *runtime.Partition[V], begin string, whole bool) error {
	if whole {
		return p.Delete(w, begin)
	}
	return p.ClearPrefix(w, begin)
}
