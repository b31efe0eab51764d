package runtime

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A PartitionInfo describes a partition as it is now.
type PartitionInfo struct {
	Name        string     `json:"name"`
	Durability  Durability `json:"durability"`
	Own         bool       `json:"own,omitempty"` // the engine's: it has no generations
	Entries     uint64     `json:"entries"`
	LastChanged uint64     `json:"lastChanged"` // generation
}

// Partitions lists the partitions of the store by name. It reads counters only.
//
// Inside a query there are none.
func (e *Engine) Partitions() []PartitionInfo {
	if notInQuery("") != nil {
		return nil
	}
	st := e.db.Stats()
	e.durabilities.mu.Lock()
	defer e.durabilities.mu.Unlock()
	out := make([]PartitionInfo, len(st.Partitions))
	for i, p := range st.Partitions {
		out[i] = PartitionInfo{Name: p.Name, Durability: e.durabilities.known[p.Name], Own: p.Side, Entries: p.Entries, LastChanged: p.LastChanged}
	}
	slices.SortFunc(out, func(a, b PartitionInfo) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// A RawRecord is one entry of a partition, for people and tools.
type RawRecord struct {
	Key   string          `json:"key"` // in hexadecimal digits after 0x if it is not text
	Hash  string          `json:"hash"`
	Bytes int             `json:"bytes"`           // of the stored value
	Value json.RawMessage `json:"value,omitzero"`  // as the program's definition of the partition reads it; without one, text, CBOR or hexadecimal digits
	Error string          `json:"error,omitempty"` // why there is no value

	at Cursor
}

// Cursor is the place after the record, for After. A record that was decoded from JSON has none.
func (r RawRecord) Cursor() Cursor { return r.at }

// Records calls fn for the entries of a partition that match, until it returns an error, which Records returns. It reads the newest generation of any
// partition of the store, also one that this program does not define. An unknown name is a *NoPartitionError.
func (e *Engine) Records(partition string, pat Pattern, fn func(RawRecord) error, opts ...ReadOption) error {
	if err := e.admit("Records"); err != nil {
		return err
	}
	part, side, err := e.findPartition(partition)
	if err != nil {
		return err
	}
	sp := pat.span(opts)
	left := sp.Limit
	var stop error
	visit := func(key string, h db.Hash) bool {
		if !pat.Match(key) {
			return true
		}
		stop = fn(e.rawRecord(partition, key, h))
		left--
		return stop == nil && left != 0
	}
	if side {
		err = e.db.LatestRange(part, sp.Lo, sp.Hi, sp.Reverse, visit)
	} else {
		s := e.snapshot()
		defer s.Release()
		err = s.snap.Range(part, sp.Lo, sp.Hi, sp.Reverse, visit)
	}
	if err != nil {
		return fmt.Errorf("runtime: reading partition %q: %w", partition, public(err))
	}
	return stop
}

// A NoPartitionError says that a store has no partition of a name, and which it has. It matches ErrNotFound.
type NoPartitionError struct {
	Name  string
	There []string
}

func (e *NoPartitionError) Error() string {
	if len(e.There) == 0 {
		return fmt.Sprintf("runtime: no partition %q: the store has none", e.Name)
	}
	return fmt.Sprintf("runtime: no partition %q; there are %s", e.Name, strings.Join(e.There, ", "))
}

// Is reports whether target is ErrNotFound.
func (e *NoPartitionError) Is(target error) bool { return target == ErrNotFound }

func (e *Engine) findPartition(name string) (part db.PartID, side bool, err error) {
	there := &NoPartitionError{Name: name}
	for _, p := range e.db.Stats().Partitions {
		if p.Name == name {
			return p.ID, p.Side, nil
		}
		there.There = append(there.There, p.Name)
	}
	slices.Sort(there.There)
	return 0, false, there
}

func (e *Engine) rawRecord(partition, key string, h mmapcas.Hash) RawRecord {
	rec := RawRecord{Key: showBytes([]byte(key)), Hash: h.String(), at: Cursor{key, true}}
	err := e.store.View(h, func(kind mmapcas.Kind, payload []byte) (err error) {
		rec.Bytes = len(payload)
		rec.Value, err = showValue(allPartitions.find(partition), kind, payload)
		return err
	})
	if err != nil {
		rec.Error = err.Error()
	}
	return rec
}

// showValue renders a record as JSON.
func showValue(p anyPartition, kind mmapcas.Kind, payload []byte) (json.RawMessage, error) {
	if kind != kindValue && kind != kindRefValue && kind != kindNil {
		return json.Marshal(fmt.Sprintf("%d bytes of kind %d", len(payload), kind))
	}
	if p != nil {
		v, err := p.decodeAny(kind, payload)
		if err != nil {
			return nil, err
		}
		if b, ok := v.([]byte); ok {
			return json.Marshal(showBytes(b))
		}
		if out, err := json.Marshal(v); err == nil {
			return out, nil
		}
		return json.Marshal(fmt.Sprintf("%+v", v)) // a value that JSON has no form for, such as a map with keys of a struct type
	}
	if kind == kindRefValue {
		var err error
		if _, payload, err = splitRefs(payload); err != nil {
			return nil, err
		}
	}
	if !utf8.Valid(payload) {
		if byName, err := byNameOf(payload); err == nil {
			payload = byName
		}
		if text, err := cbor.Diagnose(payload); err == nil {
			return json.Marshal(text)
		}
	}
	return json.Marshal(showBytes(payload))
}

// showBytes returns bytes as text if they are that.
func showBytes(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return "0x" + hex.EncodeToString(b)
}

// anyPartition is a partition of any type.
type anyPartition interface {
	decodeAny(kind mmapcas.Kind, payload []byte) (any, error)
}

func (p *Partition[V]) decodeAny(kind mmapcas.Kind, payload []byte) (any, error) {
	return p.codec.decodeRecord(kind, payload)
}

// A names holds every definition of the program of one sort, by name.
type names[T any] struct {
	mu     sync.RWMutex
	byName map[string][]T // guarded by mu

	defined int // guarded by mu: how many there are
}

var allPartitions names[anyPartition]

func (n *names[T]) add(name string, t T) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byName == nil {
		n.byName = map[string][]T{}
	}
	n.byName[name] = append(n.byName[name], t)
	n.defined++
}

// size returns how many definitions there are.
func (n *names[T]) size() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.defined
}

// all returns the definitions of each name.
func (n *names[T]) all() map[string][]T {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return maps.Clone(n.byName)
}

// find returns the definition of this name, or the zero T if there is none or more than one.
func (n *names[T]) find(name string) (t T) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if found := n.byName[name]; len(found) == 1 {
		t = found[0]
	}
	return t
}

// RecordBytes returns the size of the values of a partition, in bytes, each record counted once for each key that has it. It reads the whole partition.
func (e *Engine) RecordBytes(partition string) (bytes int64, err error) {
	if err := e.admit("RecordBytes"); err != nil {
		return 0, err
	}
	part, side, err := e.findPartition(partition)
	if err != nil {
		return 0, err
	}
	add := func(_ string, h db.Hash) bool {
		err = e.store.View(h, func(_ mmapcas.Kind, payload []byte) error {
			bytes += int64(len(payload))
			return nil
		})
		if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
			err = nil
		}
		return err == nil
	}
	var scan error
	if side {
		scan = e.db.LatestRange(part, "", "", false, add)
	} else {
		s := e.snapshot()
		defer s.Release()
		scan = s.snap.Range(part, "", "", false, add)
	}
	return bytes, public(errors.Join(err, scan))
}
