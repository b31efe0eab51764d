package db

import "github.com/cytisus/cytisus/mmapcas"

// Kinds of the records that this package writes; 1 to 15 are reserved for it.
const (
	KindLeaf  mmapcas.Kind = 1 // keys and the hashes of their records
	KindInner mmapcas.Kind = 2 // first keys, hashes and entry counts of child nodes
	KindRoot  mmapcas.Kind = 3 // the state of a database at a checkpoint
	KindChunk mmapcas.Kind = 4 // the differences that one commit made
	KindPiece mmapcas.Kind = 5 // a part of a large chunk
)

// A PartID names a partition in one database. It is persistent and never zero.
type PartID uint32

// A Verb says what an Op does.
type Verb uint8

const (
	Put         Verb = 1 // Key names Hash from now on
	Delete      Verb = 2 // Key is absent from now on; Hash is not used
	ClearPrefix Verb = 3 // every key that begins with Key is absent from now on; Hash is not used
)

// An Op is one operation of a chunk.
type Op struct {
	Part PartID
	Key  string
	Verb Verb
	Hash mmapcas.Hash
}

// A Change says that the record at a key is another one than before. Old is zero for an insertion,
// New for a deletion; they are never equal.
type Change struct {
	Part     PartID
	Key      string
	Old, New mmapcas.Hash
}

// A Result answers a commit.
type Result struct {
	// Gen is the generation in which the chunk is visible: a new one if a versioned partition
	// changed, else the one before.
	Gen uint64

	// Changes lists what changed, ordered by partition and key, in versioned and side partitions.
	// It is shared: read-only.
	Changes []Change

	// Graft tells what a Bulk changed; nil if the chunk had none, or it changed nothing.
	Graft *Graft
}

// A Delta counts keys that are not what they were.
type Delta struct{ Inserted, Changed, Deleted uint64 }

// count adds one key, of which one of the two records may be missing, or takes it off again.
func (d *Delta) count(before, after Hash, by uint64) {
	switch {
	case before == after:
	case before.IsZero():
		d.Inserted += by
	case after.IsZero():
		d.Deleted += by
	default:
		d.Changed += by
	}
}

// Keys returns the number of keys.
func (d Delta) Keys() uint64 { return d.Inserted + d.Changed + d.Deleted }

// A Graft says what a Bulk did to its partition. Its changes are not listed: Each finds them.
type Graft struct {
	Part PartID
	Delta

	d             *DB
	before, after *link
}

// Each calls fn for the changes within a span, in key order, until fn returns false. It compares
// the two trees as DB.Diff does, and must be called before the Bulk is closed.
func (g *Graft) Each(sp Span, fn func(Change) bool) error {
	return g.d.explain(g.Part, diff(g.d.st, g.before, g.after, sp, func(key string, before, after Hash) bool {
		return fn(Change{g.Part, key, before, after})
	}))
}
