package disk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// An ending is how a session ends.
type ending uint8

const (
	closed       ending = iota // in good order
	killed                     // the process is gone, the system goes on
	cut                        // the power is gone; names survive as with a journal
	cutUnordered               // the same, and any part of the names survives
	endings
)

func (e ending) String() string {
	return [...]string{"close", "kill", "power cut", "power cut without a journal"}[e]
}

// A plan is what befalls a session.
type plan struct {
	sync   mmapcas.SyncMode
	failAt int64 // the call that fails, 0 for none
	fails  int64 // how many fail from there on
	err    error // with which error
	end    ending
	endAt  int64  // the call before which the session ends, 0 for its own end
	seed   uint64 // of what survives a power cut
	save   int64  // how many bytes are committed before the index is saved, 0 for the store's own choice, which is many
}

func (p plan) String() string {
	s := fmt.Sprintf("sync %v, %v", p.sync, p.end)
	if p.endAt > 0 {
		s += fmt.Sprintf(" before call %d", p.endAt)
	}
	if p.failAt > 0 {
		s += fmt.Sprintf(", %d calls from %d on fail with %v", p.fails, p.failAt, p.err)
	}
	return s
}

// errs is what calls fail with.
var errs = []error{syscall.EIO, syscall.ENOSPC, syscall.EMFILE, syscall.EACCES}

// Trace, if not nil, hears of every call and every operation. It is for looking into one life.
var Trace func(format string, args ...any)

// errGone is what every call says once the session's process is no more.
var errGone = errors.New("disk: the process is gone")

const dir = "/s"

func options(fs vfs.FS, sync mmapcas.SyncMode) mmapcas.Options {
	return mmapcas.Options{
		SegmentBytes: 64 << 10, ReserveBytes: 32 << 20, Appenders: 1, FS: fs, Sync: sync,
		Compress: []mmapcas.Kind{kind},
	}
}

// A session is one process that works on a disk, and what it left.
type session struct {
	plan
	l     *ledger
	mem   *vfs.Mem
	fs    *Faulty
	store *mmapcas.Store
	rng   *rand.Rand
	left  *vfs.Mem // what it left, once it is gone
	wrong error    // the first broken promise

	// The store makes some calls from goroutines of its own.
	mu       sync.Mutex
	gone     bool            // the ending has come; guarded by mu
	fired    bool            // a call has failed; guarded by mu
	unsynced map[string]bool // segments whose sync failed; guarded by mu
	last     string          // the last call before the end, for messages; guarded by mu
	op       string          // the operation under way; guarded by mu
	sites    *sites          // if not nil, which calls there are, and which of them fails
}

// healthy has a process on a disk without faults look at a copy of mem, check it against the
// ledger, and use it.
func healthy(l *ledger, mem *vfs.Mem) (err error) {
	s, err := mmapcas.Open(dir, options(mem.Clone(), mmapcas.SyncGroup))
	if err != nil {
		return fmt.Errorf("what is left cannot be opened: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := l.check(s); err != nil {
		return err
	}
	if l.next%4 == 0 { // it takes longer than all the rest
		rep, err := s.Verify(context.Background(), nil)
		if err != nil || !rep.OK() && !l.damage {
			return fmt.Errorf("verify: %+v: %w", rep, err)
		}
	}
	more := []byte("and it can be written")
	h, _, err := s.Put(kind, more)
	if err != nil {
		return err
	}
	if err := s.Commit([]byte("x")); err != nil {
		return err
	}
	if got, _, err := s.Get(h, nil); err != nil || string(got) != string(more) {
		return fmt.Errorf("what was written to what is left: %q, %w", got, err)
	}
	return nil
}

// run does work on mem as the plan says and returns what is left, and how many calls there were. An
// error is a broken promise.
func run(l *ledger, mem *vfs.Mem, p plan, rng *rand.Rand, work func(*session)) (left *vfs.Mem, calls int64, err error) {
	return runAt(nil, l, mem, p, rng, work)
}

// runAt is run that notes the sites of all calls and fails the one that at names.
func runAt(at *sites, l *ledger, mem *vfs.Mem, p plan, rng *rand.Rand, work func(*session)) (left *vfs.Mem, calls int64, err error) {
	s := &session{plan: p, l: l, mem: mem, rng: rng, sites: at, unsynced: map[string]bool{}}
	s.fs = NewFaulty(mem, s.step)
	if s.open() {
		work(s)
	}
	if s.store != nil && !s.isGone() && (s.end == closed || s.end >= cut && rng.IntN(2) == 0) {
		s.begin("close")
		s.do("close", s.store.Close())
		s.store = nil
	}
	s.mu.Lock()
	s.gone = true
	s.mu.Unlock()
	s.isGone()
	if s.store != nil {
		// The process is gone, and what it does now reaches no disk; but its memory is ours and
		// must be given back.
		_ = s.store.Close()
	}
	if err := s.wrong; err != nil {
		return nil, 0, fmt.Errorf("%v: %w", p, err)
	}
	if s.end >= cut {
		l.powerCut()
		l.damage = l.damage || s.sync == mmapcas.SyncNone
	}
	return s.left, s.fs.Steps(), nil
}

// step decides about a call.
func (s *session) step(n int64, call, name string) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return errGone
	}
	s.last = call + " " + name
	if call == "sync" && s.unsynced[name] && s.wrong == nil {
		s.wrong = fmt.Errorf("a sync of %s failed, and is tried again", name)
	}
	switch {
	case n == s.endAt:
		s.gone = true
		err = errGone
	case n >= s.failAt && n < s.failAt+s.fails, s.sites.fails(siteOf(s.op, call, name)):
		s.fired = true
		if call == "sync" && strings.HasSuffix(name, ".seg") {
			s.unsynced[name] = true
		}
		err = fmt.Errorf("disk: %s %s: %w", call, name, s.err)
	}
	if Trace != nil {
		Trace("%4d %s %s: %v", n, call, name, err)
	}
	return err
}

// isGone reports whether the ending has come, and if so takes what is left: here and not in the
// midst of the call, which may be another goroutine's, since nobody may store into mapped memory
// meanwhile. What the process has stored between is as good as stored before: nothing of it was
// synced.
func (s *session) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone && s.left == nil {
		s.left = s.survivors()
	}
	return s.gone
}

func (s *session) hasFired() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fired
}

func (s *session) survivors() *vfs.Mem {
	switch s.end {
	case cut:
		return s.mem.CrashClone(s.seed)
	case cutUnordered:
		return s.mem.CrashCloneUnordered(s.seed)
	default:
		return s.mem.Clone()
	}
}

// begin says which operation comes next.
func (s *session) begin(op string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.op = op
}

// do takes note of the result of an operation and reports whether it was done. It is not, whatever
// it says, if the process ended meanwhile.
func (s *session) do(what string, err error) (done bool) {
	if Trace != nil {
		Trace("     %s: %v", what, err)
	}
	gone := s.isGone()
	if err != nil && !s.hasFired() && !gone {
		s.broken(fmt.Errorf("%s failed although no call did: %w", what, err))
	}
	return err == nil && !gone
}

func (s *session) broken(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong == nil {
		s.wrong = fmt.Errorf("%w (last call: %s)", err, s.last)
	}
}

// over reports whether there is nothing more to be done.
func (s *session) over() bool { return s.isGone() || s.wrong != nil }

func (s *session) open() bool {
	s.begin("open")
	o := options(s.fs, s.sync)
	o.SaveIndexBytes = s.save
	store, err := mmapcas.Open(dir, o)
	if err == nil {
		s.store = store
	}
	return s.do("open", err)
}

func (s *session) put(payload []byte) {
	s.l.put(payload, nothing)
	s.tell("put", payload)
	s.begin("put")
	_, _, err := s.store.Put(kind, payload)
	if s.do("put", err) {
		s.l.put(payload, s.promises())
	}
}

func (s *session) putBatch(payloads [][]byte) {
	for _, p := range payloads {
		s.l.put(p, nothing)
		s.tell("put", p)
	}
	s.begin("put")
	_, err := s.store.PutBatch(kind, payloads, nil)
	if s.do("put batch", err) {
		for _, p := range payloads {
			s.l.put(p, s.promises())
		}
	}
}

// tell traces what is done with a record.
func (s *session) tell(what string, payload []byte) {
	if Trace != nil {
		Trace("     %s %v", what, mmapcas.HashOf(kind, payload))
	}
}

// mistaken makes lives expect that all that is put survives a power cut, which no store promises.
// It shows what becomes of a life that fails.
var mistaken bool

// promises is what a put that returned promises.
func (s *session) promises() promise {
	if s.sync == mmapcas.SyncEvery || mistaken {
		return durable
	}
	return stored
}

func (s *session) commit() {
	note := fmt.Sprint("note ", s.l.next)
	s.l.next++
	s.l.tried(note, s.sync != mmapcas.SyncNone)
	s.begin("commit")
	if s.do("commit", s.store.Commit([]byte(note))) {
		s.l.committed(s.sync != mmapcas.SyncNone)
	}
}

func (s *session) get(h mmapcas.Hash) {
	s.begin("get")
	err := s.l.checkRecord(s.store, h)
	if err == nil || s.over() {
		return
	}
	if s.hasFired() && (errors.Is(err, s.err) || errors.Is(err, mmapcas.ErrNotFound) && s.store.Stats().Damaged > 0) {
		return // the index, or a segment at open, could not be read, which was said; another time it can
	}
	s.broken(err)
}

// collect runs a collection that keeps each record with the odds given, out of 8, and gives up
// before its end now and then.
func (s *session) collect(odds int) {
	s.begin("collect")
	c, err := s.store.BeginCycle()
	if !s.do("begin a cycle", err) {
		return
	}
	defer c.Abort()
	kept := map[*record]bool{}
	for _, h := range s.l.order {
		r := s.l.records[h]
		if r.promise == nothing {
			continue
		}
		if s.rng.IntN(8) >= odds {
			s.tell("drop", r.payload)
			continue
		}
		s.tell("mark", r.payload)
		if _, err := c.Mark(h); !s.do("mark", err) {
			return
		}
		kept[r] = true
	}
	s.l.collects(kept)
	for range 200 {
		s.begin("collect")
		done, st, err := c.Sweep(0)
		if !s.do("sweep", err) && s.over() {
			return
		}
		if st.Shaded > 0 {
			c.Shaded()
		}
		if done || s.rng.IntN(40) == 0 {
			return
		}
		if s.rng.IntN(4) == 0 {
			s.put(s.l.fresh(s.rng))
		}
	}
}

func (s *session) verify() {
	s.begin("verify")
	rep, err := s.store.Verify(context.Background(), nil)
	if s.do("verify", err) && !rep.OK() && !s.l.damage && !s.hasFired() {
		s.broken(fmt.Errorf("verify: %+v", rep))
	}
}
