package mmapcas

import "github.com/cytisus/cytisus/mmapcas/index"

// A Visit is a stay of a Reader in the store, for many lookups in a row: what a View does before and after its lookup is done once
// for all of them. It is used by the function that it was made for, on its goroutine.
type Visit struct{ r *Reader }

// Visit calls fn and returns its error. fn may look up as many records as it likes; it should not wait for anything else.
//
// When a page of the store cannot be read, fn is left at that point as by a panic, its deferred functions run, and Visit
// returns a *CorruptError: the record is dropped, and fn may be called again for what it had still to do.
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

// Get returns the record named h in place: payload is mapped memory, valid until the next call of Get or the end of the visit, and
// read-only. Its errors are those of Store.View, without those of a page that cannot be read.
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
		return r.s.recordAt(k, at)
	}
	return Kind(word >> 32), x.Glanced(at, word), nil
}
