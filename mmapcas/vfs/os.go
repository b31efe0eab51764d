package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/arena"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// OS is the operating system's file system.
type OS struct{}

var _ FS = OS{}

// MkdirAll implements FS.
func (OS) MkdirAll(dir string) error { return os.MkdirAll(dir, dirMode) }

// Create implements FS.
func (OS) Create(name string) (File, error) {
	f, err := openFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	return &osFile{f}, nil
}

// Open implements FS.
func (OS) Open(name string, readOnly bool) (File, error) {
	flag := os.O_RDWR
	if readOnly {
		flag = os.O_RDONLY
	}
	f, err := openFile(name, flag)
	if err != nil {
		return nil, err
	}
	return &osFile{f}, nil
}

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// List implements FS.
func (OS) List(dir string) ([]string, error) {
	es, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(es))
	for i, e := range es {
		names[i] = e.Name()
	}
	slices.Sort(names)
	return names, nil
}

// SyncDir implements FS.
func (OS) SyncDir(dir string) error { return syncDir(dir) }

// Table implements FS.
func (OS) Table() bool { return false }

// errHeld is what lockFile says when somebody else has the lock.
var errHeld = errors.New("held")

// heldByReaders is what a HeldError says of holders of a shared lock, who leave no note.
const heldByReaders = "open for reading"

func readHolder(r io.ReaderAt, name string) *HeldError {
	var b [512]byte
	n, _ := r.ReadAt(b[:], 0) // nothing to read is nothing known
	return parseHolder(name, b[:n])
}

// parseHolder reads "pid name"; whatever else it finds means that the holder is not known.
func parseHolder(name string, b []byte) *HeldError {
	e := &HeldError{Name: name}
	line, _, ok := strings.Cut(string(b), "\n")
	if !ok {
		return e
	}
	pid, who, _ := strings.Cut(line, " ")
	if n, err := strconv.Atoi(pid); err == nil && n > 0 {
		e.PID, e.Who = n, strings.ToValidUTF8(who, "?")
	}
	return e
}

type osFile struct{ f *os.File }

func (f *osFile) ReadAt(b []byte, off int64) (int, error)  { return f.f.ReadAt(b, off) }
func (f *osFile) WriteAt(b []byte, off int64) (int, error) { return f.f.WriteAt(b, off) }
func (f *osFile) Close() error                             { return f.f.Close() }
func (f *osFile) Name() string                             { return f.f.Name() }
func (f *osFile) Truncate(n int64) error                   { return f.f.Truncate(n) }
func (f *osFile) Source() arena.Source                     { return arena.File(f.f) }

func (f *osFile) Size() (int64, error) {
	fi, err := f.f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// Linked implements File.
func (f *osFile) Linked() (bool, error) { return linked(f.f) }

func linked(f *os.File) (bool, error) {
	now, err := os.Lstat(f.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	own, err := f.Stat()
	return err == nil && os.SameFile(own, now), err
}

func (f *osFile) Allocate(from, to int64) error {
	if from >= to {
		return nil
	}
	if err := allocate(f.f, from, to); err != nil {
		return fmt.Errorf("vfs: allocate %d bytes at %d of %s: %w", to-from, from, f.f.Name(), err)
	}
	return nil
}

func (f *osFile) Zero(off, n int64) error {
	if n <= 0 {
		return nil
	}
	if err := zero(f.f, off, n); err != nil {
		return fmt.Errorf("vfs: clear %d bytes at %d of %s: %w", n, off, f.f.Name(), err)
	}
	return nil
}

func (f *osFile) Sync() error {
	if err := datasync(f.f); err != nil {
		return fmt.Errorf("vfs: sync %s: %w", f.f.Name(), err)
	}
	return nil
}

// writeZeros stores zeros in [off, off+n): the portable way to give bytes disk space.
func writeZeros(f *os.File, off, n int64) error {
	buf := make([]byte, min(n, 1<<20))
	for n > 0 {
		k, err := f.WriteAt(buf[:min(n, int64(len(buf)))], off)
		if err != nil {
			return err
		}
		off += int64(k)
		n -= int64(k)
	}
	return nil
}

// clearBytes is writeZeros where something else than zero is read: the portable way to clear a
// range that is mostly empty, which does not fill the holes of a sparse file.
func clearBytes(f *os.File, off, n int64) error {
	const step = 64 << 10
	buf := make([]byte, min(n, step))
	for n > 0 {
		b := buf[:min(n, step)]
		k, err := f.ReadAt(b, off)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if k == 0 {
			return nil // the file ends here
		}
		if !allZero(b[:k]) {
			clear(b[:k])
			if _, err := f.WriteAt(b[:k], off); err != nil {
				return err
			}
		}
		off += int64(k)
		n -= int64(k)
	}
	return nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
