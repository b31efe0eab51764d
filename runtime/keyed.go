package runtime

import (
	"fmt"
	"reflect"
)

// A Keyed is a partition whose keys have a type: a string or []byte, an integer, a bool, an array of bytes, or a struct of these and of such structs, with exported fields
// only. Keys are ordered by their fields, the first one first: strings as bytes, numbers as numbers, false before true.
//
// Patterns come from Key, Under, Range and All; Partition is the same partition with the keys as they are stored, for whatever takes one.
type Keyed[K, V any] struct {
	p    *Partition[V]
	keys *sortKeys
}

// NewKeyed names a partition with typed keys. A type that cannot be a key shows at first use, as ErrBadKey. The form in which keys are
// stored is fixed for each type: changing the type of a partition that is stored makes its keys unreadable.
func NewKeyed[K, V any](name string, opts ...PartitionOption) *Keyed[K, V] {
	return newKeyed[K, V](name, callerOf(2), opts)
}

func newKeyed[K, V any](name, where string, opts []PartitionOption) *Keyed[K, V] {
	p := NewPartition[V](name, opts...)
	p.where = where
	return &Keyed[K, V]{p, sortKeysFor(reflect.TypeFor[K](), name, where)}
}

// Partition is the partition with untyped keys.
func (p *Keyed[K, V]) Partition() *Partition[V] { return p.p }

// Encode returns the form in which a key is stored.
func (p *Keyed[K, V]) Encode(k K) (string, error) {
	return p.keys.encode(reflect.ValueOf(&k).Elem(), -1)
}

// Decode is the inverse of Encode. What is not the form of a key is ErrBadKey.
func (p *Keyed[K, V]) Decode(key string) (k K, err error) {
	err = p.keys.decode(key, reflect.ValueOf(&k).Elem())
	return k, err
}

// Key means one key.
func (p *Keyed[K, V]) Key(k K) (Pattern, error) {
	key, err := p.Encode(k)
	return Exact(key), err
}

// Under means every key whose first n fields are those of k; the others do not matter. For a string or []byte n is 1, and every key that begins with k is
// meant. Fields of structs within the key count with the field that they are in.
func (p *Keyed[K, V]) Under(k K, n int) (Pattern, error) {
	if p.keys.err != nil {
		return Pattern{}, p.keys.err
	}
	if n < 0 || n > p.keys.count() {
		return Pattern{}, fmt.Errorf("%w: %d fields of %v, which has %d", ErrBadKey, n, p.keys.t, p.keys.count())
	}
	prefix, err := p.keys.encode(reflect.ValueOf(&k).Elem(), n)
	return Prefix(prefix), err
}

// Range means the keys from lo up to, but not including, hi.
func (p *Keyed[K, V]) Range(lo, hi K) (Pattern, error) {
	l, err := p.Encode(lo)
	if err != nil {
		return Pattern{}, err
	}
	h, err := p.Encode(hi)
	if h == "" { // the least key; an empty bound would be none
		return Range("\x00", "\x00"), err
	}
	return Range(l, h), err
}

// Get is Partition.Get.
func (p *Keyed[K, V]) Get(r Reader, k K) (V, error) {
	key, err := p.Encode(k)
	if err != nil {
		var zero V
		return zero, err
	}
	return p.p.Get(r, key)
}

// Has is Partition.Has.
func (p *Keyed[K, V]) Has(r Reader, k K) (bool, error) {
	key, err := p.Encode(k)
	if err != nil {
		return false, err
	}
	return p.p.Has(r, key)
}

// Keys is Partition.Keys.
func (p *Keyed[K, V]) Keys(r Reader, pat Pattern, opts ...ReadOption) ([]K, error) {
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

// Scan is Partition.Scan.
func (p *Keyed[K, V]) Scan(r Reader, pat Pattern, fn func(k K, v V) error, opts ...ReadOption) error {
	return p.p.Scan(r, pat, func(key string, v V) error {
		k, err := p.Decode(key)
		if err != nil {
			return err
		}
		return fn(k, v)
	}, opts...)
}

// Count is Partition.Count.
func (p *Keyed[K, V]) Count(r Reader, pat Pattern) (int, error) { return p.p.Count(r, pat) }

// Put is Partition.Put.
func (p *Keyed[K, V]) Put(w *Writer, k K, v V) error {
	key, err := p.Encode(k)
	if err != nil {
		return err
	}
	return p.p.Put(w, key, v)
}

// Delete is Partition.Delete.
func (p *Keyed[K, V]) Delete(w *Writer, k K) error {
	key, err := p.Encode(k)
	if err != nil {
		return err
	}
	return p.p.Delete(w, key)
}

// ClearUnder removes every key whose first n fields are those of k, as Partition.ClearPrefix does.
func (p *Keyed[K, V]) ClearUnder(w *Writer, k K, n int) error {
	pat, err := p.Under(k, n)
	if err != nil {
		return err
	}
	return p.p.ClearPrefix(w, pat.lo)
}
