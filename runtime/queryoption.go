package runtime

import "fmt"

// A QueryOption is a policy of one query, for NewQuery: what is true of the query wherever it is
// asked. Options of which one excludes another show at first use, as ErrConflict.
type QueryOption func(*queryOptions)

// queryOptions are the policies of a query. The zero value is that of a query that says nothing.
type queryOptions struct {
	fixpoint any          // a *fixpoint of the query's types; nil: cycles are errors
	failures failureCodec // nil: no error is an answer
}

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
