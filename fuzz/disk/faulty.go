package disk

import (
	"errors"
	"sync"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A Faulty is a file system that announces each call before it is made, and does not make it if
// that gives an error. A write that fails has written its first half. A failed Close has closed.
type Faulty struct {
	fs   vfs.FS
	mu   sync.Mutex
	n    int64
	step func(n int64, call, name string) error // called with mu held
}

var _ vfs.FS = (*Faulty)(nil)

// NewFaulty returns fs with step called before each call: with its number, counted from 1, what it
// is, and on which name.
func NewFaulty(fs vfs.FS, step func(n int64, call, name string) error) *Faulty {
	return &Faulty{fs: fs, step: step}
}

// Steps returns how many calls there have been.
func (f *Faulty) Steps() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

func (f *Faulty) announce(call, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	return f.step(f.n, call, name)
}

// MkdirAll implements vfs.FS.
func (f *Faulty) MkdirAll(dir string) error {
	if err := f.announce("mkdir", dir); err != nil {
		return err
	}
	return f.fs.MkdirAll(dir)
}

// Create implements vfs.FS.
func (f *Faulty) Create(name string) (vfs.File, error) {
	if err := f.announce("create", name); err != nil {
		return nil, err
	}
	return f.file(f.fs.Create(name))
}

// Open implements vfs.FS.
func (f *Faulty) Open(name string, readOnly bool) (vfs.File, error) {
	if err := f.announce("open", name); err != nil {
		return nil, err
	}
	return f.file(f.fs.Open(name, readOnly))
}

func (f *Faulty) file(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

// Rename implements vfs.FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.announce("rename", from); err != nil {
		return err
	}
	return f.fs.Rename(from, to)
}

// Remove implements vfs.FS.
func (f *Faulty) Remove(name string) error {
	if err := f.announce("remove", name); err != nil {
		return err
	}
	return f.fs.Remove(name)
}

// List implements vfs.FS.
func (f *Faulty) List(dir string) ([]string, error) {
	if err := f.announce("list", dir); err != nil {
		return nil, err
	}
	return f.fs.List(dir)
}

// SyncDir implements vfs.FS.
func (f *Faulty) SyncDir(dir string) error {
	if err := f.announce("syncdir", dir); err != nil {
		return err
	}
	return f.fs.SyncDir(dir)
}

// Lock implements vfs.FS.
func (f *Faulty) Lock(name, holder string, shared bool) (vfs.Lock, error) {
	if err := f.announce("lock", name); err != nil {
		return nil, err
	}
	l, err := f.fs.Lock(name, holder, shared)
	if err != nil {
		return nil, err
	}
	return faultyLock{l, f, name}, nil
}

// Table implements vfs.FS.
func (f *Faulty) Table() bool { return f.fs.Table() }

type faultyLock struct {
	vfs.Lock
	f    *Faulty
	name string
}

func (l faultyLock) Close() error {
	return errors.Join(l.f.announce("unlock", l.name), l.Lock.Close())
}

type faultyFile struct {
	vfs.File
	f *Faulty
}

func (f *faultyFile) announce(call string) error { return f.f.announce(call, f.Name()) }

func (f *faultyFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.announce("read"); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.announce("write"); err != nil {
		n, werr := f.File.WriteAt(b[:len(b)/2], off)
		return n, errors.Join(err, werr)
	}
	return f.File.WriteAt(b, off)
}

func (f *faultyFile) Close() error {
	return errors.Join(f.announce("close"), f.File.Close())
}

func (f *faultyFile) Size() (int64, error) {
	if err := f.announce("size"); err != nil {
		return 0, err
	}
	return f.File.Size()
}

func (f *faultyFile) Linked() (bool, error) {
	if err := f.announce("linked"); err != nil {
		return false, err
	}
	return f.File.Linked()
}

func (f *faultyFile) Truncate(n int64) error {
	if err := f.announce("truncate"); err != nil {
		return err
	}
	return f.File.Truncate(n)
}

func (f *faultyFile) Allocate(from, to int64) error {
	if err := f.announce("allocate"); err != nil {
		return err
	}
	return f.File.Allocate(from, to)
}

func (f *faultyFile) Zero(off, n int64) error {
	if err := f.announce("zero"); err != nil {
		return err
	}
	return f.File.Zero(off, n)
}

func (f *faultyFile) Sync() error {
	if err := f.announce("sync"); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Source() arena.Source {
	return arena.Failing(f.File.Source(), f.announce)
}
