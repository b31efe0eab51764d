package memo

// A QueryMemory is what is in memory of the answers of a query.
type QueryMemory struct {
	Keys    int64
	Traces  int64 // bytes of keys and traces
	Results int64 // bytes of decoded results that can be dropped
}

// Memory goes through the entries of a query.
func (q *Query) Memory() (m QueryMemory) {
	q.entries.each(func(x *source) bool {
		e := x.asEntry()
		e.mu.Lock()
		defer e.mu.Unlock()
		m.Keys++
		m.Traces += int64(e.bytes)
		for tr := e.traces; tr != nil; tr = tr.next {
			if b := tr.inCache(); b != nil {
				m.Results += int64(b.bytes)
			}
		}
		return true
	})
	return m
}
