package memo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// heard returns a hook, and a function that returns what it was told since it was called last.
func heard() (hook func(Event), since func() []string) {
	var (
		mu  sync.Mutex
		all []string
	)
	hook = func(ev Event) {
		mu.Lock()
		defer mu.Unlock()
		s := fmt.Sprintf("%v %s(%s): %s", ev.What, ev.Query, ev.Key, ev.Cause)
		if timed := ev.What == WasRun || ev.What == WasVerified || ev.What == WasAudited; timed != (ev.Took > 0) || ev.Took > time.Hour {
			s += fmt.Sprint(" took ", ev.Took)
		}
		all = append(all, s)
	}
	return hook, func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := all
		all = nil
		return out
	}
}

// Options.Trace is told of everything that happens to answers, once, with the cause.
func TestTraceIsToldWhatHappens(t *testing.T) {
	for _, share := range []float64{0, 1} {
		hook, since := heard()
		r := newRig(t, 1, Options{Trace: hook, AuditShare: share})
		put := r.ladder()
		boom := errors.New("boom")
		r.query("fails", func(*Frame, string) (string, error) { return "", boom })
		r.query("waits", func(f *Frame, _ string) (string, error) {
			f.Strand().Task.Handle().Cancel(boom)
			return "", f.Context().Err()
		})
		told := func(what string, want ...string) {
			t.Helper()
			if got := since(); !slices.Equal(got, want) {
				t.Errorf("%s, share %v:\n got %q\nwant %q", what, share, got, want)
			}
		}
		put("k", "a")
		r.want("length", "k", "x")
		told("first", "run upper(k): ran: no earlier run is known", "run length(k): ran: no earlier run is known")
		r.want("length", "k", "x")
		told("again", "reuse length(k): reused")
		put("j", "b")
		r.want("length", "k", "x")
		told("after another commit", "reuse length(k): reused")
		put("k", "A")
		r.want("length", "k", "x")
		told("cut off", `run upper(k): ran: a read changed: files["k"]`, "verify length(k): validated: every read is as it was")
		put("k", "aa")
		r.want("length", "k", "xx")
		told("changed", `run upper(k): ran: a read changed: files["k"]`, "reuse upper(k): reused", "run length(k): ran: a read changed: upper(k)")
		put("k", "a")
		r.want("length", "k", "x")
		told("undone", "verify upper(k): validated: every read is as it was", "reuse upper(k): reused", "verify length(k): validated: every read is as it was")
		if share == 1 {
			r.audit()
			const length, upper = "audit length(k): as before", "audit upper(k): as before"
			told("audited", length, length, upper, length, upper, length) // but what changed since
		}
		_ = r.ask("fails", "k").Wait(context.Background())
		told("failed", "run fails(k): ran and failed: boom")
		_ = r.ask("waits", "k").Wait(context.Background())
		told("cancelled", "cancel waits(k): context canceled; boom")
		r.table.clock.bytesMax.Store(1)
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		got := since()
		slices.Sort(got)
		const why = "to keep what is in memory within bounds"
		if want := []string{"evict fails(k): " + why, "evict length(k): " + why, "evict upper(k): " + why, "evict waits(k): " + why}; !slices.Equal(got, want) {
			t.Errorf("evicted:\n got %q\nwant %q", got, want)
		}
	}
}

// A hook that panics harms no answer.
func TestPanicOfTheHookHarmsNoAnswer(t *testing.T) {
	r := newRig(t, 1, Options{Trace: func(Event) { panic("hook") }})
	put := r.ladder()
	put("k", "a")
	r.want("length", "k", "x")
	r.want("length", "k", "x")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}
