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

// A Change says that the record at a key is another one than before. Old is zero for an insertion, New for a deletion; they are never equal.
type Change struct {
	Part     PartID
	Key      string
	Old, New mmapcas.Hash
}

// A Result answers a commit.
type Result struct {
	// Gen is the generation in which the chunk is visible: a new one if a versioned partition changed, else the one before.
	Gen uint64

	// Changes lists what changed, ordered by partition and key, in versioned and side partitions. It is shared: read-only.
	Changes []Change
}
