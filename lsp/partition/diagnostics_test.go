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
	uris, err := Files(snap, runtime.All())
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
	commit(t, eng, func(w *runtime.Writer) error { return ReplaceDiagnostics(w, "file:///a", nil) }) // S0, S2
	check(t, eng, "file:///ab: 0 syntax other file\n")
	if err := eng.Commit(t.Context(), func(w *runtime.Writer) error { return PutDiagnostics(w, "file:///a\x00b", "x", nil) }); err == nil {
		t.Error("a URI with a NUL was taken")
	}
}

// S1: saying the same again changes nothing, and replacing shows exactly what differs.
func TestReplaceShowsOnlyDifferences(t *testing.T) {
	eng := engine(t)
	seen := make(chan []string, 10)
	stop, err := eng.Watch(Diagnostics, runtime.All(), func(_ *runtime.Task, c runtime.Changes) error {
		var keys []string
		for _, change := range c.List {
			keys = append(keys, fmt.Sprintf("%q deleted=%v", change.Key, change.Deleted))
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
	want(`["file:///a\x00syntax" deleted=false "file:///a\x00types" deleted=false]`)
	replace(both)
	replace(both[:1])
	want(`["file:///a\x00types" deleted=true]`)
	replace([]lsp.Diagnostic{diag(7, "syntax", "s")})
	want(`["file:///a\x00syntax" deleted=false]`)
}

func TestKeys(t *testing.T) {
	uri, source, ok := SplitDiagnosticsKey(DiagnosticsKey("file:///a b", "go list"))
	if uri != "file:///a b" || source != "go list" || !ok {
		t.Error(uri, source, ok)
	}
	if _, _, ok := SplitDiagnosticsKey("no separator"); ok {
		t.Error("taken for a key")
	}
}
