package partition

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func engine(t testing.TB) *runtime.Engine {
	t.Helper()
	eng, err := runtime.Open("", runtime.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return eng
}

func diag(start int, source, message string) lsp.Diagnostic {
	return lsp.Diagnostic{Span: lsp.Span{Start: start, End: start + 1}, Severity: lsp.SeverityError, Source: source, Message: message}
}

func commit(t testing.TB, eng *runtime.Engine, fn func(*runtime.Writer) error) {
	t.Helper()
	if err := eng.Commit(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// state writes down everything in the partition.
func state(t testing.TB, eng *runtime.Engine) string {
	t.Helper()
	snap := eng.Snapshot()
	defer snap.Release()
	uris, err := Files(snap, "")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, uri := range uris {
		list, err := FileDiagnostics(snap, uri)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(uri + ":")
		for _, d := range list {
			fmt.Fprintf(&b, " %d %s %s", d.Span.Start, d.Source, d.Message)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func check(t testing.TB, eng *runtime.Engine, want string) {
	t.Helper()
	if got := state(t, eng); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestProducersDoNotWipeEachOther(t *testing.T) {
	eng := engine(t)
	commit(t, eng, func(w *runtime.Writer) error {
		for _, err := range []error{
			PutDiagnostics(w, "file:///a", "types", []lsp.Diagnostic{diag(5, "types", "t1"), diag(1, "types", "t2")}),
			PutDiagnostics(w, "file:///a", "syntax", []lsp.Diagnostic{diag(3, "syntax", "s1")}),
			PutDiagnostics(w, "file:///ab", "syntax", []lsp.Diagnostic{diag(0, "syntax", "other file")}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	check(t, eng, "file:///a: 1 types t2 3 syntax s1 5 types t1\nfile:///ab: 0 syntax other file\n")
	commit(t, eng, func(w *runtime.Writer) error { return PutDiagnostics(w, "file:///a", "types", nil) })
	check(t, eng, "file:///a: 3 syntax s1\nfile:///ab: 0 syntax other file\n")
	commit(t, eng, func(w *runtime.Writer) error { return ReplaceDiagnostics(w, "file:///a", nil) }) // S0
	check(t, eng, "file:///ab: 0 syntax other file\n")
}

// S1: saying the same again changes nothing, and replacing shows exactly what differs.
func TestReplaceShowsOnlyDifferences(t *testing.T) {
	eng := engine(t)
	seen := make(chan []string, 10)
	stop, err := eng.Watch(Diagnostics.Untyped(), runtime.All(), func(_ *runtime.Task, c runtime.Changes) error {
		var keys []string
		for _, change := range c.List {
			k, err := Diagnostics.Decode(change.Key)
			if err != nil {
				return err
			}
			keys = append(keys, fmt.Sprintf("%s %s deleted=%v", k.URI, k.Source, change.Deleted))
		}
		seen <- keys
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	both := []lsp.Diagnostic{diag(1, "syntax", "s"), diag(2, "types", "t")}
	replace := func(list []lsp.Diagnostic) {
		commit(t, eng, func(w *runtime.Writer) error { return ReplaceDiagnostics(w, "file:///a", list) })
	}
	want := func(keys string) {
		t.Helper()
		if got := fmt.Sprint(<-seen); got != keys {
			t.Errorf("got %s, want %s", got, keys)
		}
	}
	replace(both)
	want(`[file:///a syntax deleted=false file:///a types deleted=false]`)
	replace(both)
	replace(both[:1])
	want(`[file:///a types deleted=true]`)
	replace([]lsp.Diagnostic{diag(7, "syntax", "s")})
	want(`[file:///a syntax deleted=false]`)
}
