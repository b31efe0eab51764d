package memo

import (
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A readKind says what a query read. What is not in it may change without invalidating the query.
type readKind uint8

const (
	readRecord   readKind = 1 // one key of a partition; the zero hash means absent
	readKeys     readKind = 2 // the keys of a range, without their contents
	readRange    readKind = 3 // the keys of a range and their records' hashes
	readQuery    readKind = 4 // the result of another query
	readPresence readKind = 5 // whether a key is there; the zero hash means absent
	readCount    readKind = 6 // how many keys a range has; the hash is the number
	readPart     readKind = 7 // one name of a query's table; the zero hash means absent
	readNames    readKind = 8 // the names of a query's table
	readMember   readKind = 9 // what another query, the head of a cycle, gave to the reader

	// What a record has of a group, and no trace reads.
	readResult  readKind = 10 // a key of the cycle, with its result
	readVersion readKind = 11 // a query of the cycle; the hash is its version

	// readFiltered is added to readKeys, readRange and readCount when only the keys that match a
	// glob count.
	readFiltered readKind = 0x80
)

// ranged reports whether the kind is about a range.
func (k readKind) ranged() bool {
	k &^= readFiltered
	return k == readKeys || k == readRange || k == readCount
}

// asks reports whether the kind is about a query.
func (k readKind) asks() bool {
	switch k {
	case readQuery, readPart, readNames, readMember, readResult, readVersion:
		return true
	}
	return false
}

// A read is one line of a trace: what was read and the hash seen.
type read struct {
	kind readKind
	part db.PartID // of kinds that ask nothing
	*about
	key  string // the record's key, the range's lower bound, or the query's encoded key
	hash mmapcas.Hash
}

// An about is what a read of a query or of a range names beside its key; immutable once recorded.
// Reads of one query share theirs but for those of parts, and reads of records and presences have
// none.
type about struct {
	query string // kinds that ask: the query's name
	name  string // readPart
	hi    string // ranges: the upper bound, exclusive; "" is unbounded
	glob  string // readFiltered
}

// same reports whether two reads name the same beside their keys.
func (a *about) same(o *about) bool {
	return a == o || a != nil && o != nil && *a == *o
}

// same reports whether two reads name the same thing, whatever they saw.
func (r *read) same(o *read) bool {
	return r.kind == o.kind && r.part == o.part && r.key == o.key && r.about.same(o.about)
}

// A readID is what a read is about.
type readID struct {
	kind readKind
	part db.PartID
	about
	key string
}

func (r *read) id() readID {
	id := readID{kind: r.kind, part: r.part, key: r.key}
	if r.about != nil {
		id.about = *r.about
	}
	return id
}

// A partSet is a set of partitions in one word: bit i is partition i for i < 63, bit 63 any other.
type partSet uint64

const partsBeyond partSet = 1 << 63

func partBit(p db.PartID) partSet {
	if p < 63 {
		return 1 << p
	}
	return partsBeyond
}

// unchangedSince reports whether no partition of the set changed in generations (since,
// snap.Gen()].
func (s partSet) unchangedSince(snap *db.Snapshot, since uint64) bool {
	if snap.Gen() <= since {
		return true
	}
	if s&partsBeyond != 0 {
		return false
	}
	for p := db.PartID(0); s != 0; p, s = p+1, s>>1 {
		if s&1 != 0 && snap.LastChanged(p) > since {
			return false
		}
	}
	return true
}
