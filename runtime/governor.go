package runtime

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A governor holds Options.MemoryLimit: see "Limits" in the package comment.
type governor struct {
	e     *Engine
	limit int64 // immutable; 0: none
	gate  gate

	pieces    pieces
	near      atomic.Bool // the limit is
	relieving sync.Mutex
	dropped   atomic.Int64 // of mapped files, what was left in memory when pages were last given back

	programAt atomic.Int64 // when pages of the program were last given back, in nanoseconds of Unix time

	urgent atomic.Int64 // tasks from outside that have begun and do not belong at the gate

	urgentBegun atomic.Uint64 // of those, all that ever began

	refusing atomic.Pointer[LimitError] // nil: what comes from outside is taken

	cachesMu sync.Mutex
	caches   []*addedCache // guarded by cachesMu

	quit, done chan struct{}

	// The governor's own.
	share  int64 // what caches may have of what they are bounded by, in shareWhole-ths
	pause  int   // looks that the next round waits for
	waits  int   // looks that are left of it
	told   bool  // that the limit is exceeded, since it was last kept
	goMax  int64 // Go's own limit, as it was set; 0: it was not
	before int64 // and before that
	others int64 // that other processes had at the last look
	read   func() (held, goes int64)
	freed  time.Time
	rest   rest
}

// Marks of what is held, in 16ths of the limit.
const (
	farMark  = 8  // below it a look in five will do
	calmMark = 10 // a round ends, and the gate is wide again
	nearMark = 12 // a round begins, and the gate is narrow
	goMark   = 14 // Go's own limit, with all that is not Go's
	fullMark = 15 // pages of files go at each look, however few came in

	urgentMark = 18 // what is beyond it is refused though urgent tasks may yet end
)

const (
	governEvery = 20 * time.Millisecond
	farSkips    = 5
	shareWhole  = 64
	pauseMost   = 100 // looks
	dropShare   = 64  // as much of the limit has come in of files before their pages are given back again
	filesShare  = 8   // of the limit, what Go leaves to pages of files also when they have less
	latestShare = 32  // of the limit, what was put last and stays in memory where the store does not fit
	freeEvery   = time.Second

	// programEvery is how often pages of the program go: what a busy process needs of them is back
	// in a millisecond.
	programEvery = time.Second

	// hugePagesFrom is the limit below which tables lie on small pages: those of a small store take
	// 12 MiB of huge pages for 2 MiB of content.
	hugePagesFrom = 1 << 30

	// pieceBytes is what one background task is thought to take: type-checking one of the largest
	// packages of the standard library does.
	pieceBytes = 64 << 20
)

func (g *governor) mark(n int64) int64 { return g.limit / 16 * n }

// of makes g the governor of an engine that is being opened.
func (g *governor) of(e *Engine) {
	g.e, g.limit, g.share, g.read = e, e.o.MemoryLimit, shareWhole, e.o.held
	if g.limit > 0 {
		g.gate.width = int(max(g.limit/pieceBytes, 1))
	}
}

func (g *governor) start() {
	if g.limit == 0 || g.e.o.held != nil {
		return
	}
	g.quit, g.done = make(chan struct{}), make(chan struct{})
	go g.run()
}

// stop comes when everything but the store is closed.
func (g *governor) stop() {
	if g.quit != nil {
		close(g.quit)
		<-g.done
	}
	if g.goMax != 0 {
		debug.SetMemoryLimit(g.before)
	}
}

func (g *governor) run() {
	defer close(g.done)
	tick := time.NewTicker(governEvery)
	defer tick.Stop()
	for skip := 0; ; skip-- {
		select {
		case <-g.quit:
			return
		case <-tick.C:
		}
		if skip > 0 {
			continue
		}
		if skip = 0; g.look() < g.mark(farMark) {
			skip = farSkips
		}
		if g.e.o.LimitGo {
			g.rest.look(time.Now(), g.urgentBegun.Load())
		}
	}
}

// held is what the process has in memory, as far as the system says.
func (g *governor) held() (held, goes int64) {
	if g.read != nil {
		return g.read()
	}
	m := account.ReadGo()
	if r, ok := arena.ReadResidence(); ok {
		return r.Resident, m.Sum()
	}
	return m.Sum() + arena.ReadBlockBytes().Resident, m.Sum()
}

// look is one look at what is held (M2), and returns that.
func (g *governor) look() (held int64) {
	held, goes := g.held()
	reserved := min(account.Reserved(), g.limit/2)
	held += reserved
	g.boundGo(held, goes)
	g.spare(held)
	if reserved > g.others && held >= g.mark(nearMark) {
		debug.FreeOSMemory() // another process is about to take it
	}
	g.others = reserved
	switch {
	case held < g.mark(calmMark):
		g.gate.set(false)
		g.near.Store(false)
		g.refusing.Store(nil)
		g.told, g.pause, g.waits = false, 0, 0
		if g.share < shareWhole {
			g.share++
			g.bound()
		}
		return held
	case held < g.mark(nearMark):
		return held
	}
	g.gate.set(true)
	g.near.Store(true)
	if g.relieve(held >= g.mark(fullMark)) {
		held, _ = g.held()
		held += reserved
	}
	if held < g.mark(nearMark) {
		return held
	}
	if g.waits--; g.waits >= 0 {
		return held
	}
	alone := !g.gate.busy()
	idle := g.urgent.Load() == 0
	g.round(held)
	g.pause = min(2*g.pause+1, pauseMost)
	g.waits = g.pause
	held, _ = g.held()
	if held >= g.limit && alone { // neither garbage nor pages that a file has are a reason to refuse anything
		g.free(time.Now())
		g.relieve(true)
		held, _ = g.held()
	}
	if held < g.limit {
		return held + reserved
	}
	if !g.told {
		g.told = true
		a := g.e.account(true)
		g.e.o.Logger.Warn("runtime: more memory is held than the limit", "held", held, "limit", g.limit, "who", a.String())
	}
	idle = idle && g.urgent.Load() == 0 || held > g.mark(urgentMark)
	kept := held
	if g.read == nil {
		kept -= g.files() // which go at any time, and may have come back since
	}
	if alone && !g.gate.busy() && idle && kept >= g.limit { // M5: there is nothing to wait for
		a := g.e.account(false)
		err := &LimitError{What: "memory", Limit: g.limit, Held: held, Holders: a.Holders}
		g.refusing.Store(err)
		g.gate.refuse(err)
	}
	return held
}

// relieve gives back pages of segments if the limit is near and a 64th of it has come in since the
// last time, or any if all are asked for. It reports whether it did. Whoever looks at many records
// calls it between two pieces of work, since the governor's next look comes too late for that.
func (g *governor) relieve(all bool) bool {
	if !g.near.Load() && !g.nears() {
		return false
	}
	if !g.relieving.TryLock() {
		return true // by somebody else
	}
	defer g.relieving.Unlock()
	files, before := g.files(), g.dropped.Load()
	if files < before {
		g.dropped.Store(files)
		return false
	}
	if !all && files < before+g.limit/dropShare {
		return false
	}
	g.e.store.DropPages()
	g.dropProgram(all)
	g.dropped.Store(g.files())
	return true
}

// spare has the store read records without bringing pages into memory, unless all of them fit (M2).
func (g *governor) spare(held int64) {
	if _, known := arena.ReadResidence(); !known {
		return // mapped pages do not count (M1)
	}
	switch most := held - g.files() + g.e.store.MappedBytes(); {
	case most >= g.mark(nearMark):
		g.e.store.SetFrugal(true, g.limit/latestShare)
	case most < g.mark(calmMark):
		g.e.store.SetFrugal(false, 0)
	}
}

// nears reports whether the limit is near before the next look has found it so.
func (g *governor) nears() bool {
	if g.limit == 0 || g.read != nil {
		return false
	}
	r, ok := arena.ReadResidence()
	return ok && r.Resident >= g.mark(nearMark)
}

// dropProgram gives back pages of the program, which come back for what goes on: rarely, unless all
// are asked for.
func (g *governor) dropProgram(all bool) {
	if g.read != nil {
		return
	}
	now, last := time.Now().UnixNano(), g.programAt.Load()
	if !all && now-last < int64(programEvery) || !g.programAt.CompareAndSwap(last, now) {
		return
	}
	arena.DropProgram()
}

// files is what mapped files have in memory.
func (g *governor) files() int64 {
	if g.read != nil {
		held, goes := g.read()
		return held - goes
	}
	r, _ := arena.ReadResidence() // pages are given back only where the system says
	return r.Files
}

// round gives back what costs least to have again, until enough is back (M3).
func (g *governor) round(held int64) {
	g.share = max(g.share/2, 1)
	g.bound()
	if err := g.e.memo.Flush(context.Background()); err != nil {
		g.e.o.Logger.Debug("runtime: traces could not be written to make room", "err", err)
	}
	g.e.db.Trim()
	m := account.ReadGo()
	if now := time.Now(); (g.goMax == 0 || held > g.mark(goMark)) && now.Sub(g.freed) >= freeEvery && m.Spare() > g.limit/16 {
		g.free(now)
	}
}

// free has Go collect, and give back what is free.
func (g *governor) free(now time.Time) {
	g.freed = now
	debug.FreeOSMemory()
}

// bound tells each cache what it may have.
func (g *governor) bound() {
	part := func(n int64) int64 { return max(n*g.share/shareWhole, min(n, g.limit/32)) }
	g.e.memo.Bound(part(g.e.o.CacheBytes), part(g.e.o.TraceBytes))
	g.e.db.Bound(part(g.e.o.treeBytes()))
	g.cachesMu.Lock()
	defer g.cachesMu.Unlock()
	for _, c := range g.caches {
		c.Bound(c.Most * g.share / shareWhole)
	}
}

// boundGo has Go's own limit agree (M6).
func (g *governor) boundGo(held, goes int64) {
	if !g.e.o.LimitGo || g.limit == 0 {
		return
	}
	files := min(g.files(), held-goes)
	most := max(g.mark(goMark)-max(held-goes-files, 0)-max(files, g.limit/filesShare), g.limit/4)
	if g.goMax != 0 && most > g.goMax-g.goMax/32 && most < g.goMax+g.goMax/32 {
		return
	}
	was := debug.SetMemoryLimit(most)
	if g.goMax == 0 {
		g.before = was
	}
	g.goMax = most
}

// AddCache tells the engine of memory that the program keeps beside it, such as what it has made of
// answers. The account of the process names it, and near Options.MemoryLimit it is asked to become
// smaller. One of a name counts once, also if it is added again. The function that is returned ends
// what the call began.
func (e *Engine) AddCache(c account.Cache) (remove func()) {
	g := &e.governor
	g.cachesMu.Lock()
	defer g.cachesMu.Unlock()
	i := slices.IndexFunc(g.caches, func(o *addedCache) bool { return o.Name == c.Name })
	if i < 0 {
		i = len(g.caches)
		c.Most = e.o.part(c.Most, cmp.Or(c.Share, 16))
		g.caches = append(g.caches, &addedCache{Cache: c})
		if g.limit > 0 {
			c.Bound(c.Most)
		}
	}
	added := g.caches[i]
	added.users++
	return sync.OnceFunc(func() {
		g.cachesMu.Lock()
		defer g.cachesMu.Unlock()
		if added.users--; added.users == 0 {
			g.caches = slices.DeleteFunc(g.caches, func(o *addedCache) bool { return o == added })
		}
	})
}

// An addedCache is one that AddCache was told of.
type addedCache struct {
	account.Cache
	users int // guarded by governor.cachesMu
}

// cached is what caches of the program have.
func (g *governor) cached() (list []account.Holder) {
	g.cachesMu.Lock()
	defer g.cachesMu.Unlock()
	for _, c := range g.caches {
		list = append(list, account.Holder{Name: c.Name, Bytes: c.Bytes()})
	}
	return list
}

// admits reports why the memory limit leaves no room for a call from outside of tasks, which is
// named (M5).
func (g *governor) admits(call string) error {
	if err := g.refusing.Load(); err != nil && sched.Caller() == nil {
		return fmt.Errorf("runtime: %s: %w", call, err)
	}
	return nil
}
