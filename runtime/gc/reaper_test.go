package gc

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/runtime/db"
)

// What is replaced while a cycle runs is garbage after it still, and counted; what was replaced
// before is gone.
func TestFloatingGarbageIsCounted(t *testing.T) {
	st, d := newStore(t)
	c := New(Options{Store: st, DB: d, Logger: slog.New(slog.DiscardHandler), Refs: refsOf, Flush: func(context.Context) []mmapcas.Hash { return nil }})
	part, err := d.Partition("p", false)
	if err != nil {
		t.Fatal(err)
	}
	commit := func(payload []byte) {
		t.Helper()
		defer c.Session()()
		h, _, err := st.Put(kindObject, payload)
		if err != nil {
			t.Fatal(err)
		}
		c.Shade(h)
		if _, err := d.Commit(t.Context(), []db.Op{{Part: part, Key: "k", Verb: db.Put, Hash: h}}); err != nil {
			t.Fatal(err)
		}
	}
	const before, during = 10_000, 3_000
	commit(make([]byte, before))
	commit(make([]byte, during))
	committed := false
	err = c.Collect(t.Context(), Pace{Wait: func() {
		if !committed && c.Stats().Phase >= Marking {
			commit([]byte{0})
			committed = true
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.Reap()
	if n := int64(c.Stats().GarbageBytes); n != record.Extent(during) {
		t.Errorf("%d bytes of garbage are counted, want the %d that were replaced during the collection", n, record.Extent(during))
	}
}

// What is counted as garbage is what the disk has of it: a record takes its header and padding, and
// one that is compressed takes less than its payload.
func TestGarbageIsCountedAsItIsStored(t *testing.T) {
	const kindText mmapcas.Kind = 43
	st, err := mmapcas.Open(t.TempDir(), mmapcas.Options{SegmentBytes: 4 << 20, Compress: []mmapcas.Kind{kindText}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	d, err := db.Open(st, db.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(context.Background()) })
	c := New(Options{Store: st, DB: d, Logger: slog.New(slog.DiscardHandler), Refs: refsOf, Flush: func(context.Context) []mmapcas.Hash { return nil }})
	part, err := d.Partition("p", false)
	if err != nil {
		t.Fatal(err)
	}
	put := func(payload []byte) (h mmapcas.Hash, bytes int64) {
		t.Helper()
		before := st.Stats().LiveBytes
		h, _, err := st.Put(kindText, payload)
		if err != nil {
			t.Fatal(err)
		}
		return h, st.Stats().LiveBytes - before
	}
	commit := func(ops []db.Op) {
		t.Helper()
		defer c.Session()()
		if _, err := d.Commit(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
	}
	const small = 100
	var there, gone []db.Op
	var stored int64
	for i := range small + 1 {
		payload := fmt.Append(nil, "text ", i)
		if i == small {
			payload = bytes.Repeat(payload, 10_000)
		}
		h, n := put(payload)
		stored += n
		there = append(there, db.Op{Part: part, Key: fmt.Sprint(i), Verb: db.Put, Hash: h})
		gone = append(gone, db.Op{Part: part, Key: fmt.Sprint(i), Verb: db.Delete})
		if i == small && n > int64(len(payload))/10 {
			t.Fatalf("%d bytes are stored of a payload of %d that says one thing again and again", n, len(payload))
		}
	}
	commit(there)
	commit(gone)
	c.Reap()
	if n := int64(c.Stats().GarbageBytes); n != stored {
		t.Errorf("%d bytes of garbage are counted, and %d were stored", n, stored)
	}
}

// Of many records that are replaced, the bytes of a part, and of what these refer to, stand for
// all; what is referred to from another key is no garbage then either.
func TestGarbageOfManyIsEstimated(t *testing.T) {
	st, d := newStore(t)
	c := New(Options{Store: st, DB: d, Logger: slog.New(slog.DiscardHandler), Refs: refsOf, Flush: func(context.Context) []mmapcas.Hash { return nil }})
	c.reaper.exact = 100
	part, err := d.Partition("p", false)
	if err != nil {
		t.Fatal(err)
	}
	const n = 24_000
	garbage := int64(0)
	commit := func(ops []db.Op) {
		t.Helper()
		defer c.Session()()
		res, err := d.Commit(t.Context(), ops)
		if err != nil {
			t.Fatal(err)
		}
		c.Referred(res.Changes)
		c.Reap()
	}
	one, _, err := st.Put(kindObject, make([]byte, 200))
	if err != nil {
		t.Fatal(err)
	}
	c.Referred([]db.Change{{New: one}}) // so it is garbage when the last key has lost it
	for from := 0; from < n; from += 100 {
		var values, same, none []db.Op
		for i := from; i < from+100; i++ {
			own := make([]byte, 60+i%300) // of the value, which alone refers to it
			binary.LittleEndian.PutUint64(own[len(own)-8:], uint64(i))
			below, _, err := st.Put(kindObject, own)
			if err != nil {
				t.Fatal(err)
			}
			garbage += record.Extent(len(own))
			payload := make([]byte, 100+i%400)
			payload[0] = byte(copy(payload[1:], below[:]) / len(below))
			h, _, err := st.Put(kindObject, payload)
			if err != nil {
				t.Fatal(err)
			}
			garbage += record.Extent(len(payload))
			key := fmt.Sprint(i)
			values = append(values, db.Op{Part: part, Key: key, Verb: db.Put, Hash: h})
			same = append(same, db.Op{Part: part, Key: key, Verb: db.Put, Hash: one})
			none = append(none, db.Op{Part: part, Key: key, Verb: db.Delete})
		}
		commit(values)
		commit(same)
		commit(none)
	}
	got := int64(c.Stats().GarbageBytes)
	if off := max(got-garbage, garbage-got); off*10 > garbage {
		t.Errorf("%d bytes are garbage, the estimate is %d", garbage, got)
	}
	if counts := len(c.reaper.counts); counts > n/4 {
		t.Errorf("%d counts are kept of %d records", counts, n)
	}
	if err := c.Collect(t.Context(), Pace{Wait: func() {}}); err != nil {
		t.Fatal(err)
	}
	if left := c.Stats().GarbageBytes; left != 0 || c.Sampled() {
		t.Errorf("after a collection %d bytes are counted, of a part only: %v", left, c.Sampled())
	}
}

// The sample becomes a part of the records when many have been noted, and a smaller part when the
// part stands for many times as many: a few hundred records are in it from the start. A cycle of
// everything has all records count again.
func TestSampleGetsThinnerAsNotesCome(t *testing.T) {
	st, d := newStore(t)
	c := New(Options{Store: st, DB: d, Logger: slog.New(slog.DiscardHandler), Refs: refsOf, Flush: func(context.Context) []mmapcas.Hash { return nil }})
	r := &c.reaper
	for _, want := range []struct{ noted, part int }{
		{8191, 1}, {8192, 16}, {131_072 - 16, 16}, {131_072, 64}, {10_000_000, 64},
	} {
		for r.noted < want.noted {
			r.note()
		}
		if r.part.Load() != int64(want.part) {
			t.Errorf("of %d notes one in %d counts, want one in %d", r.noted, r.part.Load(), want.part)
		}
	}
	r.collected(false, 0)
	if r.part.Load() != 1 || r.noted != 0 {
		t.Errorf("after a cycle one in %d counts, and %d are noted", r.part.Load(), r.noted)
	}
}
