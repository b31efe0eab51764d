package mmapcas

// Stats describes a store. Counts are since Open; sizes are now.
type Stats struct {
	Records     int64 `json:"records"`     // that can be found by name
	LiveBytes   int64 `json:"liveBytes"`   // of these, headers and padding included
	StoredBytes int64 `json:"storedBytes"` // of all records in all segments, dropped ones included, and segment headers
	IndexBytes  int64 `json:"indexBytes"`  // off the Go heap
	Segments    int   `json:"segments"`    // mapped and in use
	Retired     int64 `json:"retired"`     // segments that wait for their last readers
	Puts        int64 `json:"puts"`
	DedupHits   int64 `json:"dedupHits"` // puts that found their record
	Commits     int64 `json:"commits"`
	Syncs       int64 `json:"syncs"`
	Damaged     int64 `json:"damaged"` // damaged places met since Open, by opening too
	Made        int64 `json:"made"`    // segments
	Cycles      int64 `json:"cycles"`  // collections completed
	Swept       int64 `json:"swept"`   // records they dropped
	Moved       int64 `json:"moved"`   // records they copied
	Pinned      int64 `json:"pinned"`  // records that Pin keeps now
}

// Damaged returns Stats.Damaged.
func (s *Store) Damaged() int64 { return s.counters.damaged.Load() }

// Added returns how many records puts have added since Open, and their bytes, headers and padding
// included, and those of what was there at Open. It is cheap, and exact when nothing is under way.
func (s *Store) Added() (records, bytes int64) {
	c := &s.counters
	return c.puts.Load() - c.dedupHits.Load(), c.live.Load() + c.dropped.Load()
}

// Stats returns counters and sizes. They are exact when nothing is under way.
func (s *Store) Stats() Stats {
	g := s.epochs.Pin()
	defer g.Unpin()
	c := &s.counters
	st := Stats{
		LiveBytes: c.live.Load(), Retired: c.retired.Load(), Puts: c.puts.Load(), DedupHits: c.dedupHits.Load(),
		Commits: c.commits.Load(), Syncs: c.syncs.Load(), Damaged: c.damaged.Load(), Made: c.segmentsMade.Load(),
		Cycles: c.cycles.Load(), Swept: c.swept.Load(), Moved: c.moved.Load(), Pinned: s.pins.len(),
	}
	for _, seg := range s.segments() {
		st.Segments++
		st.StoredBytes += seg.used() + segmentHeaderBytes
	}
	if !s.closed.Load() {
		st.Records, st.IndexBytes = s.index.Count(), s.index.Bytes()
	}
	return st
}
