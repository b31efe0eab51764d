package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

type tableLine struct {
	Name  string
	Words []string
}

// lineTable is the table of the lines "name: words" of an input.
var lineTable = runtime.NewTable("table lines", 1, func(t *runtime.Task, key string) (map[string]tableLine, error) {
	text, err := inputs.Get(t, key)
	if err != nil {
		return nil, err
	}
	table := map[string]tableLine{}
	for line := range strings.Lines(text) {
		name, words, _ := strings.Cut(line, ":")
		table[name] = tableLine{name, strings.Fields(words)}
	}
	return table, nil
})

var (
	firstWord = runtime.NewQuery("table first word", 1, func(t *runtime.Task, name string) (string, error) {
		p, there, err := lineTable.Get(t, "in", name)
		switch {
		case err != nil:
			return "", err
		case !there:
			return "none", nil
		case len(p.Words) == 0:
			return "", nil
		}
		return p.Words[0], nil
	})
	bothOf = runtime.NewQuery("table both", 1, func(t *runtime.Task, names [2]string) (string, error) {
		values, there, err := lineTable.GetBatch(t, "in", names[:])
		return fmt.Sprint(values, there), err
	})
	namesOf = runtime.NewQuery("table names", 1, func(t *runtime.Task, key string) ([]string, error) {
		return lineTable.Names(t, key)
	})
	countOf = runtime.NewQuery("table count", 1, func(t *runtime.Task, key string) (int, error) {
		all, err := lineTable.Whole().Get(t, key)
		return len(all), err
	})
)

// askTable asks all that read the table, and returns their answers and which of them ran.
func askTable(t *testing.T, e *runtime.Engine) (answers []any, ran []string) {
	t.Helper()
	before := e.Stats().Queries
	both := ask(t, e, bothOf, [2]string{"a", "b"})
	answers = []any{ask(t, e, firstWord, "a"), ask(t, e, firstWord, "c"), both, ask(t, e, namesOf, "in"), ask(t, e, countOf, "in")}
	for name, q := range e.Stats().Queries {
		for range q.Ran - before[name].Ran {
			ran = append(ran, strings.TrimPrefix(name, "table "))
		}
	}
	slices.Sort(ran)
	return answers, ran
}

func TestTableIsReadByName(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{})
	for _, step := range []struct{ text, answers, ran string }{
		{"a: 1 2\nb: 3", "[1 none [{a [1 2]} {b [3]}] [true true] [a b] 2]", "[both count first word first word lines names]"},
		{"a: 1 2\nb: 4", "[1 none [{a [1 2]} {b [4]}] [true true] [a b] 2]", "[both count lines]"},
		{"a:  1  2\nb: 4", "[1 none [{a [1 2]} {b [4]}] [true true] [a b] 2]", "[lines]"},
		{"a: 1 2\nb: 4\nc:", "[1  [{a [1 2]} {b [4]}] [true true] [a b c] 3]", "[count first word lines names]"},
		{"b: 4", "[none none [{ []} {b [4]}] [false true] [b] 1]", "[both count first word lines names]"},
	} {
		put(t, e, inputs, "in", step.text)
		answers, ran := askTable(t, e)
		if fmt.Sprint(answers) != step.answers || fmt.Sprint(ran) != step.ran {
			t.Errorf("with %q: %v, ran %v, want %v, %v", step.text, answers, ran, step.answers, step.ran)
		}
	}
	why, err := runtime.Explain(e, firstWord, "a")
	if err != nil || !strings.Contains(fmt.Sprint(why), `table lines(in)["a"]`) {
		t.Errorf("explained as %v, %v", why, err)
	}
	if v, there, err := lineTable.Ask(t.Context(), e, "in", "b"); err != nil || !there || fmt.Sprint(v) != "{b [4]}" {
		t.Errorf("b is %v, %v", v, err)
	}
	for range 2 {
		if _, there, err := lineTable.Ask(t.Context(), e, "in", "a"); there || err != nil {
			t.Errorf("a is there: %t, %v", there, err)
		}
		if _, _, err := lineTable.Ask(t.Context(), e, "other", "a"); !errors.Is(err, runtime.ErrNotFound) {
			t.Errorf("the input is not there: %v", err)
		}
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{})
	put(t, e, inputs, "in", "b: 4\na:")
	answers, ran := askTable(t, e)
	if got, want := fmt.Sprint(answers, ran), "[ none [{a []} {b [4]}] [true true] [a b] 2] [both count first word lines names]"; got != want {
		t.Errorf("after reopening and a change: %s, want %s", got, want)
	}
	put(t, e, inputs, "in", "b: 4\na:\nd: 1")
	if _, ran := askTable(t, e); fmt.Sprint(ran) != "[count lines names]" {
		t.Errorf("ran %v", ran)
	}
}

// A known part is given to any goroutine, and costs no task.
func TestKnownPartNeedsNoTask(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "in", "a: 1")
	if _, _, err := lineTable.Ask(t.Context(), e, "in", "a"); err != nil {
		t.Fatal(err)
	}
	tasks := func() (n uint64) {
		for _, l := range e.Stats().Scheduler.Lanes {
			n += l.Submitted
		}
		return n
	}
	before := tasks()
	if n := testing.AllocsPerRun(100, func() {
		if v, _, err := lineTable.Ask(t.Context(), e, "in", "a"); err != nil || v.Name != "a" {
			t.Error(v, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := tasks(); n != before {
		t.Errorf("%d tasks for what is known", n-before)
	}
}

// Values of tables come back as they were, before and after they were stored.
func TestTableValuesComeBack(t *testing.T) {
	type value struct {
		At   time.Time
		Some *int
		Any  any
		M    map[string][]byte
	}
	one := 1
	want := map[string]value{
		"":       {},
		"zone":   {At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("X", 3600))},
		"\xff":   {Some: &one, Any: []any{int64(1), "two"}, M: map[string][]byte{"": nil, "e": {}}},
		"\u00e9": {M: map[string][]byte{}},
	}
	table := runtime.NewTable("table values", 1, func(*runtime.Task, string) (map[string]value, error) { return want, nil })
	raw := runtime.NewTable("table raw values", 1, func(*runtime.Task, string) (map[string][]byte, error) {
		return map[string][]byte{"nil": nil, "empty": {}, "some": []byte("x")}, nil
	})
	none := runtime.NewTable("table of nothing", 1, func(_ *runtime.Task, key string) (map[string]int, error) {
		if key == "nil" {
			return nil, nil
		}
		return map[string]int{}, nil
	})
	dir := t.TempDir()
	for life := range 2 {
		e := open(t, dir, runtime.Options{})
		for name, v := range want {
			got, _, err := table.Ask(t.Context(), e, "k", name)
			if err != nil || !got.At.Equal(v.At) {
				t.Errorf("life %d, %q: %v, want %v, %v", life, name, got.At, v.At, err)
			}
			if got.At.Location().String() != "" && !got.At.IsZero() {
				t.Errorf("life %d: the zone has its name %s", life, got.At.Location())
			}
			got.At, v.At = time.Time{}, time.Time{}
			if diff := unlike(&v, &got); diff != "" {
				t.Errorf("life %d, %q: %s", life, name, diff)
			}
		}
		all, err := table.Whole().Ask(t.Context(), e, "k")
		if err != nil || !slices.Equal(slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(want))) {
			t.Errorf("life %d: %v, %v", life, all, err)
		}
		bytes, err := raw.Whole().Ask(t.Context(), e, "k")
		if err != nil || bytes["nil"] != nil || bytes["empty"] == nil || string(bytes["some"]) != "x" {
			t.Errorf("life %d: %v, %v", life, bytes, err)
		}
		for _, key := range []string{"nil", "empty"} {
			if empty, err := none.Whole().Ask(t.Context(), e, key); err != nil || empty == nil || len(empty) != 0 {
				t.Errorf("life %d, %s: %v, %v", life, key, empty, err)
			}
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// What a table may not hold is refused as it is of any result.
func TestTableRefusesBadValues(t *testing.T) {
	e := open(t, "", runtime.Options{})
	loop := []any{nil}
	loop[0] = loop
	bad := runtime.NewTable("table bad", 1, func(*runtime.Task, string) (map[string]any, error) {
		return map[string]any{"fine": "x", "endless": loop}, nil
	})
	for _, name := range []string{"fine", "endless"} {
		_, _, err := bad.Ask(t.Context(), e, "k", name)
		if !errors.Is(err, runtime.ErrBadValue) || !strings.Contains(err.Error(), `"endless"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	never := runtime.NewTable("table never", 1, func(*runtime.Task, string) (map[string]func(), error) { return nil, nil })
	if _, _, err := never.Ask(t.Context(), e, "k", "x"); !errors.Is(err, runtime.ErrBadValue) {
		t.Error(err)
	}
}

// A part that was stored by another type costs a run, as a whole result does.
func TestTableOfAnotherType(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{})
	texts := runtime.NewTable("table shift", 1, func(*runtime.Task, string) (map[string]string, error) {
		return map[string]string{"a": "x", "b": "\x01"}, nil
	})
	if _, _, err := texts.Ask(t.Context(), e, "k", "a"); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{})
	numbers := runtime.NewTable("table shift", 1, func(*runtime.Task, string) (map[string]int, error) {
		return map[string]int{"a": 7, "b": 8}, nil
	})
	if v, _, err := numbers.Ask(t.Context(), e, "k", "a"); err != nil || v != 7 {
		t.Errorf("a is %d, %v", v, err)
	}
	if all, err := numbers.Whole().Ask(t.Context(), e, "k"); err != nil || all["b"] != 8 {
		t.Errorf("%v, %v", all, err)
	}
}

// Blobs that values of a table refer to live as long as it does.
func TestTableKeepsItsBlobs(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{})
	table := runtime.NewTable("table blobs", 1, func(t *runtime.Task, key string) (map[string]runtime.Blob, error) {
		text, err := inputs.Get(t, key)
		if err != nil {
			return nil, err
		}
		blobs := map[string]runtime.Blob{}
		for word := range strings.FieldsSeq(text) {
			if blobs[word], err = t.PutBlob([]byte("blob of " + word)); err != nil {
				return nil, err
			}
		}
		return blobs, nil
	})
	put(t, e, inputs, "in", "one two")
	if _, _, err := table.Ask(t.Context(), e, "in", "one"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	before := e.Stats().Queries["table blobs"].Ran
	for _, word := range []string{"one", "two"} {
		b, _, err := table.Ask(t.Context(), e, "in", word)
		if err != nil {
			t.Fatal(err)
		}
		s := e.Snapshot()
		text, err := runtime.ReadBlob(s, b)
		s.Release()
		if err != nil || string(text) != "blob of "+word {
			t.Errorf("%s: %q, %v", word, text, err)
		}
	}
	if n := e.Stats().Queries["table blobs"].Ran; n != before {
		t.Errorf("ran %d times more", n-before)
	}
}

// The whole of a table is a query like others: it is watched, peeked at and asked for many keys.
func TestWholeTableIsAQuery(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "in", "a: 1")
	put(t, e, inputs, "in2", "b: 1")
	told := make(chan int, 10)
	stop, err := lineTable.Whole().Watch(t.Context(), e, "in", func(_ *runtime.Task, _, now *runtime.Answer[map[string]tableLine]) error {
		if now.Err != nil {
			told <- -1
		} else {
			told <- len(now.Value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if n := <-told; n != 1 {
		t.Errorf("told of %d names", n)
	}
	put(t, e, inputs, "in", "a: 1\nb:")
	if n := <-told; n != 2 {
		t.Errorf("told of %d names", n)
	}
	if err := e.Commit(context.Background(), func(w *runtime.Writer) error { return inputs.Delete(w, "in") }); err != nil {
		t.Fatal(err)
	}
	if n := <-told; n != -1 {
		t.Errorf("told of %d names", n)
	}
	put(t, e, inputs, "in", "a: 1")
	both, err := runtime.Evaluate(t.Context(), e, 0, func(t *runtime.Task) ([]map[string]tableLine, error) {
		return lineTable.Whole().All(t, []string{"in", "in2"})
	})
	if err != nil || fmt.Sprint(both) != "[map[a:{a [1]}] map[b:{b [1]}]]" {
		t.Errorf("%v, %v", both, err)
	}
	s := e.Snapshot()
	defer s.Release()
	if v, ok, err := lineTable.Whole().Peek(s, "in2"); !ok || err != nil || len(v) != 1 {
		t.Errorf("%v, %t, %v", v, ok, err)
	}
}

// A run that is due to one name of a table is explained by that name, and proven by the change
// behind it; a table is as any query; a graph says what of a table is read.
func TestTablesAreExplained(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{})
	for _, text := range []string{"a: 1\nb: 2", "a: 1\nb: 3", "a: 2\nb: 3"} {
		put(t, e, inputs, "other", text)
		put(t, e, inputs, "in", text)
		askTable(t, e)
	}
	prove := func(x runtime.Explanation, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		p, err := runtime.Evaluate(t.Context(), e, 0, func(t *runtime.Task) (runtime.Proof, error) { return runtime.Prove(t, x) })
		if err != nil || len(p.Changes) != 1 {
			t.Fatalf("%v: proven by %+v, %v", x, p, err)
		}
		return p.Changes[0].Partition + " " + p.Changes[0].Key
	}
	check := func(when string) {
		t.Helper()
		for what, x := range map[string]func() (runtime.Explanation, error){
			"a table":                func() (runtime.Explanation, error) { return runtime.Explain(e, lineTable.Whole(), "in") },
			"what reads it by name":  func() (runtime.Explanation, error) { return runtime.Explain(e, firstWord, "a") },
			"what reads it by names": func() (runtime.Explanation, error) { return runtime.Explain(e, bothOf, [2]string{"a", "b"}) },
		} {
			if got := prove(x()); got != "inputs in" {
				t.Errorf("%s, %s is proven by a change of %s", when, what, got)
			}
		}
		x, err := runtime.Explain(e, lineTable.Whole(), "in")
		if err != nil {
			t.Fatal(err)
		}
		g, err := runtime.GraphAround(e, 1, 100, x)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, edge := range g.Edges {
			lines = append(lines, fmt.Sprint(g.Nodes[edge.From].Name, " of ", g.Nodes[edge.To].Name, ": ", edge.Parts, edge.Names))
		}
		slices.Sort(lines)
		want := []string{
			`table both([a b]) of table lines(in): [a b] false`, `table count(in) of table lines(in): [] false`,
			`table first word(a) of table lines(in): [a] false`, `table first word(c) of table lines(in): [c] false`,
			`table lines(in) of inputs["in"]: [] false`, `table names(in) of table lines(in): [] true`,
		}
		if !slices.Equal(lines, want) {
			t.Errorf("%s: %q", when, lines)
		}
		for _, label := range []string{`[label="[\"a\"]\l[\"b\"]\l"]`, `[label="its names\l"]`} {
			if !strings.Contains(g.DOT(), label) {
				t.Errorf("%s: no edge has %s in\n%s", when, label, g.DOT())
			}
		}
	}
	check("in the process that ran them")
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{})
	check("after a restart")
}
