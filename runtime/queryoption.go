package runtime

import (
	"fmt"

	"github.com/cytisus/cytisus/runtime/memo"
)

// A QueryOption is a policy of one query, for NewQuery: what is true of the query wherever it is
// asked. Options of which one excludes another show at first use, as ErrConflict.
type QueryOption func(*queryOptions)

// queryOptions are the policies of a query. The zero value is that of a query that says nothing.
type queryOptions struct {
	fixpoint any          // a *fixpoint of the query's types; nil: cycles are errors
	failures failureCodec // nil: no error is an answer

	memoryOnly bool
	runsKept   int // 0: what suits most
	cost       memo.Cost
}

// MemoryOnly says that answers of the query are not stored: after a restart it runs again. They
// stay in memory within Options.TraceBytes, beyond which they are forgotten. One that holds Blobs
// is stored all the same, since what is not is out of a collection's sight.
func MemoryOnly() QueryOption { return func(o *queryOptions) { o.memoryOnly = true } }

// KeepRuns says how many answers are kept for each key, with what they had read: those that hold
// for what was there before are found again when it is back. Without this option it is as many as
// an edit, its undo, and a branch that is switched to and fro take. Less than one counts as one.
func KeepRuns(n int) QueryOption { return func(o *queryOptions) { o.runsKept = max(n, 1) } }

// Cheap says that computing an answer is quicker than loading it, so that answers are not stored.
// An engine measures both (QueryStats.RunTime, LoadTime), and stores them where it is not so. Small
// answers of a query that runs often need no Cheap: they are not stored where what is measured
// leaves no doubt (QueryStats.Cheap).
func Cheap() QueryOption { return func(o *queryOptions) { o.cost = memo.Cheap } }

// conflict reports options of a query that cannot be followed.
func (o *queryOptions) conflict(query, where string, table bool) error {
	if table && (o.failures != nil || o.fixpoint != nil) {
		return fmt.Errorf("%w: table %q at %s has KeepErrors or Fixpoint, which are for queries", ErrConflict, query, where)
	}
	if o.failures == nil {
		return nil
	}
	if err := o.failures.refused(); err != nil {
		return fmt.Errorf("%w: errors of type %s of query %q at %s: %w", ErrBadValue, o.failures.kind(), query, where, err)
	}
	if o.fixpoint != nil {
		return fmt.Errorf("%w: query %q at %s has both KeepErrors and Fixpoint", ErrConflict, query, where)
	}
	return nil
}
