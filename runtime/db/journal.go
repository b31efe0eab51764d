package db

import "sync"

// A Journal remembers what commits change, for one reader, until the reader takes it. What a
// generation changed is in the journal before the generation can be seen (J1).
//
// The journal holds the lists that commits made for their results, so a commit pays for no key.
// When the lists become too long, or a commit comes without one, what is in the journal is dropped,
// and the journal knows only up to which generation something is missing. From then until the
// reader comes it grows no more.
type Journal struct {
	changesMax int

	mu      sync.Mutex
	noted   []Noted // guarded by mu, generations ascending
	changes int     // guarded by mu: in noted
	newest  uint64  // guarded by mu: the newest generation told
	missing uint64  // guarded by mu: see Take
}

// A Noted is what one generation changed, side partitions included. Changes are read-only.
type Noted struct {
	Gen     uint64
	Changes []Change
}

// NewJournal begins a journal that holds at most changesMax changes. It returns the newest
// generation, of which, as of those before it, the journal tells nothing. It takes the turn.
func (d *DB) NewJournal(changesMax int) (*Journal, uint64) {
	d.turn.Lock()
	defer d.turn.Unlock()
	gen := d.current.Load().gen
	j := &Journal{changesMax: changesMax, newest: gen}
	d.journals = append(d.journals, j)
	return j, gen
}

// Take empties the journal. newest is the newest generation that it was told of. If missing is not
// 0 then of generations up to missing, since Take was called last, there may be changes that noted
// does not have.
func (j *Journal) Take() (noted []Noted, newest, missing uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	noted, missing = j.noted, j.missing
	j.noted, j.changes, j.missing = nil, 0, 0
	return noted, j.newest, missing
}

// note tells the journal of a generation. unlisted says that changes are not all that it changed.
func (j *Journal) note(gen uint64, changes []Change, unlisted bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.newest = gen
	if j.missing != 0 || unlisted || len(changes) > j.changesMax-j.changes {
		j.noted, j.changes, j.missing = nil, 0, gen
		return
	}
	j.noted = append(j.noted, Noted{gen, changes})
	j.changes += len(changes)
}
