package runtime

import (
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/memo"
	"github.com/cytisus/cytisus/runtime/sched"
)

var (
	// ErrNotFound is returned by Partition.Get for a key that the snapshot does not have.
	ErrNotFound = errors.New("runtime: no such key")

	// ErrDamaged is returned for a value whose record is damaged or gone from the store. A query's
	// result is computed again by itself; an input has to be put again. Partition.Intact finds such
	// inputs. It is returned as well where a part of a partition cannot be read, or was given up:
	// then ClearPrefix, with what belongs there put in the same commit, says again what there is.
	ErrDamaged = db.ErrDamaged

	// ErrClosed is matched by the error of every call on an engine that is closed or closing, and
	// of whatever the closing has cut short.
	ErrClosed = sched.ErrClosed

	// ErrEnded is returned by a Writer or BulkWriter whose commit function has returned.
	ErrEnded = errors.New("runtime: the commit of this writer has ended")

	// ErrGone is returned by SnapshotAt for a generation that is not kept any more, or is to come.
	ErrGone = errors.New("runtime: generation not kept")

	// ErrBadCursor is returned for text that is not a Cursor's.
	ErrBadCursor = errors.New("runtime: not a cursor")

	// ErrFrozen is returned by a commit that would change or remove what a Frozen partition holds.
	ErrFrozen = errors.New("runtime: frozen")

	// ErrConflict is returned when two partitions or two queries of one name differ in type or
	// version.
	ErrConflict = errors.New("runtime: conflicting definitions")

	// ErrBadValue is returned for a type of values or keys, or for a value of a type, that would
	// not come back from the store as it went in. The error says where in it, and why. See "What
	// values may be" in the package comment.
	ErrBadValue = errors.New("runtime: it would not come back from the store as it went in")

	// ErrOption is matched by the error of a call that is given a TaskOption which it cannot
	// follow. The error names both.
	ErrOption = errors.New("runtime: not an option of this call")

	// ErrInQuery is matched by the error of what a query function must not do; the error names it.
	// See "Inside a query" in the package comment.
	ErrInQuery = errors.New("runtime: not allowed inside a query")

	// ErrInTask is matched by the error of what would wait for the task that calls: Close, also by
	// anybody with a task's context, Collect, Tidy and Repair in a commit, which need not be a
	// task's, and a commit in the function of an Update.
	ErrInTask = sched.ErrInTask

	// ErrReserved is returned for a partition name that begins with "$".
	ErrReserved = errors.New("runtime: names that begin with $ are the engine's own")

	// ErrCycle is matched by the error of a query that needs its own result; the error names the
	// path.
	ErrCycle = memo.ErrCycle

	// ErrNoWatcher is returned by Task.Again for a task that is not a watcher's.
	ErrNoWatcher = errors.New("runtime: not the task of a watcher")

	// ErrTimeout is returned by a wait whose deadline has passed.
	ErrTimeout = sched.ErrTimeout

	// ErrPending is returned by Partition.Pend where a key is not there yet: the task's function
	// returns it and is called again.
	ErrPending = sched.ErrPending

	// ErrSuperseded is the cause of cancellation of a task whose place a newer one has taken
	// (Supersede).
	ErrSuperseded = sched.ErrSuperseded

	// ErrGoexit is the failure of a task whose function has called runtime.Goexit, as FailNow of a
	// test does.
	ErrGoexit = sched.ErrGoexit

	// ErrThreadLocked is matched by the failure of a task, whichever query it ran, that has locked
	// its thread (LockOSThread) and waits or ends without unlocking it. Task.Blocking is for what
	// needs a thread.
	ErrThreadLocked = sched.ErrThreadLocked
)

// Errors of the store, which Open and whatever reads or writes return.
var (
	// ErrNoStore is returned by Open with Options.MustExist where there is no store.
	ErrNoStore = mmapcas.ErrNoStore

	// ErrLocked is returned by Open of a store that another process, or engine, has open. A
	// *LockedError says which.
	ErrLocked = mmapcas.ErrLocked

	// ErrUnsafe is returned by Open of a directory in which others could exchange files.
	ErrUnsafe = mmapcas.ErrUnsafe

	// ErrNewerFormat is returned by Open of a store that a newer program has written.
	ErrNewerFormat = mmapcas.ErrNewerFormat

	// ErrCorrupt is matched by what is said of bytes that are not what was written.
	ErrCorrupt = mmapcas.ErrCorrupt

	// ErrReadOnly is returned where the store cannot be written to.
	ErrReadOnly = mmapcas.ErrReadOnly

	// ErrNoSpace is returned where the disk, or the address space, is full. Nothing of the commit
	// was applied.
	ErrNoSpace = mmapcas.ErrNoSpace

	// ErrSync is matched where the disk has failed to take what was written.
	ErrSync = mmapcas.ErrSync

	// ErrNotDurable is returned by a commit that was applied, all of it, and may be lost with the
	// power: the disk has failed to take it.
	ErrNotDurable = db.ErrNotDurable

	// ErrKeyTooLong is returned for a key of more than 16 KiB.
	ErrKeyTooLong = db.ErrKeyTooLong

	// ErrOrder is returned by a BulkWriter for a key that is not greater than the one before.
	ErrOrder = db.ErrOrder

	// ErrReleased is returned by a read through a Snapshot that was released.
	ErrReleased = db.ErrReleased
)

// A LockedError says which process has the store open. It matches ErrLocked.
type LockedError = mmapcas.LockedError

// A CycleError names the queries of a cycle. It matches ErrCycle.
type CycleError = memo.CycleError

// A CycleStep is a query on the path of a CycleError.
type CycleStep = memo.CycleStep

// A PanicError is the failure of a task whose function panicked; it holds the value and the stack.
type PanicError = sched.PanicError

// A DecodeError says that stored bytes do not decode as the type of the partition or query that
// reads them.
type DecodeError struct {
	What string // partition[key] or query name
	Err  error
}

func (e *DecodeError) Error() string { return fmt.Sprintf("runtime: decoding %s: %v", e.What, e.Err) }

func (e *DecodeError) Unwrap() error { return e.Err }
