package vfs

import (
	"errors"
	"fmt"
	"io"
	iofs "io/fs"

	"github.com/cytisus/cytisus/arena"
)

// FS is a file system. All methods may be called from any goroutine. Errors wrap those of the
// system, so that errors.Is(err, fs.ErrNotExist) and errors.Is(err, syscall.ENOSPC) work.
type FS interface {
	// MkdirAll makes a directory and its parents, readable by the owner alone.
	MkdirAll(dir string) error
	// Create makes a new file, open for reading and writing. It fails if the name exists.
	Create(name string) (File, error)
	// Open opens an existing file, for writing too unless readOnly.
	Open(name string, readOnly bool) (File, error)
	// Rename gives a file another name, in place of the file that had it.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// List returns the names, without directory, of what is in dir, sorted.
	List(dir string) ([]string, error)
	// SyncDir makes the names in dir durable.
	SyncDir(dir string) error
	// Lock takes the lock that the file of this name stands for, exclusively or shared, without
	// waiting. While it is held by others the error is a *HeldError. The lock ends with Close of
	// the returned value or with the process, however that ends. An exclusive holder leaves holder
	// behind for those who come later. A directory in which others could exchange files is an
	// *UnsafeError.
	Lock(name, holder string, shared bool) (Lock, error)
	// Table reports whether segments in these files need an arena of the table form.
	Table() bool
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Name returns the name it was opened by.
	Name() string
	// Size returns the length in bytes.
	Size() (int64, error)
	// Linked reports whether the name still leads to this file: nobody has removed it, or put
	// another in its place.
	Linked() (bool, error)
	// Truncate sets the length; bytes beyond the old one are zero, and may have no disk space yet.
	// The file must not be mapped.
	Truncate(n int64) error
	// Allocate gives the bytes [from, to) disk space, so that storing into them cannot fail for
	// want of it, and makes the file to bytes long, if it is shorter. The caller knows that no byte
	// of the range holds anything but zero: some systems give space by writing zeros.
	Allocate(from, to int64) error
	// Zero clears n bytes at off, inside the file, and keeps their disk space.
	Zero(off, n int64) error
	// Sync makes bytes and size durable.
	Sync() error
	// Source returns the file as the memory of a segment.
	Source() arena.Source
}

// A Lock is one that is held.
type Lock interface {
	io.Closer
	// Check reports whether the lock still guards what its name leads to: ErrDisplaced if the
	// directory, or what stands for it, was removed or replaced meanwhile.
	Check() error
}

// ErrDisplaced: what a lock was taken for is not where it was.
var ErrDisplaced = errors.New("vfs: the directory was removed or replaced while it was in use")

// ErrUnsafe is the class of *UnsafeError.
var ErrUnsafe = errors.New("vfs: not safe to use")

// An UnsafeError says why a file or directory is not to be trusted, and what to do. It matches
// ErrUnsafe.
type UnsafeError struct {
	Path   string
	Reason string
}

func (e *UnsafeError) Error() string {
	return fmt.Sprintf("%s is not safe to use: %s", e.Path, e.Reason)
}

// Is reports whether target is ErrUnsafe.
func (e *UnsafeError) Is(target error) bool { return target == ErrUnsafe }

// ErrHeld is the class of *HeldError.
var ErrHeld = errors.New("vfs: lock is held")

// A HeldError says who holds a lock. It matches ErrHeld.
type HeldError struct {
	Name string
	PID  int    // 0 if unknown
	Who  string // what the holder said of itself, "" if unknown
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("vfs: %s is held by process %d (%s)", e.Name, e.PID, e.Who)
}

// Is reports whether target is ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// readAll returns all bytes of f.
func readAll(f File) ([]byte, error) {
	n, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	k, err := f.ReadAt(b, 0)
	if int64(k) == n {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("vfs: read %s: %w", f.Name(), err)
}

// ReadFile returns the bytes of the file of that name.
func ReadFile(fs FS, name string) (b []byte, err error) {
	f, err := fs.Open(name, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return readAll(f)
}

// WriteFile replaces the file of that name, in the directory dir, as a whole: whoever opens the
// name, after a power cut too, finds the old bytes or the new ones. With sync false that holds for
// killed processes only. replaced reports whether the name leads to the new bytes now, which it may
// although making that durable failed.
func WriteFile(fs FS, dir, name string, b []byte, sync bool) (replaced bool, err error) {
	return Replace(fs, dir, name, sync, func(f File) error {
		_, err := f.WriteAt(b, 0)
		return err
	})
}

// Replace is WriteFile for what fill writes into an empty file; its error leaves the old file in
// place.
func Replace(fs FS, dir, name string, sync bool, fill func(File) error) (replaced bool, err error) {
	tmp := name + TempSuffix
	f, err := fs.Create(tmp)
	if errors.Is(err, iofs.ErrExist) {
		// Somebody's who did not come to the end.
		if err := fs.Remove(tmp); err != nil {
			return false, err
		}
		f, err = fs.Create(tmp)
	}
	if err != nil {
		return false, err
	}
	err = fill(f)
	if err == nil && sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = fs.Rename(tmp, name)
	}
	if err != nil {
		// If this fails too, the file is in nobody's way.
		_ = fs.Remove(tmp)
		return false, err
	}
	if sync {
		err = fs.SyncDir(dir)
	}
	return true, err
}

// TempSuffix ends the names of files that WriteFile has not finished.
const TempSuffix = ".tmp"
