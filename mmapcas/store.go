package mmapcas

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

const lockName = "lock"

// A Store holds records. All methods may be called from any goroutine.
type Store struct {
	dir    string // "" in memory; immutable
	opts   Options
	fs     vfs.FS
	log    *slog.Logger
	epochs *epoch.Domain
	// ownEpochs: nobody else knows the domain. Immutable.
	ownEpochs bool
	arena     *arena.Arena
	index     *index.Index
	blocks    *blockCache
	pool      *pool
	idle      idleReaders
	identity  [identityBytes]byte
	lock      vfs.Lock // nil in memory
	closed    atomic.Bool
	counters  counters

	segMu      sync.Mutex
	segs       map[uint32]*segment // by number; guarded by segMu
	spares     []*segment          // open segments without an appender; guarded by segMu
	nextNumber uint32              // guarded by segMu
	making     map[uint32]struct{} // numbers of segments being made; guarded by segMu

	commitMu sync.Mutex
	manifest *manifest // nil in memory; guarded by commitMu
	note     atomic.Pointer[[]byte]
	// namesDurable: the names of all segments are. False after opening, since an earlier process may have run with
	// SyncNone; guarded by commitMu.
	namesDurable bool

	failure atomic.Pointer[error] // the first failed sync that was not made up for
	final   atomic.Bool           // and cannot be; see rescue

	saving saving

	cycle atomic.Pointer[Cycle] // the running collection; changed with all appenders held

	pins pins

	trimming trimming
	reserve  reserve
}

func sortedSegments(m map[uint32]*segment) []*segment {
	return slices.SortedFunc(maps.Values(m), func(a, b *segment) int { return int(int64(a.number) - int64(b.number)) })
}

// Open opens the store in dir, which it makes if need be. dir "" is a store in memory, which nothing outlives.
//
// Errors: *LockedError when somebody else has it, *FormatError when it is newer than this program, *CorruptError when what
// must be whole to open at all is not, ErrReadOnly, ErrNoSpace. Damaged records do not keep a store from opening.
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
		pool: newPool(o.Appenders), blocks: newBlockCache(o.Epochs, o.PackedCacheBytes), segs: map[uint32]*segment{}, making: map[uint32]struct{}{}, nextNumber: 1,
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
	return s.recover()
}

func (s *Store) openMemory() (err error) {
	if s.arena, err = arena.New(s.opts.arena()); err != nil {
		return err
	}
	s.index, err = index.New(s.arena, s.epochs, 0)
	return err
}

// Close ends the store. Puts that are under way finish; calls that come later get ErrClosed. Memory is given back when the
// readers inside have left, which Close waits for only briefly: a reader that stays keeps its memory, not the store.
//
// Close is no commit: what was put since the last one is found by Tail when the store is opened again.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return ErrClosed
	}
	// A cycle that was about to begin has begun once this mutex is free, and none begins later.
	s.commitMu.Lock()
	c := s.cycle.Load()
	s.commitMu.Unlock()
	if c != nil {
		c.Abort()
	}
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	// Waits for puts inside; later ones see closed once they hold an appender.
	s.pool.exclusive(func(all []*appender) {
		for _, a := range all {
			a.Detach()
		}
	})
	s.saveIndexNow()
	return s.release()
}

// release gives back whatever Open took.
func (s *Store) release() error {
	s.closeReserve()
	var errs []error
	segs := s.segments()
	var left atomic.Int64
	left.Store(int64(len(segs)))
	for _, seg := range segs {
		seg.mem.Retire(s.epochs, func(err error) {
			left.Add(-1)
			if err == nil {
				err = s.trim(seg)
			}
			if seg.file != nil {
				err = errors.Join(err, seg.file.Close())
			}
			if err != nil {
				s.log.Warn("mmapcas: close segment", "segment", seg.name, "err", err)
			}
		})
	}
	s.blocks.close()
	if s.index != nil {
		x := s.index
		s.epochs.Retire(int(x.Bytes()), x.Free)
	}
	const rounds = 100
	for i := 0; i < rounds && (left.Load() > 0 || s.counters.retired.Load() > 0); i++ {
		s.epochs.Collect()
		goruntime.Gosched()
	}
	s.epochs.Collect()
	if s.manifest != nil {
		errs = append(errs, s.manifest.close())
	}
	s.trimming.allow(false)
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.arena != nil && left.Load() == 0 && s.counters.retired.Load() == 0 {
		errs = append(errs, s.arena.Close())
	}
	return errors.Join(errs...)
}

// reap gives retired memory back, if that is the store's business: a domain that was handed in has an owner who reaps. It
// is called where work shows at every level of load, at commits and new segments.
func (s *Store) reap() {
	if s.ownEpochs {
		s.epochs.Collect()
	}
}

// Dir returns the directory of the store, "" for one in memory.
func (s *Store) Dir() string { return s.dir }

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
