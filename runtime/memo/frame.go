package memo

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A Strand is a task as the memo sees it: it evaluates flights on one stack, in one snapshot, and
// waits for at most one flight at a time.
type Strand struct {
	Task *sched.Task
	Snap *db.Snapshot
	Host any // whatever the embedder keeps with the task

	// Hydrates says that answers are verified and brought back but no query function runs: where
	// one would have to, the task is cancelled with ErrMustRun, and the flight is for others to
	// take.
	Hydrates bool

	top   *Frame  // whose query function runs, nil outside of any; the strand's own
	idle  *Frame  // frames to use again, linked by parent; the strand's own
	spare *flight // flights to use again, linked by next; the strand's own

	scratch []byte  // for what is put together and not kept; the strand's own
	waits   *flight // guarded by Table.waitMu

	unkept *unkept // of the question being answered; nil: nothing yet. The strand's own

	// The strand's own, too; see "Depth".
	levels    int                // flights that are evaluated on the stack
	unwinding bool               // the stack was too deep, and what is on it returns
	descent   *descent           // what was unwound; nil: nothing
	fix       *fixing            // cycles that are not closed yet; nil: none
	flown     uint64             // flights begun
	runs      uint64             // runs begun
	hops      int                // helpers between the strand and the task that asked
	lone      map[*entry]*flight // claimed, and found by no other strand; see "Cycles"

	shielded bool // the strand's own: it is inside shield
	shield   sched.Shield
	wants    wants
}

// A Frame is one query function being evaluated, or a task outside of any query. It is used by its
// strand only (M4), which uses it for another function later: its turn tells them apart.
type Frame struct {
	table  *Table
	strand *Strand
	parent *Frame // the frame that asked; nil for a task's own frame
	entry  *entry // what is evaluated; nil for a task's own frame

	turn      uint32
	recording bool
	aside     bool // what is read is not recorded: see Unrecorded
	tainted   bool // something was seen that a trace cannot name: the result must not be kept
	cyclic    bool // a CycleError was met here or below: the outcome is for this stack only
	looked    bool // the function has the run's context
	recorder  recorder
	account   account       // of the reads
	rests     []rest        // provisional values that were read
	low       uint64        // the lowest flight that these rest on; 0: none
	round     bool          // a member of a cycle is run again by its head
	began     uint64        // the strand's count of runs
	timed     bool          // the run is measured
	below     time.Duration // of it, what queries below took
	parts     partSet
	footing   footing // what the queries below rest on
	nested    bool    // there are such queries

	replay replayer // of a call of which nothing is kept; nil: of a run
}

// Root returns the frame of a task outside of any query. Nothing is recorded there.
func (t *Table) Root(s *Strand) *Frame { return &Frame{table: t, strand: s} }

// child returns a frame under f. The caller releases it.
func (f *Frame) child(e *entry, recording bool) *Frame {
	s := f.strand
	c := s.idle
	if c == nil {
		c = &Frame{}
	} else {
		s.idle = c.parent
	}
	c.table, c.strand, c.parent, c.entry, c.recording = f.table, s, f, e, recording
	s.runs++
	c.began = s.runs
	if recording {
		c.recorder.begin()
	}
	return c
}

// release ends the use of a frame. Nothing of the strand's stack, and no strand that follows it,
// has it any more; a query function may have left it with others (Turn).
func (f *Frame) release() {
	s := f.strand
	if shown := f.recorder.shown; shown != nil && len(f.recorder.reads) > 0 {
		shown.hide()
	}
	f.footing.begin(nil)
	*f = Frame{parent: s.idle, strand: s, turn: f.turn + 1, footing: f.footing, recorder: recorder{grown: f.recorder.left()}}
	s.idle = f
}

// under counts the time since began as that of queries below.
func (f *Frame) under(began time.Time) { f.below += f.table.since(began) }

// Replayed reports whether nothing is kept of what f is for, and some of what it reads may be of
// other snapshots than its own.
func (f *Frame) Replayed() bool { return f.replay != nil }

// Unrecorded calls fn. What is read through f meanwhile is answered as ever and is no part of the
// trace: see "What is read and not recorded".
func (f *Frame) Unrecorded(fn func()) {
	defer func(was bool) { f.aside = was }(f.aside)
	f.aside = true
	fn()
}

// records reports whether what is read becomes part of a trace.
func (f *Frame) records() bool { return f.recording && !f.aside }

// Turn tells the uses of a frame apart.
func (f *Frame) Turn() uint32 { return f.turn }

// enter makes f the frame whose query function runs.
func (f *Frame) enter() (leave func()) {
	s, outer := f.strand, f.strand.top
	s.top = f
	if outer != nil {
		return func() { s.top = outer }
	}
	inQueries.n.Add(1)
	return func() {
		s.top = nil
		inQueries.n.Add(-1)
	}
}

// inQueries counts the strands of the process that run query functions.
var inQueries struct {
	_ [128]byte
	n atomic.Int64
	_ [128]byte
}

// AnyInQuery reports whether any strand of the process runs a query function. It costs a load, and
// spares most readers from outside the question whether they are such a strand.
func AnyInQuery() bool { return inQueries.n.Load() != 0 }

// InQuery reports whether the strand runs a query function. The strand asks.
func (s *Strand) InQuery() bool { return s.top != nil }

// Taint has the result of the query function that the strand runs, if it runs one, not be kept.
func (s *Strand) Taint() {
	if s.top != nil {
		s.top.Taint()
	}
}

// Current reports whether f is in its use for the turn, and is the frame whose query function runs,
// or the task's own while none does. What is read through another frame of the strand is recorded
// where it does not belong, or nowhere.
func (f *Frame) Current(turn uint32) bool {
	if f.turn != turn {
		return false
	}
	if f.strand.top == nil {
		return f.entry == nil
	}
	return f.strand.top == f
}

// Strand returns the strand that evaluates f.
func (f *Frame) Strand() *Strand { return f.strand }

// Taint marks f's result as not to be kept.
func (f *Frame) Taint() { f.tainted = true }

// Context returns the context of f's task. A function that has it may have seen it end, and given
// up half-way without an error: then the result is not kept.
func (f *Frame) Context() context.Context {
	if f.entry != nil {
		f.looked = true
	}
	return f.strand.Task.Context()
}

// record adds a read. from is the entry that answered it, nil if it is of a partition.
func (f *Frame) record(r read, parts partSet, from *source) {
	if f.records() {
		f.parts |= parts
		f.recorder.add(r, from)
	}
}

// Get reads the hash of one key; the zero hash and false say that it is absent, which is recorded
// too.
func (f *Frame) Get(part db.PartID, key string) (mmapcas.Hash, bool, error) {
	h, ok, err := f.strand.Snap.Get(part, key)
	if err != nil {
		f.tainted = true
		return h, ok, err
	}
	f.record(read{kind: readRecord, part: part, key: key, hash: h}, partBit(part), nil)
	return h, ok, nil
}
