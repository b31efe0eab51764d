package runtime

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// A Blob names bytes in the store by their content. It may be a field of a partition's or query's
// value, at any depth: the bytes live as long as a value that names them. The zero Blob names
// nothing and reads as no bytes.
//
// Use it for results that many ask for but few read whole: a query that only passes the Blob on
// costs 16 bytes.
type Blob struct{ hash mmapcas.Hash }

// IsZero reports whether b names nothing.
func (b Blob) IsZero() bool { return b.hash.IsZero() }

func (b Blob) String() string { return b.hash.String() }

// MarshalBinary gives the 16 bytes of the name.
func (b Blob) MarshalBinary() ([]byte, error) { return b.hash[:], nil }

// UnmarshalBinary is the inverse of MarshalBinary.
func (b *Blob) UnmarshalBinary(p []byte) error {
	if len(p) != len(b.hash) {
		return fmt.Errorf("runtime: a blob's name has %d bytes, not %d", len(b.hash), len(p))
	}
	copy(b.hash[:], p)
	return nil
}

// putBlob stores p; kept says that it is a part of an answer, which does without the store.
func (e *Engine) putBlob(p []byte, kept bool) (Blob, error) {
	var (
		h   mmapcas.Hash
		err error
	)
	if kept {
		h, err = e.memo.Keep(kindBlob, p)
	} else {
		h, _, err = e.store.Put(kindBlob, p)
	}
	if err != nil {
		return Blob{}, fmt.Errorf("runtime: storing a blob of %d bytes: %w", len(p), public(err))
	}
	return Blob{h}, nil
}

// PutBlob stores p and returns its name. p is copied.
func (t *Task) PutBlob(p []byte) (Blob, error) {
	b, err := t.eng.putBlob(p, t.root.strand.InQuery())
	return b, fails(t, err)
}

// settleRefs is called with what a value refers to before a commit refers to the value. A blob of
// an answer may be in memory only. One that is gone is an error: a recovery takes a value without
// its blobs for one that a power cut has torn, and gives up the commit and those behind it.
//
// The caller is inside a session, so a moment's pin is enough: a collection that is under way keeps
// the record, and one that begins later waits for the session.
func (e *Engine) settleRefs(refs []mmapcas.Hash) error {
	for _, ref := range refs {
		if err := e.memo.Settle(ref); err != nil {
			return err
		}
		release, err := e.store.Pin(ref)
		if err != nil {
			if errors.Is(err, mmapcas.ErrCorrupt) || errors.Is(err, mmapcas.ErrNotFound) {
				err = fmt.Errorf("%w: blob %s: %w", ErrDamaged, Blob{ref}, err)
			}
			return err
		}
		e.gc.Shade(ref)
		release()
	}
	return nil
}

// PutBlob stores p and returns its name. p is copied.
func (w *Writer) PutBlob(p []byte) (Blob, error) {
	if err := w.open(); err != nil {
		return Blob{}, err
	}
	return w.eng.putBlob(p, false)
}

// ReadBlob returns a copy of the bytes that b names. A blob that was reached through a value of r's
// snapshot is always there; any other may have been collected. One that is missing or damaged is
// ErrDamaged: a query that made it runs again when it is asked next. The bytes are those that were
// put: they are compared with their name, so that a decoder may trust them as its encoder's.
// ViewBlob compares a checksum, which bytes that were forged can have.
func ReadBlob(r Reader, b Blob) ([]byte, error) {
	for {
		var (
			out  []byte
			kind mmapcas.Kind
		)
		err := viewBlob(r, b, func(k mmapcas.Kind, p []byte) error {
			kind, out = k, append(make([]byte, 0, len(p)), p...)
			return nil
		})
		if err != nil || b.IsZero() || mmapcas.HashOf(kind, out) == b.hash {
			return out, err
		}
		eng, view, err := r.reads()
		if err != nil {
			return nil, view.failed(err)
		}
		// What is not what its name says is dropped, so this ends.
		if err := eng.store.Prove(b.hash); err != nil {
			eng.memo.Distrust()
			return nil, view.failed(fmt.Errorf("%w: blob %s: %w", ErrDamaged, b, err))
		}
	}
}

// ViewBlob calls fn with the bytes that b names, in place: they must not be changed or kept, and fn
// must not wait.
func ViewBlob(r Reader, b Blob, fn func([]byte) error) error {
	return viewBlob(r, b, func(_ mmapcas.Kind, p []byte) error { return fn(p) })
}

// viewBlob is ViewBlob with the kind of the record: a Blob may name the record of a value, too.
func viewBlob(r Reader, b Blob, fn func(mmapcas.Kind, []byte) error) error {
	eng, view, err := r.reads()
	if err != nil {
		return view.failed(err)
	}
	if b.IsZero() {
		return fn(kindBlob, nil)
	}
	seen := false
	err = eng.memo.View(b.hash, func(kind mmapcas.Kind, p []byte) error {
		seen = true
		return fn(kind, p)
	})
	switch {
	case err == nil:
		return nil
	case seen: // fn's own
		return fmt.Errorf("runtime: blob %s: %w", b, err)
	case errors.Is(err, mmapcas.ErrCorrupt), errors.Is(err, mmapcas.ErrNotFound):
		eng.memo.Distrust()
		return view.failed(fmt.Errorf("%w: blob %s: %w", ErrDamaged, b, err))
	default:
		return view.failed(fmt.Errorf("runtime: blob %s: %w", b, err))
	}
}

// A blobFinder finds the blobs in values of one type. Types that cannot hold one have none.
type blobFinder struct{ types map[reflect.Type]bool }

var blobType = reflect.TypeFor[Blob]()

func blobFinderFor(t reflect.Type) *blobFinder {
	f := &blobFinder{types: map[reflect.Type]bool{}}
	if !f.mayHold(t, map[reflect.Type]bool{}) {
		return nil
	}
	return f
}

// mayHold reports whether values of type t can hold a blob. open holds the types being looked at,
// so recursive types end.
func (f *blobFinder) mayHold(t reflect.Type, open map[reflect.Type]bool) bool {
	if t == blobType {
		return true
	}
	if holds, ok := f.types[t]; ok {
		return holds
	}
	if open[t] {
		return false // decided by the type's other parts, where the recursion began
	}
	open[t] = true
	holds := false
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			holds = f.mayHold(t.Field(i).Type, open) || holds
		}
	case reflect.Array, reflect.Slice, reflect.Pointer:
		holds = f.mayHold(t.Elem(), open)
	case reflect.Map:
		k, v := f.mayHold(t.Key(), open), f.mayHold(t.Elem(), open)
		holds = k || v
	case reflect.Interface:
		holds = true // decided by the value
	}
	delete(open, t)
	if len(open) == 0 || holds {
		f.types[t] = holds // a "no" found inside a recursion may be preliminary
	}
	return holds
}

// find returns the blobs in v, sorted, each once.
func (f *blobFinder) find(v reflect.Value) []mmapcas.Hash {
	if f == nil {
		return nil
	}
	w := blobWalk{finder: f}
	w.walk(v)
	slices.SortFunc(w.refs, func(a, b mmapcas.Hash) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(w.refs)
}

// A blobWalk looks for blobs in one value. What a type with a form of its own has in its fields may
// have cycles, or be pointed to from so many places that going there each time takes for ever: in a
// large value each place is visited once.
type blobWalk struct {
	finder *blobFinder
	refs   []mmapcas.Hash
	steps  int
	seen   map[blobPlace]bool
}

type blobPlace struct {
	t   reflect.Type
	at  uintptr
	len int
}

// largeBlobWalk is the number of steps from which on places are remembered.
const largeBlobWalk = 1000

func (w *blobWalk) beenAt(t reflect.Type, at uintptr, n int) bool {
	if w.steps++; w.steps < largeBlobWalk {
		return false
	}
	if w.seen == nil {
		w.seen = map[blobPlace]bool{}
	}
	place := blobPlace{t, at, n}
	if w.seen[place] {
		return true
	}
	w.seen[place] = true
	return false
}

func (w *blobWalk) walk(v reflect.Value) {
	t := v.Type()
	if t == blobType {
		var h mmapcas.Hash
		bytes := v.Field(0)
		for i := range h {
			h[i] = byte(bytes.Index(i).Uint())
		}
		if !h.IsZero() {
			w.refs = append(w.refs, h)
		}
		return
	}
	if holds, ok := w.finder.types[t]; ok && !holds {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			w.walk(v.Field(i))
		}
	case reflect.Array, reflect.Slice:
		if elem, ok := w.finder.types[t.Elem()]; !ok && scalar(t.Elem().Kind()) || ok && !elem {
			return
		}
		if t.Kind() == reflect.Slice && w.beenAt(t, v.Pointer(), v.Len()) {
			return
		}
		for i := range v.Len() {
			w.walk(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() && !w.beenAt(t, v.Pointer(), 1) {
			w.walk(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			w.walk(v.Elem())
		}
	case reflect.Map:
		if w.beenAt(t, v.Pointer(), v.Len()) {
			return
		}
		for it := v.MapRange(); it.Next(); {
			w.walk(it.Key())
			w.walk(it.Value())
		}
	}
}

func scalar(k reflect.Kind) bool { return k <= reflect.Complex128 || k == reflect.String }
