package mmapcas

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

var (
	// ErrNotFound: no record of this name is in the store.
	ErrNotFound = errors.New("mmapcas: not found")
	// ErrCorrupt: bytes fail a checksum or a structural check. Errors of this class are
	// *CorruptError.
	ErrCorrupt = errors.New("mmapcas: corrupt data")
	// ErrLocked: another process, or another Open in this one, has the store. See *LockedError.
	ErrLocked = errors.New("mmapcas: store is locked")
	// ErrNewerFormat: the store was written by a later version of this package, or in a form that
	// this one does not read any more. See *FormatError.
	ErrNewerFormat = errors.New("mmapcas: store has a newer format")
	// ErrNoSpace: the disk, a quota or the reserved address space is full. What was stored stays
	// readable.
	ErrNoSpace = errors.New("mmapcas: no space left")
	// ErrReadOnly: the store was opened read-only, or the file system under it does not permit
	// writing.
	ErrReadOnly = errors.New("mmapcas: store is read-only")
	// ErrTooLarge: a payload is larger than MaxPayloadBytes, or a note larger than MaxNoteBytes.
	ErrTooLarge = errors.New("mmapcas: too large")
	// ErrClosed: the store is closed.
	ErrClosed = errors.New("mmapcas: store is closed")
	// ErrSync: a sync failed, so nothing can be called durable. If it was of a segment the next
	// Commit goes on in other segments; else nothing can be made durable until the store is opened
	// again.
	ErrSync = errors.New("mmapcas: a sync failed")
	// ErrNoStore: there is no store, and Options say that none is to be made. It is an
	// fs.ErrNotExist.
	ErrNoStore = fmt.Errorf("mmapcas: there is no store: %w", fs.ErrNotExist)
	// ErrUnsafe: the directory belongs to another user, or others can write to it, or a file in it
	// is none of a store. The error says what to do.
	ErrUnsafe = vfs.ErrUnsafe
	// ErrDisplaced: the store's directory was removed or replaced while the store was open. What
	// was put can be read, and nothing is written any more: what has its name now may be
	// another store's.
	ErrDisplaced = vfs.ErrDisplaced
	// ErrCycle: a collection is under way already, or this one has ended.
	ErrCycle = errors.New("mmapcas: no such collection")
	// ErrNoElders: a short cycle needs another one before it, after which nothing was lost.
	ErrNoElders = errors.New("mmapcas: no collection before this one")
)

// A CorruptError says where the damage is. It matches ErrCorrupt.
type CorruptError struct {
	File    string `json:"file"`    // segment or other file; "" for a store in memory
	Segment uint32 `json:"segment"` // number of the segment, 0 for other files
	Offset  int64  `json:"offset"`  // in the file, in bytes
	Reason  string `json:"reason"`
	Err     error  `json:"err"` // what the system said, if it did
}

func (e *CorruptError) Error() string {
	file := e.File
	if file == "" {
		file = fmt.Sprintf("segment %d in memory", e.Segment)
	}
	if e.Err != nil {
		return fmt.Sprintf("mmapcas: corrupt data in %s at byte %d: %s: %v", file, e.Offset, e.Reason, e.Err)
	}
	return fmt.Sprintf("mmapcas: corrupt data in %s at byte %d: %s", file, e.Offset, e.Reason)
}

// Is reports whether target is ErrCorrupt.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// Unwrap returns the system's error.
func (e *CorruptError) Unwrap() error { return e.Err }

// A LockedError says who holds a store. It matches ErrLocked.
type LockedError struct {
	Path   string // of the store
	PID    int    // 0 if unknown
	Holder string // what the holder called itself in Options.Name, "" if unknown
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("mmapcas: store %s is locked by another process (%s)", e.Path, cmp.Or(e.Holder, "which one is not known"))
	}
	return fmt.Sprintf("mmapcas: store %s is locked by process %d (%s)", e.Path, e.PID, e.Holder)
}

// Is reports whether target is ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// A FormatError says which format a store has. It matches ErrNewerFormat.
type FormatError struct {
	Path      string
	Found     uint32
	Supported uint32 // the newest this program reads
}

func (e *FormatError) Error() string {
	if e.Found == packedVersion {
		return fmt.Sprintf("mmapcas: store %s has segments of format %d, which programs read that are older than this one: delete the store, what is in it is computed again", e.Path, e.Found)
	}
	return fmt.Sprintf("mmapcas: store %s has format %d, this program reads up to format %d", e.Path, e.Found, e.Supported)
}

// Is reports whether target is ErrNewerFormat.
func (e *FormatError) Is(target error) bool { return target == ErrNewerFormat }

// classify wraps errors of the system that callers act upon in the sentinel that says so.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNoSpace), errors.Is(err, ErrReadOnly):
		return err
	case vfs.NoSpace(err), errors.Is(err, arena.ErrAddressSpace):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}
