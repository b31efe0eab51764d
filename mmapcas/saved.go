package mmapcas

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	goruntime "runtime"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// The index file is a saved index (package index), so that opening need not walk over every record.
// Its reaches are segments, and the statement that it names is a manifest record.
//
// # When it is believed
//
// The manifest record it names covers the same lengths, so a manifest that has not come so far, or
// that gives a segment less, is one of another future: the file is removed before anything else is
// written. Damage in the head costs a walk over all records; in a part, a walk that looks for the
// records of that shard, and the file is removed, too: a file may be used again only by those who
// went on from what it says.
//
// # When it is written
//
// From a moment at which no collection was under way and a Commit had covered every record that
// earlier ones moved (saving.settled). Entries of records that are put meanwhile lead beyond the
// lengths. If a collection began meanwhile the file is thrown away: an entry moved while it was
// copied would be missing at the old place, and the copy is not durable yet.

const indexFileName = "index"

func (s *Store) indexFile() string { return filepath.Join(s.dir, indexFileName) }

// A savedIndex is what Open knows of an index file that belongs to the store, and what the index
// asks about its records afterwards.
type savedIndex struct {
	*index.Saved
	s       *Store
	reaches map[uint32]index.Reach // by number of the segment

	// Written while Open maps the segments, immutable after.
	covered []coveredSegment
}

type coveredSegment struct {
	seg *segment
	end int64
}

// findIndexFile opens the index file if it belongs to the history of which newest is the latest
// record. Otherwise it removes it: later records could make it look as if it did.
func (s *Store) findIndexFile(newest *manifestRecord) (*savedIndex, error) {
	f, err := s.fs.Open(s.indexFile(), true)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := &savedIndex{s: s, reaches: map[uint32]index.Reach{}}
	var reason string
	if v.Saved, reason = index.ReadSaved(f, s.arena); reason == "" {
		reason = v.belongs(newest)
	}
	if reason == "" {
		return v, nil
	}
	s.log.Warn("mmapcas: index file not used", "file", s.indexFile(), "reason", reason)
	if err := f.Close(); err != nil || s.opts.ReadOnly {
		return nil, err
	}
	return nil, s.fs.Remove(s.indexFile())
}

// belongs says why the file does not belong to the history of a manifest record, "" if it does.
func (v *savedIndex) belongs(newest *manifestRecord) (reason string) {
	switch {
	case v.Identity != v.s.identity:
		return "of another store"
	case v.Seq > newest.seq:
		return "newer than the manifest"
	}
	listed := map[uint32]int64{}
	for _, l := range newest.segments {
		listed[l.number] = l.length
	}
	for _, r := range v.Reaches {
		if length, ok := listed[r.Number]; ok && length < r.Length {
			return "of another history than the manifest"
		}
		v.reaches[r.Number] = r
	}
	return ""
}

// place makes spec ask for the place where the segment was.
func (v *savedIndex) place(number uint32, spec *arena.Spec) {
	if v == nil {
		return
	}
	if r, ok := v.reaches[number]; ok {
		spec.Fixed, spec.First = true, r.First
	}
}

// rank is 0 for segments that have a place of their own, 1 for others.
func (v *savedIndex) rank(number uint32) int {
	if v != nil {
		if _, ok := v.reaches[number]; ok {
			return 0
		}
	}
	return 1
}

// cover notes that a segment is mapped and returns the length of it that the file covers, 0 for
// none.
func (v *savedIndex) cover(seg *segment, readable int64) int64 {
	if v == nil {
		return 0
	}
	r, ok := v.reaches[seg.number]
	if !ok || r.First != seg.mem.First() || r.Length > readable {
		return 0
	}
	v.Cover(r.First, r.Length)
	v.covered = append(v.covered, coveredSegment{seg, r.Length})
	return r.Length
}

// settle ends what has to be done about the saved index once all segments are mapped. If some of
// those it speaks about are not as they were, all of it is read to see what is left; how many bytes
// these records have can only be estimated.
func (v *savedIndex) settle() error {
	if v == nil || len(v.covered) == len(v.Reaches) {
		return nil
	}
	s := v.s
	before := s.index.Count()
	if err := s.loadIndex(); err != nil {
		return err
	}
	if before > 0 {
		s.counters.live.Store(int64(float64(v.Live) * float64(s.index.Count()) / float64(before)))
	}
	return nil
}

// loadIndex reads all shards that were not read yet.
func (s *Store) loadIndex() error { return inParallel(index.Shards, s.index.Load) }

// Rather, Walk, Damaged and Superfluous make a savedIndex the index's Records.
func (v *savedIndex) Rather(this, that arena.Addr) bool { return v.s.rather(this, that) }

// Walk goes through the covered segments. One that is gone since the store was opened had none of
// the records asked for: the collection that emptied it has looked for each of its records, and so
// has loaded their shards.
func (v *savedIndex) Walk(fn func(h record.Hash, at arena.Addr)) {
	for _, c := range v.covered {
		if !v.s.mapped(c.seg) {
			continue
		}
		w := v.s.scan(c.seg, segmentHeaderBytes, c.end)
		for {
			off, r, ok := w.next()
			if !ok {
				break
			}
			if !r.Own {
				fn(r.Hash, c.seg.mem.At(off))
			}
		}
	}
}

// Damaged reports the damage and removes the file.
func (v *savedIndex) Damaged(shard int, off int64, err error) {
	s := v.s
	e := &CorruptError{File: s.indexFile(), Offset: off, Reason: fmt.Sprintf("part of shard %d fails its checksum", shard), Err: err}
	s.counters.damaged.Add(1)
	s.log.Warn("mmapcas: damaged index file", "err", e)
	if !s.opts.ReadOnly {
		_ = s.remove(s.indexFile())
	}
}

// Superfluous takes back what was counted for a record that waited.
func (v *savedIndex) Superfluous(bytes int64) { v.s.counters.live.Add(-bytes) }

// inParallel calls fn for 0 to n-1, on as many goroutines as there are processors to run them, and
// returns the errors.
func inParallel(n int, fn func(i int) error) error {
	var (
		next atomic.Int64
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs error
	)
	for range min(n, goruntime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := fn(int(i)); err != nil {
					mu.Lock()
					errs = errors.Join(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return errs
}
