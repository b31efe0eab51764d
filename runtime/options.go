package runtime

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/sched"
)

// Options of an engine. The zero value is right for a library in a larger program.
type Options struct {
	// Workers is the number of workers. Even one does not keep tasks from running at the same time:
	// while a task holds its thread for long, another thread stands in. Zero means one less than
	// the CPUs that the process may use, at least 1.
	Workers int

	// Affinity says whether workers are bound to CPUs. On binds them; no other thread can then
	// stand in for one that a task holds for long. The other values do not bind.
	Affinity affinity.Mode

	// StallAfter is how long things may stay as they are before the watchdog speaks. It warns of
	// what somebody should act on: tasks are queued and no worker does anything, a task holds its
	// worker while others wait to go on there, tasks wait for each other in a circle, a reader
	// holds back memory. What merely takes long, or waits, it tells at level debug, with what it
	// waits for. Zero means ten seconds; negative means no watchdog.
	StallAfter time.Duration

	// Sync says when commits reach the disk. A killed process loses no commit under any mode.
	// The zero value leaves it to the kernel between checkpoints: what a power cut loses
	// is computed again.
	Sync mmapcas.SyncMode

	// SegmentBytes is the size of one segment file, a multiple of the page size. Zero means 64 MiB,
	// less where addresses have 32 bits or the process may use little address space (ulimit -v).
	// Fixed at creation.
	SegmentBytes int64

	// CacheBytes bounds the decoded results kept on the heap, counted by their stored size. Zero
	// means 256 MiB.
	CacheBytes int64

	// TraceBytes bounds what the heap keeps of query keys and what their runs read, by an estimate;
	// it is looked at ten times a second. What is forgotten was written to the store before, and is
	// read back when it is needed. Zero means 256 MiB.
	TraceBytes int64

	// MemoryLimit bounds what the process has in memory, everything of it: see "Limits" in the
	// package comment. The bounds above are smaller then where they are not set. What it leaves no
	// room for is refused with a *LimitError. Zero means none; the least is account.LimitLeast.
	MemoryLimit int64

	// DiskLimit bounds the bytes of the store's files: see "Limits" in the package comment. What it
	// leaves no room for is refused with a *LimitError, as on a full disk. Zero means none.
	DiskLimit int64

	// LimitGo has the engine set the memory limit of Go's runtime (debug.SetMemoryLimit) to what
	// MemoryLimit leaves to it, until Close, and give back to the system what it has spare when
	// nothing is done ("Limits", M6 and M8). It is for programs that are all engine: the setting is
	// the process', so an engine does not touch it unasked.
	LimitGo bool

	// History is the number of generations before the newest that Engine.SnapshotAt can still read.
	// They keep memory and records as snapshots do. Zero: only those that snapshots hold.
	History int

	// CollectEvery is how large a store becomes before it is collected for the first time, in
	// bytes. After that a collection is due whenever it holds three quarters as much again as was
	// live after the last one, and no less than half of this; Engine.Tidy collects at a quarter of
	// either. Of what is known to be garbage half of what is live is enough, and no less than
	// 2 MiB. Besides, what was put lately is collected by itself, within seconds. Zero means
	// 64 MiB; negative means that only Engine.Collect collects.
	CollectEvery int64

	// UnusedFor is how long the stored answers of a query stay after the last process that had the
	// query: each collection of everything looks. Zero means 30 days; negative means for good.
	UnusedFor time.Duration

	// AuditShare is the share of reused query answers, up to 1, that are computed again and
	// compared when there is time, to find queries that are not pure (Stats.Impure, and in the
	// log). Of the first answers of a query it is more. Zero means 0.01; negative means none.
	AuditShare float64

	// AuditCPU bounds what audits take, as a share of one CPU since the engine was opened. Zero
	// means 0.01; 1 or more is no bound: in tests.
	AuditCPU float64

	// AuditSeed decides which answers are audited.
	AuditSeed uint64

	// Trace, if not nil, is told what happens to query answers: each run, reuse, verification,
	// audit, cancellation, and each key that leaves memory, with its cause. It is called at once by
	// the goroutine that it happens on, often that of a task in the middle of a query, and so by
	// several at a time. The answer waits for it to return; it must not use the engine. A panic of
	// it is logged.
	Trace func(TraceEvent)

	// Holder says what this process is ("cytisus serve"); whoever finds the store locked is told.
	Holder string

	// MustExist opens a store that exists, and makes none: ErrNoStore if there is none.
	MustExist bool

	simulated  *sched.Deterministic      // of tests
	held       func() (held, goes int64) // of tests, which call the governor: in place of what the system says
	wallFrom   int                       // of tests: see memo.Options.WallFrom
	levelsMax  int                       // of tests: see memo.Options.LevelsMax
	repeatFrom int                       // of tests: keys of an All that a run remembers; 0: repeatFrom
	now        func() time.Time          // of tests: see clock
	measured   uint64                    // of tests: see memo.Options.MeasuredFrom
	fs         vfs.FS                    // of tests; nil: the system's
	checkGC    *gc.Check                 // of tests

	// Logger receives warnings: stuck tasks, damaged records, impure queries. Nil means
	// slog.Default().
	Logger *slog.Logger
}

// clock is what runs of queries and loads of answers are measured by. In a simulation it is the
// scheduler's, so that what is stored follows from the seed.
func (o *Options) clock(e *Engine) func() time.Time {
	if o.now == nil && o.simulated != nil {
		return func() time.Time { return e.sched.Now() } // which is made later
	}
	return o.now
}

func (o *Options) fill() error {
	if !(o.AuditShare <= 1) {
		return fmt.Errorf("runtime: Options.AuditShare is %v, want at most 1", o.AuditShare)
	}
	if !(o.AuditCPU >= 0) {
		return fmt.Errorf("runtime: Options.AuditCPU is %v, want 0 or more", o.AuditCPU)
	}
	if o.Workers < 0 {
		return fmt.Errorf("runtime: Options.Workers is %d, want 0 or more", o.Workers)
	}
	if o.History < 0 {
		return fmt.Errorf("runtime: Options.History is %d, want 0 or more", o.History)
	}
	if o.CacheBytes < 0 || o.TraceBytes < 0 {
		return fmt.Errorf("runtime: Options.CacheBytes is %d and TraceBytes %d, want 0 or more", o.CacheBytes, o.TraceBytes)
	}
	if o.MemoryLimit < 0 || o.MemoryLimit > 0 && o.MemoryLimit < account.LimitLeast {
		return fmt.Errorf("runtime: Options.MemoryLimit is %d, want 0 for none or at least %d", o.MemoryLimit, account.LimitLeast)
	}
	if o.DiskLimit < 0 {
		return fmt.Errorf("runtime: Options.DiskLimit is %d, want 0 or more", o.DiskLimit)
	}
	o.shareOut()
	switch {
	case o.AuditShare < 0:
		o.AuditShare = 0
	case o.AuditShare == 0 && o.simulated == nil: // the keeper, which has audits begun, goes by the clock
		o.AuditShare = auditShareDefault
	}
	if o.AuditCPU == 0 {
		o.AuditCPU = auditCPUDefault
	}
	if o.UnusedFor == 0 {
		o.UnusedFor = unusedFor
	}
	if o.CollectEvery == 0 {
		o.CollectEvery = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}

// cacheBytes is what each cache may have where there is no limit.
const cacheBytes = 256 << 20

// shareOut gives each cache its part of the limit, if it has no bound of its own.
func (o *Options) shareOut() {
	for _, bytes := range []*int64{&o.CacheBytes, &o.TraceBytes} {
		if *bytes == 0 {
			*bytes = o.part(cacheBytes, 8)
		}
	}
}

// part is what a cache may have that has most without a limit: a share of it otherwise.
func (o *Options) part(most, share int64) int64 {
	if o.MemoryLimit > 0 {
		return min(most, o.MemoryLimit/share)
	}
	return most
}

// queueLimit is how many tasks from outside may be queued in a lane; 0: the scheduler's default.
// The rings of all lanes take a KiB for each.
func (o *Options) queueLimit() int { return int(o.part(4096<<10, 256) >> 10) }

func (o *Options) treeBytes() int64  { return o.part(cacheBytes, 8) }
func (o *Options) pointBytes() int64 { return o.part(64<<20, 32) }
