package gc

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/runtime/db"
)

// Finish brings to its end what somebody else has begun, and begins nothing.
func TestFinish(t *testing.T) {
	c := newLargeWorld(t)
	waits := 0
	pace := Pace{Wait: func() { waits++ }}
	if finished, err := c.Finish(t.Context(), pace); finished || err != nil {
		t.Errorf("nothing to finish: %v, %v", finished, err)
	}
	if st := c.Stats(); st.Cycles != 0 || st.Phase != Idle {
		t.Errorf("a cycle was begun: %+v", st)
	}
	c.Assist(Aid{Most: RecordWork, Begin: true})
	if st := c.Stats(); st.Phase == Idle {
		t.Fatalf("no cycle was begun: %+v", st)
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("no time")
	cancel(cause)
	if finished, err := c.Finish(ended, pace); finished || !errors.Is(err, cause) {
		t.Errorf("without time: %v, %v", finished, err)
	}
	if finished, err := c.Finish(t.Context(), pace); !finished || err != nil {
		t.Errorf("%v, %v", finished, err)
	}
	if st := c.Stats(); st.Cycles != 1 || st.Phase != Idle || st.Missing != 0 || waits == 0 {
		t.Errorf("at the end, after %d waits: %+v", waits, st)
	}
}

// A record that several keys refer to is garbage once the last of them does no longer, however the
// notes are reaped.
func TestReferredIsCounted(t *testing.T) {
	for _, some := range []bool{false, true} {
		st, d := newStore(t)
		c := New(Options{Store: st, DB: d, Logger: slog.New(slog.DiscardHandler), Refs: refsOf, Flush: func(context.Context) []mmapcas.Hash { return nil }})
		part, err := d.Partition("p", false)
		if err != nil {
			t.Fatal(err)
		}
		put := func(payload []byte) mmapcas.Hash {
			h, _, err := st.Put(kindObject, payload)
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		commit := func(ops ...db.Op) {
			t.Helper()
			changes := make([]db.Change, len(ops)+1) // the last is a key that has gone
			for i, op := range ops {
				changes[i].New = op.Hash
			}
			c.Referred(changes)
			if _, err := d.Commit(t.Context(), ops); err != nil {
				t.Fatal(err)
			}
		}
		const bytes = 9000
		shared := put(make([]byte, bytes))
		commit(db.Op{Part: part, Key: "a", Verb: db.Put, Hash: shared}, db.Op{Part: part, Key: "b", Verb: db.Put, Hash: shared})
		reaped := func() int64 {
			if some {
				c.ReapSome()
			} else {
				c.Reap()
			}
			return int64(c.Stats().GarbageBytes)
		}
		commit(db.Op{Part: part, Key: "a", Verb: db.Put, Hash: put([]byte{0, 1})})
		if n := reaped(); n >= bytes {
			t.Errorf("some %v: %d bytes count as garbage while a key refers to them", some, n)
		}
		commit(db.Op{Part: part, Key: "b", Verb: db.Put, Hash: put([]byte{0, 2})})
		if n := reaped(); n < record.Extent(bytes) {
			t.Errorf("some %v: %d bytes count as garbage, the record alone has %d", some, n, record.Extent(bytes))
		}
	}
}

// Every phase has a name that leads back to it.
func TestPhasesHaveNames(t *testing.T) {
	for p := Idle; p <= Sweeping; p++ {
		text, err := p.MarshalText()
		if err != nil || string(text) != p.String() {
			t.Errorf("%d: %q, %v", p, text, err)
		}
		var back Phase
		if err := back.UnmarshalText(text); err != nil || back != p {
			t.Errorf("%q is %v, %v", text, back, err)
		}
	}
	if err := new(Phase).UnmarshalText([]byte("resting")); err == nil {
		t.Error("a phase of no name")
	}
}
