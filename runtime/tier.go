package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A Tier says how long what a partition holds lasts. It is an option of NewPartition.
type Tier uint8

const (
	// Workspace is what users edit: kept, and expected to change. It is the tier of partitions that say nothing.
	Workspace Tier = iota

	// Volatile is what belongs to the process, such as connections and progress: the partition is empty when the store is opened, after Close as after a
	// crash. Its changes are part of commits, snapshots and generations and reach watchers as any others, but neither the log nor a checkpoint has them: a
	// commit that changes nothing else costs the disk its values and nothing more, and those are garbage in the next process. Its keys stay on the heap.
	Volatile

	// Dependency is what others wrote: kept, and seldom changed. Queries that read nothing but partitions of this tier and of Frozen are known to
	// hold, without a look at what they read, as long as none of these partitions changes.
	Dependency

	// Frozen is what never changes once it is there, such as what is named by its content or version: as Dependency, and a commit that
	// would change or remove a key is refused with ErrFrozen.
	Frozen
)

var tierNames = [...]string{"workspace", "volatile", "dependency", "frozen"}

func (t Tier) String() string {
	if int(t) < len(tierNames) {
		return tierNames[t]
	}
	return fmt.Sprintf("tier %d", uint8(t))
}

// A PartitionOption is given to NewPartition.
type PartitionOption interface{ tier() Tier }

func (t Tier) tier() Tier { return t }

// tierPartition remembers the tiers of partitions that have another than Workspace: the name of the partition, and one byte.
// It has tiersWhole as well, without which some of it may have been lost to damage.
const (
	tierPartition = "$tiers"
	tiersWhole    = "$" // no partition has the name
)

// tiers is what an engine knows about tiers.
type tiers struct {
	mu    sync.Mutex
	known map[string]Tier // guarded by mu: by name of the partition; those that are not in it are Workspace
	whole bool            // guarded by mu: tiersWhole is there
}

// loadTiers brings back the tiers that were known when the store was open last, and empties what is volatile.
func (e *Engine) loadTiers() error {
	e.tiers.known = map[string]Tier{}
	parts := map[string]db.PartID{}
	for _, p := range e.db.Stats().Partitions {
		parts[p.Name] = p.ID
	}
	part, ok := parts[tierPartition]
	if !ok {
		return nil
	}
	unread := false
	err := e.db.LatestRange(part, "", "", false, func(name string, h db.Hash) bool {
		if name == tiersWhole {
			e.tiers.whole = true
			return true
		}
		err := e.store.View(h, func(_ mmapcas.Kind, p []byte) error {
			if len(p) == 1 {
				e.tiers.known[name] = Tier(p[0])
			}
			return nil
		})
		if err != nil { // costs a shortcut, or the answers that rest on what is empty
			unread = true
			e.o.Logger.Warn("runtime: the tier of a partition cannot be read", "partition", name, "err", err)
		}
		return true
	})
	damaged := errors.Is(err, db.ErrDamaged)
	if err != nil && !damaged {
		return fmt.Errorf("runtime: reading the tiers of partitions: %w", err)
	}
	var volatile []db.PartID
	for name, tier := range e.tiers.known {
		switch part := parts[name]; {
		case part == 0: // of a store that lost it
		case tier == Volatile:
			volatile = append(volatile, part)
		case tier >= Dependency:
			e.memo.Durable(part)
		}
	}
	err = e.db.OpenUnlogged(context.Background(), volatile...)
	if err != nil && !errors.Is(err, db.ErrNotDurable) {
		return fmt.Errorf("runtime: emptying %d volatile partitions: %w", len(volatile), err)
	}
	if e.tiers.whole && !unread && !damaged {
		return nil
	}
	// Any partition that is empty may have been volatile, and not empty when answers were stored.
	err = e.db.OpenUnknown(context.Background())
	if err != nil && !errors.Is(err, db.ErrNotDurable) {
		return fmt.Errorf("runtime: doubting what is empty, as tiers are lost: %w", err)
	}
	return nil
}

// meetTier is called when the engine meets a partition.
func (e *Engine) meetTier(name string, part db.PartID, tier Tier) error {
	e.tiers.mu.Lock()
	defer e.tiers.mu.Unlock()
	if e.tiers.known[name] == tier && (e.tiers.whole || tier == Workspace) {
		return nil
	}
	side, err := e.db.Partition(tierPartition, true)
	if err != nil {
		return fmt.Errorf("runtime: opening partition %s: %w", tierPartition, err)
	}
	defer e.gc.Session()()
	h, _, err := e.store.Put(kindValue, []byte{byte(tier)})
	if err != nil {
		return fmt.Errorf("runtime: storing the tier of partition %q: %w", name, err)
	}
	e.gc.Shade(h)
	ops := []db.Op{{Part: side, Key: name, Verb: db.Put, Hash: h}, {Part: side, Key: tiersWhole, Verb: db.Put, Hash: h}}
	if _, err := e.db.Commit(context.Background(), ops); err != nil && !errors.Is(err, db.ErrNotDurable) {
		return fmt.Errorf("runtime: storing the tier of partition %q: %w", name, err)
	}
	e.tiers.whole = true
	if was := e.tiers.known[name]; tier != was && (tier == Volatile || was == Volatile) {
		err := e.db.SetUnlogged(context.Background(), tier == Volatile, part)
		if err != nil && !errors.Is(err, db.ErrNotDurable) {
			return fmt.Errorf("runtime: emptying partition %q, which becomes %v: %w", name, tier, err)
		}
	}
	e.tiers.known[name] = tier
	if tier >= Dependency {
		e.memo.Durable(part)
	}
	return nil
}

// note remembers that w changes a frozen partition. The caller holds mu.
func (w *Writer) note(tier Tier, part db.PartID, name string) {
	if tier != Frozen {
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
