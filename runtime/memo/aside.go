package memo

import "sync/atomic"

// asides are the entries whose traces the store refused.
type asides struct {
	unstored atomic.Uint64 // how often a trace was set aside

	entries map[*entry]struct{} // guarded by Table.flushMu
}

// setAside keeps an entry in memory only. The caller holds flushMu.
func (t *Table) setAside(e *entry, why error) {
	a := &t.asides
	if a.entries == nil {
		a.entries = map[*entry]struct{}{}
	}
	a.entries[e] = struct{}{}
	if a.unstored.Add(1) == 1 {
		t.o.Logger.Warn("memo: traces cannot be stored and stay in memory; more of them are counted and not logged",
			"query", e.query.Name, "err", why)
	}
}

// stored takes an entry back whose traces were written. The caller holds flushMu.
func (a *asides) stored(e *entry) { delete(a.entries, e) }

// shadeAside tells a collection of results that no root reaches. The caller holds flushMu.
func (t *Table) shadeAside() {
	for e := range t.asides.entries {
		e.mu.Lock()
		switch {
		case e.dead:
			delete(t.asides.entries, e)
		case e.keptTrace() != nil:
			t.shadeResult(e.traces.result)
		}
		e.mu.Unlock()
	}
}

// rewrite makes all traces in memory dirty: what was written of them is lost. The caller holds
// flushMu.
func (t *Table) rewrite() {
	t.clock.mu.Lock()
	all := append([]*entry(nil), t.clock.ring...)
	t.clock.mu.Unlock()
	for _, e := range all {
		e.mu.Lock()
		has := e.traces != nil && !e.dead
		e.mu.Unlock()
		if has {
			t.markDirty(e)
		}
	}
}
