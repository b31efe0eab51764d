package mmapcas

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

const lockName = "lock"

// Open opens the store in dir, which it makes if need be. dir "" is a store in memory, which
// nothing outlives.
//
// Errors: *LockedError when somebody else has it, *FormatError when it is newer than this program,
// *CorruptError when what must be whole to open at all is not, ErrReadOnly, ErrNoSpace. Damaged
// records do not keep a store from opening.
func Open(dir string, o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	ownEpochs := o.Epochs == nil
	o = o.withDefaults(dir)
	if dir == "" && o.ReadOnly {
		return nil, fmt.Errorf("%w: a store in memory would stay empty", ErrReadOnly)
	}
	s := &Store{
		dir: dir, opts: o, fs: o.FS, log: o.Logger, epochs: o.Epochs, ownEpochs: ownEpochs,
		pool: newPool(o.Appenders), segs: map[uint32]*segment{}, making: map[uint32]struct{}{}, nextNumber: 1,
	}
	for _, kind := range o.Compress {
		s.compress[kind] = true
	}
	if err := s.open(); err != nil {
		s.closed.Store(true)
		err = openError(dir, err)
		if rerr := s.release(); rerr != nil {
			err = errors.Join(err, rerr)
		}
		return nil, err
	}
	s.trimming.allow(true)
	s.openReserve()
	return s, nil
}

func openError(dir string, err error) error {
	if held, ok := errors.AsType[*vfs.HeldError](err); ok {
		return &LockedError{Path: dir, PID: held.PID, Holder: held.Who}
	}
	return fmt.Errorf("mmapcas: open %s: %w", dir, classify(err))
}

func (s *Store) open() error {
	if s.dir == "" {
		return s.openMemory()
	}
	if s.opts.ReadOnly || s.opts.MustExist {
		// Before a lock file is made where there is no store.
		if there, err := exists(s.fs, s.dir); err != nil {
			return err
		} else if !there {
			return ErrNoStore
		}
	} else if err := s.fs.MkdirAll(s.dir); err != nil {
		return err
	}
	var err error
	s.lock, err = s.fs.Lock(filepath.Join(s.dir, lockName), s.opts.Name, s.opts.ReadOnly)
	if err != nil {
		return err
	}
	ao := s.opts.arena()
	fresh := superblock{version: plainVersion, segmentBytes: ao.WithDefaults().SegmentBytes}
	if _, err := rand.Read(fresh.identity[:]); err != nil {
		return err
	}
	sb, lost, err := openSuperblock(s.fs, s.dir, fresh, s.opts.ReadOnly)
	if err != nil {
		return err
	}
	if lost != nil {
		s.counters.damaged.Add(1)
		s.log.Warn("mmapcas: superblock made again from what the segments say; if there are none, the store is empty", "err", lost)
	}
	s.identity = sb.identity
	ao.SegmentBytes = sb.segmentBytes
	if s.arena, err = arena.New(ao); err != nil {
		return err
	}
	s.SetFrugal(s.opts.Frugal, 0)
	return s.recover()
}

func (s *Store) openMemory() (err error) {
	if s.arena, err = arena.New(s.opts.arena()); err != nil {
		return err
	}
	s.index, err = index.New(s.arena, s.epochs, 0)
	return err
}

// exists reports whether dir holds a store, of whatever format, or what is left of one.
func exists(fsys vfs.FS, dir string) (bool, error) {
	names, err := fsys.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return slices.ContainsFunc(names, func(n string) bool {
		_, isSegment := parseSegmentName(n)
		return isSegment || n == superblockName || n == manifestName
	}), err
}
