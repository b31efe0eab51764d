package vfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/cytisus/cytisus/arena"
)

const sectorBytes = 512

// Mem is a file system in memory. It remembers what was synced; see CrashClone.
type Mem struct {
	mu    sync.Mutex
	dirs  map[string]*memDir  // by cleaned name
	locks map[string]*memLock // by cleaned name; not cloned: locks die with their process
	pid   int                 // what lock holders are called
	limit int64               // bytes of all files together; 0 is none
}

var _ FS = (*Mem)(nil)

// memDir is a directory of files. Directories themselves are durable once made.
type memDir struct {
	names  map[string]*memNode
	synced map[string]*memNode
	log    []func(map[string]*memNode) // changes since SyncDir, oldest first; each works on what others left
}

// memNode is a file's content. data is shared with mappings, so it never moves once mapped.
type memNode struct {
	data   []byte
	synced []byte
}

type memLock struct {
	exclusive bool
	shared    int
	who       string
}

// NewMem returns an empty file system.
func NewMem() *Mem {
	return &Mem{dirs: map[string]*memDir{}, locks: map[string]*memLock{}, pid: os.Getpid()}
}

// SetLimit makes the disk full when all files together have n bytes. 0 lifts the limit. Clones have
// none.
func (m *Mem) SetLimit(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = n
}

// room reports whether f may have size bytes.
func (m *Mem) room(f *memFile, size int) error {
	if m.limit == 0 || size <= len(f.node.data) {
		return nil
	}
	used := int64(size - len(f.node.data))
	for _, d := range m.dirs {
		for _, n := range d.names {
			used += int64(len(n.data))
		}
	}
	if used > m.limit {
		return &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	return nil
}

// Clone returns the file system as another process finds it when this one is killed now. Nobody may
// be writing, through mappings either.
func (m *Mem) Clone() *Mem {
	return m.clone(
		func(d *memDir) map[string]*memNode { return d.names },
		func(n *memNode) []byte { return slices.Clone(n.data) },
	)
}

// CrashClone returns a file system as it may be found after a power cut now; the seed picks one of
// the possibilities. Nobody may be writing, through mappings either.
func (m *Mem) CrashClone(seed uint64) *Mem {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	return m.crashClone(rng, func(log []func(map[string]*memNode)) []func(map[string]*memNode) {
		return log[:rng.IntN(len(log)+1)]
	})
}

// CrashCloneUnordered is CrashClone of a file system without a journal: of the changes in a
// directory since its SyncDir any part survives, each on its own.
func (m *Mem) CrashCloneUnordered(seed uint64) *Mem {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	return m.crashClone(rng, func(log []func(map[string]*memNode)) []func(map[string]*memNode) {
		return slices.DeleteFunc(slices.Clone(log), func(func(map[string]*memNode)) bool { return rng.IntN(2) == 0 })
	})
}

// crashClone keeps of the changes in each directory those that survive picks.
func (m *Mem) crashClone(rng *rand.Rand, survive func([]func(map[string]*memNode)) []func(map[string]*memNode)) *Mem {
	return m.clone(
		func(d *memDir) map[string]*memNode {
			names := maps.Clone(d.synced)
			for _, change := range survive(d.log) {
				change(names)
			}
			return names
		},
		func(n *memNode) []byte { return n.crash(rng) },
	)
}

func (m *Mem) clone(names func(*memDir) map[string]*memNode, content func(*memNode) []byte) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMem()
	for _, dir := range slices.Sorted(maps.Keys(m.dirs)) {
		left := names(m.dirs[dir])
		d := &memDir{names: map[string]*memNode{}}
		for _, name := range slices.Sorted(maps.Keys(left)) {
			data := content(left[name])
			d.names[name] = &memNode{data: data, synced: slices.Clone(data)}
		}
		d.synced = maps.Clone(d.names)
		c.dirs[dir] = d
	}
	return c
}

// crash returns content that a power cut may leave: the size before or after, and each changed
// sector old or new.
func (n *memNode) crash(rng *rand.Rand) []byte {
	size := len(n.data)
	if len(n.synced) != size && rng.IntN(2) == 0 {
		size = len(n.synced)
	}
	out := make([]byte, size)
	copy(out, n.synced)
	for off := 0; off < size; off += sectorBytes {
		end := min(off+sectorBytes, size)
		if off < len(n.data) && rng.IntN(2) == 0 {
			copy(out[off:end], n.data[off:])
		}
	}
	return out
}

func (m *Mem) dirOf(name string) (*memDir, string, error) {
	dir, base := filepath.Split(filepath.Clean(name))
	d := m.dirs[filepath.Clean(dir)]
	if d == nil {
		return nil, "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return d, base, nil
}

func (d *memDir) change(fn func(map[string]*memNode)) {
	fn(d.names)
	d.log = append(d.log, fn)
}

// MkdirAll implements FS.
func (m *Mem) MkdirAll(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = filepath.Clean(dir)
	if m.dirs[dir] == nil {
		m.dirs[dir] = &memDir{names: map[string]*memNode{}, synced: map[string]*memNode{}}
	}
	return nil
}

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, err := m.dirOf(name)
	if err != nil {
		return nil, err
	}
	if d.names[base] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	n := &memNode{}
	d.change(func(names map[string]*memNode) { names[base] = n })
	return &memFile{m: m, name: name, node: n}, nil
}

// Open implements FS.
func (m *Mem) Open(name string, readOnly bool) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, err := m.dirOf(name)
	if err != nil {
		return nil, err
	}
	n := d.names[base]
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memFile{m: m, name: name, node: n, readOnly: readOnly}, nil
}

// Rename implements FS. Both names must be in one directory.
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, err := m.dirOf(from)
	if err != nil {
		return err
	}
	d2, base2, err := m.dirOf(to)
	if err != nil {
		return err
	}
	if d != d2 {
		return &fs.PathError{Op: "rename", Path: from, Err: fmt.Errorf("to another directory: %w", fs.ErrInvalid)}
	}
	n := d.names[base]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	d.change(func(names map[string]*memNode) {
		delete(names, base)
		names[base2] = n
	})
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, base, err := m.dirOf(name)
	if err != nil {
		return err
	}
	if d.names[base] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	d.change(func(names map[string]*memNode) { delete(names, base) })
	return nil
}

// List implements FS.
func (m *Mem) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.dirs[filepath.Clean(dir)]
	if d == nil {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: fs.ErrNotExist}
	}
	return slices.Sorted(maps.Keys(d.names)), nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.dirs[filepath.Clean(dir)]
	if d == nil {
		return &fs.PathError{Op: "sync", Path: dir, Err: fs.ErrNotExist}
	}
	d.synced = maps.Clone(d.names)
	d.log = nil
	return nil
}

// Table implements FS.
func (m *Mem) Table() bool { return true }

// Lock implements FS.
func (m *Mem) Lock(name, holder string, shared bool) (Lock, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	l := m.locks[name]
	if l == nil {
		l = &memLock{}
		m.locks[name] = l
	}
	if l.exclusive || (!shared && l.shared > 0) {
		if !l.exclusive {
			return nil, &HeldError{Name: name, Who: heldByReaders}
		}
		return nil, &HeldError{Name: name, PID: m.pid, Who: l.who}
	}
	if shared {
		l.shared++
	} else {
		l.exclusive, l.who = true, holder
	}
	return &memUnlock{m: m, l: l, shared: shared}, nil
}

type memUnlock struct {
	m      *Mem
	l      *memLock
	shared bool
	once   sync.Once
}

// Check implements Lock: nobody takes the file system away.
func (u *memUnlock) Check() error { return nil }

func (u *memUnlock) Close() error {
	u.once.Do(func() {
		u.m.mu.Lock()
		defer u.m.mu.Unlock()
		if u.shared {
			u.l.shared--
		} else {
			u.l.exclusive = false
		}
	})
	return nil
}

// memFile is an open memNode. The file system's mutex guards the node, except for bytes reached
// through a mapping: they have an appender as their owner.
type memFile struct {
	m        *Mem
	name     string
	node     *memNode
	readOnly bool
}

func (f *memFile) Name() string { return f.name }
func (f *memFile) Close() error { return nil }

func (f *memFile) Size() (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return int64(len(f.node.data)), nil
}

func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Linked implements File.
func (f *memFile) Linked() (bool, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	d, base, err := f.m.dirOf(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && d.names[base] == f.node, err
}

func (f *memFile) writable() error {
	if f.readOnly {
		return &fs.PathError{Op: "write", Path: f.name, Err: fs.ErrPermission}
	}
	return nil
}

func (f *memFile) WriteAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.writable(); err != nil {
		return 0, err
	}
	if err := f.m.room(f, int(off)+len(b)); err != nil {
		return 0, err
	}
	f.node.resize(max(int(off)+len(b), len(f.node.data)))
	return copy(f.node.data[off:], b), nil
}

func (f *memFile) Truncate(n int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.writable(); err != nil {
		return err
	}
	if int(n) < len(f.node.data) {
		clear(f.node.data[n:]) // what a later resize brings back is zero
	}
	f.node.resize(int(n))
	return nil
}

func (f *memFile) Allocate(_, to int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.writable(); err != nil {
		return err
	}
	if err := f.m.room(f, int(to)); err != nil {
		return err
	}
	f.node.resize(max(int(to), len(f.node.data)))
	return nil
}

func (f *memFile) Zero(off, n int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.writable(); err != nil {
		return err
	}
	clear(f.node.data[off:min(off+n, int64(len(f.node.data)))])
	return nil
}

func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.node.synced = copyPages(f.node.synced, f.node.data)
	return nil
}

// copyPages makes dst a copy of src as a disk would: a page may be stored into while it is copied,
// and then some mix arrives. The race detector is kept out since that is the point: word by word,
// because copy and append tell it in any case.
//
//go:norace
func copyPages(dst, src []byte) []byte {
	if cap(dst) < len(src) {
		dst = make([]byte, len(src))
	}
	dst = dst[:len(src)]
	i := 0
	for ; i+8 <= len(src); i += 8 {
		binary.NativeEndian.PutUint64(dst[i:], binary.NativeEndian.Uint64(src[i:]))
	}
	for ; i < len(src); i++ {
		dst[i] = src[i]
	}
	return dst
}

// Source maps the file: the segment is the file's own memory.
func (f *memFile) Source() arena.Source {
	return arena.Memory(func(n int64) ([]byte, error) {
		f.m.mu.Lock()
		defer f.m.mu.Unlock()
		size := len(f.node.data)
		if int(n) > cap(f.node.data) {
			f.node.resize(int(n))
			f.node.resize(size)
		}
		return f.node.data[:n:n], nil
	})
}

// resize sets the size and moves data only if its capacity is too small, which it never is once
// mapped.
func (n *memNode) resize(size int) {
	if size <= cap(n.data) {
		n.data = n.data[:size]
		return
	}
	// Words, so that atomics on mapped bytes are aligned.
	grown := heapWords(size)
	copy(grown, n.data)
	n.data = grown
}
