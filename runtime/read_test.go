package runtime_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

var items = runtime.NewPartition[string]("items")

// A reader reads some of items and says what it saw.
var readers = map[string]func(t *runtime.Task) (string, error){
	"first two keys": func(t *runtime.Task) (string, error) {
		keys, err := items.Keys(t, runtime.Prefix("k/"), runtime.Limit(2))
		return strings.Join(keys, " "), err
	},
	"last two keys": func(t *runtime.Task) (string, error) {
		keys, err := items.Keys(t, runtime.Prefix("k/"), runtime.Backward(), runtime.Limit(2))
		return strings.Join(keys, " "), err
	},
	"all keys, backward": func(t *runtime.Task) (string, error) {
		keys, err := items.Keys(t, runtime.Prefix("k/"), runtime.Backward())
		return strings.Join(keys, " "), err
	},
	"keys after c": func(t *runtime.Task) (string, error) {
		keys, err := items.Keys(t, runtime.Prefix("k/"), runtime.After(runtime.CursorAt("k/c")))
		return strings.Join(keys, " "), err
	},
	"first two values": func(t *runtime.Task) (string, error) {
		var out []string
		err := items.Scan(t, runtime.Prefix("k/"), func(key, v string) error { out = append(out, key+"="+v); return nil }, runtime.Limit(2))
		return strings.Join(out, " "), err
	},
	"values until one is enough": func(t *runtime.Task) (string, error) {
		enough := errors.New("enough")
		found := ""
		err := items.Scan(t, runtime.Prefix("k/"), func(key, v string) error {
			if found = key; v == "1" {
				return enough
			}
			return nil
		}, runtime.Backward())
		if errors.Is(err, enough) {
			err = nil
		}
		return found, err
	},
	"glob": func(t *runtime.Task) (string, error) {
		keys, err := items.Keys(t, runtime.Glob("k/?x"))
		return strings.Join(keys, " "), err
	},
	"glob, values, first": func(t *runtime.Task) (string, error) {
		var out []string
		err := items.Scan(t, runtime.Glob("k/?x"), func(key, v string) error { out = append(out, key+"="+v); return nil }, runtime.Limit(1))
		return strings.Join(out, " "), err
	},
	"count": func(t *runtime.Task) (string, error) {
		n, err := items.Count(t, runtime.Prefix("k/"))
		return fmt.Sprint(n), err
	},
	"count of a glob": func(t *runtime.Task) (string, error) {
		n, err := items.Count(t, runtime.Glob("k/?x"))
		return fmt.Sprint(n), err
	},
	"has": func(t *runtime.Task) (string, error) {
		a, err := items.Has(t, "k/a")
		if err != nil {
			return "", err
		}
		z, err := items.Has(t, "k/z")
		return fmt.Sprint(a, z), err
	},
	"batch": func(t *runtime.Task) (string, error) {
		vs, there, err := items.GetBatch(t, []string{"k/d", "k/z", "k/a"})
		return fmt.Sprint(vs, there), err
	},
	"second page": func(t *runtime.Task) (string, error) {
		_, next, err := items.Page(t, runtime.Prefix("k/"), runtime.Cursor{}, 2)
		if err != nil {
			return "", err
		}
		page, next, err := items.Page(t, runtime.Prefix("k/"), next, 1)
		return fmt.Sprint(page, next.IsZero()), err
	},
}

var reads = runtime.NewQuery("reads", 1, func(t *runtime.Task, name string) (string, error) { return readers[name](t) })

// What a query has read is recorded exactly: a change outside of it costs no run, one inside it
// costs one.
func TestReadsAreRecordedExactly(t *testing.T) {
	const outside, inside = false, true
	type edit struct {
		op  string // "key=value", "-key"
		hit bool
	}
	cases := map[string][]edit{
		// There are k/a=1 k/ax=1 k/b=2 k/c=3 k/d=4 k/dx=4, and j, l around them.
		"first two keys":             {{"k/b=9", outside}, {"k/az=1", outside}, {"-k/b", outside}, {"k/ax=9", outside}, {"k/aa=1", inside}, {"-k/a", inside}},
		"last two keys":              {{"k/a=9", outside}, {"k/cz=1", outside}, {"k/d=9", outside}, {"l=2", outside}, {"k/e=1", inside}, {"k/da=1", inside}, {"-k/d", inside}},
		"all keys, backward":         {{"k/a=9", outside}, {"j=2", outside}, {"k/0=1", inside}, {"-k/c", inside}},
		"keys after c":               {{"-k/c", outside}, {"k/bz=1", outside}, {"k/ca=1", inside}, {"k/z=1", inside}},
		"first two values":           {{"k/b=9", outside}, {"k/ay=1", outside}, {"k/ax=9", inside}, {"k/a0=1", inside}},
		"values until one is enough": {{"k/a=9", outside}, {"k/aa=1", outside}, {"k/b=9", inside}, {"k/e=1", inside}},
		"glob":                       {{"k/b=9", outside}, {"k/e=1", outside}, {"k/exx=1", outside}, {"k/ax=9", outside}, {"k/ex=1", inside}, {"-k/dx", inside}},
		"glob, values, first":        {{"k/a=9", outside}, {"k/dx=9", outside}, {"k/bx=1", outside}, {"k/ax=9", inside}, {"k/0x=1", inside}},
		"count":                      {{"k/b=9", outside}, {"l=2", outside}, {"-k/b k/bb=1", outside}, {"-k/b", inside}, {"k/e=1", inside}},
		"count of a glob":            {{"k/e=1", outside}, {"-k/ax k/bx=1", outside}, {"k/ex=1", inside}},
		"has":                        {{"k/a=9", outside}, {"k/b=9", outside}, {"-k/a", inside}, {"k/z=1", inside}},
		"batch":                      {{"k/b=9", outside}, {"k/e=1", outside}, {"k/d=9", inside}, {"k/z=1", inside}, {"-k/a", inside}},
		"second page":                {{"k/d=9", outside}, {"k/ca=1", outside}, {"k/b=9", inside}, {"k/ab=1", inside}, {"-k/b", inside}},
	}
	initial := "j=1 k/a=1 k/ax=1 k/b=2 k/c=3 k/d=4 k/dx=4 l=1"
	apply := func(e *runtime.Engine, ops string) {
		t.Helper()
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			for op := range strings.FieldsSeq(ops) {
				key, v, put := strings.Cut(op, "=")
				err := error(nil)
				if put {
					err = items.Put(w, key, v)
				} else {
					err = items.Delete(w, strings.TrimPrefix(key, "-"))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range readers {
		if len(cases[name]) == 0 {
			t.Errorf("%s is not tried", name)
		}
	}
	for name, edits := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := open(t, dir, runtime.Options{Workers: 1})
			apply(e, initial)
			before := ask(t, e, reads, name)
			r := &runs{e: e}
			r.since("reads")
			for _, ed := range edits {
				apply(e, ed.op)
				if ask(t, e, reads, name); (r.since("reads") > 0) != ed.hit {
					t.Errorf("%q: ran is %t, want %t\nreads %q", ed.op, !ed.hit, ed.hit, explained(t, e, name))
				}
				fresh := open(t, "", runtime.Options{Workers: 1})
				apply(fresh, initial)
				apply(fresh, ed.op)
				if got, want := ask(t, e, reads, name), ask(t, fresh, reads, name); got != want {
					t.Errorf("%q: %q, from scratch %q", ed.op, got, want)
				}
				apply(e, undo(ed.op, initial))
				if got := ask(t, e, reads, name); got != before {
					t.Errorf("%q undone: %q, was %q", ed.op, got, before)
				}
				if n := r.since("reads"); n != 0 {
					t.Errorf("%q undone: ran %d times", ed.op, n)
				}
			}
		})
	}
}

func explained(t *testing.T, e *runtime.Engine, name string) []string {
	t.Helper()
	x, err := runtime.Explain(e, reads, name)
	if err != nil {
		t.Fatal(err)
	}
	return x.Reads
}

// undo returns the operations that bring initial back.
func undo(ops, initial string) string {
	was := map[string]string{}
	for op := range strings.FieldsSeq(initial) {
		key, v, _ := strings.Cut(op, "=")
		was[key] = v
	}
	var out []string
	for op := range strings.FieldsSeq(ops) {
		key, _, _ := strings.Cut(strings.TrimPrefix(op, "-"), "=")
		if v, ok := was[key]; ok {
			out = append(out, key+"="+v)
		} else {
			out = append(out, "-"+key)
		}
	}
	return strings.Join(out, " ")
}

// What a trace says about such reads survives a restart: nothing runs.
func TestExactReadsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	o := runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet}
	first, err := runtime.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k/a", "k/ax", "k/b", "k/c"} {
		put(t, first, items, key, "1")
	}
	want := map[string]string{}
	for name := range readers {
		want[name] = ask(t, first, reads, name)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := open(t, dir, o)
	put(t, e, items, "elsewhere", "1") // so that the traces are walked
	for name := range readers {
		if got := ask(t, e, reads, name); got != want[name] {
			t.Errorf("%s: %q, was %q", name, got, want[name])
		}
	}
	if q := e.Stats().Queries["reads"]; q.Ran != 0 || q.Validated != uint64(len(readers)) {
		t.Errorf("%+v, want %d validated", q, len(readers))
	}
}

// Reads of snapshots, of tasks and inside queries give the same.
func TestReadOrderLimitAndPages(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	var keys []string
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		for i := range 100 {
			key := fmt.Sprintf("k/%02d", i)
			keys = append(keys, key)
			if err := items.Put(w, key, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return items.Put(w, "l", "x")
	})
	if err != nil {
		t.Fatal(err)
	}
	s := e.Snapshot()
	defer s.Release()
	check := func(r runtime.Reader) error {
		for _, c := range []struct {
			pat  runtime.Pattern
			opts []runtime.ReadOption
			want []string
		}{
			{runtime.Prefix("k/"), nil, keys},
			{runtime.Prefix("k/"), []runtime.ReadOption{runtime.Limit(3)}, keys[:3]},
			{runtime.Prefix("k/"), []runtime.ReadOption{runtime.Limit(300)}, keys},
			{runtime.Prefix("k/"), []runtime.ReadOption{runtime.Limit(0)}, keys},
			{runtime.Prefix("k/9"), []runtime.ReadOption{runtime.Backward(), runtime.Limit(2)}, []string{"k/99", "k/98"}},
			{runtime.Prefix("k/"), []runtime.ReadOption{runtime.After(runtime.CursorAt("k/96x"))}, keys[97:]},
			{runtime.Prefix("k/"), []runtime.ReadOption{runtime.Backward(), runtime.After(runtime.CursorAt("k/01"))}, keys[:1]},
			{runtime.Glob("k/*5"), []runtime.ReadOption{runtime.Limit(2)}, []string{"k/05", "k/15"}},
			{runtime.Glob("k/*5"), []runtime.ReadOption{runtime.Limit(2), runtime.Backward(), runtime.After(runtime.CursorAt("k/85"))}, []string{"k/75", "k/65"}},
			{runtime.Range("k/10", "k/12"), []runtime.ReadOption{runtime.Backward()}, []string{"k/11", "k/10"}},
			{runtime.Range("k/12", "k/10"), nil, nil},
			{runtime.Exact("k/50"), nil, []string{"k/50"}},
			{runtime.Exact("k/50"), []runtime.ReadOption{runtime.After(runtime.CursorAt("k/50"))}, nil},
		} {
			if got, err := items.Keys(r, c.pat, c.opts...); err != nil || !slices.Equal(got, c.want) {
				return fmt.Errorf("keys of %v: %q, %w", c.pat, got, err)
			}
		}
		for _, opts := range [][]runtime.ReadOption{nil, {runtime.Backward()}} {
			for _, n := range []int{0, 1, 7, 50, 99, 100, 101} {
				var got []string
				cur := runtime.Cursor{}
				for pages := 0; ; pages++ {
					page, next, err := items.Page(r, runtime.Prefix("k/"), cur, n, opts...)
					if err != nil || len(page) > max(n, 1) || pages > 100 {
						return fmt.Errorf("page %d of %d: %d entries, %w", pages, n, len(page), err)
					}
					for _, e := range page {
						if strings.TrimLeft(e.Key, "k/0") != strings.TrimLeft(e.Value, "0") {
							return fmt.Errorf("%s has %s", e.Key, e.Value)
						}
						got = append(got, e.Key)
					}
					if next.IsZero() {
						break
					}
					text, err := json.Marshal(next)
					if err != nil {
						return err
					}
					if err := json.Unmarshal(text, &cur); err != nil {
						return err
					}
				}
				if opts != nil {
					slices.Reverse(got)
				}
				if !slices.Equal(got, keys) {
					return fmt.Errorf("pages of %d: %d keys, %q", n, len(got), got)
				}
			}
		}
		for pat, want := range map[runtime.Pattern]int{runtime.All(): 101, runtime.Prefix("k/1"): 10, runtime.Glob("k/*1"): 10, runtime.Exact("none"): 0} {
			if n, err := items.Count(r, pat); err != nil || n != want {
				return fmt.Errorf("count of %v: %d, %w", pat, n, err)
			}
		}
		vs, there, err := items.GetBatch(r, []string{"k/03", "no", "k/01", "k/03"})
		if err != nil || !slices.Equal(vs, []string{"3", "", "1", "3"}) || !slices.Equal(there, []bool{true, false, true, true}) {
			return fmt.Errorf("batch: %q, %t, %w", vs, there, err)
		}
		if vs, _, err := items.GetBatch(r, nil); err != nil || len(vs) != 0 {
			return fmt.Errorf("empty batch: %q, %w", vs, err)
		}
		return nil
	}
	if err := check(s); err != nil {
		t.Errorf("snapshot: %v", err)
	}
	if err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error { return check(t) }); err != nil {
		t.Errorf("task: %v", err)
	}
	inQuery := runtime.NewQuery("checks", 1, func(t *runtime.Task, _ string) (bool, error) { return true, check(t) })
	if _, err := inQuery.Ask(t.Context(), e, ""); err != nil {
		t.Errorf("query: %v", err)
	}
}

func TestCursorText(t *testing.T) {
	for _, bad := range []string{"x", "k!", "kAB", "aGVsbG8", "k==", "k0\n00", "kYQ\r"} {
		var c runtime.Cursor
		if err := c.UnmarshalText([]byte(bad)); !errors.Is(err, runtime.ErrBadCursor) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	var c runtime.Cursor
	if err := c.UnmarshalText([]byte("k")); err != nil || c.IsZero() {
		t.Errorf("the cursor behind the empty key: %v", err)
	}
	if text, err := c.MarshalText(); err != nil || string(text) != "k" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestPastGenerations(t *testing.T) {
	e := open(t, "", runtime.Options{History: 5})
	var gens []uint64
	for i := range 10 {
		put(t, e, items, "k", fmt.Sprint(i))
		gens = append(gens, e.Stats().Generation)
	}
	for i, gen := range gens {
		s, err := e.SnapshotAt(gen)
		if i < 4 {
			if !errors.Is(err, runtime.ErrGone) {
				t.Errorf("generation %d of %d: %v, want ErrGone", i, len(gens), err)
			}
			continue
		}
		if err != nil {
			t.Errorf("generation %d of %d: %v", i, len(gens), err)
			continue
		}
		if v, err := items.Get(s, "k"); err != nil || v != fmt.Sprint(i) || s.Generation() != gen {
			t.Errorf("generation %d: %q, %v", i, v, err)
		}
		if v, err := reads.Ask(t.Context(), e, "count", runtime.At(s)); err != nil || v != "0" {
			t.Errorf("a query there: %q, %v", v, err)
		}
		s.Release()
	}
	if _, err := e.SnapshotAt(gens[9] + 1); !errors.Is(err, runtime.ErrGone) {
		t.Errorf("a generation to come: %v", err)
	}
}
