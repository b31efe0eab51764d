package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// A promise is what the store has said about a record.
type promise uint8

const (
	nothing promise = iota // it may be there or not, whole in any case
	stored                 // it is there, unless the power goes
	durable                // it is there
)

func (p promise) String() string { return [...]string{"nothing", "stored", "durable"}[p] }

// A ledger is the model of a store: what each record was promised, and which note counts.
type ledger struct {
	records map[mmapcas.Hash]*record
	order   []mmapcas.Hash // keys of records in the order they came, so that choices repeat with the seed
	next    uint64         // number of the next new record
	notes   []string       // what Note may answer after a power cut: the last durable one, and all tried since
	stored  int            // notes before this one cannot be answered any more unless the power goes
	// covered has what each commit that syncs covers, by its note, also if the commit failed.
	covered map[string][]*record
	damage  bool // the power went on a session that synced nothing: damage may have stayed
}

type record struct {
	payload []byte
	promise promise
}

const kind mmapcas.Kind = 5

func newLedger() *ledger {
	return &ledger{records: map[mmapcas.Hash]*record{}, notes: []string{""}, covered: map[string][]*record{}}
}

// noise is what payloads are made of.
var noise = func() []byte {
	b := make([]byte, 256<<10)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}()

// fresh makes a new payload.
func (l *ledger) fresh(rng *rand.Rand) []byte {
	n := 8
	switch rng.IntN(8) {
	case 0:
	case 1, 2, 3:
		n += rng.IntN(120)
	case 4, 5, 6:
		n += rng.IntN(4000)
	case 7:
		if n += rng.IntN(20_000); rng.IntN(6) == 0 {
			n += 100_000 // a segment of its own
		}
	}
	return l.payload(n, rng)
}

// payload makes a new payload of n bytes, at least 8.
func (l *ledger) payload(n int, rng *rand.Rand) []byte {
	from := rng.IntN(len(noise) - n)
	b := slices.Clone(noise[from : from+n])
	if l.next%4 == 0 { // some compress well
		for i := 16; i < n; i++ {
			b[i] = b[i-16]
		}
	}
	binary.LittleEndian.PutUint64(b, l.next)
	l.next++
	return b
}

// put notes that a put of payload returned, with the promise that it makes.
func (l *ledger) put(payload []byte, p promise) {
	h := mmapcas.HashOf(kind, payload)
	r := l.records[h]
	if r == nil {
		r = &record{payload: payload}
		l.records[h] = r
		l.order = append(l.order, h)
	}
	r.promise = max(r.promise, p)
}

// tried notes a commit under way. Its note may be the one that counts even if the commit fails. A
// commit that syncs covers what was put before: if its note is answered, all of that is there.
func (l *ledger) tried(note string, sync bool) {
	l.notes = append(l.notes, note)
	delete(l.covered, note)
	if !sync {
		return
	}
	for _, h := range l.order {
		if r := l.records[h]; r.promise >= stored {
			l.covered[note] = append(l.covered[note], r)
		}
	}
}

// collects notes that a collection keeps some records, and may drop all others.
func (l *ledger) collects(kept map[*record]bool) {
	for _, r := range l.records {
		if !kept[r] {
			r.promise = nothing
		}
	}
	for note, list := range l.covered {
		l.covered[note] = slices.DeleteFunc(list, func(r *record) bool { return !kept[r] })
	}
}

// committed notes that the commit tried last returned nil.
func (l *ledger) committed(sync bool) {
	l.stored = len(l.notes) - 1
	if !sync {
		return
	}
	l.notes, l.stored = l.notes[l.stored:], 0
	maps.DeleteFunc(l.covered, func(note string, _ []*record) bool { return !slices.Contains(l.notes, note) })
	for _, r := range l.records {
		if r.promise == stored {
			r.promise = durable
		}
	}
}

// powerCut takes back what depended on power.
func (l *ledger) powerCut() {
	l.stored = 0
	for _, r := range l.records {
		if r.promise == stored {
			r.promise = nothing
		}
	}
}

// forget drops records that nothing is known of, so that a life does not grow.
func (l *ledger) forget() {
	l.order = slices.DeleteFunc(l.order, func(h mmapcas.Hash) bool {
		gone := l.records[h].promise == nothing
		if gone {
			delete(l.records, h)
		}
		return gone
	})
}

// check compares an open store with the ledger, and learns from it.
func (l *ledger) check(s *mmapcas.Store) error {
	for _, h := range l.order {
		if err := l.checkRecord(s, h); err != nil {
			return err
		}
	}
	note := string(s.Note())
	at := slices.Index(l.notes, note)
	if at < l.stored {
		return fmt.Errorf("note is %q, want one of %q", note, l.notes[l.stored:])
	}
	for _, r := range l.covered[note] {
		if got, _, err := s.Get(mmapcas.HashOf(kind, r.payload), nil); err != nil || !bytes.Equal(got, r.payload) {
			return fmt.Errorf("note is %q, and a record of %d bytes that it covers is not there: %w", note, len(r.payload), err)
		}
	}
	return nil
}

func (l *ledger) checkRecord(s *mmapcas.Store, h mmapcas.Hash) error {
	r := l.records[h]
	got, k, err := s.Get(h, nil)
	switch {
	case err == nil && k == kind && string(got) == string(r.payload):
		return nil
	case err == nil:
		return fmt.Errorf("record %v: wrong answer, %d bytes of kind %d", h, len(got), k)
	case r.promise == nothing && errors.Is(err, mmapcas.ErrNotFound):
		return nil
	case r.promise == nothing && l.damage && errors.Is(err, mmapcas.ErrCorrupt):
		return nil
	}
	return fmt.Errorf("record %v of %d bytes was promised to be %v: %w", h, len(r.payload), r.promise, err)
}
