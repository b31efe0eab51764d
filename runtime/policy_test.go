package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// A syntaxError is an answer of the query that parses.
type syntaxError struct {
	Line int
	Text string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

var (
	lineRuns, linesRuns int

	// brackets counts pairs of brackets, or says where one is left over.
	brackets = runtime.NewQuery("brackets", 1, func(t *runtime.Task, path string) (int, error) {
		lineRuns++
		text, err := inputs.Get(t, path)
		if err != nil {
			return 0, err
		}
		if i := strings.Index(text, "(("); i >= 0 {
			return 0, fmt.Errorf("parsing %s: %w", path, &syntaxError{1 + strings.Count(text[:i], "\n"), "two brackets"})
		}
		return strings.Count(text, "("), nil
	}, runtime.KeepErrors[*syntaxError]())

	// shownBrackets is what a list of files shows.
	shownBrackets = runtime.NewQuery("shown brackets", 1, func(t *runtime.Task, path string) (string, error) {
		linesRuns++
		n, err := brackets.Get(t, path)
		if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
			return fmt.Sprint("error in line ", syntax.Line), nil
		}
		return fmt.Sprint(n), err
	})
)

// An error that is an answer is kept as answers are: equal ones hold up what has read them, also
// after a restart, and it is the same before and after it was stored.
func TestErrorsThatAreAnswersAreKept(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{})
	step := func(what, want string, lines, shown int) {
		t.Helper()
		lineRuns, linesRuns = 0, 0
		for range 2 {
			if got := ask(t, e, shownBrackets, "f"); got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
			_, err := brackets.Ask(t.Context(), e, "f")
			if strings.HasPrefix(want, "error") != (err != nil) || err != nil && err.Error() != "line 2: two brackets" {
				t.Errorf("%s: error %v", what, err)
			}
		}
		if lineRuns != lines || linesRuns != shown {
			t.Errorf("%s: %d and %d runs, want %d and %d", what, lineRuns, linesRuns, lines, shown)
		}
	}
	put(t, e, inputs, "f", "\n((")
	step("first", "error in line 2", 1, 1)
	put(t, e, inputs, "f", "x\n((")
	step("an equal error", "error in line 2", 1, 0)
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{})
	step("after a restart", "error in line 2", 0, 0)
	put(t, e, inputs, "f", "()")
	step("repaired", "1", 1, 1)
	put(t, e, inputs, "f", "x\n((")
	step("undone", "error in line 2", 0, 0)
	_, err := runtime.Evaluate(t.Context(), e, 0, func(t *runtime.Task) ([]int, error) { return brackets.All(t, []string{"f", "none"}) })
	if syntax := (*syntaxError)(nil); !errors.As(err, &syntax) {
		t.Errorf("All: %v, want the first error in the order of keys", err)
	}
	if _, err := brackets.Ask(t.Context(), e, "none"); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("another error: %v", err)
	}
}

// A watcher is told of errors that are answers once, and when they differ.
func TestWatchOfAnErrorThatIsAnAnswer(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "f", "((")
	told := make(chan string, 10)
	stop, err := brackets.Watch(t.Context(), e, "f", func(_ *runtime.Task, _, now *runtime.Answer[int]) error {
		told <- fmt.Sprint(now.Value, now.Err)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, step := range []struct{ text, want string }{{"((", "0 line 1: two brackets"}, {"((x", ""}, {"\n((", "0 line 2: two brackets"}, {"()", "1 <nil>"}} {
		put(t, e, inputs, "f", step.text)
		if step.want == "" {
			continue
		}
		if got := <-told; got != step.want {
			t.Errorf("after %q: %s, want %s", step.text, got, step.want)
		}
	}
}

// Options that cannot be followed show at first use.
func TestPoliciesThatConflict(t *testing.T) {
	e := open(t, "", runtime.Options{})
	fn := func(*runtime.Task, string) (string, error) { return "", nil }
	join := func(a, b string) string { return max(a, b) }
	fixed := runtime.Fixpoint(func(string) string { return "" }, join, 9)
	cases := []struct {
		q    *runtime.Query[string, string]
		want error
	}{
		{runtime.NewQuery("policy conflict 1", 1, fn, fixed, runtime.KeepErrors[*syntaxError]()), runtime.ErrConflict},
		{runtime.NewQuery("policy conflict 2", 1, fn, runtime.Fixpoint(func(int) string { return "" }, join, 9)), runtime.ErrConflict},
		{runtime.NewQuery("policy conflict 3", 1, fn, runtime.KeepErrors[error]()), runtime.ErrBadValue},
	}
	for _, c := range cases {
		if _, err := c.q.Ask(t.Context(), e, "k"); !errors.Is(err, c.want) || !strings.Contains(err.Error(), "policy_test.go:") {
			t.Errorf("%s: %v, want %v", c.q.Name(), err, c.want)
		}
	}
}

// A cycle comes to the same values on several workers, whichever of its keys are asked for first,
// and after a restart nothing runs.
func TestFixpointsOnSeveralWorkers(t *testing.T) {
	const n = 30
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{Workers: 4})
	name := func(i int) string { return fmt.Sprintf("f%02d", i%n) }
	for round := range 20 {
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			for i := range n {
				if err := calls.Put(w, name(i), []string{name(i + 1), name(i + 1 + round%5), fmt.Sprint("leaf of round ", round)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		type outcome struct {
			all []string
			err error
		}
		outcomes := make(chan outcome)
		for i := range 8 {
			go func() {
				all, err := reached.Ask(t.Context(), e, name(i*7+round))
				outcomes <- outcome{all, err}
			}()
		}
		for range 8 {
			if o := <-outcomes; o.err != nil || len(o.all) != n+1 || o.all[n] != fmt.Sprint("leaf of round ", round) {
				t.Fatalf("round %d: %d functions, %v, error %v", round, len(o.all), o.all, o.err)
			}
		}
	}
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{})
	if all := ask(t, e, reached, name(3)); len(all) != n+1 {
		t.Errorf("after a restart: %v", all)
	}
	if ran := e.Stats().Queries["reached"].Ran; ran != 0 {
		t.Errorf("%d runs after a restart", ran)
	}
}

// A cycle whose values grow without end fails, and says so.
func TestCycleThatGrowsWithoutEnd(t *testing.T) {
	var grows *runtime.Query[string, int]
	grows = runtime.NewQuery("grows", 1, func(t *runtime.Task, key string) (int, error) {
		n, err := grows.Get(t, key)
		return n + 1, err
	}, runtime.Fixpoint(func(string) int { return 0 }, func(a, b int) int { return max(a, b) }, 10))
	_, err := grows.Ask(t.Context(), open(t, "", runtime.Options{}), "k")
	var diverged *runtime.DivergenceError
	if !errors.Is(err, runtime.ErrDiverges) || !errors.As(err, &diverged) || !strings.Contains(err.Error(), "grows") {
		t.Error(err)
	}
}

// Answers that are not stored are computed again after a restart, and what rests on them is not.
func TestAnswersInMemoryOnlyAfterARestart(t *testing.T) {
	dir := t.TempDir()
	var ran, above int
	word := runtime.NewQuery("word in memory", 1, func(t *runtime.Task, key string) (string, error) {
		ran++
		s, err := inputs.Get(t, key)
		return strings.TrimSpace(s), err
	}, runtime.MemoryOnly())
	shown := runtime.NewQuery("shown word", 1, func(t *runtime.Task, key string) (string, error) {
		above++
		s, err := word.Get(t, key)
		return "<" + s + ">", err
	})
	for life := range 3 {
		e := open(t, dir, runtime.Options{})
		put(t, e, inputs, "k", strings.Repeat(" ", life)+"word") // the same word
		if got := ask(t, e, shown, "k"); got != "<word>" {
			t.Errorf("%q", got)
		}
		if ran != life+1 || above != 1 {
			t.Errorf("in life %d: %d and %d runs", life, ran, above)
		}
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
