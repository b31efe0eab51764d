package memo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/sched"
)

// notKept are the ways in which a query may give an answer that is not kept. Each reads b, in a
// partition that nothing above it has read, only once a is not "1".
var notKept = map[string]func(r *rig, f *Frame, a, b db.PartID) (string, error){
	"in spite of an error below": func(r *rig, f *Frame, a, b db.PartID) (string, error) {
		s, err := r.get(f, "inner", "")
		if err != nil {
			return "x", nil
		}
		return s, nil
	},
	"said to be unstable": func(r *rig, f *Frame, a, b db.PartID) (string, error) {
		if s, err := r.text(f, a, "k"); err != nil || s == "1" {
			return "x", err
		}
		f.Taint()
		h, _, err := f.Strand().Snap.Get(b, "k") // not recorded
		if err != nil {
			return "", err
		}
		p, _, err := r.store.Get(h, nil)
		if string(p) == "fail" {
			return "x", err
		}
		return string(p), err
	},
	"below an answer in spite of an error": func(r *rig, f *Frame, a, b db.PartID) (string, error) {
		return r.get(f, "tolerant", "")
	},
	"by many": func(r *rig, f *Frame, a, b db.PartID) (string, error) {
		as, err := r.table.All(f, r.queries["tolerant"], []string{"1", "2"}, 2, r.spawner(f))
		if err != nil {
			return "", err
		}
		return as[0].Value.(string), nil
	},
}

// An answer that is not kept has the hash that was recorded, but what it read is in no set of
// partitions: it must not be a reason to keep what is above it.
func TestWhatIsNotKeptVouchesForNothing(t *testing.T) {
	for way, middle := range notKept {
		t.Run(way, func(t *testing.T) {
			seeds(t, 8, func(t *testing.T, r *rig) {
				a, b := r.partition("a"), r.partition("b")
				r.query("inner", func(f *Frame, _ string) (string, error) {
					s, err := r.text(f, a, "k")
					if err != nil || s == "1" {
						return "x", err
					}
					s, err = r.text(f, b, "k")
					if err == nil && s == "fail" {
						err = errWhy
					}
					return s, err
				})
				r.query("tolerant", func(f *Frame, _ string) (string, error) {
					if s, err := r.get(f, "inner", ""); err == nil {
						return s, nil
					}
					return "x", nil
				})
				r.query("middle", func(f *Frame, _ string) (string, error) { return middle(r, f, a, b) })
				r.query("top", func(f *Frame, _ string) (string, error) {
					s, err := r.get(f, "middle", "")
					return "top " + s, err
				})
				r.put(a, "k", "1")
				r.put(b, "k", "fail")
				r.want("top", "", "top x")
				r.put(a, "k", "2") // the middle is x again, in a way that is not kept
				r.want("top", "", "top x")
				r.put(b, "k", "ok")
				r.want("top", "", "top ok")
				r.want("middle", "", "ok")
				r.want("top", "", "top ok")
			})
		})
	}
}

// Whatever is not kept is computed once for a question, however many levels of queries are above
// it, and again for the next question.
func TestWhatIsNotKeptIsSharedWithinAQuestion(t *testing.T) {
	const levels = 24
	for _, way := range []string{"an error", "an unstable answer"} {
		t.Run(way, func(t *testing.T) {
			r := newRig(t, 1, Options{})
			p := r.partition("files")
			ran := map[string]int{}
			for i := range levels {
				name, below := fmt.Sprint("q", i), fmt.Sprint("q", i-1)
				r.query(name, func(f *Frame, key string) (string, error) {
					ran[name]++
					if i == 0 {
						s, err := r.text(f, p, "k")
						switch {
						case s == "bad" && way == "an error":
							err = errWhy
						case s == "bad":
							f.Taint()
						}
						return s, err
					}
					as, err := r.table.All(f, r.queries[below], []string{"l", "r"}, 2, r.spawner(f))
					if err != nil {
						return "", err
					}
					return as[0].Value.(string), nil
				})
			}
			top := fmt.Sprint("q", levels-1)
			r.put(p, "k", "good")
			r.want(top, "l", "good")
			r.put(p, "k", "bad")
			for question := 1; question <= 2; question++ {
				clear(ran)
				a := r.ask(top, "l")
				err := a.Wait(context.Background())
				if way == "an error" && err != errWhy || way != "an error" && (err != nil || a.answer != "bad") {
					t.Fatalf("%q, %v", a.answer, err)
				}
				for name, n := range ran {
					if n > 2 { // one for each key
						t.Errorf("question %d: %s ran %d times for two keys", question, name, n)
					}
				}
				if ran["q0"] == 0 {
					t.Errorf("question %d was answered by what was not kept for an earlier one", question)
				}
			}
		})
	}
}

// What comes of a cycle depends on where it was entered, so it is not shared within a question.
func TestWhatRestsOnACycleIsNotShared(t *testing.T) {
	r := newRig(t, 1, Options{})
	spared := func(name, other string) {
		r.query(name, func(f *Frame, _ string) (string, error) {
			s, err := r.get(f, other, "")
			if err != nil {
				return name + "!", nil
			}
			return name + "(" + s + ")", nil
		})
	}
	spared("a", "b")
	spared("b", "a")
	r.query("both", func(f *Frame, _ string) (string, error) {
		a, err := r.get(f, "a", "")
		if err != nil {
			return "", err
		}
		b, err := r.get(f, "b", "")
		return a + " " + b, err
	})
	r.want("a", "", "a(b!)")
	r.want("b", "", "b(a!)")
	r.want("both", "", "a(b!) b(a!)")
}

// A function that looks at its context and gives up without an error has not given an answer.
func TestAnswerOfAnEndedContextIsNotKept(t *testing.T) {
	seeds(t, 20, func(t *testing.T, r *rig) {
		var gate sched.Event
		whole := false
		r.query("patient", func(f *Frame, _ string) (string, error) {
			ctx := f.Context()
			if !whole {
				_ = f.Strand().Task.Await(&gate)
			}
			if ctx.Err() != nil {
				return "half", nil
			}
			return "whole", nil
		})
		a := r.ask("patient", "k")
		r.settle()
		a.Cancel(errWhy)
		r.settle()
		_ = a.Wait(context.Background())
		whole = true
		r.want("patient", "k", "whole")
	})
}

// In a program whose queries have other versions, the stored interval of a trace that reads queries
// says nothing; what it says is found again by one walk, and stored again.
func TestStoredIntervalIsOfOneProgram(t *testing.T) {
	program, suffix := uint64(1), ""
	o := Options{Program: func() uint64 { return program }}
	r := newRig(t, 1, o)
	p := r.partition("files")
	r.query("low", func(f *Frame, key string) (string, error) {
		s, err := r.text(f, p, key)
		return s + suffix, err
	})
	r.query("high", func(f *Frame, key string) (string, error) { return r.get(f, "low", key) })
	again := func() {
		t.Helper()
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		r.newTable(o)
	}
	counted := func(low, high string) {
		t.Helper()
		if l, h := r.counted("low"), r.counted("high"); l != low || h != high {
			t.Errorf("low ran/validated/reused %s, high %s; want %s and %s", l, h, low, high)
		}
	}
	r.put(p, "k", "v")
	r.want("high", "k", "v")

	again()
	r.want("high", "k", "v")
	counted("0/0/0", "0/0/1") // the same program walks nothing

	program = 2
	again()
	r.want("high", "k", "v")
	counted("0/0/1", "0/1/0") // another query was raised

	again()
	r.want("high", "k", "v")
	counted("0/0/0", "0/0/1")

	program, suffix = 3, "2"
	r.queries["low"].Version++
	again()
	r.want("high", "k", "v2")
	counted("1/0/1", "1/0/0") // read once by the walk, and once by the run
}

// A panic of a query, or of its decoder, is an error that names the query and its key, also to
// those above it, and in Explain.
func TestPanicNamesTheQuery(t *testing.T) {
	r := newRig(t, 1, Options{CacheBytes: 1})
	r.query("boom", func(f *Frame, key string) (string, error) { panic("bang\nwith more") })
	r.query("above", func(f *Frame, key string) (string, error) { return r.get(f, "boom", key) })
	r.query("opaque", func(f *Frame, key string) (string, error) { return "bytes", nil })
	r.queries["opaque"].Decode = func(mmapcas.Kind, []byte) (any, error) { panic("bang") }
	for asked, named := range map[string]string{"boom": "boom(k)", "above": "boom(k)", "opaque": "opaque(k)"} {
		err := r.ask(asked, "k").Wait(context.Background())
		var p *sched.PanicError
		if !errors.As(err, &p) || !strings.Contains(err.Error(), named) || !strings.Contains(string(p.Stack), "kept_test.go") {
			t.Errorf("%s: %v", asked, err)
		}
	}
	for _, q := range []string{"boom", "above"} {
		why, _ := r.table.Explain(r.queries[q], "k")
		if s := why.String(); why.Verdict != RanFailed || !strings.Contains(s, "boom(k)") || !strings.HasSuffix(s, "bang") {
			t.Errorf("%s: %s", q, s)
		}
	}
}

// All returns the error of the first key that has one, in the order of keys, whoever fails first,
// and whether it fails by an error, a panic, or a key that is too long.
func TestAllReturnsTheFirstErrorInOrder(t *testing.T) {
	long := strings.Repeat("k", db.MaxKeyBytes)
	for _, keys := range [][]string{
		{"fine", "error", "panic", "error2"},
		{"fine", "panic", "error"},
		{"error", "fine", "panic"},
		{"fine", "error", long},
		{"fine", long, "panic"},
		{"panic"},
		{"error", "error"},
	} {
		seeds(t, 6, func(t *testing.T, r *rig) {
			r.query("part", func(f *Frame, key string) (string, error) {
				f.Strand().Task.Yield()
				switch {
				case strings.HasPrefix(key, "error"):
					return "", fmt.Errorf("%s of %s: %w", "an error", key, errWhy)
				case key == "panic":
					panic("at the disco")
				}
				return key, nil
			})
			h := r.task(context.Background(), func(f *Frame) error {
				_, err := r.table.All(f, r.queries["part"], keys, 2, r.spawner(f))
				return err
			})
			err := h.Wait(context.Background())
			first := keys[0]
			if first == "fine" {
				first = keys[1]
			}
			var p *sched.PanicError
			switch {
			case first == "panic" && errors.As(err, &p) && strings.Contains(err.Error(), "part(panic)"):
			case first == long && errors.Is(err, db.ErrKeyTooLong):
			case strings.HasPrefix(first, "error") && errors.Is(err, errWhy) && strings.Contains(err.Error(), "of "+first):
			default:
				t.Errorf("the first to fail of %.60q is %.20q, the error is %v", keys, first, err)
			}
		})
	}
}

// A cancelled All leaves no flight behind: it would keep its entry for ever.
func TestCancelledAllLeavesNoFlight(t *testing.T) {
	seeds(t, 20, func(t *testing.T, r *rig) {
		var never sched.Event
		began := 0
		r.gated("slow", &never, &began, nil)
		keys := []string{"1", "2", "3", "4", "5", "6"}
		h := r.task(context.Background(), func(f *Frame) error {
			_, err := r.table.All(f, r.queries["slow"], keys, 1, r.spawner(f))
			return err
		})
		r.settle()
		h.Cancel(errWhy)
		r.settle()
		if err := h.Wait(context.Background()); !errors.Is(err, errWhy) {
			t.Errorf("ended with %v", err)
		}
		for _, key := range keys {
			if r.table.entry(r.queries["slow"], key).flights != nil {
				t.Errorf("a flight of key %s is left", key)
			}
		}
	})
}

// A result that cannot be read back is an error after one run, and the next question may try again.
func TestUnreadableResultFailsOnce(t *testing.T) {
	r := newRig(t, 1, Options{CacheBytes: 1}) // nothing is answered from memory
	ran := 0
	readable := false
	r.query("odd", func(f *Frame, _ string) (string, error) { ran++; return "odd", nil })
	r.queries["odd"].Decode = func(_ mmapcas.Kind, p []byte) (any, error) {
		if !readable {
			return nil, fmt.Errorf("%w: %w", mmapcas.ErrCorrupt, errWhy)
		}
		return string(p), nil
	}
	r.query("above", func(f *Frame, _ string) (string, error) { return r.get(f, "odd", "k") })
	for i, q := range []string{"odd", "above", "odd"} {
		ran = 0
		err := r.ask(q, "k").Wait(context.Background())
		if !errors.Is(err, errWhy) || !strings.Contains(err.Error(), "odd(k)") {
			t.Errorf("%s: %v", q, err)
		}
		if want := min(i+1, 2); ran > want {
			t.Errorf("%s: %d runs, want at most %d: what was there is dropped, and one", q, ran, want)
		}
	}
	readable = true
	r.want("above", "k", "odd")
}

// A key that is too long to be stored is refused when it is asked for, and leaves nothing in
// memory.
func TestKeyTooLongIsRefusedAtTheDoor(t *testing.T) {
	r := newRig(t, 1, Options{})
	r.query("echo", func(f *Frame, key string) (string, error) { return key, nil })
	longest := strings.Repeat("k", r.queries["echo"].keyBytesMax())
	r.want("echo", longest, longest)
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := r.table.Entries()
	err := r.ask("echo", longest+"k").Wait(context.Background())
	if !errors.Is(err, db.ErrKeyTooLong) || !strings.Contains(err.Error(), "query echo") || len(err.Error()) > 500 {
		t.Errorf("%.600v", err)
	}
	if n := r.table.Entries(); n != before || r.table.asides.unstored.Load() != 0 {
		t.Errorf("%d entries, %d before; %d traces set aside", n, before, r.table.asides.unstored.Load())
	}
}

// hoard makes entries by hand, as a table of a later version might, whose traces the store does not
// take.
func (r *rig) hoard(query string, keys ...string) {
	r.t.Helper()
	for _, key := range keys {
		h, _, err := r.store.Put(kindTest, []byte("hoarded"))
		if err != nil {
			r.t.Fatal(err)
		}
		r.table.add(r.table.entry(r.queries[query], key), &trace{result: h}, Reason{})
	}
}

// Traces that the store refuses stay in memory, are counted and logged once, and keep no others
// from being written.
func TestRefusedTraceKeepsNoOtherFromBeingStored(t *testing.T) {
	var log strings.Builder
	r := newRig(t, 1, Options{})
	r.table.o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	put := r.ladder()
	var keys []string
	for i := range 9 {
		keys = append(keys, fmt.Sprint("k", i))
		put(keys[i], fmt.Sprint("text", i))
	}
	long := strings.Repeat("k", db.MaxKeyBytes)
	r.hoard("upper", long, long+"1")
	for _, k := range keys {
		r.want("upper", k, strings.ToUpper("text"+k[1:]))
	}
	r.hoard("upper", long+"2")
	for range 2 { // the second time there is nothing to do
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := r.table.Dirty(); n != 0 {
			t.Errorf("%d keys are still dirty", n)
		}
		if n := r.table.Residency().Unstored; n != 3 {
			t.Errorf("%d traces are counted as refused, want 3", n)
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d lines were logged, want one:\n%.300s", n, log.String())
	}
	if n := len(r.table.entry(r.queries["upper"], long).appendTraces(nil)); n != 1 {
		t.Errorf("the refused key has %d traces in memory, want 1", n)
	}
	r.newTable(Options{})
	for _, k := range keys {
		r.want("upper", k, strings.ToUpper("text"+k[1:]))
	}
	if u := r.counted("upper"); u != "0/0/9" {
		t.Errorf("in a new table upper ran/validated/reused %s, want 0/0/9: its traces were stored", u)
	}
}

// An error of the store as a whole sets nothing aside: all of the batch is tried again.
func TestFailedFlushIsTriedAgain(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	put("k", "text")
	r.want("length", "k", "xxxx")
	over, end := context.WithCancelCause(context.Background())
	end(io.ErrClosedPipe)
	if err := r.table.Flush(over); !errors.Is(err, io.ErrClosedPipe) || r.table.Dirty() != 2 {
		t.Errorf("%v, %d keys are dirty", err, r.table.Dirty())
	}
	if err := r.table.Flush(context.Background()); err != nil || r.table.Dirty() != 0 || r.table.Residency().Unstored != 0 {
		t.Errorf("%v, %d keys are dirty, %d refused", err, r.table.Dirty(), r.table.Residency().Unstored)
	}
}

// A read that fails may be anything the next time, so an answer in spite of it is not kept: each
// kind of read of a frame says so itself.
func TestAnswerInSpiteOfEachFailedReadIsNotKept(t *testing.T) {
	for name, read := range map[string]func(f *Frame, p db.PartID) error{
		"Get": func(f *Frame, p db.PartID) error { _, _, err := f.Get(p, "k"); return err },
		"GetBatch": func(f *Frame, p db.PartID) error {
			_, err := f.GetBatch(p, []string{"k", "l"})
			return err
		},
		"Has":   func(f *Frame, p db.PartID) error { _, err := f.Has(p, "k"); return err },
		"Count": func(f *Frame, p db.PartID) error { _, err := f.Count(p, "", "", ""); return err },
		"Count of a glob": func(f *Frame, p db.PartID) error {
			_, err := f.Count(p, "", "", "*")
			return err
		},
		"Scan": func(f *Frame, p db.PartID) error {
			return f.Scan(p, db.Span{}, "", true, func(string, mmapcas.Hash) bool { return true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, Options{})
			p := r.partition("files")
			r.put(p, "k", "v")
			gone := r.db.Snapshot()
			gone.Release()
			fails := true
			r.query("low", func(f *Frame, _ string) (string, error) {
				snap := f.strand.Snap
				defer func() { f.strand.Snap = snap }()
				if fails {
					f.strand.Snap = gone
				}
				if err := read(f, p); err != nil {
					return "in spite", nil
				}
				return "well", nil
			})
			r.query("high", func(f *Frame, key string) (string, error) { return r.get(f, "low", key) })
			r.want("high", "", "in spite")
			fails = false
			r.want("high", "", "well")
			r.want("low", "", "well")
		})
	}
}
