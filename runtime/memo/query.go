package memo

import (
	"fmt"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A Query is a memoised function in untyped form, as one Table knows it; package runtime makes
// typed ones of it.
type Query struct {
	Name    string // identifies the query in the store
	Version uint32 // traces of another version are ignored
	Where   string // file and line where it is made, for errors; may be ""

	table   *Table // that knows it so; by Table.Bind
	entries index  // by encoded key
	about   *about // of reads of it; made by Table.Bind

	// Eval runs the function for an encoded key. What it reads through f is recorded. The payload
	// of the result is valid until the strand runs a function again.
	Eval func(f *Frame, key string) (Result, error)

	// Fixpoint is not nil for a query that may be in a cycle of such.
	Fixpoint *Fixpoint

	MemoryOnly bool // answers are never stored, but for those that refer to records
	TracesMax  int  // traces that a key has at most; 0: tracesKept
	Cost       Cost

	// Decode turns a stored result back into a value. payload is valid during the call only.
	Decode func(kind mmapcas.Kind, payload []byte) (any, error)

	// Whole makes all of a decoded table readable, which Decode may leave for later. Nil: results
	// are no tables, or there is nothing left to do.
	Whole func(value any) error

	// ShowKey gives an encoded key as people write it.
	ShowKey func(key string) string

	Counts   Counts
	noticeAt atomic.Uint64 // Counts.Reused from which on noticeReuse is called
	audit    queryAudits
	runMean  atomic.Int64 // nanoseconds of a run, a running mean; 0: none was timed
	costs    costs
}

// A Result is what one run gave: the canonical bytes that are stored under Kind, and the value they
// stand for.
type Result struct {
	Kind    mmapcas.Kind
	Payload []byte
	Refs    []mmapcas.Hash // records that the payload refers to
	Value   any
}

// Counts tells how often a query was answered and how. All fields only grow.
type Counts struct {
	Reused    atomic.Uint64 // answered without verifying a read
	Steady    atomic.Uint64 // of the traces found to hold so, those that had read steady partitions only, none of which had changed
	Validated atomic.Uint64 // every read verified, the result kept
	Looked    atomic.Uint64 // reads that were verified, one by one
	Ran       atomic.Uint64 // the function ran
	Failed    atomic.Uint64 // the function ran and returned an error
	Unstored  atomic.Uint64 // of the results, those that stay in memory
	Impure    atomic.Uint64 // an audit gave another result
	Audited   atomic.Uint64 // answers that were computed again and compared
	Unaudited atomic.Uint64 // answers that were to be, and had changed by then, or could not be
}

func (q *Query) show(key string) string { return q.Name + "(" + q.ShowKey(key) + ")" }

// keyBytesMax is the length of the longest key of q: the traces are stored under it and the name.
func (q *Query) keyBytesMax() int { return db.MaxKeyBytes - len(q.Name) - len(keySeparator) }

// fits reports a key that is too long.
func (q *Query) fits(key string) error {
	if len(key) <= q.keyBytesMax() {
		return nil
	}
	return fmt.Errorf("memo: query %s: %w: %d bytes, the most is %d; it begins %.64q",
		q.Name, db.ErrKeyTooLong, len(key), q.keyBytesMax(), key)
}
