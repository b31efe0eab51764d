package gc

import (
	"context"
	"log/slog"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// What is replaced while a cycle runs is garbage after it still, and counted; what was replaced
// before is gone.
func TestFloatingGarbageIsCounted(t *testing.T) {
	st, err := mmapcas.Open("", mmapcas.Options{SegmentBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	quiet := slog.New(slog.DiscardHandler)
	d, err := db.Open(st, db.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(context.Background())
	c := New(Options{Store: st, DB: d, Logger: quiet, Refs: refsOf, Flush: func(context.Context) []mmapcas.Hash { return nil }})
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
	if n := c.Stats().GarbageBytes; n != during {
		t.Errorf("%d bytes of garbage are counted, want the %d that were replaced during the collection", n, during)
	}
}
