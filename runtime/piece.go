package runtime

import (
	"runtime/debug"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/sched"
)

// Piece calls fn and returns its error. Fn computes in one go, and needs so many bytes until it
// returns, in its own memory or in a child process', which nobody can take from it; see "Limits",
// M9. Near Options.MemoryLimit Piece waits for other pieces to end first. In fn the task must wait
// for no query and no task, which may wait for a piece themselves, but in a function that it gives
// to aside: others may begin meanwhile.
//
// More urgent work than the task goes before a piece, and while fn runs it has another thread at
// once if there is none (see "Stretches" in package sched). So a piece may be a few bytes, or 0,
// that take long.
func (t *Task) Piece(bytes int64, fn func(aside func(wait func())) error) error {
	g := &t.eng.governor
	ps, aside := &g.pieces, func(wait func()) { wait() }
	if g.limit > 0 && bytes >= g.limit/pieceShare {
		if err := ps.begin(t.task(), g, bytes); err != nil {
			return fails(t, err)
		}
		g.relieve(false)
		defer g.relieve(false)
		defer ps.end(bytes)
		aside = func(wait func()) { ps.aside(bytes, wait) }
	}
	return t.task().Stretch(func() error { return fn(aside) })
}

// pieceShare is the part of the limit from which on a piece counts.
const pieceShare = 64

// pieces are those under way.
type pieces struct {
	mu      sync.Mutex
	under   int            // guarded by mu: how many are under way
	bytes   int64          // guarded by mu: that they need
	waiting []*pieceTicket // guarded by mu: in the order they came
}

type pieceTicket struct {
	let   sched.Event
	bytes int64
	in    bool // guarded by pieces.mu
}

func (ps *pieces) begin(t *sched.Task, g *governor, bytes int64) error {
	held, _ := g.held()
	room := g.mark(goMark) - held
	ps.mu.Lock()
	if len(ps.waiting) == 0 && (ps.under == 0 || ps.bytes+bytes <= room) {
		ps.took(bytes)
		ps.mu.Unlock()
	} else {
		ticket := &pieceTicket{bytes: bytes}
		ps.waiting = append(ps.waiting, ticket)
		ps.mu.Unlock()
		err := t.AwaitReason(&ticket.let, sched.Reason{What: "memory: a large piece of work is under way"})
		if err := ps.came(ticket, err); err != nil {
			return err
		}
		held, _ = g.held()
		room = g.mark(goMark) - held
	}
	// Garbage that the piece would be added to goes first.
	if bytes > room && bytes >= g.limit/8 && g.read == nil {
		if m := account.ReadGo(); m.Spare() >= bytes/4 {
			debug.FreeOSMemory()
		}
	}
	return nil
}

// aside calls fn with a piece of so many bytes ended. The piece goes on without waiting.
func (ps *pieces) aside(bytes int64, fn func()) {
	ps.end(bytes)
	defer func() {
		ps.mu.Lock()
		defer ps.mu.Unlock()
		ps.took(bytes)
	}()
	fn()
}

// took counts a piece. The caller holds mu.
func (ps *pieces) took(bytes int64) {
	ps.under++
	ps.bytes += bytes
}

// came is the end of a wait: the piece is under way, or there is an error.
func (ps *pieces) came(ticket *pieceTicket, err error) error {
	ps.mu.Lock()
	in := ticket.in
	if !in {
		ps.waiting = slices.DeleteFunc(ps.waiting, func(o *pieceTicket) bool { return o == ticket })
	}
	ps.mu.Unlock()
	if err != nil && in {
		ps.end(ticket.bytes)
	}
	return err
}

// end ends a piece, and lets the next begin when it was the last. Which of those that wait would
// fit beside others is not known without another look at what is held.
func (ps *pieces) end(bytes int64) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.under--
	ps.bytes -= bytes
	if ps.under > 0 || len(ps.waiting) == 0 {
		return
	}
	next := ps.waiting[0]
	ps.waiting = ps.waiting[1:]
	next.in = true
	ps.took(next.bytes)
	next.let.Fire()
}
