package golang

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
	"github.com/cytisus/cytisus/runtime"
)

// A fixture is a workspace on files of a test, with an engine in memory.
type fixture struct {
	t    testing.TB
	ctx  context.Context
	root string
	eng  *runtime.Engine
	w    *workspace
	testfiles.Marks
}

func newEngine(t testing.TB, dir string) *runtime.Engine {
	t.Helper()
	eng, err := runtime.Open(dir, runtime.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return eng
}

func newFixture(t testing.TB, archive string, o lsp.WorkspaceOptions) *fixture {
	t.Helper()
	root := testfiles.TempDir(t)
	found := testfiles.Write(t, root, archive)
	return openFixture(t, root, "", found, o)
}

func openFixture(t testing.TB, root, store string, found testfiles.Marks, o lsp.WorkspaceOptions) *fixture {
	t.Helper()
	return openFixtureOn(t, newEngine(t, store), root, found, o)
}

func openFixtureOn(t testing.TB, eng *runtime.Engine, root string, found testfiles.Marks, o lsp.WorkspaceOptions) *fixture {
	t.Helper()
	f := &fixture{t: t, ctx: context.Background(), root: root, eng: eng, Marks: found}
	o.Env = append([]string{"GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local"}, o.Env...)
	w, err := open(f.ctx, f.eng, root, o)
	if err != nil {
		t.Fatal(err)
	}
	f.w = w
	t.Cleanup(f.close)
	return f
}

func (f *fixture) close() {
	if f.eng == nil {
		return
	}
	if err := f.w.Close(); err != nil {
		f.t.Error(err)
	}
	if err := f.eng.Close(f.ctx); err != nil {
		f.t.Error(err)
	}
	f.eng = nil
}

func (f *fixture) index() lsp.Summary {
	f.t.Helper()
	sum, err := f.w.Index(f.ctx, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return sum
}

func (f *fixture) uri(name string) string {
	return files.URI(filepath.Join(f.root, filepath.FromSlash(name)))
}

// write changes a file on disk.
func (f *fixture) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.root, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) read(name string) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.root, filepath.FromSlash(name)))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// edit replaces text in a file on disk.
func (f *fixture) edit(name, old, replacement string) {
	f.t.Helper()
	text := f.read(name)
	if !strings.Contains(text, old) {
		f.t.Fatalf("%s does not contain %q", name, old)
	}
	f.write(name, strings.Replace(text, old, replacement, 1))
}

// in runs a question as a task.
func (f *fixture) in(fn func(t *runtime.Task) error) error {
	return f.eng.Submit(f.ctx, 0, fn)
}

func (f *fixture) definition(uri string, offset int) (list []lsp.Location, err error) {
	err = f.in(func(t *runtime.Task) (err error) {
		list, err = f.w.Definition(t, uri, offset)
		return err
	})
	return list, err
}

func (f *fixture) references(uri string, offset int, declaration bool) (list []lsp.Location, err error) {
	err = f.in(func(t *runtime.Task) (err error) {
		list, err = f.w.References(t, uri, offset, declaration)
		return err
	})
	return list, err
}

// hoverAt is hover of a place.
func hoverAt(src source, uri string, offset int) (*lsp.Hover, error) {
	return hover(src, uri, lsp.Span{Start: offset, End: offset})
}

func (f *fixture) hover(uri string, offset int) (h *lsp.Hover, err error) {
	err = f.in(func(t *runtime.Task) (err error) {
		h, err = f.w.Hover(t, uri, offset)
		return err
	})
	return h, err
}

func (f *fixture) symbols(uri string) (list []lsp.Symbol, err error) {
	err = f.in(func(t *runtime.Task) (err error) {
		list, err = f.w.Symbols(t, uri)
		return err
	})
	return list, err
}

func (f *fixture) find(query string, limit int) (list []lsp.SymbolMatch) {
	f.t.Helper()
	err := f.in(func(t *runtime.Task) (err error) {
		list, err = f.w.FindSymbols(t, query, limit)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// diagnostics describes what is wrong with a file: "text under it: source: message".
func (f *fixture) diagnostics(name string) []string {
	f.t.Helper()
	var out []string
	err := f.in(func(t *runtime.Task) error {
		list, err := f.w.Diagnostics(t, f.uri(name))
		text, _ := f.w.Text(t, f.uri(name))
		out = shownDiagnostics(text, list)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

func shownDiagnostics(text []byte, list []lsp.Diagnostic) []string {
	var out []string
	for _, d := range list {
		under := ""
		if d.Span.Start <= d.Span.End && d.Span.End <= len(text) {
			under = string(text[d.Span.Start:d.Span.End])
		}
		out = append(out, fmt.Sprintf("%s: %s: %s", under, d.Source, d.Message))
	}
	return out
}

// at is the place of a mark.
func (f *fixture) at(mark string) lsp.Location {
	f.t.Helper()
	l, ok := f.Marks[mark]
	if !ok {
		f.t.Fatalf("no mark %s", mark)
	}
	return l
}

// names turns places into the marks there.
func (f *fixture) names(list []lsp.Location) []string {
	out := []string{}
	for _, l := range list {
		name := l.URI + fmt.Sprint(l.Span)
		for mark, at := range f.Marks {
			if at.URI == l.URI && at.Span.Start == l.Span.Start {
				name = mark
			}
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// ran counts how often a query's function ran.
func (f *fixture) ran(query string) uint64 { return f.eng.Stats().Queries[query].Ran }
