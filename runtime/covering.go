package runtime

import (
	"fmt"
	"reflect"

	"github.com/cytisus/cytisus/mmapcas"
)

// A Covering is a partition whose index answers without the records: beside its value each key has an entry, which is small, lies in the index itself,
// and is all that Entry and Each read. An outline is made of such entries: the name and kind of a symbol, whose value, where it is declared and how, is
// read for one symbol only. Other stores call this a covering index, or included columns.
//
// Both K and E are of the types that Keyed takes for keys. Keys are in the order of K; a key has one entry and one value.
//
// An entry is stored behind the key that it belongs to, so that both together have at most db.MaxKeyBytes, and a change of an entry is a deletion and an insertion to
// whoever watches Partition. Decode tells them what a key of that partition means.
type Covering[K, E, V any] struct {
	p    *Keyed[covered[K, E], V]
	keys *sortKeys // of K
}

// covered is a key as it is stored. The form of a struct is that of its fields, and no form begins another one's: what is under a Key is its Entry.
type covered[K, E any] struct {
	Key   K
	Entry E
}

// NewCovering names a partition with entries. A type that cannot be stored in an index shows at first use, as ErrBadKey.
func NewCovering[K, E, V any](name string, opts ...PartitionOption) *Covering[K, E, V] {
	where := callerOf(2)
	p := newKeyed[covered[K, E], V](name, where, opts)
	return &Covering[K, E, V]{p, sortKeysFor(reflect.TypeFor[K](), name, where)}
}

// Partition is the partition in which keys and entries are stored.
func (c *Covering[K, E, V]) Partition() *Partition[V] { return c.p.p }

// Decode returns the key and the entry that a key of Partition means. What means none is ErrBadKey.
func (c *Covering[K, E, V]) Decode(key string) (K, E, error) {
	both, err := c.p.Decode(key)
	return both.Key, both.Entry, err
}

// Key means one key, whatever its entry is.
func (c *Covering[K, E, V]) Key(k K) (Pattern, error) { return c.p.Under(covered[K, E]{Key: k}, 1) }

// Under is Keyed.Under: every key whose first n fields are those of k. For a string or []byte n is 1, and every key that begins with k is meant.
func (c *Covering[K, E, V]) Under(k K, n int) (Pattern, error) {
	if c.keys.err != nil {
		return Pattern{}, c.keys.err
	}
	if n < 0 || n > c.keys.count() {
		return Pattern{}, fmt.Errorf("%w: %d fields of %v, which has %d", ErrBadKey, n, c.keys.t, c.keys.count())
	}
	prefix, err := c.keys.encode(reflect.ValueOf(&k).Elem(), n)
	if c.keys.plain && n > 0 {
		// As a field of what is stored the text has an end, which is left off.
		text := appendKeyText(nil, prefix)
		prefix = string(text[:len(text)-keyTextEndBytes])
	}
	return Prefix(prefix), err
}

// Range means the keys from lo up to, but not including, hi.
func (c *Covering[K, E, V]) Range(lo, hi K) (Pattern, error) {
	l, err := c.Key(lo)
	if err != nil {
		return Pattern{}, err
	}
	h, err := c.Key(hi)
	if h.lo == "" { // keys of no bytes; an empty bound would be none
		return Range("\x00", "\x00"), err
	}
	return Range(l.lo, h.lo), err
}

// Put sets the entry and the value of a key.
func (c *Covering[K, E, V]) Put(w *Writer, k K, e E, v V) error {
	// Whatever entry the key has goes. If it is this one, the two make a change of the value, or none.
	if err := c.Delete(w, k); err != nil {
		return err
	}
	return c.p.Put(w, covered[K, E]{k, e}, v)
}

// Delete removes a key with its entry and value. A key that is not there is no error.
func (c *Covering[K, E, V]) Delete(w *Writer, k K) error {
	return c.p.ClearUnder(w, covered[K, E]{Key: k}, 1)
}

// ClearUnder removes every key that Under means. What the same commit puts afterwards stays.
func (c *Covering[K, E, V]) ClearUnder(w *Writer, k K, n int) error {
	pat, err := c.Under(k, n)
	if err != nil {
		return err
	}
	return c.p.p.ClearPrefix(w, pat.lo)
}

// Entry returns the entry of a key, or ErrNotFound. The record of the value is not read. Inside a query it depends on the entry and not on the value.
func (c *Covering[K, E, V]) Entry(r Reader, k K) (e E, err error) {
	pat, err := c.Key(k)
	if err != nil {
		return e, err
	}
	found := false
	err = c.Each(r, pat, func(_ K, entry E) error {
		e, found = entry, true
		return nil
	}, Limit(1))
	if err == nil && !found {
		err = c.notFound(k)
	}
	return e, err
}

// Get returns the entry and the value of a key, or ErrNotFound. Its errors are those of Partition.Get.
func (c *Covering[K, E, V]) Get(r Reader, k K) (e E, v V, err error) {
	pat, err := c.Key(k)
	if err != nil {
		return e, v, err
	}
	found := false
	err = c.Scan(r, pat, func(_ K, entry E, value V) error {
		e, v, found = entry, value, true
		return nil
	}, Limit(1))
	if err == nil && !found {
		err = c.notFound(k)
	}
	return e, v, err
}

func (c *Covering[K, E, V]) notFound(k K) error {
	return fmt.Errorf("%w: %s[%v]", ErrNotFound, c.p.p.name, k)
}

// Each calls fn for the entries of the keys that match, in order of keys, until fn returns an error, which Each returns. No record is read. Inside a
// query it depends on which keys and entries there are, and not on values.
func (c *Covering[K, E, V]) Each(r Reader, pat Pattern, fn func(K, E) error, opts ...ReadOption) error {
	return c.p.p.each(r, pat, opts, false, func(key string, _ mmapcas.Hash) error {
		k, e, err := c.Decode(key)
		if err != nil {
			return err
		}
		return fn(k, e)
	})
}

// Scan is Each with the values.
func (c *Covering[K, E, V]) Scan(r Reader, pat Pattern, fn func(K, E, V) error, opts ...ReadOption) error {
	return c.p.Scan(r, pat, func(both covered[K, E], v V) error { return fn(both.Key, both.Entry, v) }, opts...)
}

// Count is Partition.Count.
func (c *Covering[K, E, V]) Count(r Reader, pat Pattern) (int, error) { return c.p.Count(r, pat) }
