package db

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// A fakeStore is a store in a map, with crashes, power cuts, damage and failing writes.
type fakeStore struct {
	mu    sync.Mutex
	recs  map[Hash]fakeRecord
	order []Hash // of puts
	note  []byte
	floor int // records of order before the newest note

	damaged atomic.Int64

	covering func()                                   // called by Commit before it takes the length, if not nil
	fail     func(op string, kind mmapcas.Kind) error // nil: nothing fails
}

type fakeRecord struct {
	kind    mmapcas.Kind
	payload []byte
}

func newFake() *fakeStore { return &fakeStore{recs: map[Hash]fakeRecord{}} }

func (s *fakeStore) failing(op string, kind mmapcas.Kind) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(op, kind)
}

func (s *fakeStore) Put(kind mmapcas.Kind, payload []byte) (Hash, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(kind, payload)
}

func (s *fakeStore) PutNew(kind mmapcas.Kind, payload []byte) (Hash, bool, error) {
	return s.Put(kind, payload)
}

func (s *fakeStore) put(kind mmapcas.Kind, payload []byte) (Hash, bool, error) {
	if err := s.failing("put", kind); err != nil {
		return Hash{}, false, err
	}
	h := mmapcas.HashOf(kind, payload)
	if r, ok := s.recs[h]; ok && mmapcas.HashOf(r.kind, r.payload) == h {
		return h, false, nil
	}
	s.recs[h] = fakeRecord{kind, slices.Clone(payload)} // in place of a damaged one, if there is one
	s.order = append(s.order, h)
	return h, true, nil
}

func (s *fakeStore) PutBatch(kind mmapcas.Kind, payloads [][]byte, out []Hash) ([]Hash, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range payloads {
		h, _, err := s.put(kind, p)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// record returns a record as it lies there, damaged or not; the zero one if it does not.
func (s *fakeStore) record(h Hash) fakeRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recs[h]
}

// Synced is true of what the newest Commit covers.
func (s *fakeStore) Synced(h Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.order[:s.floor], h)
}

// Damaged returns how often a record was not what its name says.
func (s *fakeStore) Damaged() int64 { return s.damaged.Load() }

func (s *fakeStore) View(h Hash, fn func(kind mmapcas.Kind, payload []byte) error) error {
	s.mu.Lock()
	r, ok := s.recs[h]
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w: %v", mmapcas.ErrNotFound, h)
	}
	if mmapcas.HashOf(r.kind, r.payload) != h {
		s.damaged.Add(1)
	}
	return fn(r.kind, r.payload)
}

func (s *fakeStore) Has(h Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.recs[h]
	return ok
}

func (s *fakeStore) HasAll(names []Hash) int {
	return slices.IndexFunc(names, func(h Hash) bool { return !s.Has(h) })
}

func (s *fakeStore) Commit(note []byte) error { return s.CommitCovered(note, func() {}) }

func (s *fakeStore) CommitCovered(note []byte, covered func()) error {
	if s.covering != nil {
		s.covering()
	}
	defer covered()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("commit", 0); err != nil {
		return err
	}
	s.note, s.floor = slices.Clone(note), len(s.order)
	return nil
}

func (s *fakeStore) Note() []byte { return s.note }

func (s *fakeStore) Tail(kind mmapcas.Kind, fn func(h Hash, payload []byte) error) error {
	for _, h := range s.order[s.floor:] {
		if r, ok := s.recs[h]; ok && r.kind == kind {
			if err := fn(h, r.payload); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *fakeStore) Each(kind mmapcas.Kind, fn func(h Hash, payload []byte) error) error {
	for h, r := range s.crash().recs {
		if r.kind == kind && mmapcas.HashOf(r.kind, r.payload) == h {
			if err := fn(h, r.payload); err != nil {
				return err
			}
		}
	}
	return nil
}

// crash returns what a process finds that opens the store after kill -9.
func (s *fakeStore) crash() *fakeStore {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &fakeStore{recs: maps.Clone(s.recs), order: slices.Clone(s.order), note: s.note, floor: s.floor}
}

// cutPower is crash, with any part of what was put since the newest note gone.
func (s *fakeStore) cutPower(rng *rand.Rand) *fakeStore {
	c := s.crash()
	for _, h := range c.order[c.floor:] {
		if rng.IntN(4) == 0 {
			delete(c.recs, h)
		}
	}
	c.order = slices.DeleteFunc(c.order, func(h Hash) bool { _, ok := c.recs[h]; return !ok })
	return c
}

// sweep removes the records for which live says false.
func (s *fakeStore) sweep(live func(Hash) bool) (removed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.order[:0:0]
	floor := s.floor
	for i, h := range s.order {
		switch {
		case live(h):
			kept = append(kept, h)
		default:
			delete(s.recs, h)
			removed++
			if i < s.floor {
				floor--
			}
		}
	}
	s.order, s.floor = kept, floor
	return removed
}

// value puts a record with the given content and returns its hash.
func value(t interface {
	Helper()
	Fatal(...any)
}, s store, content string,
) Hash {
	t.Helper()
	h, _, err := s.Put(32, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func mustOpen(t testing.TB, s store, o Options) *DB {
	t.Helper()
	d, err := open(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(t.Context()) })
	return d
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// trace adds to live what is reached from the roots by way of follow.
func trace(st *fakeStore, roots []Hash, live map[Hash]bool, follow func(mmapcas.Kind, []byte) []Hash) {
	for len(roots) > 0 {
		h := roots[len(roots)-1]
		roots = roots[:len(roots)-1]
		if r, ok := st.recs[h]; ok && !live[h] {
			live[h] = true
			roots = append(roots, follow(r.kind, r.payload)...)
		}
	}
}

// claimed returns what a collection must not take, and settles that the rest may go.
func claimed(t interface {
	Helper()
	Fatal(...any)
}, d *DB, st *fakeStore,
) map[Hash]bool {
	t.Helper()
	roots, live := d.Roots(), map[Hash]bool{}
	trace(st, roots.Live, live, Refs)
	trace(st, roots.Bare, live, BareRefs)
	if err := d.Settle(roots); err != nil {
		t.Fatal(err)
	}
	return live
}
