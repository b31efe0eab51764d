package tree

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plant opens a tree of the language of *.t files, in which a file that says "wrong" is wrong.
func plant(t *testing.T, names ...string) (w *Tree, eng *runtime.Engine, write func(name, text string)) {
	t.Helper()
	root := t.TempDir()
	write = func(name, text string) {
		t.Helper()
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		write(name, name)
	}
	eng, err := runtime.Open("", runtime.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err = Open(eng, root, Options{
		Handles: func(uri string) bool { return strings.HasSuffix(uri, ".t") },
		Diagnostics: func(t *runtime.Task, uri string) (list []lsp.Diagnostic, err error) {
			text, err := Text(t, uri)
			if at := strings.Index(string(text), "wrong"); at >= 0 {
				list = append(list, lsp.Diagnostic{Span: lsp.Span{Start: at, End: at + 5}, Severity: lsp.SeverityError, Source: "t", Message: "wrong"})
			}
			return list, err
		},
		Symbols: func(t *runtime.Task, uri string) ([]lsp.Symbol, error) {
			text, err := Text(t, uri)
			return []lsp.Symbol{{Name: string(text), Children: []lsp.Symbol{{Name: "inner"}}}}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.Close(), eng.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return w, eng, write
}

func (w *Tree) index(t *testing.T) lsp.Summary {
	t.Helper()
	sum, err := w.Index(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// listed are the names of the files that a question sees.
func (w *Tree) listed(t *testing.T) (names []string) {
	t.Helper()
	err := w.eng.Submit(t.Context(), 0, func(task *runtime.Task) error {
		return w.Ask(task, func(task *runtime.Task) error {
			list, err := w.Files(task)
			for _, uri := range list {
				names = append(names, strings.TrimPrefix(uri, w.prefix))
			}
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// T0: the first question, before any index, sees what the language handles and nothing else.
func TestQuestionWaitsForTheScan(t *testing.T) {
	w, _, _ := plant(t, "a.t", "b/c.t", "b/d.txt", ".git/e.t", ".f.t")
	if got, want := w.listed(t), []string{".f.t", "a.t", "b/c.t"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOnlyChangedFilesAreRead(t *testing.T) {
	w, _, write := plant(t, "a.t", "b.t", "c/d.t")
	if sum := w.index(t); sum.Files != 3 || sum.FilesRead != 3 || sum.Diagnostics != 0 {
		t.Errorf("first: %+v", sum)
	}
	write("b.t", "now wrong")
	write("c/e.t", "new")
	if err := os.Remove(files.PathOf(w.prefix + "a.t")); err != nil {
		t.Fatal(err)
	}
	if sum := w.index(t); sum.Files != 3 || sum.FilesRead != 2 || sum.Diagnostics != 1 {
		t.Errorf("second: %+v", sum)
	}
	if sum := w.index(t); sum.FilesRead != 0 {
		t.Errorf("third: %+v", sum)
	}
}

// A directory takes its files along, and what was said of them.
func TestReportedChanges(t *testing.T) {
	w, _, write := plant(t, "a.t", "c/d.t")
	write("c/e.t", "wrong")
	w.index(t)
	if err := os.RemoveAll(files.PathOf(w.prefix + "c")); err != nil {
		t.Fatal(err)
	}
	write("n/m.t", "wrong wrong")
	if err := w.FilesChanged(t.Context(), []string{w.prefix + "c", w.prefix + "n", w.prefix + ".git/x.t", "untitled:1"}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.listed(t), []string{"a.t", "n/m.t"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if sum := w.index(t); sum.FilesRead != 0 || sum.Diagnostics != 1 {
		t.Errorf("%+v", sum)
	}
}

func TestUnsavedTextCounts(t *testing.T) {
	w, eng, _ := plant(t, "a.t")
	w.index(t)
	text := func() (text string, err error) {
		err = eng.Submit(t.Context(), 0, func(task *runtime.Task) error {
			raw, err := w.Text(task, w.prefix+"a.t")
			text = string(raw)
			return err
		})
		return text, err
	}
	if err := w.SetOverlay(t.Context(), w.prefix+"a.t", []byte("typed")); err != nil {
		t.Fatal(err)
	}
	if got, err := text(); got != "typed" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := w.ClearOverlay(t.Context(), w.prefix+"a.t"); err != nil {
		t.Fatal(err)
	}
	if got, err := text(); got != "a.t" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, uri := range []string{"file:///elsewhere/a.t", w.prefix + "a.txt", "untitled:a.t"} {
		if err := w.SetOverlay(t.Context(), uri, nil); !errors.Is(err, lsp.ErrUnknownFile) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	if err := w.SetOverlay(t.Context(), w.prefix+"a.t", make([]byte, lsp.MaxFileBytes+1)); !errors.Is(err, lsp.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

func TestFindSymbols(t *testing.T) {
	w, eng, write := plant(t)
	for _, name := range []string{"alpha", "beta", "alphabet", "xalpha"} {
		write(name+".t", name)
	}
	for query, want := range map[string]string{
		"al": "alpha alphabet xalpha", "ALPHA": "alpha alphabet xalpha", "abt": "alphabet", "inn": "inner inner inner inner", "zz": "",
	} {
		var names []string
		err := eng.Submit(t.Context(), 0, func(task *runtime.Task) error {
			list, err := w.FindSymbols(task, query, 0)
			for _, m := range list {
				names = append(names, m.Name)
			}
			return err
		})
		if got := strings.Join(names, " "); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", query, got, err, want)
		}
	}
}
