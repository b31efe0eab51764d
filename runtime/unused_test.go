package runtime_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

// rare is a query that some programs have.
var rare = runtime.NewQuery("test/rare", 1, func(t *runtime.Task, key string) (string, error) {
	return inputs.Get(t, key)
})

// Stored answers of a query stay as long as a process had the query within Options.UnusedFor, and
// are freed by the collection of everything that comes after that.
func TestAnswersOfAQueryNobodyHasGo(t *testing.T) {
	const day = 24 * time.Hour
	dir := t.TempDir()
	session := func(has bool, do func(e *runtime.Engine)) {
		t.Helper()
		if !has {
			defer runtime.Undefine("test/rare")()
		}
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, CollectEvery: -1, UnusedFor: 10 * day, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		do(e)
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	stored := func(e *runtime.Engine, want bool, when string) {
		t.Helper()
		names, err := e.StoredQueries()
		if err != nil || slices.Contains(names, "test/rare") != want || !slices.Contains(names, "doubled") {
			t.Errorf("%s: answers of %q are stored, %v; of test/rare: want %t", when, names, err, want)
		}
	}
	now := time.Now()
	forget := func(e *runtime.Engine, days time.Duration) {
		t.Helper()
		if err := e.ForgetUnused(t.Context(), now.Add(days*day)); err != nil {
			t.Fatal(err)
		}
	}
	text := noise(1, 300_000)
	session(true, func(e *runtime.Engine) {
		put(t, e, inputs, "kept", "kept")
		ask(t, e, doubled, "kept")
		for _, key := range []string{"a", "b", "c"} {
			put(t, e, inputs, key, key+text)
			ask(t, e, rare, key)
		}
		for _, key := range []string{"a", "b", "c"} { // the answers have the only copies
			put(t, e, inputs, key, "short")
		}
		e.WriteTraces(t.Context())
		forget(e, 1000)
		stored(e, true, "in a program that has the query")
	})
	session(false, func(e *runtime.Engine) {
		forget(e, 0)
		forget(e, 9)
		stored(e, true, "after nine days")
	})
	session(true, func(e *runtime.Engine) {}) // a process that has it
	session(false, func(e *runtime.Engine) {
		forget(e, 11)
		forget(e, 20)
		stored(e, true, "nine days after a process that had the query")
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := e.Stats().Store.LiveBytes
		forget(e, 21)
		stored(e, false, "ten days after that")
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := e.Stats().Store.LiveBytes; before-after < int64(len(text)) {
			t.Errorf("%d bytes are live, %d were before the answers were forgotten", after, before)
		}
	})
	session(true, func(e *runtime.Engine) {
		if got := ask(t, e, rare, "a"); got != "short" {
			t.Errorf("the query that is back says %q", got)
		}
	})
}
