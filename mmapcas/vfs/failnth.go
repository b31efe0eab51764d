package vfs

import (
	"errors"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
)

// ErrInjected is what FailNth fails with unless told otherwise.
var ErrInjected = errors.New("vfs: injected failure")

// A Failing passes everything to another file system and makes one step fail. Steps are all calls
// that can fail except Close, Size and reading: whoever cannot read or close loses nothing, and
// these would hide the rest.
type Failing struct {
	fs   FS
	err  error
	left atomic.Int64 // steps to go until the one that fails
	rest bool         // all steps after it fail too
}

var _ FS = (*Failing)(nil)

// FailNth returns fs with its n-th step from now failing, counted from 1, with err, or ErrInjected
// if that is nil. A failing write writes the first half. Steps after it succeed.
func FailNth(fs FS, n int64, err error) *Failing {
	f := &Failing{fs: fs, err: err}
	if err == nil {
		f.err = ErrInjected
	}
	f.left.Store(n)
	return f
}

// FailFrom is FailNth with all later steps failing as well: the power, or the cable, is gone.
func FailFrom(fs FS, n int64, err error) *Failing {
	f := FailNth(fs, n, err)
	f.rest = true
	return f
}

// FailNow makes the next step the one that fails.
func (f *Failing) FailNow() { f.left.Store(1) }

// Fired reports whether the step has come.
func (f *Failing) Fired() bool { return f.left.Load() <= 0 }

func (f *Failing) step() error {
	if left := f.left.Add(-1); left == 0 || (f.rest && left < 0) {
		return f.err
	}
	return nil
}

// MkdirAll implements FS.
func (f *Failing) MkdirAll(dir string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.fs.MkdirAll(dir)
}

// Create implements FS.
func (f *Failing) Create(name string) (File, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	file, err := f.fs.Create(name)
	if err != nil {
		return nil, err
	}
	return &failingFile{File: file, f: f}, nil
}

// Open implements FS.
func (f *Failing) Open(name string, readOnly bool) (File, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	file, err := f.fs.Open(name, readOnly)
	if err != nil {
		return nil, err
	}
	return &failingFile{File: file, f: f}, nil
}

// Rename implements FS.
func (f *Failing) Rename(from, to string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.fs.Rename(from, to)
}

// Remove implements FS.
func (f *Failing) Remove(name string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.fs.Remove(name)
}

// List implements FS.
func (f *Failing) List(dir string) ([]string, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	return f.fs.List(dir)
}

// SyncDir implements FS.
func (f *Failing) SyncDir(dir string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.fs.SyncDir(dir)
}

// Lock implements FS.
func (f *Failing) Lock(name, holder string, shared bool) (Lock, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	return f.fs.Lock(name, holder, shared)
}

// Table implements FS.
func (f *Failing) Table() bool { return f.fs.Table() }

type failingFile struct {
	File
	f *Failing
}

func (f *failingFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.f.step(); err != nil {
		n, werr := f.File.WriteAt(b[:len(b)/2], off)
		return n, errors.Join(err, werr)
	}
	return f.File.WriteAt(b, off)
}

func (f *failingFile) Truncate(n int64) error {
	if err := f.f.step(); err != nil {
		return err
	}
	return f.File.Truncate(n)
}

func (f *failingFile) Allocate(from, to int64) error {
	if err := f.f.step(); err != nil {
		return err
	}
	return f.File.Allocate(from, to)
}

func (f *failingFile) Zero(off, n int64) error {
	if err := f.f.step(); err != nil {
		return err
	}
	return f.File.Zero(off, n)
}

func (f *failingFile) Sync() error {
	if err := f.f.step(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *failingFile) Source() arena.Source {
	if err := f.f.step(); err != nil {
		return arena.Memory(func(int64) ([]byte, error) { return nil, err })
	}
	return f.File.Source()
}
