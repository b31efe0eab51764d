package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A Durability says how seldom what a partition holds changes, and whether it outlives the process.
// It is an option of NewPartition.
type Durability uint8

const (
	// Workspace is what users edit: kept, and expected to change. It is the durability of
	// partitions that say nothing.
	Workspace Durability = iota

	// Volatile is what belongs to the process, such as connections and progress: the partition is
	// empty when the store is opened, after Close as after a crash. Its changes are part of
	// commits, snapshots and generations and reach watchers as any others, but neither the log nor
	// a checkpoint has them: a commit that changes nothing else costs the disk its values and
	// nothing more, and those are garbage in the next process. Its keys stay on the heap.
	Volatile

	// Dependency is what others wrote: kept, and seldom changed. Queries that read nothing but
	// partitions of this durability and of Frozen are known to hold, without a look at what they
	// read, as long as none of these partitions changes.
	Dependency

	// Frozen is what never changes once it is there, such as what is named by its content or
	// version: as Dependency, and a commit that would change or remove a key is refused with
	// ErrFrozen.
	Frozen
)

var durabilityNames = [...]string{"workspace", "volatile", "dependency", "frozen"}

func (d Durability) String() string {
	if int(d) < len(durabilityNames) {
		return durabilityNames[d]
	}
	return fmt.Sprintf("durability %d", uint8(d))
}

// MarshalText gives the durability's name.
func (d Durability) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (d *Durability) UnmarshalText(text []byte) error {
	i := slices.Index(durabilityNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("runtime: %q is no durability; want one of %s", text, strings.Join(durabilityNames[:], ", "))
	}
	*d = Durability(i)
	return nil
}

// A PartitionOption is given to NewPartition.
type PartitionOption interface{ durability() Durability }

func (d Durability) durability() Durability { return d }

// durabilityPartition remembers the partitions that are not Workspace: the name of each, and one
// byte for its durability. It has durabilitiesWhole as well, without which some of it may have been
// lost to damage. Its own name is a part of the store's format.
const (
	durabilityPartition = "$tiers"
	durabilitiesWhole   = "$" // no partition has the name
)

// durabilities is what an engine knows about the durability of partitions.
type durabilities struct {
	mu    sync.Mutex
	known map[string]Durability // guarded by mu: by name of the partition; those that are not in it are Workspace
	whole bool                  // guarded by mu: durabilitiesWhole is there
}

// loadDurabilities brings back what was known when the store was open last, and empties what is
// volatile.
func (e *Engine) loadDurabilities() error {
	e.durabilities.known = map[string]Durability{}
	parts := map[string]db.PartID{}
	for _, p := range e.db.Stats().Partitions {
		parts[p.Name] = p.ID
	}
	part, ok := parts[durabilityPartition]
	if !ok {
		return nil
	}
	unread := false
	err := e.db.LatestRange(part, "", "", false, func(name string, h db.Hash) bool {
		if name == durabilitiesWhole {
			e.durabilities.whole = true
			return true
		}
		err := e.store.View(h, func(_ mmapcas.Kind, p []byte) error {
			if len(p) == 1 {
				e.durabilities.known[name] = Durability(p[0])
			}
			return nil
		})
		if err != nil { // costs a shortcut, or the answers that rest on what is empty
			unread = true
			e.o.Logger.Warn("runtime: the durability of a partition cannot be read", "partition", name, "err", err)
		}
		return true
	})
	damaged := errors.Is(err, db.ErrDamaged)
	if err != nil && !damaged {
		return fmt.Errorf("runtime: reading the durability of partitions: %w", err)
	}
	var volatile []db.PartID
	for name, durability := range e.durabilities.known {
		switch part := parts[name]; {
		case part == 0: // of a store that lost it
		case durability == Volatile:
			volatile = append(volatile, part)
		case durability >= Dependency:
			e.memo.Steady(part)
		}
	}
	err = e.db.OpenUnlogged(context.Background(), volatile...)
	if err != nil && !errors.Is(err, db.ErrNotDurable) {
		return fmt.Errorf("runtime: emptying %d volatile partitions: %w", len(volatile), err)
	}
	if e.durabilities.whole && !unread && !damaged {
		return nil
	}
	// Any partition that is empty may have been volatile, and not empty when answers were stored.
	err = e.db.OpenUnknown(context.Background())
	if err != nil && !errors.Is(err, db.ErrNotDurable) {
		return fmt.Errorf("runtime: doubting what is empty, as it is lost which were volatile: %w", err)
	}
	return nil
}

// meetDurability is called when the engine meets a partition.
func (e *Engine) meetDurability(name string, part db.PartID, durability Durability) error {
	e.durabilities.mu.Lock()
	defer e.durabilities.mu.Unlock()
	if e.durabilities.known[name] == durability && (e.durabilities.whole || durability == Workspace) {
		return nil
	}
	side, err := e.db.Partition(durabilityPartition, true)
	if err != nil {
		return fmt.Errorf("runtime: opening partition %s: %w", durabilityPartition, err)
	}
	defer e.gc.Session()()
	h, _, err := e.store.Put(kindValue, []byte{byte(durability)})
	if err != nil {
		return fmt.Errorf("runtime: storing the durability of partition %q: %w", name, err)
	}
	e.gc.Shade(h)
	ops := []db.Op{{Part: side, Key: name, Verb: db.Put, Hash: h}, {Part: side, Key: durabilitiesWhole, Verb: db.Put, Hash: h}}
	if _, err := e.db.Commit(context.Background(), ops); err != nil && !errors.Is(err, db.ErrNotDurable) {
		return fmt.Errorf("runtime: storing the durability of partition %q: %w", name, err)
	}
	e.durabilities.whole = true
	if was := e.durabilities.known[name]; durability != was && (durability == Volatile || was == Volatile) {
		err := e.db.SetUnlogged(context.Background(), durability == Volatile, part)
		if err != nil && !errors.Is(err, db.ErrNotDurable) {
			return fmt.Errorf("runtime: emptying partition %q, which becomes %v: %w", name, durability, err)
		}
	}
	e.durabilities.known[name] = durability
	if durability >= Dependency {
		e.memo.Steady(part)
	}
	return nil
}

// note remembers that w changes a frozen partition. The caller holds mu.
func (w *Writer) note(durability Durability, part db.PartID, name string) {
	if durability != Frozen {
		return
	}
	if w.frozen == nil {
		w.frozen = map[db.PartID]string{}
	}
	w.frozen[part] = name
}

// checkFrozen reports a change of something that a frozen partition holds. What a commit puts and
// takes back again is no change.
func (w *Writer) checkFrozen(changes []db.Change) error {
	for _, c := range changes {
		if name, frozen := w.frozen[c.Part]; frozen && !c.Old.IsZero() {
			return fmt.Errorf("%w: %s[%q]", ErrFrozen, name, c.Key)
		}
	}
	return nil
}
