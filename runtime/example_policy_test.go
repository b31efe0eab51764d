package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

// calls are the functions that a function calls, by name.
var calls = runtime.NewPartition[[]string]("calls")

// reached are all functions that a function calls, directly or not.
var reached = func() (q *runtime.Query[string, []string]) {
	union := func(a, b []string) []string {
		all := slices.Concat(a, b)
		slices.Sort(all)
		return slices.Compact(all)
	}
	q = runtime.NewQuery("reached", 1, func(t *runtime.Task, name string) ([]string, error) {
		direct, err := calls.Get(t, name)
		if errors.Is(err, runtime.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		further, err := q.All(t, direct)
		return union(direct, slices.Concat(further...)), err
	}, runtime.Fixpoint(func(string) []string { return nil }, union, 1<<20))
	return q
}()

// Functions may call each other: what they reach is the least set that agrees with all of them.
func ExampleFixpoint() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	set := func(name string, callees ...string) {
		if err := eng.Commit(ctx, func(w *runtime.Writer) error { return calls.Put(w, name, callees) }); err != nil {
			log.Fatal(err)
		}
	}
	show := func(name string) {
		all, err := reached.Ask(ctx, eng, name)
		fmt.Println(name, "reaches", all, err)
	}
	set("parse", "expr")
	set("expr", "term", "error")
	set("term", "expr", "number")
	show("expr")
	set("term", "number")
	show("expr")
	show("parse")
	// Output:
	// expr reaches [error expr number term] <nil>
	// expr reaches [error number term] <nil>
	// parse reaches [error expr number term] <nil>
}

var (
	// trimmed is done again sooner than it is loaded.
	trimmed = runtime.NewQuery("trimmed", 1, func(t *runtime.Task, path string) (string, error) {
		text, err := texts.Get(t, path)
		return string(bytes.TrimSpace(text)), err
	}, runtime.Cheap(), runtime.KeepRuns(1))

	// typed is what a user sees while typing; no one asks for it after a restart.
	typed = runtime.NewQuery("typed", 1, func(t *runtime.Task, path string) (string, error) {
		text, err := trimmed.Get(t, path)
		return strings.ToUpper(text), err
	}, runtime.MemoryOnly())

	// approved is stored, as answers are.
	approved = runtime.NewQuery("approved", 1, func(t *runtime.Task, path string) (bool, error) {
		text, err := trimmed.Get(t, path)
		return text != "", err
	})
)

// What is known of the costs of a query is said where it is made.
func ExampleQueryOption() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	err = eng.Commit(ctx, func(w *runtime.Writer) error { return texts.Put(w, "a", []byte(" some text ")) })
	if err != nil {
		log.Fatal(err)
	}
	text, err := typed.Ask(ctx, eng, "a")
	fmt.Println(text, err)
	ok, err := approved.Ask(ctx, eng, "a")
	fmt.Println(ok, err)
	for _, name := range []string{"trimmed", "typed", "approved"} {
		q := eng.Stats().Queries[name]
		fmt.Printf("%s: ran %d, not stored %d\n", name, q.Ran, q.Unstored)
	}
	// Output:
	// SOME TEXT <nil>
	// true <nil>
	// trimmed: ran 1, not stored 1
	// typed: ran 1, not stored 1
	// approved: ran 1, not stored 0
}

// A badLine is an answer of the query that adds up lines.
type badLine struct{ Line int }

func (e *badLine) Error() string { return fmt.Sprintf("line %d is no number", e.Line) }

var (
	// totalOf is the sum of a file's lines, or says which line is wrong: the same line again
	// changes nothing for those who ask.
	totalOf = runtime.NewQuery("total of lines", 1, func(t *runtime.Task, path string) (total int, err error) {
		text, err := texts.Get(t, path)
		for i, line := range strings.Fields(string(text)) {
			n := 0
			if _, err := fmt.Sscan(line, &n); err != nil {
				return 0, &badLine{i + 1}
			}
			total += n
		}
		return total, err
	}, runtime.KeepErrors[*badLine]())

	totalShown = runtime.NewQuery("total shown", 1, func(t *runtime.Task, path string) (string, error) {
		n, err := totalOf.Get(t, path)
		if bad := (*badLine)(nil); errors.As(err, &bad) {
			return bad.Error(), nil
		}
		return fmt.Sprint(n), err
	})
)

// An edit behind an error that stays as it is runs the query that finds it, and nothing above.
func ExampleKeepErrors() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	for _, text := range []string{"1 2 x", "1 3 x", "1 3 4"} {
		err := eng.Commit(ctx, func(w *runtime.Writer) error { return texts.Put(w, "a", []byte(text)) })
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(totalShown.Ask(ctx, eng, "a"))
	}
	fmt.Println("runs of what shows it:", eng.Stats().Queries["total shown"].Ran)
	// Output:
	// line 3 is no number <nil>
	// line 3 is no number <nil>
	// 8 <nil>
	// runs of what shows it: 2
}
