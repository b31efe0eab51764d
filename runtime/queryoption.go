package runtime

// A QueryOption is a policy of one query, for NewQuery: what is true of the query wherever it is
// asked. Options of which one excludes another show at first use, as ErrConflict.
type QueryOption func(*queryOptions)

// queryOptions are the policies of a query. The zero value is that of a query that says nothing.
type queryOptions struct{}
