package mmapcas

import (
	"errors"
	"fmt"
	"io/fs"
	goruntime "runtime"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A savedIndex is an index file that was found sound. Shards are read from it when they are first asked for.
type savedIndex struct {
	s        *Store
	head     indexHead
	at       [shardCount + 1]int64 // where each part starts, and the last one ends
	file     vfs.File              // closed when left is 0, or with the index
	left     atomic.Int32          // shards still to be read
	segments map[uint32]indexSegment

	// Written while Open maps the segments, immutable after.
	coverage coverage
	covered  []coveredSegment
}

type coveredSegment struct {
	seg *segment
	end int64
}

// findIndexFile opens the index file if it belongs to the history of which newest is the latest record. Otherwise it
// removes it: later records could make it look as if it did.
func (s *Store) findIndexFile(newest *manifestRecord) (*savedIndex, error) {
	f, err := s.fs.Open(s.indexFile(), true)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := &savedIndex{s: s, file: f, segments: map[uint32]indexSegment{}, coverage: newCoverage(s.arena)}
	v.left.Store(shardCount)
	reason := v.read(newest)
	if reason == "" {
		return v, nil
	}
	s.log.Warn("mmapcas: index file not used", "file", s.indexFile(), "reason", reason)
	if err := f.Close(); err != nil || s.opts.ReadOnly {
		return nil, err
	}
	return nil, s.fs.Remove(s.indexFile())
}

// read reads the head and says what is wrong with it, "" if nothing is.
func (v *savedIndex) read(newest *manifestRecord) (reason string) {
	b := make([]byte, indexHeadBytes)
	if _, err := v.file.ReadAt(b, 0); err != nil {
		return err.Error()
	}
	n, ok := parseIndexSegments(b)
	if !ok {
		return "no index file of this version"
	}
	size, err := v.file.Size()
	if err != nil {
		return err.Error()
	}
	if size < indexHeadSize(n) {
		return "too short"
	}
	b = make([]byte, indexHeadSize(n))
	if _, err := v.file.ReadAt(b, 0); err != nil {
		return err.Error()
	}
	if v.head, ok = parseIndexHead(b); !ok {
		return "head fails its checksum"
	}
	v.at[0] = int64(len(b))
	for i := range v.head.parts {
		v.at[i+1] = v.at[i] + v.head.parts[i].bytes()
	}
	switch {
	case v.at[shardCount] > size:
		return "too short"
	case v.head.identity != v.s.identity:
		return "of another store"
	case v.head.seq > newest.seq:
		return "newer than the manifest"
	}
	listed := map[uint32]int64{}
	for _, l := range newest.segments {
		listed[l.number] = l.length
	}
	for _, c := range v.head.segments {
		if length, ok := listed[c.number]; ok && length < c.length {
			return "of another history than the manifest"
		}
		v.segments[c.number] = c
	}
	return ""
}

// place makes spec ask for the place where the segment was.
func (v *savedIndex) place(number uint32, spec *arena.Spec) {
	if v == nil {
		return
	}
	if c, ok := v.segments[number]; ok {
		spec.Fixed, spec.First = true, c.first
	}
}

// rank is 0 for segments that have a place of their own, 1 for others.
func (v *savedIndex) rank(number uint32) int {
	if v != nil {
		if _, ok := v.segments[number]; ok {
			return 0
		}
	}
	return 1
}

// cover notes that a segment is mapped and returns the length of it that the file covers, 0 for none.
func (v *savedIndex) cover(seg *segment, readable int64) int64 {
	if v == nil {
		return 0
	}
	c, ok := v.segments[seg.number]
	if !ok || c.first != seg.mem.First() || c.length > readable {
		return 0
	}
	v.coverage.add(c.first, c.length)
	v.covered = append(v.covered, coveredSegment{seg, c.length})
	return c.length
}

// table reads the table of a shard, or makes it from the records when its part is damaged.
func (v *savedIndex) table(i int) (t *table, entries int64, err error) {
	p := &v.head.parts[i]
	b := make([]byte, p.bytes())
	_, err = v.file.ReadAt(b, v.at[i])
	if err == nil {
		t, entries, err = decodeTable(b, p, v.coverage.has)
		if err != nil {
			return nil, 0, err
		}
	}
	if t == nil {
		e := &CorruptError{File: v.s.indexFile(), Offset: v.at[i], Reason: fmt.Sprintf("part of shard %d fails its checksum", i), Err: err}
		v.s.counters.damaged.Add(1)
		v.s.log.Warn("mmapcas: damaged index file", "err", e)
		if !v.s.opts.ReadOnly {
			// Should the part be readable the next time, it may name copies of records that are gone by then, where walk
			// finds others now.
			_ = v.s.remove(v.s.indexFile())
		}
		if t, entries, err = v.walk(i); err != nil {
			return nil, 0, err
		}
	}
	return t, entries, nil
}

// walk makes the table of a shard from the covered records. A segment that is gone since the store was opened had none
// of them: whoever emptied it has looked for each of its records, and so has loaded their shards.
func (v *savedIndex) walk(i int) (t *table, entries int64, err error) {
	g := v.s.epochs.Pin()
	defer g.Unpin()
	type found struct {
		hash Hash
		at   arena.Addr
	}
	var all []found
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
			if shardOf(r.hash) == i {
				all = append(all, found{r.hash, c.seg.mem.At(off)})
			}
		}
	}
	if t, err = newTable(bucketsFor(2 * int64(len(all)))); err != nil {
		return nil, 0, err
	}
	for i := range all {
		entries += v.s.index.enterCopy(t, &all[i].hash, all[i].at)
	}
	return t, entries, nil
}

func (v *savedIndex) close() {
	// It was opened for reading: nothing is lost.
	_ = v.file.Close()
}

// settleSaved ends what has to be done about the saved index once all segments are mapped. If some of those it
// speaks about are not as they were, all of it is read to see what is left; how many bytes these records have can only be
// estimated.
func (s *Store) settleSaved(saved *savedIndex) error {
	if saved == nil || len(saved.covered) == len(saved.head.segments) {
		return nil
	}
	before := s.index.count()
	if err := s.index.loadAll(); err != nil {
		return err
	}
	if before > 0 {
		s.counters.live.Store(int64(float64(saved.head.live) * float64(s.index.count()) / float64(before)))
	}
	return nil
}

// loadAll reads all shards that were not read yet.
func (x *index) loadAll() error {
	return inParallel(shardCount, func(i int) error {
		_, err := x.load(&x.shards[i])
		return err
	})
}

// inParallel calls fn for 0 to n-1, on as many goroutines as there are processors to run them, and returns the errors.
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
