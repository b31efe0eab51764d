package inspect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

var (
	long = runtime.NewQuery("answers/long", 1, func(t *runtime.Task, key string) (string, error) {
		text, err := blobs.Get(t, key)
		return strings.Repeat(string(text), 100), err
	})
	short = runtime.NewQuery("answers/short", 1, func(t *runtime.Task, key string) (int, error) {
		text, err := long.Get(t, key)
		return len(text), err
	})
)

// All answers are counted, in memory and in the store, and what many have once.
func TestAnswersAreCounted(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir)
	const keys = 100
	for i := range keys {
		put(t, e, blobs, fmt.Sprint(i), []byte("some text"))
	}
	before := e.Stats().Store.LiveBytes
	for i := range keys {
		if n, err := short.Ask(t.Context(), e, fmt.Sprint(i)); n != 900 || err != nil {
			t.Fatal(n, err)
		}
	}
	all := func(e *runtime.Engine) map[string]inspect.AnswersOf {
		t.Helper()
		list, err := inspect.Answers(e)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]inspect.AnswersOf{}
		for _, a := range list {
			by[a.Query] = a
		}
		return by
	}
	by := all(e)
	for _, name := range []string{long.Name(), short.Name()} {
		a := by[name]
		if a.InMemory != keys || a.InStore != keys || a.Heap < keys*200 || a.Stored < keys*64 {
			t.Errorf("%s: %+v", name, a)
		}
	}
	// The result that all keys of long have is there once, and that of short lies in the trace.
	if by[long.Name()].Stored > keys*160 {
		t.Errorf("%d bytes are counted of %s, as if each key had a result of its own", by[long.Name()].Stored, long.Name())
	}
	if sum, all := by[long.Name()].Stored+by[short.Name()].Stored, e.Stats().Store.LiveBytes-before; sum > all {
		t.Errorf("%d bytes are counted, and %d were put", sum, all)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := all(open(t, dir))
	for _, name := range []string{long.Name(), short.Name()} {
		if a, b := again[name], by[name]; a.InStore != b.InStore || a.Stored != b.Stored || a.InMemory != 0 {
			t.Errorf("%s, reopened: %+v; it was %+v", name, a, b)
		}
	}
}
