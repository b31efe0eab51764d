package mmapcas

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A Store holds records. All methods may be called from any goroutine.
type Store struct {
	dir    string // "" in memory; immutable
	opts   Options
	fs     vfs.FS
	log    *slog.Logger
	epochs *epoch.Domain
	// ownEpochs: no other store knows the domain. Immutable.
	ownEpochs bool
	arena     *arena.Arena
	index     *index.Index
	compress  [256]bool // kinds of which payloads are compressed; immutable
	pool      *pool
	idle      lender // of readers
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
	// namesDurable: the names of all segments are. False after opening, since an earlier process
	// may have run with SyncNone; guarded by commitMu.
	namesDurable bool
	// told is the sequence number of the newest statement, and durable that of the newest that is
	// known to be durable, 0 if none is; guarded by commitMu.
	told, durable uint64
	// found is what told was when the store was opened; guarded by commitMu.
	found uint64
	// unsettled is how many bytes statements in segments cover beyond the newest manifest record
	// that is known to be durable; guarded by commitMu.
	unsettled int64

	failure atomic.Pointer[error] // the first failed sync that was not made up for
	final   atomic.Bool           // and cannot be; see rescue

	saving saving

	cycle  atomic.Pointer[Cycle] // the running collection; changed with all appenders held
	elders elders

	pins pins

	trimming trimming
	reserve  reserve
}

func sortedSegments(m map[uint32]*segment) []*segment {
	return slices.SortedFunc(maps.Values(m), func(a, b *segment) int { return int(int64(a.number) - int64(b.number)) })
}

// reap gives retired memory back, if that is the store's business: a domain that was handed in has
// an owner who reaps. It is called where work shows at every level of load, at commits and new
// segments.
func (s *Store) reap() {
	if s.ownEpochs {
		s.epochs.Collect()
	}
}

// Dir returns the directory of the store, "" for one in memory.
func (s *Store) Dir() string { return s.dir }

// counters are written as things happen and read without stopping anything.
type counters struct {
	puts, dedupHits      atomic.Int64
	live                 atomic.Int64 // bytes of records in the index
	dropped              atomic.Int64 // bytes of records taken out of it since Open, by drop
	commits, syncs       atomic.Int64
	damaged              atomic.Int64
	segmentsMade         atomic.Int64
	retired              atomic.Int64 // segments waiting for their readers
	cycles, swept, moved atomic.Int64
}

// saving is the state of writing index files.
type saving struct {
	mu      sync.Mutex
	busy    chan struct{} // closed when the save under way has ended; nil if there is none; guarded by mu
	retryAt int64         // committed bytes from which to try again after a failure; guarded by mu
	changed int64         // records swept and moved when the last save began; guarded by mu

	// settled is counters.moved at the last Commit that began outside a collection: all records
	// moved before are where a manifest record says that bytes are complete. Guarded by commitMu.
	settled int64
}

// trimming says whether files may be cut: only between a complete Open and the release of the
// store's lock, after which the files may be another process's.
type trimming struct {
	mu      sync.Mutex
	allowed bool // guarded by mu
}

type reserve struct {
	mu    sync.Mutex
	f     vfs.File // guarded by mu; nil: there is none
	bytes int64    // guarded by mu; its length
	whole int64    // guarded by mu; what it is when nothing was taken
}

// pins are the records that collections keep whatever the roots say.
type pins struct {
	mu    sync.Mutex
	count map[Hash]int // guarded by mu; never 0
}

// segments returns all segments in the order of their numbers.
func (s *Store) segments() []*segment {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	return sortedSegments(s.segs)
}

// segmentOf returns the segment that addr lies in, nil if there is none any more.
func (s *Store) segmentOf(addr arena.Addr) *segment {
	m := s.arena.Segment(addr)
	if m == nil {
		return nil
	}
	return m.Owner().(*segment)
}

// mapped reports whether the segment is still there, and stays so until the caller's pin ends. The
// segment may be from a list that is older than the pin: then it may have been retired, and two
// epochs may have passed, before the pin was there to keep it, while whoever unmaps it is only
// about to. So what counts is whether it was retired, not whether its memory is gone (S5).
func (s *Store) mapped(seg *segment) bool { return seg.mem.Stays() }

// remove removes a file of the store, unless what has its name now is another's.
func (s *Store) remove(name string) error {
	if err := s.lock.Check(); err != nil {
		return err
	}
	return s.fs.Remove(name)
}
