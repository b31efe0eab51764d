package memo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// However an answer is reused, the reuse is one to be audited.
func TestEveryWayOfReuseIsAudited(t *testing.T) {
	for _, way := range []struct {
		name  string
		again func(r *rig, put func(pairs ...string))
	}{
		{"in its generation", func(r *rig, _ func(...string)) { r.want("impure", "k", "A1") }},
		{"not marked", func(r *rig, put func(...string)) {
			put("other", "x")
			r.want("impure", "k", "A1")
		}},
		{"walked", func(r *rig, put func(...string)) {
			put("k", "A") // which is equal after upper
			r.want("impure", "k", "A1")
		}},
		{"by stamps", func(r *rig, _ func(...string)) {
			if err := r.table.Flush(context.Background()); err != nil {
				r.t.Fatal(err)
			}
			r.newTable(r.table.o)
			r.want("impure", "k", "A1")
		}},
		{"through All", func(r *rig, put func(...string)) {
			h := r.task(context.Background(), func(f *Frame) error {
				_, err := r.table.All(f, r.queries["impure"], []string{"k"}, 0, nil)
				return err
			})
			if err := h.Wait(context.Background()); err != nil {
				r.t.Fatal(err)
			}
		}},
		{"without a task", func(r *rig, put func(...string)) {
			put("other", "x")
			snap := r.db.Snapshot()
			defer snap.Release()
			if _, ok := r.table.Known(r.queries["impure"], "k", snap); !ok {
				r.t.Error("not known")
			}
		}},
		{"by Peek", func(r *rig, _ func(...string)) {
			snap := r.db.Snapshot()
			defer snap.Release()
			if _, ok, err := r.table.Peek(r.queries["impure"], "k", snap); !ok || err != nil {
				r.t.Error(ok, err)
			}
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			r := newRig(t, 1, Options{AuditShare: 1})
			put := r.ladder()
			outside := "1"
			r.query("impure", func(f *Frame, key string) (string, error) {
				s, err := r.get(f, "upper", key)
				return s + outside, err
			})
			put("k", "a")
			r.want("impure", "k", "A1")
			r.audit() // of upper, which the walks below may reuse
			outside = "2"
			way.again(r, put)
			r.audit()
			found := r.table.Impurities()
			want := Impurity{Query: "impure", Key: "k", Cause: CauseUndeclared, Kept: "A1", Now: "A2"}
			if len(found) == 1 {
				want.Generation = found[0].Generation
			}
			if !slices.Equal(found, []Impurity{want}) {
				t.Errorf("found %+v, want %+v", found, want)
			}
		})
	}
}

// A planted impure query is found and named within 500 reuses, with every seed, at the share that
// is the default.
func TestImpureQueryIsNamedWithin500Reuses(t *testing.T) {
	const seeds, reuses, share = 50, 500, 0.01
	for _, planted := range []struct {
		name   string
		cause  Cause
		read   string
		late   int // reuses before it becomes impure
		impure func(r *rig, f *Frame, state int) (string, error)
	}{
		{"a global", CauseUndeclared, "", 3000, func(_ *rig, _ *Frame, state int) (string, error) {
			return fmt.Sprint("global ", state > 0), nil
		}},
		{"an error", CauseUndeclared, "", 3000, func(_ *rig, _ *Frame, state int) (string, error) {
			if state > 0 {
				return "", errors.New("not any more")
			}
			return "fine", nil
		}},
		{"another read", CauseUndeclared, `files["b"], before files["a"]`, 3000, func(r *rig, f *Frame, state int) (string, error) {
			return r.text(f, r.partition("files"), []string{"a", "b"}[min(state, 1)])
		}},
		{"a count", CauseTime, "", 0, func(_ *rig, _ *Frame, state int) (string, error) {
			return fmt.Sprint("call ", state), nil
		}},
		{"chance", CauseTime, "", 0, func(_ *rig, _ *Frame, state int) (string, error) {
			return fmt.Sprint("heads: ", mix(uint64(state))%2 == 0), nil
		}},
		{"a map", CauseOrder, "", 0, func(_ *rig, _ *Frame, state int) (string, error) {
			if mix(uint64(state))%2 == 0 {
				return "one,two", nil
			}
			return "two,one", nil
		}},
		{"the order of reading", CauseOrder, `files["b"], before files["a"]`, 0, func(r *rig, f *Frame, state int) (string, error) {
			first, second := "a", "b"
			if state > 0 {
				first, second = second, first
			}
			s, err := r.text(f, r.partition("files"), first)
			if err == nil {
				_, err = r.text(f, r.partition("files"), second)
			}
			return "first " + s, err
		}},
	} {
		t.Run(planted.name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				r := newRig(t, seed, Options{AuditShare: share, AuditSeed: seed})
				state, impure := 0, planted.late == 0
				name := r.query("planted", func(f *Frame, _ string) (string, error) {
					s, err := planted.impure(r, f, state)
					if impure {
						state++
					}
					return s, err
				})
				r.put(r.partition("files"), "a", "1", "b", "2")
				snap := r.db.Snapshot()
				reuse := func(n int) {
					for i := range n {
						if _, ok := r.table.Known(r.queries[name], "k", snap); !ok {
							t.Fatal("not known to hold")
						}
						if i%25 == 24 {
							r.audit()
						}
					}
				}
				if err := r.ask(name, "k").Wait(context.Background()); err != nil {
					t.Fatal(err)
				}
				reuse(planted.late)
				if found := r.table.Impurities(); len(found) > 0 && !impure {
					t.Fatalf("seed %d: found before it was planted: %+v", seed, found)
				}
				if !impure {
					impure, state = true, 1
				}
				reuse(reuses)
				snap.Release()
				found := r.table.Impurities()
				if len(found) != 1 {
					t.Fatalf("seed %d: not found in %d reuses, %d audited", seed, reuses, r.queries[name].Counts.Audited.Load())
				}
				f := found[0]
				if f.Query != "planted" || f.Key != "k" || f.Cause != planted.cause || f.Read != planted.read || f.Kept == f.Now {
					t.Fatalf("seed %d: %+v; want cause %q, read %q", seed, f, planted.cause, planted.read)
				}
			}
		})
	}
}

// The share is kept, from the first thousands of reuses on.
func TestAuditsKeepToTheirShare(t *testing.T) {
	for _, share := range []float64{0, 0.001, 0.01, 0.3, 1} {
		var q Query
		o := Options{AuditShare: share, AuditSeed: 7}
		q.audit.begin(&q, &o)
		const n = 200_000
		taken, last, longest := 0, uint64(0), uint64(0)
		for i := uint64(1); i <= n; i++ {
			if q.audit.reused.take(i, &o, q.audit.salt) {
				taken++
				longest = max(longest, i-last)
				last = i
			}
		}
		early := 8 * 8.0 // 1+1/gapsEarly to the gapsEarly-th is e, and 1/share*gapsEarly is reached
		if want := share * n; float64(taken) < 0.9*want || float64(taken) > 1.1*want+early {
			t.Errorf("share %v: %d of %d", share, taken, n)
		}
		if share > 0 && float64(longest) > 2/share {
			t.Errorf("share %v: %d answers in a row without an audit", share, longest)
		}
	}
}

// dump is all that an audit must leave alone.
func (r *rig) dump() string {
	var b strings.Builder
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range r.queries {
			if !yield(name) {
				return
			}
		}
	}) {
		q := r.queries[name]
		fmt.Fprintf(&b, "%s %d/%d/%d/%d\n", name, q.Counts.Reused.Load(), q.Counts.Validated.Load(), q.Counts.Ran.Load(), q.Counts.Failed.Load())
		var keys []string
		q.entries.each(func(x *source) bool {
			key := x.key()
			keys = append(keys, key)
			return true
		})
		slices.Sort(keys)
		for _, key := range keys {
			e := q.entry(key)
			fmt.Fprintf(&b, " %s changed %d told %d seen %d dependents %d why %v dirty %t\n", key, e.changed.Load(), e.told, e.seen, e.count(), e.reason(), e.dirty)
			for tr := e.traces; tr != nil; tr = tr.next {
				fmt.Fprintf(&b, "  %p %v holds %v value %t\n", tr, tr.result, *tr.holds.Load(), tr.value.Load() != nil)
			}
		}
	}
	fmt.Fprintf(&b, "records %d, nodes %d, cached %d\n", r.store.Stats().Records, r.table.nodes.made.Load(), r.table.CachedBytes())
	return b.String()
}

// U1: an audit leaves nothing behind, whether or not the result is the same.
func TestAuditPublishesNothing(t *testing.T) {
	r := newRig(t, 1, Options{AuditShare: 1})
	put := r.ladder()
	calls := 0
	r.query("counting", func(f *Frame, key string) (string, error) {
		calls++
		s, err := r.get(f, "length", key)
		return fmt.Sprint(s, calls), err
	})
	put("k", "abc")
	for range 2 {
		r.want("length", "k", "xxx")
		r.want("counting", "k", "xxx1")
	}
	put("j", "other")
	r.want("counting", "k", "xxx1")
	before := r.dump()
	r.audit()
	if after := r.dump(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if a, i := r.queries["counting"].Counts.Audited.Load(), r.queries["counting"].Counts.Impure.Load(); a == 0 || i == 0 {
		t.Errorf("%d audited, %d impure", a, i)
	}
	if n := r.queries["upper"].Counts.Ran.Load(); n != 1 {
		t.Errorf("what the audited query reads ran %d times, want once", n)
	}
}

// U2: what is no evidence is not held against a query.
func TestWhatIsNoEvidenceIsPassedOver(t *testing.T) {
	var r *rig
	shaky := false
	boom := errors.New("a read failed")
	for _, c := range []struct {
		name   string
		meddle func()
		ask    func(f *Frame) // in the audit, when shaky
	}{
		{"tainted", nil, func(f *Frame) { f.Taint() }},
		{"cancelled", nil, func(f *Frame) { f.Strand().Task.Handle().Cancel(boom) }},
		{"changed since", func() { r.put(r.partition("files"), "k", "w") }, nil},
		{"forgotten", func() {
			if err := r.table.Flush(context.Background()); err != nil {
				t.Fatal(err)
			}
			if !r.table.evict(r.table.entry(r.queries["q"], "")) {
				t.Fatal("not evicted")
			}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			shaky = false
			r = newRig(t, 1, Options{AuditShare: 1})
			p := r.partition("files")
			r.query("q", func(f *Frame, _ string) (string, error) {
				s, err := r.text(f, p, "k")
				if shaky {
					if c.ask != nil {
						c.ask(f)
					}
					return "shaky", err
				}
				return s, err
			})
			r.put(p, "k", "v")
			r.want("q", "", "v")
			r.want("q", "", "v")
			shaky = true
			if c.meddle != nil {
				c.meddle()
			}
			h := r.task(context.Background(), func(f *Frame) error {
				_, ok := r.table.Audit(f.strand)
				if !ok {
					t.Error("no sample")
				}
				return nil
			})
			_ = h.Wait(context.Background()) // which may say that it was cancelled
			n := &r.queries["q"].Counts
			if n.Impure.Load() != 0 || n.Audited.Load() != 0 || n.Unaudited.Load() != 1 {
				t.Errorf("%d audited, %d impure, %d passed over; want 0, 0, 1", n.Audited.Load(), n.Impure.Load(), n.Unaudited.Load())
			}
		})
	}
}

// U3: an answer that is said to hold although what it read has changed is told from an impure
// query.
func TestAuditFindsWhatWasNotMarked(t *testing.T) {
	r := newRig(t, 1, Options{AuditShare: 1})
	put := r.ladder()
	put("k", "abc")
	r.want("length", "k", "xxx")
	r.want("length", "k", "xxx")
	put("k", "abcd")
	for _, name := range []string{"upper", "length"} {
		e := r.table.entry(r.queries[name], "k")
		e.traces.holds.Store(&interval{from: 1, to: r.db.Generation()}) // a planted fault
	}
	r.want("length", "k", "xxx")
	r.want("upper", "k", "ABC")
	r.audit()
	found := r.table.Impurities()
	if len(found) != 1 || found[0].Query != "upper" || found[0].Cause != CauseStale || found[0].Read != `files["k"]` {
		t.Errorf("found %+v", found)
	}
}

// Queries take turns: one that is reused all the time does not keep another from being audited.
func TestAuditsTakeTurns(t *testing.T) {
	r := newRig(t, 1, Options{AuditShare: 1})
	var order []string
	auditing := false
	for _, name := range []string{"busy", "quiet"} {
		r.query(name, func(*Frame, string) (string, error) {
			if auditing {
				order = append(order, name)
			}
			return name, nil
		})
	}
	for range 3 * samplesKept {
		r.want("busy", "", "busy")
	}
	r.want("quiet", "", "quiet")
	r.want("quiet", "", "quiet")
	auditing = true
	r.audit()
	if len(order) != samplesKept+1 || order[1] != "quiet" {
		t.Errorf("audited in the order %v", order)
	}
}

// A hit allocates nothing, whether or not its turn in the schedule has come.
func TestReuseAllocatesNothing(t *testing.T) {
	r := newRig(t, 1, Options{AuditShare: 0.01})
	r.query("q", func(*Frame, string) (string, error) { return "v", nil })
	r.want("q", "k", "v")
	snap := r.db.Snapshot()
	defer snap.Release()
	for range 10_000 { // the samples are full
		r.table.Known(r.queries["q"], "k", snap)
	}
	var missed atomic.Bool
	if n := testing.AllocsPerRun(1000, func() {
		if _, ok := r.table.Known(r.queries["q"], "k", snap); !ok {
			missed.Store(true)
		}
	}); n != 0 || missed.Load() {
		t.Errorf("%v allocations, missed: %t", n, missed.Load())
	}
}
