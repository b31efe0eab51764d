package runtime

import (
	"fmt"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/memo"
)

// A Reader is what can be read from: a *Task or a *Snapshot. Reads through a task inside a query
// are recorded.
type Reader interface {
	// reads returns what to read, or why it must not be read.
	reads() (*Engine, readView, error)
}

// A readView is a snapshot with the frame that records, if any.
type readView struct {
	snap  *db.Snapshot
	frame *memo.Frame
}

// failed passes an error on that a read returns. A query that goes on in spite of it has seen what
// its trace cannot name, so its result is not kept.
func (v readView) failed(err error) error {
	if err != nil && v.frame != nil {
		v.frame.Taint()
	}
	return public(err)
}

// fails is failed for readers that have not been looked into yet.
func fails(r Reader, err error) error {
	_, view, _ := r.reads()
	return view.failed(err)
}

// A Snapshot is one generation, unchanging, for as long as it is held. It keeps replaced records
// alive: release it when done. It may be used from any number of goroutines until then.
type Snapshot struct {
	eng  *Engine
	err  error        // nil, or why it is none: every read returns it
	snap *db.Snapshot // nil if err is not
	refs atomic.Int32 // the holder's one, and one for each task that reads it
}

// Snapshot returns the newest generation. The caller must Release it. Where there can be none,
// because the engine is closing or a query asks, every read through it returns ErrClosed or
// ErrInQuery, and its generation is 0.
func (e *Engine) Snapshot() *Snapshot {
	if err := e.admit("Snapshot"); err != nil {
		return &Snapshot{eng: e, err: err}
	}
	return e.snapshot()
}

func (e *Engine) snapshot() *Snapshot {
	s := &Snapshot{eng: e, snap: e.db.Snapshot()}
	s.refs.Store(1)
	return s
}

// Generation is the number of the newest commit that s sees.
func (s *Snapshot) Generation() uint64 {
	if s.err != nil {
		return 0
	}
	return s.snap.Gen()
}

// Release gives the snapshot up. Tasks that were started At it may still be reading: what they read
// stays until they end.
func (s *Snapshot) Release() {
	if s.err == nil && s.refs.Add(-1) == 0 {
		s.snap.Release()
	}
}

func (s *Snapshot) retain() *Snapshot {
	s.refs.Add(1)
	return s
}

func (s *Snapshot) reads() (*Engine, readView, error) {
	err := s.err
	if err == nil {
		err = notInQuery("reading a snapshot")
	}
	if err == nil && s.eng.closed.Load() {
		err = fmt.Errorf("runtime: reading a snapshot: %w", ErrClosed)
	}
	return s.eng, readView{snap: s.snap}, err
}
