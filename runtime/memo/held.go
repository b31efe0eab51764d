package memo

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
)

// held are records that the store has no room for, or cannot take for another reason that may pass:
// results, and what results refer to. See "A store that takes nothing".
type held struct {
	n       atomic.Int64 // records; spares readers the lock while there are none
	running atomic.Int64 // runs that may have put a record which no trace reaches yet

	mu      sync.Mutex
	records map[mmapcas.Hash]heldRecord // guarded by mu
	order   []mmapcas.Hash              // guarded by mu: oldest first, each once
	bytes   int64                       // guarded by mu: of all payloads
}

type heldRecord struct {
	kind    mmapcas.Kind
	payload []byte // never changes
}

// Keep puts a record, into memory if the store cannot take it now.
func (t *Table) Keep(kind mmapcas.Kind, payload []byte) (mmapcas.Hash, error) {
	h, _, err := t.o.Store.Put(kind, payload)
	if err == nil || errors.Is(err, mmapcas.ErrClosed) || errors.Is(err, mmapcas.ErrTooLarge) {
		return h, err
	}
	h = mmapcas.HashOf(kind, payload)
	if t.held.add(h, heldRecord{kind, bytes.Clone(payload)}, t.o.CacheBytes) {
		t.Distrust()
	}
	return h, nil
}

// add keeps a record. It forgets the oldest beyond the bound, which costs runs, and reports whether
// it has. The newest stays.
func (d *held) add(h mmapcas.Hash, r heldRecord, bytesMax int64) (forgot bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.records[h]; known {
		return false
	}
	if d.records == nil {
		d.records = map[mmapcas.Hash]heldRecord{}
	}
	d.records[h] = r
	d.order = append(d.order, h)
	d.bytes += int64(len(r.payload))
	for d.bytes > bytesMax && len(d.order) > 1 {
		d.forget(0)
		forgot = true
	}
	d.n.Store(int64(len(d.order)))
	return forgot
}

// forget takes out the record that is i-th in order. The caller holds mu.
func (d *held) forget(i int) {
	h := d.order[i]
	d.bytes -= int64(len(d.records[h].payload))
	delete(d.records, h)
	d.order = append(d.order[:i:i], d.order[i+1:]...)
	d.n.Store(int64(len(d.order)))
}

func (d *held) size() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bytes
}

func (d *held) get(h mmapcas.Hash) (r heldRecord, ok bool) {
	if d.n.Load() == 0 {
		return r, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok = d.records[h]
	return r, ok
}

// View calls fn with a record, wherever it is; payload is valid during the call only. What is held
// comes first, since a record goes into the store before it is held no longer.
func (t *Table) View(h mmapcas.Hash, fn func(kind mmapcas.Kind, payload []byte) error) error {
	if isTiny(h) {
		name := h // the payload is a part of it, and may go to the heap
		return fn(tiny(&name))
	}
	if r, ok := t.held.get(h); ok {
		return fn(r.kind, r.payload)
	}
	return t.o.Store.View(h, fn)
}

func (t *Table) has(h mmapcas.Hash) bool {
	if isTiny(h) {
		return true
	}
	_, ok := t.held.get(h)
	return ok || t.o.Store.Has(h)
}

// Settle puts a record and all that it refers to into the store, as far as they are held. The
// caller is inside a session that lasts until the record is referred to.
func (t *Table) Settle(h mmapcas.Hash) error {
	s := settling{t: t, most: mmapcas.MaxPayloadBytes}
	return s.settle(h)
}

// A settling is one attempt to put what is held. A payload that finds no room says that those which
// are not much smaller need not be tried, so that a full disk is asked a few times and not for
// each.
type settling struct {
	t    *Table
	most int // bytes of a payload that is tried
	err  error
}

func (s *settling) settle(h mmapcas.Hash) error {
	if s.t.held.n.Load() == 0 {
		return nil
	}
	return below(h, s.refs, s.put)
}

// refs returns what a record refers to: nothing if it is lost, since what needs it runs its query
// again.
func (s *settling) refs(h mmapcas.Hash) (refs []mmapcas.Hash, err error) {
	err = s.t.View(h, func(kind mmapcas.Kind, payload []byte) error {
		refs = s.t.o.Refs(kind, payload)
		return nil
	})
	if lost(err) {
		return nil, nil
	}
	if err != nil {
		s.err = err
	}
	return refs, err
}

// put puts a record if it is held. What it refers to is in the store.
func (s *settling) put(h mmapcas.Hash) error {
	r, ok := s.t.held.get(h)
	switch {
	case !ok:
		return nil
	case len(r.payload) > s.most:
		return s.err
	}
	if _, _, err := s.t.o.Store.Put(r.kind, r.payload); err != nil {
		s.most = len(r.payload) / 2
		s.err = fmt.Errorf("memo: storing a record of %d bytes that is held in memory: %w", len(r.payload), err)
		return s.err
	}
	for _, ref := range s.t.o.Refs(r.kind, r.payload) {
		s.t.o.Shade(ref)
	}
	s.t.held.settled(h)
	return nil
}

// settled forgets a record that is in the store now.
func (d *held) settled(h mmapcas.Hash) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.order {
		if d.order[i] == h {
			d.forget(i)
			return
		}
	}
}

// clean forgets everything held once no trace that Flush has to write can need it: no run goes on,
// and none has ended whose trace is not written.
func (t *Table) clean() {
	d := &t.held
	if d.n.Load() == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running.Load() > 0 || t.Dirty() > 0 {
		return
	}
	d.records, d.order, d.bytes = nil, nil, 0
	d.n.Store(0)
}
