package runtime_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

var (
	declaredWords = runtime.NewTable("declared words", 1, func(t *runtime.Task, key string) (map[string]string, error) {
		text, err := inputs.Get(t, key)
		words := map[string]string{}
		for _, word := range strings.Fields(text) {
			name, value, _ := strings.Cut(word, "=")
			words[name] = value
		}
		return words, err
	})

	// linked puts words in the places of their names in a text. It works on all words.
	linked = runtime.NewQuery("linked words", 1, func(t *runtime.Task, key string) (string, error) {
		text, err := inputs.Get(t, key)
		if err != nil {
			return "", err
		}
		from := strings.Fields(text)
		var tables []map[string]string
		err = t.Unrecorded(func() (err error) {
			tables, err = declaredWords.Whole().All(t, from[:2])
			return err
		})
		if err != nil {
			return "", err
		}
		var out []string
		for _, name := range from[2:] {
			for i, table := range tables {
				if v, there := table[name]; there {
					out = append(out, v)
				}
				if _, _, err := declaredWords.Get(t, from[i], name); err != nil {
					return "", err
				}
			}
		}
		return strings.Join(out, " "), nil
	})
)

// A query that works on whole tables runs again when a name differs that it has read, also after a
// restart.
func TestUnrecorded(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{})
	set := func(key, text string) { put(t, e, inputs, key, text) }
	want := func(answer string, runs uint64) {
		t.Helper()
		before := e.Stats().Queries["linked words"].Ran
		got, err := linked.Ask(t.Context(), e, "main")
		if err != nil || got != answer {
			t.Errorf("%q, %v; want %q", got, err, answer)
		}
		if n := e.Stats().Queries["linked words"].Ran - before; n != runs {
			t.Errorf("it ran %d times, want %d", n, runs)
		}
	}
	set("a", "x=1 y=2")
	set("b", "z=3")
	set("main", "a b x z")
	want("1 3", 1)
	set("a", "x=1 y=3 w=4")
	want("1 3", 0)
	set("b", "z=3 x=5")
	want("1 5 3", 1)
	set("a", "y=3")
	want("5 3", 1)
	set("a", "x=1 y=7")
	want("1 5 3", 0) // as it was before
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{})
	want("1 5 3", 0)
	set("a", "x=1 y=8")
	want("1 5 3", 0)
	set("b", "z=9 x=5")
	want("1 5 9", 1)
}

// Outside of a query there is nothing to record, and what fn returns is returned.
func TestUnrecordedInATask(t *testing.T) {
	e := open(t, "", runtime.Options{})
	why := errors.New("so")
	err := e.Submit(t.Context(), 0, func(t *runtime.Task) error { return t.Unrecorded(func() error { return why }) })
	if !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}
