package memo

import (
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/db"
)

// changesQueued is how many changes may wait to be marked. Beyond it marking costs as much as what
// it saves.
const changesQueued = 1 << 16

// marks are how a table learns of changes; see "Changes".
type marks struct {
	taken  atomic.Uint64 // written under markMu: the newest generation taken from the journal
	marked atomic.Uint64 // written under markMu: what that touches is marked up to here
	floor  atomic.Uint64 // written under markMu: nothing is known of what changed up to here

	markMu  sync.Mutex
	journal *db.Journal // guarded by markMu; begun with the first question
	work    []*entry    // guarded by markMu; for markAll

	walls   walls
	nodes   nodeIndex
	ledger  ledger
	history history
}

// catchUp marks what changed in generations up to gen (R3).
func (t *Table) catchUp(gen uint64) {
	if t.marked.Load() >= gen {
		return
	}
	t.markMu.Lock()
	defer t.markMu.Unlock()
	if t.marked.Load() >= gen {
		return
	}
	if t.journal == nil {
		from := t.beginJournal()
		t.ledger.open(&ledgerPage{from: from, began: from})
		return
	}
	noted, newest, missing := t.journal.Take()
	t.taken.Store(newest) // before any node is looked up (R7)
	if missing != 0 {
		t.floor.Store(missing) // R10
		t.ledger.lose(missing)
	}
	whole := false
	defer func() {
		if !whole { // a panic: what was taken is lost
			t.floor.Store(newest)
			t.ledger.lose(newest)
		}
		t.marked.Store(newest)
	}()
	t.ledger.note(noted)
	t.markChanges(noted)
	whole = true
	t.history.add(noted)
}

// beginJournal returns the newest generation of which the journal tells nothing. The caller holds
// markMu.
func (t *Table) beginJournal() (from uint64) {
	t.journal, from = t.o.DB.NewJournal(changesQueued)
	t.taken.Store(from)
	t.floor.Store(from)
	t.marked.Store(from)
	return from
}

// markChanges marks what changes touch, newest first: of a node that changed often the newest
// generation counts. The caller holds markMu.
func (t *Table) markChanges(noted []db.Noted) {
	var (
		spans      []*spanNode
		touched    []*node
		dependents []*entry
	)
	for i := len(noted) - 1; i >= 0; i-- {
		for j := range noted[i].Changes {
			gen := noted[i].Gen
			spans, touched = t.nodes.touched(&noted[i].Changes[j], spans, touched[:0])
			for _, n := range touched {
				n.mu.Lock()
				dependents = dependents[:0]
				if n.raise(gen) { // else each was told, or has pulled as much (R7)
					dependents = n.appendTo(dependents)
				}
				n.mu.Unlock()
				t.markAll(dependents, gen)
			}
		}
	}
}

// markAll marks entries and all that rest on them (R4). The caller holds markMu.
func (t *Table) markAll(entries []*entry, gen uint64) {
	work := append(t.work[:0], entries...)
	for len(work) > 0 {
		e := work[len(work)-1]
		work = work[:len(work)-1]
		e.source.mu.Lock()
		told := e.told > e.seen || e.isWall()
		e.raise(gen) // also if it goes no further
		if !told {
			e.told = max(e.told, gen)
			work = e.appendTo(work)
			if e.count() >= t.o.WallFrom {
				t.walls.raise(e)
			}
		}
		e.source.mu.Unlock()
	}
	if t.work = work; cap(work) > 1<<16 {
		t.work = nil
	}
}

// letGo marks what rests on an entry that is forgotten, as if a change of the next generation had
// touched it (R8).
func (t *Table) letGo(e *entry) {
	t.markMu.Lock()
	defer t.markMu.Unlock()
	t.walls.letGo(e)
	t.markAll(e.let(), t.marked.Load()+1)
}
