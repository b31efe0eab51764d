package memo

import (
	"fmt"
	"testing"
)

// checkCache compares what is in the ring with the values of the traces in the entries (M7).
func checkCache(t testing.TB, table *Table, queries map[string]*Query) {
	t.Helper()
	c := &table.cache
	held := map[*cached]bool{}
	for name, q := range queries {
		q.entries.each(func(x *source) bool {
			key, e := x.key(), x.asEntry()
			e.mu.Lock()
			defer e.mu.Unlock()
			for tr := e.traces; tr != nil; tr = tr.next {
				b := tr.inCache()
				if tr.gone || b != nil && b.place == 0 {
					t.Errorf("%s(%s): M7: a trace of the entry counts as gone (%t), or its value is not in the cache", name, key, tr.gone)
				}
				if b != nil {
					held[b] = true
				}
			}
			return true
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := int64(0)
	for i, b := range c.ring {
		sum += int64(b.bytes)
		if int(b.place) != i+1 || b.owner.inCache() != b {
			t.Errorf("the box in place %d of the ring says %d, or its trace has another one", i+1, b.place)
		}
		if !held[b] {
			t.Errorf("M7: the cache holds the value of a trace that is in no entry")
		}
	}
	if len(c.ring) != len(held) || sum != c.bytes.Load() {
		t.Errorf("the ring has %d values of %d bytes; %d traces have one, and %d bytes are counted", len(c.ring), sum, len(held), c.bytes.Load())
	}
}

// What is superseded goes although the cache has room: an edit adds a trace and takes one away.
func TestSupersededValuesLeaveTheCache(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	const edits = 300
	for i := range edits {
		put("text", fmt.Sprintf("edit %03d", i))
		r.want("upper", "text", fmt.Sprintf("EDIT %03d", i))
		r.want("length", "text", "xxxxxxxx")
	}
	checkCache(t, r.table, r.queries)
	entries := r.table.Entries()
	if n := len(r.table.cache.ring); n == 0 || n > tracesKept*entries {
		t.Errorf("%d values of %d keys are in the cache after %d edits", n, entries, edits)
	}
	// An undo finds a trace that has left the entry no more, and one that is still there with its
	// value.
	put("text", fmt.Sprintf("edit %03d", edits-2))
	ran := r.queries["upper"].Counts.Ran.Load()
	r.want("upper", "text", fmt.Sprintf("EDIT %03d", edits-2))
	if now := r.queries["upper"].Counts.Ran.Load(); now != ran {
		t.Errorf("the undo of the last edit ran the query again")
	}
	checkCache(t, r.table, r.queries)
}

// A key that is forgotten takes its values along.
func TestForgottenKeysLeaveTheCache(t *testing.T) {
	r := newRig(t, 1, Options{TraceBytes: 16 << 10})
	put := r.ladder()
	for i := range 200 {
		key := fmt.Sprintf("%03d", i)
		put(key, "text "+key)
		r.want("upper", key, "TEXT "+key)
		if i%10 == 0 {
			if err := r.table.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if r.table.Residency().Evicted == 0 {
		t.Fatal("nothing was evicted")
	}
	checkCache(t, r.table, r.queries)
}

// A trace that was dropped while a reader looked at it, and is used again, is in the cache again.
func TestTraceThatComesBackIsCached(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	put("a", "text")
	r.want("upper", "a", "TEXT")
	e := r.table.entry(r.queries["upper"], "a")
	tr := e.last.Load()
	r.table.drop(e, tr)
	checkCache(t, r.table, r.queries)
	if v, err := r.table.value(e, tr); err != nil || v != "TEXT" {
		t.Errorf("the reader finds %v, %v", v, err)
	}
	checkCache(t, r.table, r.queries)
	if !r.table.reuse(e, tr, Reason{}) {
		t.Fatal("the result is gone")
	}
	checkCache(t, r.table, r.queries)
	r.want("upper", "a", "TEXT")
}
