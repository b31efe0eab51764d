package mmapcas

// A MemoryUse says what a store has in memory.
type MemoryUse struct {
	Segments Pages
	OnHeap   int64 // bytes of segments on Go's heap: of a store in memory, on some systems

	Index int64 // bytes of the tables that find records by name
	Marks int64 // bytes of what a collection that goes on has marked

	Known bool // the system says what is in memory of Segments
}

// Pages are mapped pages of segments.
type Pages struct {
	Segments int
	Mapped   int64 // bytes of records and headers
	Resident int64 // of the mapping, bytes in memory
}

// MemoryUse asks the system about each segment, which costs a microsecond for some hundred KiB.
func (s *Store) MemoryUse() (m MemoryUse) {
	g := s.epochs.Pin()
	defer g.Unpin()
	m.Known = true
	for _, seg := range s.segments() {
		if !s.mapped(seg) {
			continue // the store is closed
		}
		p := &m.Segments
		if seg.mem.OnHeap() {
			m.OnHeap += seg.mem.Bytes()
			continue
		}
		p.Segments++
		p.Mapped += seg.mem.Length()
		n, ok := seg.mem.Resident()
		p.Resident += n
		m.Known = m.Known && ok
		if k := seg.marks.Load(); k != nil {
			m.Marks += int64(k.block.Len())
		}
	}
	if !s.closed.Load() {
		m.Index = s.index.Bytes()
	}
	return m
}

// SetFrugal says whether memory is short: "Reading" in the package comment. behind is how many
// bytes of what was put last may stay in memory then. Anybody may call it at any time.
func (s *Store) SetFrugal(on bool, behind int64) { s.arena.SetFrugal(on, behind/int64(s.pool.max)) }

// MappedBytes is what files would have in memory if all records were looked at in place.
func (s *Store) MappedBytes() (n int64) {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	for _, seg := range s.segs {
		if seg.file != nil {
			n += seg.mem.Length()
		}
	}
	return n
}

// DropPages gives back the pages of segments that are in memory. What is read there again comes
// from the system's cache, or from the disk. It returns how many segments it has asked for pages.
func (s *Store) DropPages() (segments int) {
	g := s.epochs.Pin()
	defer g.Unpin()
	for _, seg := range s.segments() {
		// Once the store is closed, the place of one that it had may be another's.
		if s.mapped(seg) && seg.mem.DropPages() {
			segments++
		}
	}
	return segments
}
