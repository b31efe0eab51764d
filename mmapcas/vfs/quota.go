package vfs

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"maps"
	"path/filepath"
	"sync"
	"syscall"
)

// A Quota is a file system in which the files of one directory have so many bytes and no more. What
// would need more fails as on a full disk, with a *QuotaError, and nothing of it is done. Files
// that become smaller, and those that are removed, make room again.
//
// A file counts by what it was given: the end of what was written or allocated, and not by a length
// to which it was truncated, which takes no space. One that was there before counts by its length.
// Two calls that grow one file are made one after the other, as FS users do.
type Quota struct {
	FS
	dir   string
	limit int64

	mu    sync.Mutex
	files map[string]int64 // guarded by mu: bytes, by name
	held  int64            // guarded by mu: all of them
}

var _ FS = (*Quota)(nil)

// NewQuota returns fs with a limit on the files of dir, those that are there included. If they have
// more already, they are read as ever, and grow when there is room.
func NewQuota(fs FS, dir string, limit int64) (*Quota, error) {
	q := &Quota{FS: fs, dir: filepath.Clean(dir), limit: limit, files: map[string]int64{}}
	names, err := fs.List(dir)
	if errors.Is(err, iofs.ErrNotExist) {
		return q, nil
	}
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		f, err := fs.Open(filepath.Join(dir, name), true)
		if err != nil {
			continue // a socket, say, or a file that is gone: nothing that grows
		}
		n, err := f.Size()
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		q.files[filepath.Join(q.dir, name)] = n
		q.held += n
	}
	return q, nil
}

// Held returns how many bytes the files have, and how many they may have.
func (q *Quota) Held() (held, limit int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held, q.limit
}

// Files returns how many bytes each file has, by name.
func (q *Quota) Files() map[string]int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return maps.Clone(q.files)
}

// A QuotaError says that a file cannot grow. NoSpace holds for it.
type QuotaError struct {
	Name              string // of the file
	Wants, Held, Most int64  // bytes: that it was to grow by, that all have, and that they may
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("vfs: %s cannot grow by %d bytes: %d of %d are taken", e.Name, e.Wants, e.Held, e.Most)
}

// Unwrap returns what the system says of a full disk.
func (e *QuotaError) Unwrap() error { return syscall.ENOSPC }

// grow takes space for a file that is to have to bytes. The function that is returned gives back
// what it took.
func (q *Quota) grow(name string, to int64) (undo func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	was, counts := q.files[name]
	more := to - was
	if !counts || more <= 0 {
		return func() {}, nil
	}
	if q.held+more > q.limit {
		return nil, &QuotaError{Name: name, Wants: more, Held: q.held, Most: q.limit}
	}
	q.files[name] = to
	q.held += more
	return func() { q.cut(name, was) }, nil
}

// cut gives back what a file has beyond to bytes.
func (q *Quota) cut(name string, to int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if was := q.files[name]; was > to {
		q.files[name] = to
		q.held -= was - to
	}
}

// counts begins to count a file of dir.
func (q *Quota) counts(name string, f File) File {
	if filepath.Dir(name) != q.dir {
		return f
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.files[name]; !known {
		n, err := f.Size()
		if err != nil {
			n = 0 // which will be found out
		}
		q.files[name] = n
		q.held += n
	}
	return &quotaFile{f, q, name}
}

// Create implements FS.
func (q *Quota) Create(name string) (File, error) {
	f, err := q.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return q.counts(filepath.Clean(name), f), nil
}

// Open implements FS.
func (q *Quota) Open(name string, readOnly bool) (File, error) {
	f, err := q.FS.Open(name, readOnly)
	if err != nil {
		return nil, err
	}
	return q.counts(filepath.Clean(name), f), nil
}

// Rename implements FS.
func (q *Quota) Rename(from, to string) error {
	if err := q.FS.Rename(from, to); err != nil {
		return err
	}
	from, to = filepath.Clean(from), filepath.Clean(to)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held -= q.files[to]
	if n, counts := q.files[from]; counts {
		q.files[to] = n
		delete(q.files, from)
	}
	return nil
}

// Remove implements FS.
func (q *Quota) Remove(name string) error {
	if err := q.FS.Remove(name); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	name = filepath.Clean(name)
	q.held -= q.files[name]
	delete(q.files, name)
	return nil
}

type quotaFile struct {
	File
	q    *Quota
	name string
}

func (f *quotaFile) WriteAt(b []byte, off int64) (int, error) {
	undo, err := f.q.grow(f.name, off+int64(len(b)))
	if err != nil {
		return 0, err
	}
	n, err := f.File.WriteAt(b, off)
	if err != nil && n == 0 {
		undo()
	}
	return n, err
}

func (f *quotaFile) Allocate(from, to int64) error {
	undo, err := f.q.grow(f.name, to)
	if err != nil {
		return err
	}
	if err := f.File.Allocate(from, to); err != nil {
		undo()
		return err
	}
	return nil
}

func (f *quotaFile) Truncate(n int64) error {
	if err := f.File.Truncate(n); err != nil {
		return err
	}
	f.q.cut(f.name, n)
	return nil
}
