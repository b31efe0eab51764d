package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// The lock of a directory. There are two: on a file in it, which says who has it, and on the
// directory itself, where the system can lock one. The file may be removed while it is locked, and
// another made in its place; the directory cannot be another and have the same files. What can
// still happen is that the whole directory is removed, or moved, and another one made under its
// name: then whoever holds the lock of the old one must make no file under that name (Check).

// lockTries bounds how often a lock file is opened that is gone when it is locked.
const lockTries = 16

// osLock is a lock that is held.
type osLock struct {
	file *os.File // nil if there is none and none can be made
	dir  *os.File
	// whole: the directory is locked, so that the file is only a note.
	whole bool
}

// Lock implements FS. The directory of the lock file must be the user's, and closed to the writing
// of others.
func (OS) Lock(name, holder string, shared bool) (Lock, error) {
	l := &osLock{}
	var err error
	if l.dir, err = os.Open(filepath.Dir(name)); err != nil {
		return nil, err
	}
	if err := l.take(name, shared); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if !shared && l.file.Truncate(0) == nil {
		// The note is for people; a lock without it is a lock all the same, also on a full disk.
		_, _ = l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+" "+holder+"\n"), 0)
	}
	return l, nil
}

func (l *osLock) take(name string, shared bool) error {
	info, err := l.dir.Stat()
	if err != nil {
		return err
	}
	if err := checkDir(l.dir.Name(), info); err != nil {
		return err
	}
	if err := l.takeFile(name, shared); err != nil {
		return err
	}
	err = lockFile(l.dir, shared)
	if errors.Is(err, errHeld) {
		// Somebody has removed the lock file, or has just gone by the same way.
		return &HeldError{Name: name}
	}
	l.whole = err == nil // some systems, and some networks' disks, lock no directories
	return nil
}

// takeFile opens the lock file and locks it. A file that is not there any more when it is locked
// locks nothing.
func (l *osLock) takeFile(name string, shared bool) error {
	for range lockTries {
		f, err := openFile(name, os.O_RDWR|os.O_CREATE)
		if err != nil && shared {
			// A store that may not be written can still be read; a lock file is there unless no
			// process ever wrote.
			f, err = openFile(name, os.O_RDONLY)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
		}
		if err != nil {
			return err
		}
		if err := lockOpen(f, name, shared); err != nil {
			return errors.Join(err, f.Close())
		}
		there, err := linked(f)
		if there && err == nil {
			l.file = f
			return nil
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return fmt.Errorf("vfs: lock %s: it is removed again and again", name)
}

func lockOpen(f *os.File, name string, shared bool) error {
	err := lockFile(f, shared)
	if errors.Is(err, errHeld) {
		// A lock that can be shared is held by readers; the note is of some writer before them.
		if !shared && lockFile(f, true) == nil {
			return errors.Join(&HeldError{Name: name, Who: heldByReaders}, unlockFile(f))
		}
		return readHolder(f, name)
	}
	if err != nil {
		return fmt.Errorf("vfs: lock %s: %w", name, err)
	}
	return nil
}

// Check implements Lock.
func (l *osLock) Check() error {
	there, err := linkedDir(l.dir)
	if err == nil && there && !l.whole && l.file != nil {
		there, err = linked(l.file)
	}
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("%w: %s", ErrDisplaced, l.dir.Name())
	}
	return nil
}

// Close gives the lock back.
func (l *osLock) Close() error {
	var errs []error
	if l.whole {
		errs = append(errs, unlockFile(l.dir))
	}
	errs = append(errs, l.dir.Close())
	if l.file != nil {
		errs = append(errs, unlockFile(l.file), l.file.Close())
	}
	return errors.Join(errs...)
}

// linkedDir is linked for a directory, whose name may lead there by a symbolic link.
func linkedDir(d *os.File) (bool, error) {
	now, err := os.Stat(d.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	own, err := d.Stat()
	return err == nil && os.SameFile(own, now), err
}
