package runtime

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/memo"
)

// A Reader is what can be read from: a *Task or a *Snapshot. Reads through a task inside a query are recorded.
type Reader interface {
	reads() (*Engine, readView)
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
	return err
}

// fails is failed for readers that have not been looked into yet.
func fails(r Reader, err error) error {
	_, view := r.reads()
	return view.failed(err)
}

// A Snapshot is one generation, unchanging, for as long as it is held. It keeps replaced records alive: release
// it when done. It may be used from any number of goroutines until then.
type Snapshot struct {
	eng  *Engine
	snap *db.Snapshot
	refs atomic.Int32 // the holder's one, and one for each task that reads it
}

// Snapshot returns the newest generation. The caller must Release it.
func (e *Engine) Snapshot() *Snapshot {
	s := &Snapshot{eng: e, snap: e.db.Snapshot()}
	s.refs.Store(1)
	return s
}

// Generation is the number of the newest commit that s sees.
func (s *Snapshot) Generation() uint64 { return s.snap.Gen() }

// Release gives the snapshot up. Tasks that were started At it may still be reading: what they read stays until they end.
func (s *Snapshot) Release() {
	if s.refs.Add(-1) == 0 {
		s.snap.Release()
	}
}

func (s *Snapshot) retain() *Snapshot {
	s.refs.Add(1)
	return s
}

func (s *Snapshot) reads() (*Engine, readView) { return s.eng, readView{snap: s.snap} }
