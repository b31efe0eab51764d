package mmapcas

import (
	"fmt"

	"github.com/cytisus/cytisus/arena"
)

// syncSegment makes the first n bytes of the segment durable, or all if there are fewer.
func (s *Store) syncSegment(seg *segment, n int64) error {
	n = min(n, seg.mem.Length())
	if seg.file == nil || seg.synced.Load() >= n {
		return nil
	}
	seg.syncMu.Lock()
	defer seg.syncMu.Unlock()
	if seg.synced.Load() >= n {
		return nil
	}
	if err := s.syncFailed(); err != nil {
		return err
	}
	if seg.lost.Load() {
		return fmt.Errorf("%w: of segment %s, earlier", ErrSync, seg.name) // never tried again
	}
	n = seg.mem.Length()
	s.counters.syncs.Add(1)
	err := seg.mem.Flush(seg.synced.Load())
	if err == nil {
		err = seg.file.Sync()
	}
	if err != nil {
		seg.lost.Store(true)
		return s.failSync(fmt.Errorf("segment %s: %w", seg.name, err))
	}
	seg.synced.Store(n)
	return nil
}

// syncNames makes the names of segments durable that newSegment did not. The caller holds commitMu.
func (s *Store) syncNames() error {
	if s.namesDurable {
		return nil
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		s.final.Store(true)
		return s.failSync(err)
	}
	s.namesDurable = s.opts.Sync != SyncNone
	return nil
}

// failSync remembers the first failed sync and returns the error for it.
func (s *Store) failSync(err error) error {
	err = fmt.Errorf("%w: %w", ErrSync, classify(err))
	if s.failure.CompareAndSwap(nil, &err) {
		s.log.Error("mmapcas: a sync failed", "final", s.final.Load(), "err", err)
	}
	return err
}

// syncFailed returns the error of the first failed sync, nil if none has failed, or all were made
// up for.
func (s *Store) syncFailed() error {
	if e := s.failure.Load(); e != nil {
		return *e
	}
	return nil
}

// Synced reports whether the record named h is known to be on disk, so that it survives a power cut
// whether a Commit comes or not.
func (s *Store) Synced(h Hash) bool {
	if s.dir == "" {
		return s.Has(h)
	}
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return false
	}
	synced := false
	_ = s.arena.Confine(func() error {
		at := s.index.Find(h)
		m := s.arena.Segment(at)
		if at == arena.Nil || m == nil {
			return nil
		}
		seg, off := m.Owner().(*segment), m.Offset(at)
		header, ok := s.headerAt(at)
		synced = ok && seg.synced.Load() >= off+header.Extent()
		return nil
	})
	return synced
}

// settleManifest makes the newest statement durable in the manifest, too. The caller holds
// commitMu.
func (s *Store) settleManifest() error {
	if s.opts.Sync == SyncNone || !s.manifest.behind {
		return nil
	}
	s.counters.syncs.Add(1)
	if err := s.manifest.sync(); err != nil {
		s.final.Store(true)
		return s.failSync(err)
	}
	s.unsettled = 0
	return nil
}
