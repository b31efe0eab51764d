package db

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"pgregory.net/rapid"
)

// TestLostRanges compares ranges with a set of keys.
func TestLostRanges(t *testing.T) {
	universe := []string{""}
	for i := range 40 {
		universe = append(universe, fmt.Sprintf("%02d", i))
	}
	rapid.Check(t, func(t *rapid.T) {
		var l lost
		want := map[string]bool{}
		bound := rapid.SampledFrom(universe)
		draw := func() keyRange {
			r := keyRange{bound.Draw(t, "lo"), bound.Draw(t, "hi")}
			if r.hi != "" && r.hi <= r.lo {
				r.lo, r.hi = r.hi, r.lo
			}
			if r.lo == r.hi && r.lo != "" {
				r.lo = ""
			}
			return r
		}
		t.Repeat(map[string]func(*rapid.T){
			"with": func(*rapid.T) {
				r := draw()
				l = l.with(r)
				for _, k := range universe {
					want[k] = want[k] || r.lo <= k && !endsBefore(r.hi, k)
				}
			},
			"without": func(*rapid.T) {
				r := draw()
				l = l.without(r)
				for _, k := range universe {
					want[k] = want[k] && (k < r.lo || endsBefore(r.hi, k))
				}
			},
			"": func(t *rapid.T) {
				for i, r := range l {
					if r.hi != "" && r.hi <= r.lo || i > 0 && (l[i-1].hi == "" || l[i-1].hi >= r.lo) {
						t.Fatalf("out of order: %q", l)
					}
				}
				for _, k := range universe {
					if l.has(k) != want[k] {
						t.Fatalf("%q is lost: %v, want %v, in %q", k, l.has(k), want[k], l)
					}
				}
				d := &decoder{b: (&root{parts: []rootEntry{{name: "p", lost: l}}}).encode()}
				if r, err := decodeRoot(d.b); err != nil || !slices.Equal(r.parts[0].lost, l) {
					t.Fatalf("%q does not come back: %v", l, err)
				}
				sp := Span{Lo: bound.Draw(t, "from"), Hi: bound.Draw(t, "to"), Reverse: rapid.Bool().Draw(t, "reverse")}
				part, unknown := (&tree{lost: l}).known(sp)
				keys := slices.Clone(universe)
				if sp.Reverse {
					slices.Reverse(keys)
				}
				met := false
				for _, k := range keys {
					if !sp.Contains(k) {
						continue
					}
					met = met || want[k]
					if part.Contains(k) == met {
						t.Fatalf("of %+v %+v is known, %q: %v, in %q", sp, part, k, !met, l)
					}
				}
				if met && unknown == nil {
					t.Fatalf("nothing is said about what is lost of %+v in %q", sp, l)
				}
			},
		})
	})
}

// nodesOf returns the records of a partition's tree but for its root node, by level.
func nodesOf(t *testing.T, b *bench, part PartID) (byLevel [][]Hash) {
	t.Helper()
	var walk func(n *node)
	walk = func(n *node) {
		if n.leaf() {
			return
		}
		for len(byLevel) < n.level() {
			byLevel = append(byLevel, nil)
		}
		for i := range n.kids {
			byLevel[n.level()-1] = append(byLevel[n.level()-1], n.kids[i].id())
			if c, err := child(b.DB.st, n, i); err == nil {
				walk(c)
			}
		}
	}
	walk(b.current.Load().root(part).node.Load())
	return byLevel
}

// TestCommitsAcrossDamage damages any nodes of a partition below its root. From then on each key is
// what was committed, or damaged, and never absent unless it is; every commit works; what was put
// again is there; and so it is after a crash and after closing, and when everything was cleared and
// put again nothing is damaged any more.
func TestCommitsAcrossDamage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		st := newFake()
		o := Options{fan: 4, CheckpointCommits: -1, Logger: quiet, pointTreeMin: 1}
		d, err := open(st, o)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { // also where rapid gives a case up, for it has no more to draw
			d.cancel()
			<-d.tended
		}()
		part, err := d.Partition("p", false)
		if err != nil {
			rt.Fatal(err)
		}
		truth := map[string]string{}
		keys := 120
		name := func(i int) string { return fmt.Sprintf("%03d", i) }
		var ops []Op
		for i := range keys {
			ops = append(ops, Op{part, name(i), Put, value(rt, st, fmt.Sprint(i))})
			truth[name(i)] = fmt.Sprint(i)
		}
		if _, err := d.Commit(t.Context(), ops); err != nil {
			rt.Fatal(err)
		}
		reopen := func(clean bool) {
			if clean {
				if err := d.Close(t.Context()); err != nil {
					rt.Fatal(err)
				}
			} else {
				st = st.crash()
				d.cancel()
				<-d.tended
			}
			again, err := open(st, o)
			if err != nil {
				rt.Fatal(err)
			}
			d = again
		}
		reopen(true)
		b := &bench{DB: d, st: st, p: part}
		levels := nodesOf(t, b, part)
		for range rapid.IntRange(1, 4).Draw(rt, "damages") {
			at := levels[rapid.IntRange(0, len(levels)-1).Draw(rt, "level")]
			h := at[rapid.IntRange(0, len(at)-1).Draw(rt, "node")]
			if _, ok := st.recs[h]; ok {
				st.damage(h, rapid.Bool().Draw(rt, "remove"))
			}
		}
		reopen(false)
		check := func(rt *rapid.T) (damaged int) {
			s := d.Snapshot()
			defer s.Release()
			for i := -1; i <= keys; i++ {
				k := name(i)
				h, ok, err := s.Get(part, k)
				all, berr := s.GetBatch(part, []string{k}, nil)
				want, there := truth[k]
				switch {
				case errors.Is(err, ErrDamaged):
					damaged++
				case err != nil:
					rt.Fatal(err)
				case ok != there || ok && h != mmapcas.HashOf(32, []byte(want)):
					rt.Fatalf("key %s: there %v, want %v %q", k, ok, there, want)
				case berr == nil && all[0] != h:
					rt.Fatalf("key %s: a batch says %v, a get %v", k, all[0], h)
				}
			}
			reverse := rapid.Bool().Draw(rt, "reverse")
			var seen []string
			err := s.Range(part, "", "", reverse, func(k string, h Hash) bool {
				if want, there := truth[k]; !there || h != mmapcas.HashOf(32, []byte(want)) {
					rt.Fatalf("a scan gives %s, which is not there", k)
				}
				seen = append(seen, k)
				return true
			})
			n, cerr := s.Count(part, "", "")
			if err == nil && len(seen) != len(truth) || cerr == nil && err == nil && int(n) != len(truth) {
				rt.Fatalf("a scan gives %d keys and a count %d, of %d, and both say that this is all", len(seen), n, len(truth))
			}
			if err == nil && damaged > 0 || err != nil && !errors.Is(err, ErrDamaged) {
				rt.Fatalf("%d keys are damaged, a scan says %v", damaged, err)
			}
			cur, prev := s.Cursor(part, Span{Reverse: reverse}), 0
			for cur.Next() {
				prev++
			}
			if prev != len(seen) || (cur.Err() == nil) != (err == nil) {
				rt.Fatalf("a cursor gives %d keys and %v, a scan %d and %v", prev, cur.Err(), len(seen), err)
			}
			return damaged
		}
		commit := func(rt *rapid.T, ops ...Op) {
			if _, err := d.Commit(t.Context(), ops); err != nil {
				rt.Fatalf("commit: %v", err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				k, v := name(rapid.IntRange(0, keys-1).Draw(rt, "key")), rapid.StringN(1, 3, -1).Draw(rt, "value")
				commit(rt, Op{part, k, Put, value(rt, st, v)})
				truth[k] = v
				if h, ok, err := d.Latest(part, k); err != nil || !ok || h != mmapcas.HashOf(32, []byte(v)) {
					rt.Fatalf("what was put again is not there: %v", err)
				}
			},
			"delete": func(rt *rapid.T) {
				k := name(rapid.IntRange(0, keys-1).Draw(rt, "key"))
				commit(rt, Op{Part: part, Key: k, Verb: Delete})
				delete(truth, k)
				// Beside a node that cannot be read it may be unknown: where that node's keys end
				// is not known.
				if _, ok, err := d.Latest(part, k); ok || err != nil && !errors.Is(err, ErrDamaged) {
					rt.Fatalf("what was deleted: %v, %v", ok, err)
				}
			},
			"clear": func(rt *rapid.T) {
				p := name(rapid.IntRange(0, keys-1).Draw(rt, "prefix"))[:rapid.IntRange(1, 2).Draw(rt, "bytes")]
				i := rapid.IntRange(0, keys-1).Draw(rt, "key")
				ops := []Op{{Part: part, Key: p, Verb: ClearPrefix}, {part, name(i), Put, value(rt, st, "c")}}
				commit(rt, ops...)
				for k := range truth {
					if Prefix(p).Contains(k) {
						delete(truth, k)
					}
				}
				truth[name(i)] = "c"
				scan := func() error {
					s := d.Snapshot()
					defer s.Release()
					return s.Scan(part, Prefix(p), func(k string, _ Hash) bool {
						if _, there := truth[k]; !there {
							rt.Fatalf("%s was cleared", k)
						}
						return true
					})
				}
				err := scan()
				if errors.Is(err, ErrDamaged) { // as beside a deleted key; the next commit there gives it up
					commit(rt, ops...)
					err = scan()
				}
				if err != nil {
					rt.Fatalf("what was cleared is known: %v", err)
				}
			},
			"checkpoint": func(rt *rapid.T) {
				if err := d.Checkpoint(t.Context()); err != nil {
					rt.Fatal(err)
				}
			},
			"crash": func(*rapid.T) { reopen(false) },
			"close": func(*rapid.T) { reopen(true) },
			"":      func(rt *rapid.T) { check(rt) },
		})
		ops = []Op{{Part: part, Verb: ClearPrefix}}
		truth = map[string]string{}
		for i := range keys / 2 {
			ops = append(ops, Op{part, name(i), Put, value(rt, st, "new")})
			truth[name(i)] = "new"
		}
		commit(rt, ops...)
		for _, clean := range []bool{false, true} {
			if n := check(rt); n > 0 {
				rt.Fatalf("%d keys are damaged, although all was put again", n)
			}
			reopen(clean)
		}
		if n := check(rt); n > 0 {
			rt.Fatalf("%d keys are damaged after opening again, although all was put again", n)
		}
	})
}

// TestNodesInMemoryMendTheirRecords: once damage was met, a checkpoint, or Close, puts the nodes
// that are in memory again, whether anything was committed since or not.
func TestNodesInMemoryMendTheirRecords(t *testing.T) {
	for _, commit := range []bool{false, true} {
		b := newBench(t, Options{fan: 4})
		for i := range 100 {
			b.commit(b.put(fmt.Sprintf("%02d", i), fmt.Sprint(i)))
		}
		if err := b.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := b.contents(b.p) // all of it is in memory
		for _, level := range nodesOf(t, b, b.p) {
			for _, h := range level {
				b.st.damage(h, h[0]&1 == 0)
			}
		}
		b.st.damaged.Add(1) // some reader has met one of them
		if commit {
			b.commit(b.put("00", "new"))
			want = b.contents(b.p)
		}
		closeNow(t, b.DB)
		again := reopenBench(t, b.st, Options{fan: 4})
		again.want(again.p, want)
	}
}

// TestRootsAreFoundInTheTail: when the manifest is lost, and the note with it, everything lies in
// the tail, and the newest root there is where the database goes on. What it was before an earlier
// loss does not come back.
func TestRootsAreFoundInTheTail(t *testing.T) {
	b := fallbackBench(t)
	closeNow(t, b.DB)
	want, gen := b.contents(b.p), b.Generation()
	forget := func(st *fakeStore) *fakeStore {
		st = st.crash()
		st.note, st.floor = nil, 0
		return st
	}
	again := reopenBench(t, forget(b.st), Options{})
	again.want(again.p, want)
	if again.Generation() < gen {
		t.Fatalf("generation %d after %d", again.Generation(), gen)
	}
	// All of that is lost now: no root can be read, and the note is gone. A new life begins, and is
	// lost in its turn.
	st := forget(again.st)
	hidden := map[Hash]fakeRecord{}
	for _, h := range st.only(KindRoot) {
		hidden[h] = st.recs[h]
		st.damage(h, false)
	}
	fresh := reopenBench(t, st, Options{})
	fresh.want(fresh.p, "")
	fresh.commit(fresh.put("n", "N"))
	closeNow(t, fresh.DB)
	st = forget(fresh.st)
	for h, r := range hidden {
		st.recs[h] = r // what was damaged can be read again
	}
	last := reopenBench(t, st, Options{})
	last.want(last.p, "n=N")
}
