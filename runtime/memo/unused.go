package memo

import (
	"fmt"
	"strings"

	"github.com/cytisus/cytisus/runtime/db"
)

// StoredQueries returns the names of the queries that traces are stored of, in order: one look into
// the trace partition for each.
func (t *Table) StoredQueries() (names []string, err error) {
	for lo, more := "", true; more; {
		more = false
		err := t.o.DB.LatestRange(t.part, lo, "", false, func(stored string, _ db.Hash) bool {
			more = true
			name, _, isTrace := strings.Cut(stored, keySeparator)
			if lo = stored + keySeparator; isTrace {
				names = append(names, name)
				lo = name + afterSeparator
			}
			return false
		})
		if err != nil {
			return nil, fmt.Errorf("memo: looking for queries with traces: %w", err)
		}
	}
	return names, nil
}

// afterSeparator comes behind keySeparator and all that begins with it.
const afterSeparator = "\x01"

// ForgottenBy returns the operations that forget all stored traces of the named queries.
func (t *Table) ForgottenBy(names ...string) (ops []db.Op) {
	for _, name := range names {
		ops = append(ops, db.Op{Part: t.part, Key: name + keySeparator, Verb: db.ClearPrefix})
	}
	return ops
}
