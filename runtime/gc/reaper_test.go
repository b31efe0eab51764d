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
	if n := c.Stats().GarbageBytes; n != during {
		t.Errorf("%d bytes of garbage are counted, want the %d that were replaced during the collection", n, during)
	}
}
