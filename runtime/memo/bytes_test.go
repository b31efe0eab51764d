package memo

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"weak"

	"github.com/cytisus/cytisus/runtime/db"
)

// askMany asks a query for many keys in one task.
func (r *rig) askMany(query string, keys []string) {
	r.t.Helper()
	h := r.task(context.Background(), func(f *Frame) error {
		for _, key := range keys {
			if _, err := r.get(f, query, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err := h.Wait(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// putMany puts a text at many keys of a partition and returns the keys.
func (r *rig) putMany(part db.PartID, n int, text string) []string {
	r.t.Helper()
	h, _, err := r.store.Put(kindTest, []byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	keys, ops := make([]string, n), make([]db.Op, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%06d", i)
		ops[i] = db.Op{Part: part, Key: keys[i], Verb: db.Put, Hash: h}
	}
	if _, err := r.db.Commit(context.Background(), ops); err != nil {
		r.t.Fatal(err)
	}
	return keys
}

// What is evicted is memory that the collector gets: no list of dependents, no link and no place of
// an entry that stays leads to it, nor is the node left of a key that no other answer reads.
func TestWhatIsEvictedLeavesMemory(t *testing.T) {
	r := newRig(t, 1, Options{TraceBytes: 1})
	texts := r.partition("texts")
	r.query("own", func(f *Frame, key string) (string, error) { return r.text(f, texts, key) })
	r.query("shared", func(f *Frame, key string) (string, error) { return r.text(f, texts, "000000") })
	r.query("above", func(f *Frame, key string) (string, error) { return r.get(f, "own", key) })
	keys := r.putMany(texts, 2000, "some text")
	var entries []weak.Pointer[entry]
	var traces []weak.Pointer[trace]
	for _, query := range []string{"own", "shared", "above"} {
		r.askMany(query, keys)
		for _, key := range keys {
			e := r.queries[query].entry(key)
			if e == nil || e.traces == nil {
				t.Fatalf("%s(%s) has no trace", query, key)
			}
			entries, traces = append(entries, weak.Make(e)), append(traces, weak.Make(e.traces))
		}
	}
	// A reader of the lower answers is in use, and stays.
	stays := r.queries["above"].entry(keys[7])
	flight := stays.join(r.db.Generation())
	for range 3 {
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.table.Entries(); n != 1 {
		t.Fatalf("%d entries are left", n)
	}
	runtime.GC()
	runtime.GC()
	leftEntries, leftTraces := 0, 0
	for i := range entries {
		if e := entries[i].Value(); e != nil && e != stays {
			leftEntries++
		}
		if tr := traces[i].Value(); tr != nil {
			leftTraces++
		}
	}
	// The entry that stays is linked to the one that it has read, and a stack or two may still have
	// what was on it last.
	if leftEntries > 20 || leftTraces > 20 {
		t.Errorf("%d entries and %d traces of %d are still in memory", leftEntries, leftTraces, len(entries))
	}
	if n := r.table.nodes.made.Load(); n > 0 {
		t.Errorf("%d nodes are left", n)
	}
	flight.abandon()
}

// What an answer costs that reads one key, with its share of an answer above ten such: measured on
// the heap and in the store. Who adds a field to an entry, a source, a trace or a read sees it
// here.
func TestBytesOfAnAnswer(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's builds take more")
	}
	if strconv.IntSize == 32 {
		t.Skip("the sizes are those of 64 bits")
	}
	const (
		n       = 20_000
		heapMax = 590
		diskMax = 115
	)
	r := newRig(t, 1, Options{})
	r.keepsTiny = true
	r.newTable(Options{})
	texts := r.partition("texts")
	r.query("leaf", func(f *Frame, key string) (string, error) { return r.text(f, texts, key) })
	r.query("ten", func(f *Frame, key string) (string, error) {
		for i := range 10 {
			if _, err := r.get(f, "leaf", fmt.Sprintf("%s%d", key, i)); err != nil {
				return "", err
			}
		}
		return "ten", nil
	})
	keys := r.putMany(texts, n, "text")
	tens := make([]string, n/10)
	for i := range tens {
		tens[i] = keys[10*i][:5]
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, disk := heap(), r.store.Stats().StoredBytes
	r.askMany("ten", tens)
	unflushed := heap() - before
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	in := r.table.Residency()
	answers := int64(r.table.Entries())
	if want := int64(n + n/10); answers != want {
		t.Fatalf("%d answers, want %d", answers, want)
	}
	each := (heap() - before) / answers
	t.Logf("%d bytes of heap, %d of the store", each, (int64(r.store.Stats().StoredBytes)-int64(disk))/answers)
	if each > heapMax {
		t.Errorf("an answer takes %d bytes of heap, at most %d are wanted", each, heapMax)
	}
	if each := (int64(r.store.Stats().StoredBytes) - int64(disk)) / answers; each > diskMax {
		t.Errorf("an answer takes %d bytes of the store, at most %d are wanted", each, diskMax)
	}
	// What bounds the memory of answers is what they take.
	counted := in.Bytes + in.DecodedBytes
	t.Logf("%d bytes are counted of %d", counted, unflushed)
	if off := unflushed - counted; off > unflushed/20 || off < -unflushed/20 {
		t.Errorf("%d bytes of heap are counted as %d", unflushed, counted)
	}
	runtime.KeepAlive(r)
}
