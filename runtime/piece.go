package runtime

import (
	"runtime/debug"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A Piece is work that needs much memory for a while, which nobody can take from it; see "Limits",
// M9. It is nil, and does nothing, where there is no limit or the work is small against it.
type Piece struct {
	of    *pieces
	bytes int64
}

// BeginPiece says that the task is about to need so many bytes until Piece.End, in its own memory
// or in a child process'. Near Options.MemoryLimit it waits for other pieces to end. In between the
// task must wait for no query and no task, which may wait for a piece themselves, but between
// Piece.Pause and Piece.Resume.
func (t *Task) BeginPiece(bytes int64) (*Piece, error) {
	g := &t.eng.governor
	if g.limit == 0 || bytes < g.limit/pieceShare {
		return nil, nil
	}
	p := &Piece{&g.pieces, bytes}
	if err := g.pieces.begin(t.task(), g, p); err != nil {
		return nil, fails(t, err)
	}
	return p, nil
}

// pieceShare is the part of the limit from which on a piece counts.
const pieceShare = 64

// End ends the piece.
func (p *Piece) End() {
	if p != nil {
		p.of.end(p.bytes)
	}
}

// Pause lets others begin.
func (p *Piece) Pause() { p.End() }

// Resume takes Pause back. It does not wait.
func (p *Piece) Resume() {
	if p != nil {
		p.of.mu.Lock()
		defer p.of.mu.Unlock()
		p.of.took(p.bytes)
	}
}

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

func (ps *pieces) begin(t *sched.Task, g *governor, p *Piece) error {
	held, _ := g.held()
	room := g.mark(goMark) - held
	ps.mu.Lock()
	if len(ps.waiting) == 0 && (ps.under == 0 || ps.bytes+p.bytes <= room) {
		ps.took(p.bytes)
		ps.mu.Unlock()
	} else {
		ticket := &pieceTicket{bytes: p.bytes}
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
	if p.bytes > room && p.bytes >= g.limit/8 && g.read == nil {
		if m := account.ReadGo(); m.Spare() >= p.bytes/4 {
			debug.FreeOSMemory()
		}
	}
	return nil
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
