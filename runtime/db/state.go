package db

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
)

// A store is what a database needs of *mmapcas.Store.
type store interface {
	Put(kind mmapcas.Kind, payload []byte) (Hash, bool, error)
	PutNew(kind mmapcas.Kind, payload []byte) (Hash, bool, error)
	PutBatch(kind mmapcas.Kind, payloads [][]byte, out []Hash) ([]Hash, error)
	View(h Hash, fn func(kind mmapcas.Kind, payload []byte) error) error
	Has(h Hash) bool
	HasAll(names []Hash) int
	Synced(h Hash) bool
	Damaged() int64
	Commit(note []byte) error
	CommitCovered(note []byte, covered func()) error
	Note() []byte
	Tail(kind mmapcas.Kind, fn func(h Hash, payload []byte) error) error
	Each(kind mmapcas.Kind, fn func(h Hash, payload []byte) error) error
}

var _ store = (*mmapcas.Store)(nil)

// A nodeStore loads nodes from a store.
type nodeStore struct {
	store
	counts *counters

	loaded    atomic.Int64 // bytes of nodes loaded since the last trim
	loadedMax atomic.Int64 // beyond it
	full      func()       // is called, often; it is quick
}

func (s *nodeStore) load(h Hash) (*node, error) {
	var n *node
	err := s.look(h, func(kind mmapcas.Kind, payload []byte) (err error) {
		n, err = decodeNode(kind, payload)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.counts.nodesLoaded.Add(1)
	if s.loaded.Add(int64(n.bytes())) > s.loadedMax.Load() {
		s.full()
	}
	return n, nil
}

func (s *nodeStore) look(h Hash, fn func(kind mmapcas.Kind, payload []byte) error) error {
	err := s.View(h, fn)
	if damaged(err) {
		return &nodeError{h, err.Error()}
	}
	if err != nil {
		return fmt.Errorf("reading node %v: %w", h, err)
	}
	return nil
}

// damaged reports whether err says that a record is missing or not what it should be, as opposed to
// a store that does not answer.
func damaged(err error) bool {
	return errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) || errors.Is(err, errNode) || errors.Is(err, errRecord)
}

// A tree is one partition at one time. It is immutable; its nodes obey T1 to T6.
type tree struct {
	root     *link  // nil: empty. A root node is in memory
	changed  uint64 // generation of the newest change
	supposed bool   // it never was: the point cache knows nothing of it
	listed   bool   // since floor, every key that changed was given to points.note
	floor    uint64 // means nothing unless listed
	lost     lost   // where keys may be missing; of versioned partitions
}

// noted returns the generation since which each change of t was given to points.note, key by key:
// that of the newest change, unless somebody says better.
func (t *tree) noted() uint64 {
	switch {
	case t == nil:
		return 0
	case t.listed:
		return t.floor
	}
	return t.changed
}

// top returns the link to the root, nil if t is empty.
func (t *tree) top() *link {
	if t == nil {
		return nil
	}
	return t.root
}

// empty reports whether t is known to have no keys.
func (t *tree) empty() bool { return t.top() == nil && len(t.missing()) == 0 }

// missing returns what is lost of t.
func (t *tree) missing() lost {
	if t == nil {
		return nil
	}
	return t.lost
}

func (t *tree) entries() uint64 {
	if t == nil || t.root == nil {
		return 0
	}
	return t.root.size
}

// A state is all versioned partitions in one generation, or all side partitions at one time. It is
// immutable once published.
type state struct {
	gen   uint64
	trees []*tree // by PartID; nil, or beyond the end: never written
	pins  *pins   // nil in a state of side partitions
}

func (s *state) tree(id PartID) *tree {
	if int(id) < len(s.trees) {
		return s.trees[id]
	}
	return nil
}

// root returns the link to the root of a partition, nil if it is empty.
func (s *state) root(id PartID) *link { return s.tree(id).top() }

// A pinnedState is a state and its counters in one piece of memory.
type pinnedState struct {
	state
	room pins
}

func (s *state) clone() *state {
	trees := slices.Clone(s.trees)
	if s.pins == nil {
		return &state{gen: s.gen, trees: trees}
	}
	c := new(pinnedState)
	c.state = state{gen: s.gen, trees: trees, pins: &c.room}
	return &c.state
}

// set changes a state that is not published yet.
func (s *state) set(id PartID, t *tree) {
	for int(id) >= len(s.trees) {
		s.trees = append(s.trees, nil)
	}
	s.trees[id] = t
}

// A catalog is the partitions of a database. It is immutable.
type catalog struct {
	defs   []definition // by PartID; the first is not used
	byName map[string]PartID

	unlogged map[PartID]bool // see SetUnlogged; of this process, and not written
}

func newCatalog() *catalog { return &catalog{defs: make([]definition, 1), byName: map[string]PartID{}} }

// with returns c and one more partition. Its ID must be the next one.
func (c *catalog) with(d definition) *catalog {
	n := &catalog{defs: append(slices.Clip(c.defs), d), byName: make(map[string]PartID, len(c.byName)+1), unlogged: c.unlogged}
	for name, id := range c.byName {
		n.byName[name] = id
	}
	n.byName[d.name] = d.id
	return n
}

func (c *catalog) next() PartID { return PartID(len(c.defs)) }

// name returns the name of a partition, "" if there is none of this ID.
func (c *catalog) name(id PartID) string {
	def, _ := c.find(id)
	return def.name
}

func (c *catalog) find(id PartID) (definition, error) {
	if id == 0 || id >= c.next() {
		return definition{}, fmt.Errorf("%w: %d", ErrNoPartition, id)
	}
	return c.defs[id], nil
}
