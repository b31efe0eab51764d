package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/sched"
)

// Update sets key to what fn makes of the value there, when the commit is applied. fn is given what
// the commit itself sees: what it has written before, or else what is there in the generation just
// before the commit's own. So counting by Update loses no count, however many commit at once. nil
// is a key that is not there, and removes it. The value is fn's own, to change and return.
//
// fn is called after the commit function has returned, and again when another commit changed the
// key meanwhile, so it should do nothing but compute. It must not commit (ErrInTask). Its error is
// Commit's, and nothing is applied then.
func (p *Partition[V]) Update(w *Writer, key string, fn func(old *V) (*V, error)) error {
	if err := w.open(); err != nil {
		return err
	}
	id, err := p.id(w.eng)
	if err != nil {
		return err
	}
	u := update{part: id, key: key, fn: func(at mmapcas.Hash) (h mmapcas.Hash, err error) {
		var old *V
		if !at.IsZero() {
			v, err := p.load(w.eng, key, at)
			if err != nil {
				return h, err
			}
			old = &v
		}
		v, err := fn(old)
		if err != nil {
			return h, fmt.Errorf("runtime: updating %s[%q]: %w", p.name, key, err)
		}
		if v == nil {
			return h, nil
		}
		return p.store(w.eng, key, v)
	}}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.openLocked(); err != nil {
		return err
	}
	w.note(p.durability, id, p.name)
	u.at = len(w.ops)
	w.updates = append(w.updates, u)
	w.ops = append(w.ops, db.Op{Part: id, Key: key, Verb: db.Delete}) // until it is known
	return nil
}

// An update is an operation of a writer that depends on what is there.
type update struct {
	at   int // in Writer.ops, ascending
	part db.PartID
	key  string
	fn   func(at mmapcas.Hash) (mmapcas.Hash, error) // zero hashes are absent
}

// updates are what an engine knows of those who update.
type updates struct {
	computing atomic.Int64                    // goroutines in by
	by        *xsync.MapOf[uintptr, struct{}] // those that run the function of an update
	again     chan struct{}                   // held by the one that tries again
}

func newUpdates() updates {
	return updates{by: xsync.NewMapOf[uintptr, struct{}](), again: make(chan struct{}, 1)}
}

// errStale is the refusal of a commit of updates some of whose keys have changed since they were
// read.
var errStale = errors.New("runtime: a key has changed since it was read")

// commitUpdates commits what w has written, as often as it takes. The updates are computed from a
// snapshot, outside of the turn, where others would wait for them; in the turn it is looked whether
// their keys are still as they were. Those that have changed have been changed by a commit that was
// applied, so some commit always gets on. Who has been refused once waits for others that have, so
// that many who update one key do not compute all for nothing each time.
func (e *Engine) commitUpdates(ctx context.Context, from origin, w *Writer) error {
	err := e.tryUpdates(ctx, from, w)
	if !errors.Is(err, errStale) {
		return err
	}
	select {
	case e.updates.again <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("runtime: commit of %d changes: %w", len(w.ops), context.Cause(ctx))
	}
	defer func() { <-e.updates.again }()
	for errors.Is(err, errStale) {
		err = e.tryUpdates(ctx, from, w)
	}
	return err
}

func (e *Engine) tryUpdates(ctx context.Context, from origin, w *Writer) error {
	snap := e.db.Snapshot()
	defer snap.Release()
	sights, err := e.compute(snap, w)
	if err != nil {
		return public(err)
	}
	return e.apply(ctx, from, w, func(changes []db.Change) error { return stale(sights, changes) })
}

// A spot is a key of a partition.
type spot struct {
	part db.PartID
	key  string
}

func (a spot) compare(b spot) int {
	return cmp.Or(cmp.Compare(a.part, b.part), strings.Compare(a.key, b.key))
}

// A sight is what an update saw of a key, and what the commit leaves there.
type sight struct {
	spot
	saw, leaves mmapcas.Hash
}

// compute fills in what the updates of w write, and returns what they have seen of snap.
func (e *Engine) compute(snap *db.Snapshot, w *Writer) ([]sight, error) {
	defer e.inUpdate()()
	type write struct {
		at   int
		hash mmapcas.Hash
	}
	var (
		written = map[spot]write{} // the newest of each key
		clears  []int              // operations that clear a prefix
		sights  []sight
		next    = w.updates
	)
	// now returns what the operations so far leave at a key; false: they leave it as it is.
	now := func(p spot) (mmapcas.Hash, bool) {
		last, known := written[p]
		for _, i := range slices.Backward(clears) {
			if known && last.at > i {
				break
			}
			if c := &w.ops[i]; c.Part == p.part && strings.HasPrefix(p.key, c.Key) {
				return mmapcas.Hash{}, true
			}
		}
		return last.hash, known
	}
	for i := range w.ops {
		op := &w.ops[i]
		if op.Verb == db.ClearPrefix {
			clears = append(clears, i)
			continue
		}
		p := spot{op.Part, op.Key}
		if len(next) > 0 && next[0].at == i {
			at, known := now(p)
			if !known {
				var err error
				if at, _, err = snap.Get(p.part, p.key); err != nil {
					return nil, fmt.Errorf("runtime: looking up %q for an update: %w", p.key, err)
				}
				sights = append(sights, sight{spot: p, saw: at})
			}
			h, err := next[0].fn(at)
			if err != nil {
				return nil, err
			}
			op.Verb, op.Hash = db.Put, h
			if h.IsZero() {
				op.Verb = db.Delete
			}
			next = next[1:]
		}
		h := op.Hash
		if op.Verb == db.Delete {
			h = mmapcas.Hash{}
		}
		written[p] = write{i, h}
	}
	for i := range sights {
		sights[i].leaves, _ = now(sights[i].spot)
	}
	return sights, nil
}

// stale is errStale if a key is not as it was seen. changes are what the commit would change, by
// partition and key: a key that is not among them has already what the commit leaves there.
func stale(sights []sight, changes []db.Change) error {
	for i := range sights {
		s := &sights[i]
		there := s.leaves
		at, found := slices.BinarySearchFunc(changes, s.spot, func(c db.Change, p spot) int {
			return spot{c.Part, c.Key}.compare(p)
		})
		if found {
			there = changes[at].Old
		}
		if there != s.saw {
			return errStale
		}
	}
	return nil
}

// inUpdate notes that the calling goroutine runs functions of updates.
func (e *Engine) inUpdate() (over func()) {
	id := sched.Goroutine()
	e.updates.by.Store(id, struct{}{})
	e.updates.computing.Add(1)
	return func() {
		e.updates.computing.Add(-1)
		e.updates.by.Delete(id)
	}
}

// notInUpdate reports the function of an update that commits, which might wait for itself.
func (e *Engine) notInUpdate(what string) error {
	if e.updates.computing.Load() != 0 {
		if _, in := e.updates.by.Load(sched.Goroutine()); in {
			return fmt.Errorf("%w: %s in an update, which would wait for it", ErrInTask, what)
		}
	}
	return nil
}
