package mmapcas

import (
	"sync"

	"github.com/cytisus/cytisus/arena"
)

func (p *pins) add(h Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == nil {
		p.count = map[Hash]int{}
	}
	p.count[h]++
}

func (p *pins) remove(h Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count[h]--; p.count[h] == 0 {
		delete(p.count, h)
	}
}

func (p *pins) all() []Hash {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]Hash, 0, len(p.count))
	for h := range p.count {
		all = append(all, h)
	}
	return all
}

func (p *pins) len() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.count))
}

// Pin keeps the record named h through collections, whatever the roots say, until release is
// called, which may happen from any goroutine and more than once. Each cycle finds it among its
// Shaded records, so that whoever collects keeps what it refers to as well. Pins of one record add
// up. They are this process's: nothing on disk tells of them, and other processes know nothing of
// them.
//
// Errors: ErrNotFound if there is no such record, if it is damaged, or if the sweep that is under
// way has condemned it; ErrClosed.
//
// A pin is not a guard: the record may be moved, and its bytes are looked at by View and Get like
// others'.
func (s *Store) Pin(h Hash) (release func(), err error) {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return nil, ErrClosed
	}
	// Ordering. This notes the pin (P1) and then loads the cycle (P2, in existing); BeginCycle
	// publishes the cycle (B1) and then looks at the pins (B2). If B2 misses P1, B1 precedes P2,
	// and existing shades the record in that cycle, or finds it condemned.
	s.pins.add(h)
	at, err := s.existing(h)
	if err == nil && at == arena.Nil {
		err = ErrNotFound
	}
	if err != nil {
		s.pins.remove(h)
		return nil, err
	}
	return sync.OnceFunc(func() { s.pins.remove(h) }), nil
}

// shadePinned keeps the records that were pinned before the cycle began.
func (s *Store) shadePinned() error {
	for _, h := range s.pins.all() {
		if err := s.shadeOne(h); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) shadeOne(h Hash) error {
	g := s.epochs.Pin()
	defer g.Unpin()
	_, err := s.existing(h) // which shades it; one that is damaged since is gone
	return err
}
