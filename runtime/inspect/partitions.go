package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/internal/inside"
)

// A Partition describes a partition as it is now.
type Partition struct {
	Name        string             `json:"name"`
	Durability  runtime.Durability `json:"durability"`
	Own         bool               `json:"own,omitempty"` // the engine's: it has no generations
	Entries     uint64             `json:"entries"`
	LastChanged uint64             `json:"lastChanged"` // generation
}

// Partitions lists the partitions of the store by name. It reads counters only.
func Partitions(e *runtime.Engine) ([]Partition, error) {
	in := inside.Of(e)
	if err := in.Admit(context.Background(), "inspect.Partitions"); err != nil {
		return nil, err
	}
	st := in.DB.Stats()
	out := make([]Partition, len(st.Partitions))
	for i, p := range st.Partitions {
		d, _ := in.Durability(p.Name).(runtime.Durability)
		out[i] = Partition{Name: p.Name, Durability: d, Own: p.Side, Entries: p.Entries, LastChanged: p.LastChanged}
	}
	slices.SortFunc(out, func(a, b Partition) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// A NoPartitionError says that a store has no partition of a name, and which it has. It matches
// runtime.ErrNotFound.
type NoPartitionError struct {
	Name  string
	There []string
}

func (e *NoPartitionError) Error() string {
	if len(e.There) == 0 {
		return fmt.Sprintf("inspect: no partition %q: the store has none", e.Name)
	}
	return fmt.Sprintf("inspect: no partition %q; there are %s", e.Name, strings.Join(e.There, ", "))
}

// Is reports whether target is runtime.ErrNotFound.
func (e *NoPartitionError) Is(target error) bool { return target == runtime.ErrNotFound }

// Bytes returns the size of the values of a partition, each record counted once for each key that
// has it. It reads the whole partition.
func Bytes(e *runtime.Engine, partition string) (bytes int64, err error) {
	in := inside.Of(e)
	if err := in.Admit(context.Background(), "inspect.Bytes"); err != nil {
		return 0, err
	}
	var broken error
	err = visit(in, partition, db.Span{}, func(_ string, h db.Hash) bool {
		broken = in.Store.View(h, func(_ mmapcas.Kind, payload []byte) error {
			bytes += int64(len(payload))
			return nil
		})
		if errors.Is(broken, mmapcas.ErrNotFound) || errors.Is(broken, mmapcas.ErrCorrupt) {
			broken = nil
		}
		return broken == nil
	})
	if err == nil && broken != nil {
		err = fmt.Errorf("inspect: reading a value of partition %q: %w", partition, inside.Public(broken))
	}
	return bytes, err
}

// visit calls fn for the entries of a partition in a span, until it returns false.
func visit(in *inside.Engine, partition string, sp db.Span, fn func(key string, h db.Hash) bool) error {
	part, side, err := find(in, partition)
	if err != nil {
		return err
	}
	if side {
		err = in.DB.LatestRange(part, sp.Lo, sp.Hi, sp.Reverse, fn)
	} else {
		s := in.DB.Snapshot()
		defer s.Release()
		err = s.Range(part, sp.Lo, sp.Hi, sp.Reverse, fn)
	}
	if err != nil {
		return fmt.Errorf("inspect: reading partition %q: %w", partition, inside.Public(err))
	}
	return nil
}

func find(in *inside.Engine, name string) (part db.PartID, side bool, err error) {
	none := &NoPartitionError{Name: name}
	for _, p := range in.DB.Stats().Partitions {
		if p.Name == name {
			return p.ID, p.Side, nil
		}
		none.There = append(none.There, p.Name)
	}
	slices.Sort(none.There)
	return 0, false, none
}
