package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cytisus/cytisus/runtime/db"
)

// A BulkWriter collects the changes of one bulk commit. It belongs to the function it was given to
// and ends with it, as a Writer does.
type BulkWriter[V any] struct {
	p   *Partition[V]
	eng *Engine

	mu   sync.Mutex
	bulk *db.Bulk // guarded by mu; nil: the function has returned
	put  int      // guarded by mu: bytes, since the last look at Options.MemoryLimit
}

// bulkLook is how many bytes a bulk puts between two looks at Options.MemoryLimit.
const bulkLook = 256 << 10

// hold holds to the memory limit while a bulk goes on: it may fill the memory many times over
// between its beginning and its end.
func (w *BulkWriter[V]) hold(bytes int) error {
	if w.put += bytes; w.put < bulkLook {
		return nil
	}
	w.put = 0
	g := &w.eng.governor
	g.relieve(false)
	if err := g.refusing.Load(); err != nil {
		return fmt.Errorf("runtime: a bulk for %s: %w", w.p.name, err)
	}
	return nil
}

// with calls fn with the bulk unless it has ended.
func (w *BulkWriter[V]) with(fn func(*db.Bulk) error) error {
	if err := notInQuery("writing"); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bulk == nil {
		return w.eng.endedErr()
	}
	return public(fn(w.bulk))
}

func (w *BulkWriter[V]) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bulk = nil
}

// Bulk is Engine.Commit for more changes to one partition than should be in memory at once: fn
// gives them in ascending order of their keys, and they go to the store as they come. All of them
// become visible in one generation, or, if fn or Bulk returns an error, none. The memory that it
// needs does not depend on their number, but for watchers of the partition: they are told of every
// key that changed and that they watch.
//
// Changes are counted from the generation in which Bulk began: what others commit to the partition
// meanwhile stays where fn changes nothing, and loses where it does. A collection that begins
// meanwhile waits for Bulk to end. Where Options.MemoryLimit leaves no room any more, Put returns a
// *LimitError. Errors are those of Engine.Commit, and ErrFrozen for a Frozen partition.
func (p *Partition[V]) Bulk(ctx context.Context, e *Engine, fn func(*BulkWriter[V]) error) (err error) {
	defer func() { err = e.limited(err) }()
	if err := errors.Join(e.admitBy(ctx, "Bulk"), e.notInUpdate("Bulk"), e.governor.admits("Bulk")); err != nil {
		return err
	}
	id, err := p.id(e)
	if err != nil {
		return err
	}
	if p.durability == Frozen {
		return fmt.Errorf("%w: a bulk for %s", ErrFrozen, p.name)
	}
	defer e.inCommit()()
	done := e.gc.Session() // as long as the bulk's tree hangs nowhere, and until the old one was compared with it
	told := false
	defer func() {
		if !told {
			done()
		}
	}()
	bulk, err := e.db.BeginBulk(ctx, id)
	if err != nil {
		return fmt.Errorf("runtime: bulk commit to %s: %w", p.name, public(err))
	}
	end := done
	done = func() {
		bulk.Close()
		end()
	}
	w := &BulkWriter[V]{p: p, eng: e, bulk: bulk}
	err = func() error {
		defer w.end()
		return fn(w)
	}()
	if err != nil {
		return public(err)
	}
	res, err := bulk.Commit(ctx)
	if res.Graft != nil {
		told = true // by whoever delivers it
		e.watchers.dispatch(res, e.callerOrigin(), done)
	}
	if err != nil {
		return fmt.Errorf("runtime: bulk commit to %s: %w", p.name, public(err))
	}
	return nil
}

// Put sets key, which must be greater than the key before (ErrOrder), to v when the bulk is
// applied. v is encoded at once and may be changed afterwards.
func (w *BulkWriter[V]) Put(key string, v V) error {
	return w.with(func(bulk *db.Bulk) error {
		kind, payload, refs, err := w.p.codec.encode(nil, v)
		if err != nil {
			return fmt.Errorf("runtime: encoding %s[%q]: %w", w.p.name, key, err)
		}
		h, _, err := w.eng.store.Put(kind, payload)
		if err != nil {
			return fmt.Errorf("runtime: storing %s[%q] (%d bytes): %w", w.p.name, key, len(payload), err)
		}
		if err := w.eng.settleRefs(refs); err != nil {
			return fmt.Errorf("runtime: storing %s[%q]: %w", w.p.name, key, err)
		}
		// A running cycle is not told of h, which would be kept in memory with all others until the
		// bulk ends: the store has told it, or h is new (package gc, "Why nothing live is freed").
		if err := w.hold(len(payload)); err != nil {
			return err
		}
		return bulk.Put(key, h)
	})
}

// Delete removes key, which must be greater than the key before, when the bulk is applied. A key
// that is not there is no error.
func (w *BulkWriter[V]) Delete(key string) error {
	return w.with(func(bulk *db.Bulk) error { return bulk.Delete(key) })
}
