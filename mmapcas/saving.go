package mmapcas

import (
	"errors"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// How much must have been committed since the index was saved for it to be saved again, as the
// inverse of what is saved already, and at the least. While the store is open a save costs a write
// of some 8 bytes per record and delays no call; what it saves is scanning after the process was
// killed. At Close the caller waits for it, and the next Open for what was not saved.
const (
	saveShareOpen   = 4
	saveShareClose  = 32
	saveBytesOpen   = 16 << 20
	saveBytesClose  = 256 << 10
	saveFailedShare = 4 // wait for that much more after a failure
)

// errCycleBegan: what was written is not to be used.
var errCycleBegan = errors.New("mmapcas: a collection began while the index was saved")

// A save is one index file being written.
type save struct {
	s       *Store
	head    index.Head
	segs    []*segment // of head.Reaches
	moved   int64
	changed int64
	bytes   int64 // committed
}

// saveIndexSoon begins to save the index if enough has changed. The caller holds commitMu.
func (s *Store) saveIndexSoon() {
	if v := s.beginSave(saveShareOpen, saveBytesOpen); v != nil {
		go v.run()
	}
}

// saveIndexNow saves the index if enough has changed, at Close. The caller holds commitMu, and
// no put is under way.
func (s *Store) saveIndexNow() {
	s.waitForSave()
	if v := s.beginSave(saveShareClose, saveBytesClose); v != nil {
		v.run()
	}
}

// waitForSave returns when no save is under way.
func (s *Store) waitForSave() {
	s.saving.mu.Lock()
	busy := s.saving.busy
	s.saving.mu.Unlock()
	if busy != nil {
		<-busy
	}
}

// saveIndexAfterCycle saves what a collection left, so that what it dropped does not come back. If
// it moved records the next Commit does that.
func (s *Store) saveIndexAfterCycle() {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if !s.closed.Load() {
		s.saveIndexSoon()
	}
}

// beginSave decides whether the index is to be saved and notes what the file will speak about. The
// caller holds commitMu.
func (s *Store) beginSave(share, least int64) *save {
	if s.dir == "" || s.opts.ReadOnly || s.manifest == nil || s.told == 0 || s.failure.Load() != nil ||
		s.cycle.Load() != nil || s.saving.settled != s.counters.moved.Load() {
		return nil
	}
	if s.opts.SaveIndexBytes > 0 {
		least = s.opts.SaveIndexBytes
	}
	s.saving.mu.Lock()
	defer s.saving.mu.Unlock()
	if s.saving.busy != nil {
		return nil
	}
	v := &save{s: s, moved: s.counters.moved.Load(), changed: s.changes()}
	v.head = index.Head{Identity: s.identity, Seq: s.told}
	var saved int64
	for _, seg := range s.segments() {
		saved += seg.saved
		if seg.noted <= segmentHeaderBytes || !s.vouchFor(seg) {
			continue
		}
		v.bytes += seg.noted
		v.segs = append(v.segs, seg)
		v.head.Reaches = append(v.head.Reaches, index.Reach{Number: seg.number, First: seg.mem.First(), Length: seg.noted})
	}
	if v.bytes < s.saving.retryAt || v.bytes-saved < max(least, saved/share) && (saved == 0 || v.changed == s.saving.changed) {
		return nil
	}
	// The file names a statement. Should the power take that, the file would be one of another
	// future.
	if err := s.settleManifest(); err != nil {
		s.log.Warn("mmapcas: index not saved", "file", s.indexFile(), "err", err)
		return nil
	}
	s.saving.busy = make(chan struct{})
	return v
}

// vouchFor reports whether an index file may speak about a segment. One with damage is looked at by
// every Open, so that nothing is appended to it.
func (s *Store) vouchFor(seg *segment) bool {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	return seg.whole && seg.unwalked == 0
}

// changes counts what collections did to the index.
func (s *Store) changes() int64 { return s.counters.swept.Load() + s.counters.moved.Load() }

// run writes the file. A failure costs time at the next Open, and nothing else.
func (v *save) run() {
	s := v.s
	err := v.write()
	s.saving.mu.Lock()
	defer s.saving.mu.Unlock()
	switch {
	case errors.Is(err, errCycleBegan):
	case err != nil:
		s.saving.retryAt = v.bytes + v.bytes/saveFailedShare
		s.log.Warn("mmapcas: index not saved", "file", s.indexFile(), "err", err)
	default:
		s.saving.retryAt = 0
		s.saving.changed = v.changed
		for i, seg := range v.segs {
			seg.saved = v.head.Reaches[i].Length
		}
	}
	close(s.saving.busy)
	s.saving.busy = nil
}

func (v *save) write() error {
	s := v.s
	if err := s.lock.Check(); err != nil {
		return err
	}
	if err := s.loadIndex(); err != nil {
		return err
	}
	_, err := vfs.Replace(s.fs, s.dir, s.indexFile(), s.opts.Sync != SyncNone, func(f vfs.File) error {
		if err := v.writeTo(f); err != nil {
			return err
		}
		if s.cycle.Load() != nil || s.counters.moved.Load() != v.moved {
			return errCycleBegan
		}
		return nil
	})
	return err
}

func (v *save) writeTo(f vfs.File) error {
	s := v.s
	v.head.Live = s.counters.live.Load()
	return s.index.Save(f, &v.head, func(at arena.Addr) {
		// Records put since are no part of what is saved. Damage to one of them makes the figure a
		// guess.
		_ = s.arena.Confine(func() error {
			if header, ok := s.headerAt(at); ok {
				v.head.Live -= header.Extent()
			}
			return nil
		})
	})
}
