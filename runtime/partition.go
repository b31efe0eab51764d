package runtime

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/internal/caller"
)

// A Partition is a named, ordered map from string keys to values of one type. Keys are compared as
// bytes. It is a name with a type: the same Partition may be used with any number of engines.
type Partition[V any] struct {
	name       string
	where      string
	durability Durability
	codec      codec[V]
}

// NewPartition names a partition. What values may be is said in the package comment; a type that
// may not be one shows at first use, as ErrBadValue. The only option is the Durability.
func NewPartition[V any](name string, opts ...PartitionOption) *Partition[V] {
	p := &Partition[V]{name: name, where: caller.Outside(), codec: codecFor[V]()}
	for _, opt := range opts {
		p.durability = opt.durability()
	}
	allPartitions.add(name, p)
	return p
}

// Name returns the partition's name.
func (p *Partition[V]) Name() string { return p.name }

// AnyPartition is a partition of any type, for Engine.Watch.
type AnyPartition interface {
	Name() string
	id(e *Engine) (db.PartID, error)
}

// A defined is a partition or query that an engine has met.
type defined struct {
	what  any // the first *Partition or *Query of this name
	where string
	part  db.PartID
}

func (p *Partition[V]) id(e *Engine) (db.PartID, error) {
	if d, ok := e.parts.Load(p.name); ok {
		if d.what == any(p) {
			return d.part, nil
		}
		if o, same := d.what.(*Partition[V]); same {
			if o.durability == p.durability {
				return d.part, nil
			}
			return 0, fmt.Errorf("%w: partition %q is %v at %s and %v at %s", ErrConflict, p.name, o.durability, d.where, p.durability, p.where)
		}
		return 0, fmt.Errorf("%w: partition %q is %T at %s and %T at %s", ErrConflict, p.name, d.what, d.where, p, p.where)
	}
	if strings.HasPrefix(p.name, "$") {
		return 0, fmt.Errorf("%w: partition %q", ErrReserved, p.name)
	}
	if p.codec.err != nil {
		return 0, fmt.Errorf("%w: partition %q at %s: %w", ErrBadValue, p.name, p.where, p.codec.err)
	}
	part, err := e.db.Partition(p.name, false)
	if err != nil {
		return 0, fmt.Errorf("runtime: opening partition %q: %w", p.name, public(err))
	}
	if err := e.meetDurability(p.name, part, p.durability); err != nil {
		return 0, public(err)
	}
	e.parts.LoadOrStore(p.name, defined{what: p, where: p.where, part: part})
	return p.id(e)
}

// in returns what a reader reads of the partition.
func (p *Partition[V]) in(r Reader) (eng *Engine, view readView, id db.PartID, err error) {
	if eng, view, err = r.reads(); err == nil {
		id, err = p.id(eng)
	}
	return eng, view, id, view.failed(err)
}

// Get returns the value at key. The value may be shared and must not be changed. It returns
// ErrNotFound for a key that the snapshot does not have, and a DecodeError for stored bytes that
// are not a V.
func (p *Partition[V]) Get(r Reader, key string) (V, error) {
	var v V
	h, ok, err := p.hash(r, key)
	if err != nil {
		return v, err
	}
	if !ok {
		return v, fmt.Errorf("%w: %s[%q]", ErrNotFound, p.name, key)
	}
	return p.read(r, key, h)
}

// Load returns the value that a Change or Partition.Blob names. Inside a query nothing is recorded:
// the name says all about the value. A value that no snapshot can see any more is ErrDamaged once
// it was collected.
func (p *Partition[V]) Load(r Reader, b Blob) (V, error) {
	return p.read(r, b.String(), b.hash)
}

// read is load for a reader.
func (p *Partition[V]) read(r Reader, key string, h mmapcas.Hash) (v V, err error) {
	e, view, err := r.reads()
	if err == nil {
		v, err = p.load(e, key, h)
	}
	return v, view.failed(err)
}

func (p *Partition[V]) load(e *Engine, key string, h mmapcas.Hash) (v V, err error) {
	err = e.store.View(h, func(kind mmapcas.Kind, payload []byte) error {
		var err error
		if v, err = p.codec.decodeRecord(kind, payload); err != nil {
			return &DecodeError{What: fmt.Sprintf("%s[%q]", p.name, key), Err: err}
		}
		return nil
	})
	switch {
	case errors.Is(err, mmapcas.ErrCorrupt), errors.Is(err, mmapcas.ErrNotFound):
		return v, fmt.Errorf("%w: %s[%q]: %w", ErrDamaged, p.name, key, err)
	case err != nil:
		return v, fmt.Errorf("runtime: reading %s[%q]: %w", p.name, key, public(err))
	}
	return v, nil
}

// Intact reports whether the record of key can be found in the store. It does not read it: a record
// with a damaged byte is found until somebody has tried to read it. A key that is not there has no
// record, and is intact. It is not allowed inside a query.
func (p *Partition[V]) Intact(r Reader, key string) (bool, error) {
	eng, view, id, err := p.in(r)
	if err == nil && view.frame != nil && view.frame.Strand().InQuery() {
		err = fmt.Errorf("%w: Intact", ErrInQuery)
	}
	if err != nil {
		return false, err
	}
	h, ok, err := view.snap.Get(id, key)
	if err != nil {
		return false, view.failed(fmt.Errorf("runtime: looking up %s[%q]: %w", p.name, key, err))
	}
	return !ok || eng.store.Has(h), nil
}

func (p *Partition[V]) hash(r Reader, key string) (h mmapcas.Hash, ok bool, err error) {
	_, view, id, err := p.in(r)
	if err != nil {
		return h, false, err
	}
	if view.frame != nil {
		h, ok, err = view.frame.Get(id, key)
	} else {
		h, ok, err = view.snap.Get(id, key)
	}
	if err != nil {
		return h, false, fmt.Errorf("runtime: looking up %s[%q]: %w", p.name, key, public(err))
	}
	return h, ok, nil
}

// Has reports whether the snapshot has key. Inside a query it depends on that alone, and not on the
// value.
func (p *Partition[V]) Has(r Reader, key string) (bool, error) {
	_, view, id, err := p.in(r)
	if err != nil {
		return false, err
	}
	var has bool
	if view.frame != nil {
		has, err = view.frame.Has(id, key)
	} else {
		_, has, err = view.snap.Get(id, key)
	}
	if err != nil {
		return false, fmt.Errorf("runtime: looking up %s[%q]: %w", p.name, key, public(err))
	}
	return has, nil
}

// Blob names the stored bytes of a value, which are not read: two equal Blobs mean equal values. It
// returns ErrNotFound as Get does.
func (p *Partition[V]) Blob(r Reader, key string) (Blob, error) {
	h, ok, err := p.hash(r, key)
	if err == nil && !ok {
		err = fmt.Errorf("%w: %s[%q]", ErrNotFound, p.name, key)
	}
	return Blob{h}, err
}

// Put sets key to v when the commit is applied. v is encoded at once and may be changed afterwards.
// A value that would not come back is ErrBadValue, one with a Blob whose bytes are gone ErrDamaged.
func (p *Partition[V]) Put(w *Writer, key string, v V) error {
	if err := w.open(); err != nil {
		return err
	}
	id, err := p.id(w.eng)
	if err != nil {
		return err
	}
	h, err := p.store(w.eng, key, &v)
	if err != nil {
		return err
	}
	return w.add(p.durability, id, p.name, db.Op{Key: key, Verb: db.Put, Hash: h})
}

// store puts the record of a value that is to be at key.
func (p *Partition[V]) store(e *Engine, key string, v *V) (h mmapcas.Hash, err error) {
	kind, payload, refs, err := p.codec.encode(nil, *v)
	if err != nil {
		return h, fmt.Errorf("runtime: encoding %s[%q]: %w", p.name, key, err)
	}
	h, _, err = e.store.Put(kind, payload)
	if err != nil {
		return h, fmt.Errorf("runtime: storing %s[%q] (%d bytes): %w", p.name, key, len(payload), public(err))
	}
	if err := e.settleRefs(refs); err != nil {
		return h, fmt.Errorf("runtime: storing %s[%q]: %w", p.name, key, public(err))
	}
	return h, nil
}

// Delete removes key when the commit is applied. A key that is not there is no error.
func (p *Partition[V]) Delete(w *Writer, key string) error {
	return p.op(w, db.Op{Key: key, Verb: db.Delete})
}

// ClearPrefix removes every key that begins with prefix when the commit is applied. What the same
// commit puts afterwards stays: together they replace all that a producer said before, and only
// real differences count as changes.
func (p *Partition[V]) ClearPrefix(w *Writer, prefix string) error {
	return p.op(w, db.Op{Key: prefix, Verb: db.ClearPrefix})
}

func (p *Partition[V]) op(w *Writer, op db.Op) error {
	if err := w.open(); err != nil {
		return err
	}
	id, err := p.id(w.eng)
	if err != nil {
		return err
	}
	return w.add(p.durability, id, p.name, op)
}
