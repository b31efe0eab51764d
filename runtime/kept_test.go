package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A reluctant is a value that cannot be read while reluctance says so, as if its record were
// damaged.
type reluctant string

var reluctance atomic.Bool

func (r reluctant) AppendBinary(b []byte) ([]byte, error) { return append(b, r...), nil }

func (r reluctant) MarshalBinary() ([]byte, error) { return []byte(r), nil }

func (r *reluctant) UnmarshalBinary(p []byte) error {
	if reluctance.Load() {
		return errors.New("not now")
	}
	*r = reluctant(p)
	return nil
}

var reluctants = runtime.NewPartition[reluctant]("reluctants")

// Every way to read a value that cannot be had. A query that answers in spite of the error has seen
// what its trace cannot name.
var reluctantReads = map[string]func(t *runtime.Task) error{
	"Get": func(t *runtime.Task) error { _, err := reluctants.Get(t, "k"); return err },
	"Load": func(t *runtime.Task) error {
		b, err := reluctants.Blob(t, "k")
		if err == nil {
			_, err = reluctants.Load(t, b)
		}
		return err
	},
	"GetBatch": func(t *runtime.Task) error { _, _, err := reluctants.GetBatch(t, []string{"j", "k"}); return err },
	"Page": func(t *runtime.Task) error {
		_, _, err := reluctants.Page(t, runtime.All(), runtime.Cursor{}, 1)
		return err
	},
	"Scan": func(t *runtime.Task) error {
		return reluctants.Scan(t, runtime.All(), func(string, reluctant) error { return nil })
	},
	"ReadBlob": func(t *runtime.Task) error {
		if !reluctance.Load() {
			return nil
		}
		gone := runtime.Blob{}
		if err := gone.UnmarshalBinary([]byte("0123456789abcdef")); err != nil {
			return err
		}
		_, err := runtime.ReadBlob(t, gone)
		return err
	},
}

func TestAnswerInSpiteOfAReadErrorIsNotKept(t *testing.T) {
	for way, read := range reluctantReads {
		t.Run(way, func(t *testing.T) {
			e := open(t, "", runtime.Options{})
			spite := runtime.NewQuery("in spite of "+way, 1, func(t *runtime.Task, _ string) (string, error) {
				if read(t) != nil {
					return "in spite", nil
				}
				return "well", nil
			})
			above := runtime.NewQuery("above in spite of "+way, 1, func(t *runtime.Task, _ string) (string, error) {
				return spite.Get(t, "")
			})
			put(t, e, reluctants, "k", "v")
			reluctance.Store(true)
			defer reluctance.Store(false)
			if got := ask(t, e, above, ""); got != "in spite" {
				t.Fatalf("while it cannot be read the answer is %q", got)
			}
			reluctance.Store(false)
			for _, q := range []*runtime.Query[string, string]{above, spite} {
				if got := ask(t, e, q, ""); got != "well" {
					t.Errorf("%s is %q, from scratch %q: what was computed in spite of an error was kept", q.Name(), got, "well")
				}
			}
		})
	}
}

// A Scan that is helped reads some values twice: a helper's failure shows where the value is due,
// and counts like any other.
func TestAnswerInSpiteOfAFailedScanIsNotKept(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 3})
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		for i := range 6000 {
			if err := reluctants.Put(w, fmt.Sprintf("%04d", i), "v"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	early := true
	count := runtime.NewQuery("count of reluctants", 1, func(t *runtime.Task, _ string) (int, error) {
		n := 0
		_ = reluctants.Scan(t, runtime.All(), func(string, reluctant) error {
			if n++; n == 3000 && early {
				reluctance.Store(true)
			}
			return nil
		})
		return n, nil
	})
	defer reluctance.Store(false)
	if n := ask(t, e, count, ""); n >= 6000 {
		t.Fatalf("%d values were read", n)
	}
	reluctance.Store(false)
	early = false
	if n := ask(t, e, count, ""); n != 6000 {
		t.Errorf("%d values are counted, from scratch 6000", n)
	}
}

// A conflict of definitions depends on what the process met first, which no trace names.
func TestAnswerInSpiteOfAConflictIsNotKept(t *testing.T) {
	dir := t.TempDir()
	one, other := runtime.NewPartition[string]("of two types"), runtime.NewPartition[int]("of two types")
	tolerant := runtime.NewQuery("tolerant of conflicts", 1, func(t *runtime.Task, _ string) (string, error) {
		if n, err := other.Get(t, "k"); err == nil || errors.Is(err, runtime.ErrNotFound) {
			return fmt.Sprint("other ", n), nil
		}
		return "conflict", nil
	})
	for _, want := range []string{"conflict", "other 0"} {
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, Logger: quiet, SegmentBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if want == "conflict" {
			s := e.Snapshot()
			_, _ = one.Has(s, "k")
			s.Release()
		}
		if got := ask(t, e, tolerant, ""); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

var errEnough = errors.New("enough")

// The error of a callback is the query's own and taints nothing.
func TestErrorOfACallbackIsNoTaint(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, reluctants, "k", "v")
	ran := 0
	first := runtime.NewQuery("first of reluctants", 1, func(t *runtime.Task, _ string) (string, error) {
		ran++
		key := ""
		err := reluctants.Scan(t, runtime.All(), func(k string, _ reluctant) error { key = k; return errEnough })
		if !errors.Is(err, errEnough) {
			return "", err
		}
		b, err := t.PutBlob([]byte("blob"))
		if err != nil {
			return "", err
		}
		if err := runtime.ViewBlob(t, b, func([]byte) error { return errEnough }); !errors.Is(err, errEnough) {
			return "", err
		}
		return key, nil
	})
	for range 2 {
		if got := ask(t, e, first, ""); got != "k" || ran != 1 {
			t.Errorf("%q after %d runs", got, ran)
		}
	}
}

// A stored answer of a query holds only as long as the queries below have the versions they had.
func TestVersionInvalidatesWhatReadsTheQuery(t *testing.T) {
	dir := t.TempDir()
	for version, want := range []string{"v0", "v1", "v2"} {
		low := runtime.NewQuery("raised low", version, func(t *runtime.Task, key string) (string, error) {
			s, err := inputs.Get(t, key)
			return s + fmt.Sprint(version), err
		})
		middle := runtime.NewQuery("raised middle", 1, func(t *runtime.Task, key string) (string, error) { return low.Get(t, key) })
		high := runtime.NewQuery("raised high", 1, func(t *runtime.Task, key string) (string, error) { return middle.Get(t, key) })
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, Logger: quiet, SegmentBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		put(t, e, inputs, "k", "v")
		ask(t, e, low, "k") // this engine's low is the new one
		if got := ask(t, e, high, "k"); got != want {
			t.Errorf("with version %d below the answer is %q, from scratch %q", version, got, want)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A question whose context ends returns while its task goes on. It must not read what the task
// writes: for the race detector.
func TestAskWhoseContextEndsFirst(t *testing.T) {
	e := open(t, "", runtime.Options{})
	const times = 200
	var begun [times]func()
	slow := runtime.NewQuery("slow to end", 1, func(t *runtime.Task, i int) (string, error) {
		begun[i]()
		<-t.Context().Done()
		return "late", nil
	})
	for i := range times {
		ctx, cancel := context.WithCancel(t.Context())
		begun[i] = cancel
		if v, err := slow.Ask(ctx, e, i); err == nil || v != "" {
			t.Fatalf("%q, %v", v, err)
		}
		if v, err := runtime.Evaluate(ctx, e, 0, func(*runtime.Task) (string, error) { return "v", nil }); err == nil || v != "" {
			t.Fatalf("%q, %v", v, err)
		}
	}
}

// A panic is an error of the query that names it and its key, in the error and in Explain; All
// returns the error of the first key, whichever fails first.
func TestPanicOfAQueryNamesIt(t *testing.T) {
	e := open(t, "", runtime.Options{})
	type place struct {
		File string
		Line int
	}
	boom := runtime.NewQuery("boom by place", 1, func(t *runtime.Task, p place) (string, error) {
		if p.Line == 1 {
			return "", fmt.Errorf("line 1: %w", errEnough)
		}
		panic("bang")
	})
	_, err := boom.Ask(t.Context(), e, place{"f", 3})
	var p *runtime.PanicError
	if !errors.As(err, &p) || !tells(err, "boom by place({f 3})", "bang") {
		t.Errorf("the error is %v", err)
	}
	why, err := runtime.Explain(e, boom, place{"f", 3})
	if err != nil || !tells(errors.New(why.String()), "boom by place({f 3})", "bang") {
		t.Errorf("Explain says %v, %v", why, err)
	}
	first, err := runtime.Evaluate(t.Context(), e, 0, func(t *runtime.Task) (string, error) {
		_, err := boom.All(t, []place{{"f", 1}, {"f", 2}, {"f", 3}})
		return fmt.Sprint(err), nil
	})
	if err != nil || first != "line 1: enough" {
		t.Errorf("the first error is %q, %v", first, err)
	}
}

// tells reports whether the text of an error has all parts.
func tells(err error, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			return false
		}
	}
	return true
}

// A query that asks for whom it runs has looked at what no trace names: the next task is told anew.
func TestAnswerAboutTheTaskIsNotKept(t *testing.T) {
	e := open(t, "", runtime.Options{})
	about := runtime.NewQuery("about the task", 1, func(t *runtime.Task, what string) (string, error) {
		switch what {
		case "client":
			return fmt.Sprint(t.Client()), nil
		case "lane":
			return t.Lane().String(), nil
		default:
			return fmt.Sprint(t.Parent()), nil
		}
	})
	above := runtime.NewQuery("above about the task", 1, func(t *runtime.Task, what string) (string, error) {
		return about.Get(t, what)
	})
	asking := func(t *runtime.Task) (all [3]string, err error) {
		for i, what := range []string{"client", "lane", "parent"} {
			if all[i], err = above.Get(t, what); err != nil {
				return all, err
			}
		}
		want := [3]string{fmt.Sprint(t.Client()), t.Lane().String(), fmt.Sprint(t.Parent())}
		if all != want {
			err = fmt.Errorf("told %q, is %q", all, want)
		}
		return all, err
	}
	for client, l := range []lane.Lane{lane.Default, lane.Input, lane.Idle} {
		_, err := runtime.Evaluate(t.Context(), e, l, func(t *runtime.Task) (none struct{}, err error) {
			if _, err := asking(t); err != nil {
				return none, err
			}
			h, err := t.Spawn(0, func(t *runtime.Task) error { _, err := asking(t); return err })
			if err != nil {
				return none, err
			}
			return none, t.Join(h)
		}, runtime.Client(uint64(client)))
		if err != nil {
			t.Error(err)
		}
	}
}
