package mmapcas

import "sync/atomic"

// counters are written as things happen and read without stopping anything.
type counters struct {
	puts, dedupHits      atomic.Int64
	live                 atomic.Int64 // bytes of records in the index
	commits, syncs       atomic.Int64
	damaged              atomic.Int64
	segmentsMade         atomic.Int64
	retired              atomic.Int64 // segments waiting for their readers
	cycles, swept, moved atomic.Int64
}

// Stats describes a store. Counts are since Open; sizes are now.
type Stats struct {
	Records     int64 // that can be found by name
	LiveBytes   int64 // of these, headers and padding included
	StoredBytes int64 // of all records in all segments, dropped ones included, and segment headers
	IndexBytes  int64 // off the Go heap
	Segments    int   // mapped and in use
	Retired     int64 // segments that wait for their last readers
	Puts        int64
	DedupHits   int64 // puts that found their record
	Commits     int64
	Syncs       int64
	Damaged     int64 // damaged places met since Open, by opening too
	Made        int64 // segments
	Cycles      int64 // collections completed
	Swept       int64 // records they dropped
	Moved       int64 // records they copied
}

// Stats returns counters and sizes. They are exact when nothing is under way.
func (s *Store) Stats() Stats {
	g := s.epochs.Pin()
	defer g.Unpin()
	c := &s.counters
	st := Stats{
		LiveBytes: c.live.Load(), Retired: c.retired.Load(), Puts: c.puts.Load(), DedupHits: c.dedupHits.Load(),
		Commits: c.commits.Load(), Syncs: c.syncs.Load(), Damaged: c.damaged.Load(), Made: c.segmentsMade.Load(),
		Cycles: c.cycles.Load(), Swept: c.swept.Load(), Moved: c.moved.Load(),
	}
	for _, seg := range s.segments() {
		st.Segments++
		st.StoredBytes += seg.mem.Length()
	}
	if !s.closed.Load() {
		st.Records, st.IndexBytes = s.index.count(), s.index.bytes()
	}
	return st
}
