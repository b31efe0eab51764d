package memo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A StoredQuery is what the store has of the answers of a query.
type StoredQuery struct {
	Name    string
	Keys    int64 // with a trace
	Traces  int64 // bytes of their records, headers included and padding not
	Results int64 // the same of the results that these name
}

// Stored says what the store has of each query, by name: it reads all traces. A record that several
// keys of a query have counts once there. The trees that lead to the traces are not counted.
func (t *Table) Stored() ([]StoredQuery, error) {
	type counted struct {
		StoredQuery
		seen map[mmapcas.Hash]struct{}
	}
	all := map[string]*counted{}
	err := t.o.DB.LatestRange(t.part, "", "", false, func(stored string, h db.Hash) bool {
		name, _, isTrace := strings.Cut(stored, keySeparator)
		if !isTrace {
			return true
		}
		q := all[name]
		if q == nil {
			q = &counted{StoredQuery{Name: name}, map[mmapcas.Hash]struct{}{}}
			all[name] = q
		}
		q.Keys++
		size := func(h mmapcas.Hash) int64 {
			if _, known := q.seen[h]; known || isTiny(h) {
				return 0
			}
			q.seen[h] = struct{}{}
			bytes, padding := t.o.Store.Extent(h)
			return bytes - padding
		}
		q.Traces += size(h)
		var results []mmapcas.Hash
		_ = t.o.Store.View(h, func(kind mmapcas.Kind, p []byte) (err error) { // one that is damaged names none
			if kind == KindTrace {
				results, err = resultsOf(p)
			}
			return err
		})
		for _, r := range results {
			q.Results += size(r)
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("memo: reading all traces: %w", err)
	}
	out := make([]StoredQuery, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name].StoredQuery)
	}
	return out, nil
}
