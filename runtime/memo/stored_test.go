package memo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// TestStored: what the store has of each query is what its traces and results take, a result that
// several keys have once; what was not flushed is not there, and what is forgotten is not there any
// more. Queries whose names begin with each other's are told apart.
func TestStored(t *testing.T) {
	r := newRig(t, 1, Options{})
	long := func(c string) string { return strings.Repeat(c, 3000) }
	for _, name := range []string{"same", "same2", "own", "tiny"} {
		r.query(name, func(_ *Frame, key string) (string, error) {
			switch name {
			case "own":
				return long(key), nil
			case "tiny":
				return key, nil
			}
			return long(name), nil
		})
	}
	for _, key := range []string{"a", "b", "c"} {
		r.want("same", key, long("same"))
		r.want("own", key, long(key))
		r.want("tiny", key, key)
	}
	r.want("same2", "a", long("same2"))
	names := func(want ...string) {
		t.Helper()
		if got, err := r.table.StoredQueries(); err != nil || !slices.Equal(got, want) {
			t.Errorf("traces are stored of %q, want %q (%v)", got, want, err)
		}
	}
	names()
	r.flush()
	names("own", "same", "same2", "tiny")
	extent := func(payload string) int64 {
		bytes, padding := r.store.Extent(mmapcas.HashOf(kindTest, []byte(payload)))
		if bytes == 0 {
			t.Fatalf("the result %.10q is not stored", payload)
		}
		return bytes - padding
	}
	stored := func(want ...StoredQuery) {
		t.Helper()
		got, err := r.table.Stored()
		if err != nil || len(got) != len(want) {
			t.Fatalf("%+v, want %+v (%v)", got, want, err)
		}
		for i, q := range got {
			w := want[i]
			if q.Name != w.Name || q.Keys != w.Keys || q.Results != w.Results {
				t.Errorf("the store has %+v, want %+v", q, w)
			}
			if most := 200 * w.Keys; q.Traces <= 0 || q.Traces > most {
				t.Errorf("traces of %s take %d bytes, want up to %d", q.Name, q.Traces, most)
			}
		}
	}
	own := StoredQuery{Name: "own", Keys: 3, Results: extent(long("a")) + extent(long("b")) + extent(long("c"))}
	same2 := StoredQuery{Name: "same2", Keys: 1, Results: extent(long("same2"))}
	tiny := StoredQuery{Name: "tiny", Keys: 3}
	stored(own, StoredQuery{Name: "same", Keys: 3, Results: extent(long("same"))}, same2, tiny)
	if _, err := r.db.Commit(context.Background(), r.table.ForgottenBy("same", "none")); err != nil {
		t.Fatal(err)
	}
	names("own", "same2", "tiny")
	stored(own, same2, tiny)
}

// TestStoredOfManyKeys: the names of queries are found however many keys each has.
func TestStoredOfManyKeys(t *testing.T) {
	r := newRig(t, 1, Options{})
	var want []string
	for i := range 5 {
		name := fmt.Sprint("q", i)
		r.query(name, func(_ *Frame, key string) (string, error) { return key, nil })
		for k := range 100 {
			r.want(name, fmt.Sprint(k), fmt.Sprint(k))
		}
		want = append(want, name)
	}
	r.flush()
	if got, err := r.table.StoredQueries(); err != nil || !slices.Equal(got, want) {
		t.Errorf("traces are stored of %q, want %q (%v)", got, want, err)
	}
}
