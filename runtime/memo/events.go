package memo

import (
	"fmt"
	"slices"
	"time"

	"github.com/cytisus/cytisus/runtime/sched"
)

// A What says what happened to an answer.
type What uint8

const (
	WasRun       What = iota + 1 // the query function was called, and returned
	WasReused                    // it was known to hold
	WasVerified                  // its reads were looked at, and are as they were
	WasCancelled                 // finding it out was given up
	WasEvicted                   // its key was forgotten, to be read from the store when it is asked for
	WasAudited                   // it was computed again, and compared
)

var whatNames = [...]string{"", "run", "reuse", "verify", "cancel", "evict", "audit"}

func (w What) String() string {
	if int(w) >= len(whatNames) {
		return fmt.Sprintf("what %d", uint8(w))
	}
	return whatNames[w]
}

// MarshalText gives the name of what happened.
func (w What) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText is the inverse of MarshalText; a name of another program is no What.
func (w *What) UnmarshalText(text []byte) error {
	*w = What(max(slices.Index(whatNames[:], string(text)), 0))
	return nil
}

// An Event is something that happened to an answer.
type Event struct {
	What  What
	Query string
	Key   string        // as people write it
	Took  time.Duration // of a run, with all that it needed and waited for; of a verification; of an audit; else 0
	Cause string        // why it ran, held, was given up or forgotten; what an audit found
}

// happened tells Options.Trace of an event. A panic of the hook is logged, and is no one's error.
func (t *Table) happened(what What, q *Query, key string, took time.Duration, cause string) {
	defer func() {
		if r := recover(); r != nil {
			t.o.Logger.Error("memo: Options.Trace has panicked", "err", sched.Caught(r))
		}
	}()
	t.o.Trace(Event{what, q.Name, q.ShowKey(key), took, cause})
}

// traces reports whether there is a hook to tell.
func (t *Table) traces() bool { return t.o.Trace != nil }

// begun returns the time if a hook is to be told how long a thing took.
func (t *Table) begun() (at time.Time) {
	if t.traces() {
		at = time.Now()
	}
	return at
}

// tellEvicted tells of entries that were forgotten. No lock of an entry, or of the clock, is held.
func (t *Table) tellEvicted(entries []*entry) {
	for _, e := range entries {
		t.happened(WasEvicted, e.query, e.key(), 0, "to keep what is in memory within bounds")
	}
}
