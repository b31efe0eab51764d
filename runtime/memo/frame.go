package memo

import (
	"fmt"
	"sync/atomic"

	"github.com/zeebo/blake3"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A Strand is a task as the memo sees it: it evaluates flights on one stack, in one snapshot, and waits for at most one flight
// at a time.
type Strand struct {
	Task *sched.Task
	Snap *db.Snapshot
	Host any // whatever the embedder keeps with the task

	waits   *flight // guarded by Table.waitMu
	waitsIn *Frame  // guarded by Table.waitMu: the frame that waits

	want    atomic.Pointer[want] // while a run is shielded; written by the strand
	waiters atomic.Int32         // strands that wait for flights that this one evaluates
}

// A Frame is one query function being evaluated, or a task outside of any query. It is used by its strand only (M4).
type Frame struct {
	table  *Table
	strand *Strand
	parent *Frame // the frame that asked; nil for a task's own frame
	entry  *entry // what is evaluated; nil for a task's own frame

	recording bool
	tainted   bool // an error was seen on the way: the result must not be kept
	reads     []read
	seen      map[readID]struct{} // made when reads are many
	parts     partSet
}

type readID struct {
	kind  readKind
	part  db.PartID
	query string
	key   string
	hi    string
}

// Root returns the frame of a task outside of any query. Nothing is recorded there.
func (t *Table) Root(s *Strand) *Frame { return &Frame{table: t, strand: s} }

func (f *Frame) child(e *entry, recording bool) *Frame {
	return &Frame{table: f.table, strand: f.strand, parent: f, entry: e, recording: recording}
}

// Strand returns the strand that evaluates f.
func (f *Frame) Strand() *Strand { return f.strand }

// InQuery reports whether f is the frame of a query function.
func (f *Frame) InQuery() bool { return f.entry != nil }

// Taint marks f's result as not to be kept.
func (f *Frame) Taint() { f.tainted = true }

const readsBeforeMap = 12

func (f *Frame) record(r read, parts partSet) {
	if !f.recording {
		return
	}
	f.parts |= parts
	id := readID{r.kind, r.part, r.query, r.key, r.hi}
	if f.seen == nil {
		for i := range f.reads {
			if f.reads[i].same(&r) {
				return
			}
		}
		if len(f.reads) >= readsBeforeMap {
			f.seen = make(map[readID]struct{}, 4*readsBeforeMap)
			for i := range f.reads {
				o := &f.reads[i]
				f.seen[readID{o.kind, o.part, o.query, o.key, o.hi}] = struct{}{}
			}
		}
	}
	if f.seen != nil {
		if _, dup := f.seen[id]; dup {
			return // one snapshot: the second read saw what the first did
		}
		f.seen[id] = struct{}{}
	}
	f.reads = append(f.reads, r)
}

// Get reads the hash of one key; the zero hash and false say that it is absent, which is recorded too.
func (f *Frame) Get(part db.PartID, key string) (mmapcas.Hash, bool, error) {
	h, ok, err := f.strand.Snap.Get(part, key)
	if err != nil {
		f.tainted = true
		return h, ok, err
	}
	f.record(read{kind: readRecord, part: part, key: key, hash: h}, partBit(part))
	return h, ok, nil
}

// Range calls fn for every key in [lo, hi), in order, until fn returns false; hi "" is unbounded. The whole range is recorded
// whether or not fn saw all of it; withHashes says whether the contents count or only which keys there are.
func (f *Frame) Range(part db.PartID, lo, hi string, withHashes bool, fn func(key string, h mmapcas.Hash) bool) error {
	if !f.recording {
		return f.strand.Snap.Range(part, lo, hi, false, fn)
	}
	more := true
	sum, err := rangeHash(f.strand.Snap, part, lo, hi, withHashes, func(key string, h mmapcas.Hash) {
		if more {
			more = fn(key, h)
		}
	})
	if err != nil {
		f.tainted = true
		return err
	}
	kind := readKeys
	if withHashes {
		kind = readRange
	}
	f.record(read{kind: kind, part: part, key: lo, hi: hi, hash: sum}, partBit(part))
	return nil
}

// rangeHash names the state of a range: its keys and, if wanted, their records, each length-prefixed.
func rangeHash(snap *db.Snapshot, part db.PartID, lo, hi string, withHashes bool, each func(string, mmapcas.Hash)) (mmapcas.Hash, error) {
	hasher := blake3.New()
	var buf []byte
	err := snap.Range(part, lo, hi, false, func(key string, h mmapcas.Hash) bool {
		buf = appendString(buf[:0], key)
		if withHashes {
			buf = append(buf, h[:]...)
		}
		hasher.Write(buf)
		if each != nil {
			each(key, h)
		}
		return true
	})
	if err != nil {
		return mmapcas.Hash{}, fmt.Errorf("memo: reading range [%q, %q): %w", lo, hi, err)
	}
	var sum mmapcas.Hash
	hasher.Digest().Read(sum[:])
	return sum, nil
}
