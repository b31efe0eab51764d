package mmapcas

import (
	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/index"
)

// A Reader reads for one goroutine. It does what the methods of Store do that have the same names,
// which borrow one for every call. Close it when it is not needed any more: an open one costs a
// look each time memory is freed.
type Reader struct {
	s   *Store
	pin *epoch.Participant
	// visited is the name that a Visit looked up last.
	visited index.Key
	room    spareRoom
}

// NewReader returns a reader. Only one goroutine at a time may use it.
func (s *Store) NewReader() *Reader { return &Reader{s: s, pin: s.epochs.Register("mmapcas reader")} }

// Close gives the reader's slot back. The store may have been closed before.
func (r *Reader) Close() { r.pin.Close() }

// View is Store.View.
func (r *Reader) View(h Hash, fn func(kind Kind, payload []byte) error) (err error) {
	r.pin.Enter()
	old := r.s.arena.BeginConfined()
	defer func() {
		v := recover()
		r.pin.Leave()
		if fault := r.s.arena.EndConfined(old, v); fault != nil {
			err = r.s.faulted(h, fault)
		}
	}()
	if r.s.closed.Load() {
		return ErrClosed
	}
	// As in record, which is one call too many here.
	x, k := r.s.index, index.KeyOf(&h)
	at, word := x.Glance(k)
	if word == 0 {
		return r.viewAt(k, at, fn)
	}
	return fn(Kind(word>>32), x.Glanced(at, word))
}

func (r *Reader) viewAt(k index.Key, at arena.Addr, fn func(kind Kind, payload []byte) error) error {
	room := r.room.lend()
	kind, payload, err := r.s.recordAt(k, at, &room)
	if err == nil {
		err = fn(kind, payload)
	}
	r.room.giveBack(room)
	return err
}

// Get is Store.Get.
func (r *Reader) Get(h Hash, dst []byte) (out []byte, kind Kind, err error) {
	r.pin.Enter()
	old := r.s.arena.BeginConfined()
	defer func() {
		v := recover()
		r.pin.Leave()
		if fault := r.s.arena.EndConfined(old, v); fault != nil {
			out, kind, err = dst, 0, r.s.faulted(h, fault)
		}
	}()
	if r.s.closed.Load() {
		return dst, 0, ErrClosed
	}
	room := r.room.lend()
	kind, payload, err := r.s.record(index.KeyOf(&h), &room)
	out = append(dst, payload...)
	r.room.giveBack(room)
	return out, kind, err
}

// Has is Store.Has.
func (r *Reader) Has(h Hash) (found bool) {
	r.pin.Enter()
	old := r.s.arena.BeginConfined()
	defer func() {
		v := recover()
		r.pin.Leave()
		if fault := r.s.arena.EndConfined(old, v); fault != nil {
			_, found = r.s.faulted(h, fault), false // which drops and reports it
		}
	}()
	return !r.s.closed.Load() && r.s.index.Find(h) != arena.Nil
}

// A Visit is a stay of a Reader in the store, for many lookups in a row: what a View does before
// and after its lookup is done once for all of them. It is used by the function that it was made
// for, on its goroutine.
type Visit struct{ r *Reader }

// Visit calls fn and returns its error. fn may look up as many records as it likes; it should not
// wait for anything else.
//
// When a page of the store cannot be read, fn is left at that point as by a panic, its deferred
// functions run, and Visit returns a *CorruptError: the record is dropped, and fn may be called
// again for what it had still to do.
func (r *Reader) Visit(fn func(v Visit) error) (err error) {
	r.pin.Enter()
	old := r.s.arena.BeginConfined()
	defer func() {
		v := recover()
		r.pin.Leave()
		if fault := r.s.arena.EndConfined(old, v); fault != nil {
			err = r.s.faulted(r.visited.Hash(), fault)
		}
	}()
	return fn(Visit{r})
}

// Get returns the record named h in place: payload is mapped memory, or what a compressed record
// was unpacked into, valid until the next call of Get or the end of the visit, and read-only. Its
// errors are those of Store.View, without those of a page that cannot be read.
func (v Visit) Get(h Hash) (kind Kind, payload []byte, err error) {
	r := v.r
	k := index.KeyOf(&h)
	r.visited = k
	r.pin.Refresh() // the payload returned before goes
	if r.s.closed.Load() {
		return 0, nil, ErrClosed
	}
	// As in record.
	x := r.s.index
	at, word := x.Glance(k)
	if word == 0 {
		return r.s.recordAt(k, at, (*[]byte)(&r.room))
	}
	return Kind(word >> 32), x.Glanced(at, word), nil
}

// ViewBatch is Store.ViewBatch.
func (r *Reader) ViewBatch(names []Hash, fn func(i int, kind Kind, payload []byte, err error) error) error {
	for from := 0; from < len(names); from += index.BatchNames {
		group := names[from:min(from+index.BatchNames, len(names))]
		seen, err := r.viewGroup(group, from, fn)
		if err == nil && seen < len(group) {
			// Some page cannot be read. One at a time, the record that it belongs to finds out.
			err = r.viewEach(group[seen:], from+seen, fn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// viewGroup is ViewBatch for up to BatchNames names, of which the first is number base, until a
// page cannot be read. It returns how many of them fn has seen, and the first error of fn.
func (r *Reader) viewGroup(names []Hash, base int, fn func(i int, kind Kind, payload []byte, err error) error) (seen int, bad error) {
	s := r.s
	r.pin.Enter()
	defer r.pin.Leave()
	room := r.room.lend()
	defer func() { r.room.giveBack(room) }()
	if s.closed.Load() {
		return 0, ErrClosed
	}
	var at [index.BatchNames]arena.Addr
	_ = s.arena.Confine(func() error { // a fault leaves seen at the name that met it
		s.index.Approach(names, &at)
		s.index.Fetch(at[:len(names)])
		for seen < len(names) {
			kind, payload, err := s.record(index.KeyOf(&names[seen]), &room)
			if bad = fn(base+seen, kind, payload, err); bad != nil {
				return nil
			}
			seen++
		}
		return nil
	})
	return seen, bad
}

// viewEach is ViewBatch with a View for each name.
func (r *Reader) viewEach(names []Hash, base int, fn func(i int, kind Kind, payload []byte, err error) error) error {
	for i := range names {
		called := false
		var bad error // of fn
		err := r.View(names[i], func(kind Kind, payload []byte) error {
			called = true
			bad = fn(base+i, kind, payload, nil)
			return nil
		})
		if bad != nil {
			return bad
		}
		if err != nil && !called {
			err = fn(base+i, 0, nil, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
