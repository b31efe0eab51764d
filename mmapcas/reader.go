package mmapcas

import (
	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/index"
)

// A Reader reads for one goroutine. It does what the methods of Store do that have the same names, which borrow one for every
// call. Close it when it is not needed any more: an open one costs whoever frees memory a look.
type Reader struct {
	s   *Store
	pin *epoch.Participant
	// visited is the name that a Visit looked up last.
	visited index.Key
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
	kind, payload, err := r.s.recordAt(k, at)
	if err != nil {
		return err
	}
	return fn(kind, payload)
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
	kind, payload, err := r.s.record(index.KeyOf(&h))
	return append(dst, payload...), kind, err
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

// ViewBatch is Store.ViewBatch.
func (r *Reader) ViewBatch(names []Hash, fn func(i int, kind Kind, payload []byte, err error) error) error {
	for from := 0; from < len(names); from += index.BatchNames {
		r.pin.Enter()
		err := r.s.viewGroup(names[from:min(from+index.BatchNames, len(names))], from, fn)
		r.pin.Leave()
		if err != nil {
			return err
		}
	}
	return nil
}

// ViewBatch calls fn for each of names, in order, as View would: with the record, or with View's error for it. What is in
// memory is fetched for 16 names at a time, so that their waits overlap. It returns the first error of fn.
func (s *Store) ViewBatch(names []Hash, fn func(i int, kind Kind, payload []byte, err error) error) error {
	for from := 0; from < len(names); from += index.BatchNames {
		g := s.epochs.Pin()
		err := s.viewGroup(names[from:min(from+index.BatchNames, len(names))], from, fn)
		g.Unpin()
		if err != nil {
			return err
		}
	}
	return nil
}

// viewGroup is ViewBatch for up to batchNames names, of which the first is number base.
func (s *Store) viewGroup(names []Hash, base int, fn func(i int, kind Kind, payload []byte, err error) error) error {
	if s.closed.Load() {
		return ErrClosed
	}
	var (
		at   [index.BatchNames]arena.Addr
		next int
		bad  error // of fn
	)
	err := s.arena.Confine(func() error {
		s.index.Approach(names, &at)
		s.index.Fetch(at[:len(names)])
		for ; next < len(names); next++ {
			kind, payload, err := s.record(index.KeyOf(&names[next]))
			if bad = fn(base+next, kind, payload, err); bad != nil {
				return nil
			}
		}
		return nil
	})
	if bad != nil {
		return bad
	}
	if err == nil {
		return nil
	}
	// Some page cannot be read. One at a time, the record that it belongs to finds out.
	for ; next < len(names); next++ {
		called := false
		err := s.View(names[next], func(kind Kind, payload []byte) error {
			called = true
			bad = fn(base+next, kind, payload, nil)
			return nil
		})
		if bad != nil {
			return bad
		}
		if err != nil && !called {
			err = fn(base+next, 0, nil, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
