package mmapcas

import (
	"errors"
	"os"
	goruntime "runtime"
	"sync/atomic"
)

// Files get disk space ahead of what is stored in them. A store that is closed gives back what was
// not needed: each file that this process mapped and whose end is known is cut there, at a whole
// page, once it is unmapped (A3). Nothing has to be durable about that, since what lies behind the
// length counts for nothing. A process that is killed leaves its files long; the next one that
// closes the store cuts them.

// Close ends the store. Puts that are under way finish; calls that come later get ErrClosed. Memory
// is given back when the readers inside have left, which Close waits for only briefly: a reader
// that stays keeps its memory, not the store.
//
// Close is no commit: what was put since the last one is found by Tail when the store is opened
// again.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return ErrClosed
	}
	// A cycle that was about to begin has begun once this mutex is free, and none begins later.
	s.commitMu.Lock()
	c := s.cycle.Load()
	s.commitMu.Unlock()
	if c != nil {
		c.Abort()
	}
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	// Waits for puts inside; later ones see closed once they hold an appender.
	s.pool.exclusive(func(all []*appender) {
		for _, a := range all {
			a.Detach()
		}
	})
	if s.manifest != nil && s.told != s.found && s.failure.Load() == nil {
		// Whether the saving of an index has done this before depends on chance; a close is the
		// same each time.
		s.manifest.behind = true
		if err := s.settleManifest(); err != nil {
			// What it says is in a segment, too, and durable there.
			s.log.Warn("mmapcas: manifest not synced", "file", s.manifest.name, "err", err)
		}
	}
	s.saveIndexNow()
	return s.release()
}

// release gives back all that Open took.
func (s *Store) release() error {
	s.closeReserve()
	var errs []error
	segs := s.segments()
	var left atomic.Int64
	left.Store(int64(len(segs)))
	for _, seg := range segs {
		seg.mem.Retire(s.epochs, func(err error) {
			left.Add(-1)
			if err == nil {
				err = s.trim(seg)
			}
			if seg.file != nil {
				err = errors.Join(err, seg.file.Close())
			}
			if err != nil {
				s.log.Warn("mmapcas: close segment", "segment", seg.name, "err", err)
			}
		})
	}
	if s.index != nil {
		x := s.index
		s.epochs.Retire(int(x.Bytes()), x.Free)
	}
	const rounds = 100
	for i := 0; i < rounds && (left.Load() > 0 || s.counters.retired.Load() > 0); i++ {
		s.epochs.Collect()
		goruntime.Gosched()
	}
	s.epochs.Collect()
	if s.manifest != nil {
		errs = append(errs, s.manifest.close())
	}
	s.trimming.allow(false)
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.arena != nil && left.Load() == 0 && s.counters.retired.Load() == 0 {
		errs = append(errs, s.arena.Close())
	}
	return errors.Join(errs...)
}

func (t *trimming) allow(yes bool) {
	t.mu.Lock()
	t.allowed = yes
	t.mu.Unlock()
}

// trim cuts the file of a segment, which is not mapped any more, behind its records.
func (s *Store) trim(seg *segment) error {
	if seg.file == nil || s.opts.ReadOnly {
		return nil
	}
	s.segMu.Lock()
	whole := seg.whole
	s.segMu.Unlock()
	if !whole {
		return nil
	}
	s.trimming.mu.Lock()
	defer s.trimming.mu.Unlock()
	if !s.trimming.allowed {
		return nil
	}
	size, err := seg.file.Size()
	if err != nil {
		return err
	}
	page := int64(os.Getpagesize())
	if n := (seg.mem.Length() + page - 1) &^ (page - 1); n < size {
		return seg.file.Truncate(n)
	}
	return nil
}
