package keyed

import (
	"fmt"
	"reflect"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/internal/caller"
)

// A Covering is a partition that answers from its index: beside its value each key has an entry,
// which is small, lies in the index itself, and is all that Entry and Each read. Other stores call
// this a covering index, or included columns.
//
// Both K and E are of the types that keys may be. Keys are in the order of K; a key has one entry
// and one value. Key and entry together have at most 16 KiB, and a change of an entry is a deletion
// and an insertion to a watcher of Untyped, whose keys Decode reads.
type Covering[K, E, V any] struct {
	p    *Partition[covered[K, E], V]
	keys *form // of K, as it is in a covered
}

// covered is a key as it is stored. The form of a struct is that of its fields, and no form begins
// another one's: what is under a Key is its Entry.
type covered[K, E any] struct {
	Key   K
	Entry E
}

// NewCovering names a partition with entries. A type that cannot be in an index shows at first use,
// as ErrBadKey.
func NewCovering[K, E, V any](name string, opts ...runtime.PartitionOption) *Covering[K, E, V] {
	c := &Covering[K, E, V]{
		p:    NewPartition[covered[K, E], V](name, opts...),
		keys: formOf(reflect.TypeFor[K](), true, name, caller.Outside()),
	}
	c.keys.err = c.p.keys.err // which may be about E
	return c
}

// Untyped is the partition in which keys and entries are stored.
func (c *Covering[K, E, V]) Untyped() *runtime.Partition[V] { return c.p.p }

// Decode returns the key and the entry that a key of Untyped means. What means none is ErrBadKey.
func (c *Covering[K, E, V]) Decode(key string) (K, E, error) {
	both, err := c.p.Decode(key)
	return both.Key, both.Entry, err
}

// Under is Partition.Under.
func (c *Covering[K, E, V]) Under(k K, n int) (runtime.Pattern, error) {
	return c.keys.under(reflect.ValueOf(&k).Elem(), n)
}

// Prefix is Partition.Prefix.
func (c *Covering[K, E, V]) Prefix(k K, n int) (runtime.Pattern, error) {
	return c.keys.prefix(reflect.ValueOf(&k).Elem(), n)
}

// Put sets the entry and the value of a key.
func (c *Covering[K, E, V]) Put(w *runtime.Writer, k K, e E, v V) error {
	// The entry that the key has goes. If it is this one, the two make a change of the value, or
	// none.
	if err := c.Delete(w, k); err != nil {
		return err
	}
	return c.p.Put(w, covered[K, E]{k, e}, v)
}

// Delete removes a key with its entry and value. A key that is not there is no error.
func (c *Covering[K, E, V]) Delete(w *runtime.Writer, k K) error {
	return c.p.ClearUnder(w, covered[K, E]{Key: k}, 1)
}

// ClearUnder is Partition.ClearUnder.
func (c *Covering[K, E, V]) ClearUnder(w *runtime.Writer, k K, n int) error {
	begin, err := c.keys.begin(reflect.ValueOf(&k).Elem(), n)
	if err != nil {
		return err
	}
	return clearAll(w, c.p.p, begin, false)
}

// Entry returns the entry of a key, or runtime.ErrNotFound. The value is not read: inside a query
// the answer depends on the entry alone.
func (c *Covering[K, E, V]) Entry(r runtime.Reader, k K) (e E, err error) {
	pat, err := c.one(k)
	if err != nil {
		return e, err
	}
	found, err := c.p.Keys(r, pat, runtime.Limit(1))
	if err != nil {
		return e, err
	}
	if len(found) == 0 {
		return e, c.notFound(k)
	}
	return found[0].Entry, nil
}

// Get returns the entry and the value of a key, or runtime.ErrNotFound.
func (c *Covering[K, E, V]) Get(r runtime.Reader, k K) (e E, v V, err error) {
	pat, err := c.one(k)
	if err != nil {
		return e, v, err
	}
	found := false
	err = c.p.Scan(r, pat, func(both covered[K, E], value V) error {
		e, v, found = both.Entry, value, true
		return nil
	}, runtime.Limit(1))
	if err == nil && !found {
		err = c.notFound(k)
	}
	return e, v, err
}

// Each calls fn for the entries of the keys that match, in order of keys, until fn returns an
// error, which Each returns. No value is read: inside a query the answer depends on which keys and
// entries there are.
func (c *Covering[K, E, V]) Each(r runtime.Reader, pat runtime.Pattern, fn func(K, E) error, opts ...runtime.ReadOption) error {
	found, err := c.p.Keys(r, pat, opts...)
	if err != nil {
		return err
	}
	for _, both := range found {
		if err := fn(both.Key, both.Entry); err != nil {
			return err
		}
	}
	return nil
}

// one means the key, with the entry that it has.
func (c *Covering[K, E, V]) one(k K) (runtime.Pattern, error) {
	return c.p.Under(covered[K, E]{Key: k}, 1)
}

func (c *Covering[K, E, V]) notFound(k K) error {
	return fmt.Errorf("%w: %s[%v]", runtime.ErrNotFound, c.p.p.Name(), k)
}
