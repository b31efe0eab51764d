package mmapcas

import (
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

const (
	allocateBytesMin = 64 << 10
	allocateBytesMax = 16 << 20
	// A store that is synced takes this much sooner.
	allocateBytesSynced = 1 << 20
	allocateShare       = 8 // of what a file has, the space that it is given ahead
)

// A segment is a file of records, or the same in memory only.
type segment struct {
	number uint32 // immutable
	name   string // path of the file, "" in memory; immutable
	file   vfs.File
	mem    *arena.Segment

	// reusable: the segment has the standard size, so appenders may fill it. Immutable once the
	// store is open.
	reusable bool

	// whole: nothing in the segment is known to be damaged, so what lies behind its length is
	// nothing. Guarded by segMu once the store is open.
	whole bool

	// unwalked is how many bytes the index file has vouched for although the power may have changed
	// them since: they are looked at before anything is appended. Guarded by segMu once the store
	// is open.
	unwalked int64

	// noted is the length in the newest statement; guarded by commitMu.
	noted int64
	// listed: a manifest record that is durable lists the segment. Guarded by commitMu.
	listed bool
	// saved is the length that the index file covers; guarded by saving.mu.
	saved int64
	// tailFrom and tailTo bound what Open found beyond the manifest; guarded by commitMu, equal
	// when there is nothing.
	tailFrom, tailTo int64

	syncMu sync.Mutex
	synced atomic.Int64 // bytes known to be on disk; written under syncMu
	// lost: a sync of the file failed, so nobody knows what of it is on disk. It is sealed by
	// whoever would append next.
	lost atomic.Bool

	// copies: a collection, of this process or of one before, may have copied records here that no
	// sync has covered yet. No segment may go before (G4), whichever collection made the copies.
	copies atomic.Bool

	// elders is the segment's length when the last cycle ended, for a short one; see
	// Store.BeginShortCycle. Changed with all appenders held.
	elders atomic.Int64

	// marks is the segment's part of the running cycle, nil when there is none.
	marks atomic.Pointer[marks]
}

// used is the extents of all records in the segment.
func (seg *segment) used() int64 {
	return seg.mem.Length() - segmentHeaderBytes
}
