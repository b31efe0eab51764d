package memo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime/db"
)

// flush writes what is not written yet.
func (r *rig) flush() {
	r.t.Helper()
	if err := r.table.Flush(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// end is what a process does last.
func (r *rig) end() {
	r.t.Helper()
	if err := r.table.Close(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// After a restart what rests on a changed key is found by what is above it: of 1,111 answers only
// those are loaded that may rest on it, and what the reads of these are.
func TestRestartFindsWhatChanged(t *testing.T) {
	r := newRig(t, 1, Options{})
	files := r.partition("files")
	r.query("leaf", func(f *Frame, key string) (string, error) { return r.text(f, files, key) })
	r.query("tree", func(f *Frame, key string) (string, error) {
		below, all := "tree", ""
		if len(key) == 2 {
			below = "leaf"
		}
		for i := range 10 {
			s, err := r.get(f, below, fmt.Sprint(key, i))
			if err != nil {
				return "", err
			}
			all += s
		}
		return all, nil
	})
	r.put(files, "407", "x")
	r.want("tree", "", "x")
	r.put(files, "123", "y")
	r.want("tree", "", "yx")
	r.end()
	r.newTable(Options{})
	r.costs("nothing changed", "0/0/1", func() { r.want("tree", "", "yx") })
	r.costs("a key that nothing reads", "0/0/1", func() { r.put(files, "nothing", "x"); r.want("tree", "", "yx") })
	r.costs("one that is read", "4/9/38", func() { r.put(files, "555", "z"); r.want("tree", "", "yxz") })
	if n := r.table.Entries(); n != 31 {
		t.Errorf("%d keys in memory, want 31: the root and three times ten", n)
	}
	r.costs("one beside it", "4/0/59", func() { r.put(files, "554", "w"); r.want("tree", "", "yxwz") })
	r.costs("an undo", "0/4/26", func() { r.put(files, "554", ""); r.want("tree", "", "yxz") })
}

// What the ledger answers for is linked in the end, so that an edit costs what it costs in a
// process that has computed everything itself: what rests on few keys the first time that it is
// answered for again, and all else by and by.
func TestRestartLinksWhatTheLedgerAnswersFor(t *testing.T) {
	for _, few := range []bool{true, false} {
		t.Run(fmt.Sprint("few=", few), func(t *testing.T) { restartLinks(t, few) })
	}
}

func restartLinks(t *testing.T, few bool) {
	r := newRig(t, 1, Options{WallFrom: 4})
	heads, bodies := r.partition("heads"), r.partition("bodies")
	const files = 12
	r.query("head", func(f *Frame, key string) (string, error) { return r.text(f, heads, key) })
	r.query("body", func(f *Frame, key string) (string, error) {
		for i := range linkedPrints {
			if few {
				break
			}
			if _, err := r.text(f, bodies, fmt.Sprint("beside ", i)); err != nil {
				return "", err
			}
		}
		return r.text(f, bodies, key)
	})
	r.query("list", func(f *Frame, _ string) (string, error) {
		all := ""
		for i := range files {
			s, err := r.get(f, "head", fmt.Sprint(i))
			if err != nil {
				return "", err
			}
			if all += "."; s == "" {
				all += "!"
			}
		}
		return all, nil
	})
	r.query("shape", func(f *Frame, key string) (string, error) { return r.get(f, "body", key) })
	r.query("outline", func(f *Frame, key string) (string, error) { return r.get(f, "shape", key) })
	r.query("face", func(f *Frame, key string) (string, error) {
		list, err := r.get(f, "list", "")
		if err != nil {
			return "", err
		}
		s, err := r.get(f, "outline", key)
		return list[:1] + s, err
	})
	r.query("all", func(f *Frame, _ string) (string, error) {
		all := ""
		for i := range files {
			s, err := r.get(f, "face", fmt.Sprint(i))
			if err != nil {
				return "", err
			}
			all += s
		}
		return all, nil
	})
	edit := func(n int) {
		r.put(heads, "0", fmt.Sprint("head ", n))
		r.put(bodies, "0", fmt.Sprint("body ", n))
		r.want("all", "", fmt.Sprint(".body ", n, strings.Repeat(".x", files-1)))
	}
	for i := range files {
		r.put(heads, fmt.Sprint(i), "x")
		r.put(bodies, fmt.Sprint(i), "x")
	}
	for n := range 5 {
		edit(n)
	}
	want := r.cost(func() { edit(5) })
	r.end()
	r.newTable(Options{WallFrom: 4})
	for n := range 2 {
		edit(n)
	}
	if got := r.cost(func() { edit(2) }); (got == want) != few {
		t.Fatalf("the third edit after a restart costs %s, and %s without one", got, want)
	}
	for n := range 8 * linkEvery {
		edit(n)
	}
	if got := r.cost(func() { edit(-1) }); got != want {
		t.Errorf("an edit costs %s long after a restart, and %s without one", got, want)
	}
}

// A walk that finds other reads behind the same result is what the trace rests on from then on,
// also for the next process.
func TestRestartKnowsWhatWalksFound(t *testing.T) {
	r := newRig(t, 1, Options{})
	choice, left, right := r.partition("choice"), r.partition("left"), r.partition("right")
	r.query("pick", func(f *Frame, _ string) (string, error) {
		s, err := r.text(f, choice, "k")
		if err != nil {
			return "", err
		}
		if s == "left" {
			return r.text(f, left, "k")
		}
		return r.text(f, right, "k")
	})
	r.query("above", func(f *Frame, _ string) (string, error) { return r.get(f, "pick", "") })
	r.put(choice, "k", "left")
	r.put(left, "k", "same")
	r.put(right, "k", "same")
	r.want("above", "", "same")
	r.put(choice, "k", "right")
	r.costs("the other side", "1/1/0", func() { r.want("above", "", "same") })
	r.end()
	r.newTable(Options{})
	r.put(right, "k", "new")
	r.want("above", "", "new")
}

// Whether a key is there, or which keys there are, is not touched by another record at one: the
// next process looks at nothing for that, also if the ledger was tidied since the key came.
func TestRestartTellsPresenceFromRecords(t *testing.T) {
	for _, tidied := range []bool{false, true} {
		t.Run(fmt.Sprint("tidied=", tidied), func(t *testing.T) {
			r := newRig(t, 1, Options{})
			files, other := r.partition("files"), r.partition("other")
			r.query("has", func(f *Frame, key string) (string, error) {
				is, err := f.Has(files, key)
				return fmt.Sprint(is), err
			})
			r.query("count", func(f *Frame, _ string) (string, error) {
				n, err := f.Count(files, "", "", "")
				return fmt.Sprint(n), err
			})
			r.query("above", func(f *Frame, key string) (string, error) {
				n, err := r.get(f, "count", "")
				if err != nil {
					return "", err
				}
				is, err := r.get(f, "has", key)
				return is + " of " + n, err
			})
			r.put(other, "x", "x")
			r.want("above", "k", "false of 0") // and the ledger begins
			r.put(files, "k", "1")
			r.want("above", "k", "true of 1")
			r.put(files, "k", "2")
			if tidied {
				for i := range 100 {
					r.put(other, "x", fmt.Sprint(i))
				}
			}
			r.end()
			r.newTable(Options{})
			if n := len(r.table.ledger.now.Load().moves); tidied && n > 64 {
				t.Fatalf("%d changes in the ledger, and it is not tidied", n)
			}
			r.put(files, "k", "3")
			r.costs("another record", "0/0/1", func() { r.want("above", "k", "true of 1") })
			r.put(files, "k", "")
			r.costs("none, as before", "0/3/1", func() { r.want("above", "k", "false of 0") })
			r.put(files, "l", "1")
			r.costs("another key", "1/1/4", func() { r.want("above", "k", "false of 1") })
		})
	}
}

// What was reached over a wall rests on what the wall rests on now, also for the next process: the
// answer itself, and one that has read it.
func TestRestartKnowsWhatWallsRestOn(t *testing.T) {
	for _, asked := range []string{"above", "top"} {
		t.Run(asked, func(t *testing.T) {
			r := newRig(t, 1, Options{WallFrom: 1})
			choice, right := r.partition("choice"), r.partition("right")
			r.query("pick", func(f *Frame, _ string) (string, error) {
				if s, err := r.text(f, choice, "k"); s != "right" || err != nil {
					return "same", err
				}
				return r.text(f, right, "k")
			})
			r.query("above", func(f *Frame, _ string) (string, error) { return r.get(f, "pick", "") })
			r.query("top", func(f *Frame, _ string) (string, error) { return r.get(f, "above", "") })
			r.put(right, "k", "same")
			r.want("above", "", "same")
			r.put(choice, "k", "left")
			r.want("above", "", "same") // over what is a wall now
			r.put(choice, "k", "right")
			r.want("pick", "", "same")
			r.want(asked, "", "same")
			r.end()
			r.newTable(Options{WallFrom: 1})
			r.put(right, "k", "new")
			r.want(asked, "", "new")
		})
	}
}

// What is linked to prints is told of each change of what it rests on, as of other answers: and is
// looked at for nothing else.
func TestRestartLinksToPrints(t *testing.T) {
	r := newRig(t, 1, Options{})
	files, other := r.partition("files"), r.partition("other")
	r.query("leaf", func(f *Frame, key string) (string, error) {
		if is, err := f.Has(files, "new "+key); is || err != nil {
			return "new", err
		}
		return r.text(f, files, key)
	})
	r.query("mid", func(f *Frame, key string) (string, error) { return r.get(f, "leaf", key) })
	r.query("top", func(f *Frame, _ string) (string, error) {
		a, err := r.get(f, "mid", "a")
		if err != nil {
			return "", err
		}
		b, err := r.get(f, "mid", "b")
		return a + b, err
	})
	r.put(files, "a", "1", "b", "2")
	r.put(other, "x", "x")
	r.want("top", "", "12")
	r.end()
	r.newTable(Options{})
	// Something beside it changes, and something below one of two: the ledger answers for the
	// other, twice.
	for n := range 3 {
		r.put(files, "a", fmt.Sprint("v", n))
		r.want("top", "", fmt.Sprint("v", n, "2"))
	}
	e := r.table.o.Lookup("mid").entry("b")
	if e == nil || e.traces == nil || e.traces.newest().links != &printLinks {
		t.Fatal("what the ledger answers for again is not linked to prints")
	}
	if n := len(e.traces.reads); n != 1 || r.table.o.Lookup("leaf").entry("b") != nil {
		t.Errorf("it has %d reads, and what it reads is in memory", n)
	}
	r.costs("a key beside it", "0/0/1", func() { r.put(files, "c", "x"); r.want("top", "", "v22") })
	r.costs("a key that comes", "3/0/6", func() { r.put(files, "new b", "x"); r.want("top", "", "v2new") })
	r.costs("a key that goes", "0/3/2", func() { r.put(files, "new b", ""); r.want("top", "", "v22") })
	r.costs("the key itself", "3/0/7", func() { r.put(files, "b", "3"); r.want("top", "", "v23") })
}

// What a partition without a log held when a process ended is gone in the next one: what rests on
// that is computed again, and nothing else is looked at.
func TestRestartWithAPartitionWithoutALog(t *testing.T) {
	ctx := context.Background()
	for _, crash := range []bool{false, true} {
		t.Run(fmt.Sprint("crash=", crash), func(t *testing.T) {
			r := newRig(t, 1, Options{})
			saved, unsaved := r.partition("saved"), r.partition("unsaved")
			if err := r.db.SetUnlogged(ctx, true, unsaved); err != nil {
				t.Fatal(err)
			}
			r.query("leaf", func(f *Frame, key string) (string, error) {
				s, err := r.text(f, unsaved, key)
				if s == "" && err == nil {
					s, err = r.text(f, saved, key)
				}
				return s, err
			})
			r.query("pair", func(f *Frame, key string) (string, error) {
				a, err := r.get(f, "leaf", key+"0")
				if err != nil {
					return "", err
				}
				b, err := r.get(f, "leaf", key+"1")
				return a + b, err
			})
			r.put(saved, "a0", "a", "a1", "b", "b0", "c", "b1", "d", "c0", "e", "c1", "f")
			r.put(unsaved, "b0", "C")
			for _, q := range [][2]string{{"a", "ab"}, {"b", "Cd"}, {"c", "ef"}} {
				r.want("pair", q[0], q[1])
			}
			r.flush()
			if crash {
				// More changes than are written with each flush, and what came after is not told.
				var many []string
				for i := range 2 * movesOften {
					many = append(many, fmt.Sprint("x", i), "x")
				}
				r.put(saved, many...)
				r.put(unsaved, "c0", "E")
				r.want("pair", "c", "Ef")
				r.flush()
			} else {
				r.end()
			}
			if err := r.db.OpenUnlogged(ctx, unsaved); err != nil {
				t.Fatal(err)
			}
			r.newTable(Options{})
			r.costs("what rests on what is gone, and what is beside it", "2/1/1", func() { r.want("pair", "b", "cd") })
			r.want("pair", "c", "ef")
			if !crash {
				r.costs("what does not", "0/0/1", func() { r.want("pair", "a", "ab") })
			}
			r.put(unsaved, "a0", "A")
			r.want("pair", "a", "Ab")
		})
	}
}

// What changed between a process's last word and its end is not known by key: all that rests on
// these partitions is verified. So it is where the ledger is gone, or more changed than it holds.
func TestRestartWithoutALastWord(t *testing.T) {
	for _, lost := range []string{"the last word", "the ledger", "its beginning"} {
		t.Run(lost, func(t *testing.T) {
			r := newRig(t, 1, Options{})
			_, put := r.forest(3)
			other := r.partition("other")
			put("a0", "x")
			r.want("top", "", "1,0,0")
			r.flush()
			switch lost {
			case "its beginning":
				put("a0", "", "b0", "x")
				for i := range 2 * movesMost / 500 {
					var some []string
					for j := range 500 {
						some = append(some, fmt.Sprint(500*i+j), "x")
					}
					r.put(other, some...)
				}
				r.end()
			case "the last word":
				put("a0", "", "b0", "x")
			}
			if lost == "the ledger" {
				put("a0", "", "b0", "x")
				r.newTableAlone(Options{})
			} else {
				r.newTable(Options{})
			}
			r.want("top", "", "0,1,0")
			r.costs("linked", "0/0/1", func() { put("nothing", "x"); r.want("top", "", "0,1,0") })
		})
	}
}

// What the ledger does not say of snapshots that were taken before, is not taken for unchanged.
func TestRestartSaysNothingOfOlderSnapshots(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, 1, Options{})
	unsaved := r.partition("unsaved")
	if err := r.db.SetUnlogged(ctx, true, unsaved); err != nil {
		t.Fatal(err)
	}
	r.query("leaf", func(f *Frame, key string) (string, error) { return r.text(f, unsaved, key) })
	r.query("above", func(f *Frame, key string) (string, error) { return r.get(f, "leaf", key) })
	r.put(r.partition("saved"), "k", "x")
	r.want("above", "k", "")
	r.end()
	r.put(unsaved, "k", "x")
	held := r.db.Snapshot()
	defer held.Release()
	if err := r.db.OpenUnlogged(ctx, unsaved); err != nil {
		t.Fatal(err)
	}
	r.newTable(Options{})
	r.costs("now", "0/0/1", func() { r.want("above", "k", "") })
	h := r.task(ctx, func(f *Frame) error {
		f.strand.Snap = held
		if s, err := r.get(f, "above", "k"); s != "x" || err != nil {
			t.Errorf("in the snapshot: %q, %v", s, err)
		}
		return nil
	})
	if err := h.Wait(ctx); err != nil {
		t.Fatal(err)
	}
}

// A footing says of each key that was put in that it may be there, whatever else was, and of few
// others; and is the basis that it began with if nothing else was put in.
func TestFootingAgainstASet(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	const part = db.PartID(3)
	type known struct {
		b    *basis
		keys map[uint32]bool // prints of records and presences
		all  bool
	}
	known0 := []known{}
	for round := range 2000 {
		var f footing
		keys, all := map[uint32]bool{}, false
		for range rng.IntN(4) {
			if len(known0) > 0 && rng.IntN(2) == 0 {
				k := known0[rng.IntN(len(known0))]
				f.addBasis(k.b)
				for p := range k.keys {
					keys[p] = true
				}
				all = all || k.all
				continue
			}
			if rng.IntN(20) == 0 {
				f.addRead(&read{kind: readRange, part: part, about: &about{}}, 0)
				all = true
			}
			most := []int{3, 30, 300, 3000}[rng.IntN(4)]
			for range rng.IntN(most) {
				key := fmt.Sprint(rng.IntN(100_000))
				if print := printOf(part, key); rng.IntN(4) == 0 {
					f.addRead(&read{kind: readPresence, part: part, key: key}, 0)
					keys[presencePrint(print)] = true
				} else {
					f.addRead(&read{kind: readRecord, part: part, key: key}, 0)
					keys[recordPrint(print)] = true
				}
			}
		}
		b := f.basis(partBit(part))
		for p := range keys {
			presence := p == presencePrint(p)
			if !b.touchedBy(&moved{part: part, print: p, what: movedCame}, partBit(part)) || !presence && !b.touchedBy(&moved{part: part, print: p}, partBit(part)) {
				t.Fatalf("seed %d, round %d: one of %d keys is not in the basis", seed, round, len(keys))
			}
			alone := presence && b.more == nil && !keys[recordPrint(p)]
			if alone && b.touchedBy(&moved{part: part, print: p}, partBit(part)) {
				t.Fatalf("seed %d, round %d: another record touches a presence", seed, round)
			}
		}
		if !all && len(keys) <= printsMost && b.more == nil && len(b.prints) != len(keys) {
			t.Fatalf("seed %d, round %d: %d prints of %d keys", seed, round, len(b.prints), len(keys))
		}
		d := decoder{rest: appendBasis(nil, b)}
		if back := d.basis(); d.err != nil || len(d.rest) > 0 || !reflect.DeepEqual(back, b) && len(b.prints)+len(back.prints) > 0 {
			t.Fatalf("seed %d, round %d: %v, %d bytes left, %v", seed, round, back, len(d.rest), d.err)
		}
		f.begin(b)
		for p := range keys {
			f.add(p)
		}
		f.addBasis(b)
		if again := f.basis(partBit(part)); again != b && !b.saturated() {
			t.Fatalf("seed %d, round %d: nothing was added, and the basis is another one", seed, round)
		}
		if known0 = append(known0, known{b, keys, all}); len(known0) > 20 {
			known0 = slices.Delete(known0, 0, 1)
		}
	}
}

// saturated reports whether partitions stand for keys.
func (b *basis) saturated() bool { return b.more != nil && b.more.all != 0 }

func sampleLedger() *told {
	return &told{
		from: 3, upto: 900,
		moves: []moved{{gen: 4, part: 1, print: 77}, {gen: 900, part: 70, what: movedAll}, {gen: 900, part: 2, print: 1 << 31, what: movedCame}},
		gaps:  []gap{{2, 5, 9}},
		held:  []heldPart{{2, []uint32{1, 2}}, {4, []uint32{}}},
	}
}

func TestLedgerRoundTrip(t *testing.T) {
	want := sampleLedger()
	p := want.encode()
	if got, err := decodeLedger(p); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range p {
		if _, err := decodeLedger(p[:n]); !errors.Is(err, ErrCorruptTrace) {
			t.Errorf("a record cut off after %d of %d bytes: %v", n, len(p), err)
		}
	}
}

func FuzzDecodeLedger(f *testing.F) {
	f.Add(sampleLedger().encode())
	f.Add((&told{}).encode())
	f.Fuzz(func(t *testing.T, p []byte) {
		if l, err := decodeLedger(p); err == nil {
			if again, err := decodeLedger(l.encode()); err != nil || !reflect.DeepEqual(again, l) {
				t.Errorf("%+v comes back as %+v, %v", l, again, err)
			}
		}
	})
}
