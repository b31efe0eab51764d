package db

import (
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
)

var (
	ErrClosed        = errors.New("db: closed")
	ErrReadOnly      = errors.New("db: read-only")                              // a change asked of a database opened read-only
	ErrReleased      = errors.New("db: snapshot released")                      // a read through a snapshot after Release
	ErrGone          = errors.New("db: generation gone")                        // SnapshotAt of a generation that is not kept any more, or is to come
	ErrNoPartition   = errors.New("db: no such partition")                      // a PartID that Partition did not return
	ErrPartitionKind = errors.New("db: partition is of the other kind")         // side asked as versioned, or the other way round
	ErrKeyTooLong    = errors.New("db: key too long")                           // more than MaxKeyBytes, in a key, a prefix or a partition's name
	ErrBadOp         = errors.New("db: malformed operation")                    // an unknown verb, or a put of the zero hash
	ErrOrder         = errors.New("db: keys of a bulk must ascend")             // a key that is not greater than the one before
	ErrBulkDone      = errors.New("db: bulk has ended")                         // a call after Commit, Close or an error of it
	ErrDangling      = errors.New("db: commit names a record not in the store") // matched by DanglingError
	ErrDamaged       = errors.New("db: a stored record is damaged or missing")  // matched by DamagedError
	ErrNotDurable    = errors.New("db: committed, but not known to be durable") // the chunk is visible and survives the process; syncing it failed
)

// errTorn refuses what comes after a turn that a panic has left (C7).
var errTorn = errors.New("db: a panic has left a commit; open the database again")

// A DanglingError names the operation whose record is not in the store. It matches ErrDangling.
// Nothing of its chunk was applied.
type DanglingError struct {
	Partition string
	Key       string
	Hash      mmapcas.Hash
}

func (e *DanglingError) Error() string {
	return fmt.Sprintf("db: commit to %q: key %q names record %v, which is not in the store", e.Partition, e.Key, e.Hash)
}

func (e *DanglingError) Is(target error) bool { return target == ErrDangling }

// A DamagedError says that a part of a partition cannot be read: its record is missing or is not
// what it should be. It matches ErrDamaged and mmapcas.ErrCorrupt. What could be read is right; see
// DB.Reset.
type DamagedError struct {
	Partition string
	Hash      mmapcas.Hash // of the record; zero if it was given up by a commit, or an opening, before
	Reason    string
}

func (e *DamagedError) Error() string {
	if e.Hash.IsZero() {
		return fmt.Sprintf("db: partition %q: %s", e.Partition, e.Reason)
	}
	return fmt.Sprintf("db: partition %q: record %v: %s", e.Partition, e.Hash, e.Reason)
}

func (e *DamagedError) Is(target error) bool {
	return target == ErrDamaged || target == mmapcas.ErrCorrupt
}
