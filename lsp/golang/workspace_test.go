package golang

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

const chainModule = `
-- go.mod --
module example.com/chain

go 1.26
-- a/a.go --
package a

// F is documented.
func F(n int) int { return n + 1 }

func hidden() string { return "" }

type T struct{ X int }
-- b/b.go --
package b

import "example.com/chain/a"

func G() int { return a.F(1) }

func H() a.T { return a.T{X: 1} }
-- c/c.go --
package c

import "example.com/chain/b"

func I() int { return b.G() }
-- d/d.go --
package d

import "example.com/chain/b"

var D = b.H().X
-- e/e.go --
package e

func Alone() {}
`

// ranDuring counts the runs of the package queries during a change of the disk and a new Index.
func (f *fixture) ranDuring(change func()) (faces, checks uint64) {
	f.t.Helper()
	faces, checks = f.ran("golang/face"), f.ran("golang/check")
	change()
	f.index()
	return f.ran("golang/face") - faces, f.ran("golang/check") - checks
}

func TestEditsRunWhatTheyReach(t *testing.T) {
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	f.index()
	for _, c := range []struct {
		what          string
		change        func()
		faces, checks uint64
	}{
		{"nothing", func() {}, 0, 0},
		{"a body", func() { f.edit("a/a.go", "n + 1", "n + 2") }, 0, 1},
		{"a comment and white space", func() { f.edit("a/a.go", "// F is documented.", "// F is well documented.\n//\n// Really.") }, 0, 1},
		// a's face is made anew and comes out the same: what is hidden is not exported.
		{"a hidden signature", func() { f.edit("a/a.go", "hidden() string", "hidden() (s string)") }, 1, 1},
		// b sees it; b's own face stays what it was, so c and d do not.
		{"an exported signature", func() {
			f.edit("a/a.go", "func F(n int) int", "func F(n int32) int32")
			f.edit("b/b.go", "a.F(1)", "int(a.F(1))")
		}, 2, 2},
		// b.H shows it, and so one who imports b and names H must look again.
		{"a type behind an import", func() { f.edit("a/a.go", "X int", "X, Y int") }, 3, 3},
		// The packages are listed anew, and none but e's is another.
		{"an import", func() { f.edit("e/e.go", "package e\n", "package e\n\nimport _ \"example.com/chain/c\"\n") }, 1, 1},
		{"a file elsewhere", func() { f.edit("e/e.go", "Alone", "AllAlone") }, 1, 1},
	} {
		faces, checks := f.ranDuring(c.change)
		if c.what == "a type behind an import" {
			faces = min(faces, c.faces) // c and d are imported by nobody: their faces are not asked for
		}
		if c.what == "a file elsewhere" {
			faces = c.faces
		}
		if faces > c.faces || checks != c.checks {
			t.Errorf("%s: %d faces and %d checks ran, want at most %d and exactly %d", c.what, faces, checks, c.faces, c.checks)
		}
	}
	if n := f.ran("golang/packages"); n != 2 {
		t.Errorf("the packages were listed %d times, want twice", n)
	}
	for _, name := range []string{"a/a.go", "b/b.go", "c/c.go", "d/d.go"} {
		if ds := f.diagnostics(name); len(ds) > 0 {
			t.Errorf("%s: %v", name, ds)
		}
	}
}

func TestOverlay(t *testing.T) {
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	f.index()
	uri := f.uri("a/a.go")
	text := f.read("a/a.go")
	set := func(text string) {
		t.Helper()
		if err := f.w.SetOverlay(f.ctx, uri, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	checks := f.ran("golang/check")
	set(text)
	if got := f.diagnostics("a/a.go"); len(got) != 0 || f.ran("golang/check") != checks {
		t.Errorf("opening a file as it is: %q, %d checks", got, f.ran("golang/check")-checks)
	}
	set(strings.Replace(text, "n + 1", "n + x", 1))
	if got, want := f.diagnostics("a/a.go"), []string{"x: types: undefined: x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	lists := f.ran("golang/metadata")
	set(text)
	if got := f.diagnostics("a/a.go"); len(got) != 0 {
		t.Errorf("after going back: %q", got)
	}
	if f.ran("golang/metadata") != lists {
		t.Error("an edit in a body listed the packages anew")
	}
	// A new import in an unsaved text is known to the go command, and its package is brought in.
	set(strings.Replace(text, "package a\n", "package a\n\nimport \"container/ring\"\n\nvar R ring.Ring\n", 1))
	f.settle()
	if got := f.diagnostics("a/a.go"); len(got) != 0 {
		t.Errorf("with a new import: %q", got)
	}
	if err := f.w.ClearOverlay(f.ctx, uri); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if err := f.in(func(task *runtime.Task) error {
		got, err := f.w.Text(task, uri)
		if string(got) != text {
			t.Errorf("text after the overlay: %q", got)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	// A file that is only in the editor.
	fresh := f.uri("e/fresh.go")
	if err := f.w.SetOverlay(f.ctx, fresh, []byte("package e\n\nfunc Fresh() { Alone(1) }\n")); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if got := f.diagnostics("e/fresh.go"); len(got) != 1 || !strings.Contains(got[0], "too many arguments") {
		t.Errorf("unsaved file: %q", got)
	}
	if err := f.w.ClearOverlay(f.ctx, fresh); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if _, err := f.symbols(fresh); !errors.Is(err, lsp.ErrUnknownFile) {
		t.Errorf("after it was closed: %v", err)
	}
	if err := f.w.SetOverlay(f.ctx, uri, make([]byte, lsp.MaxFileBytes+1)); !errors.Is(err, lsp.ErrTooLarge) {
		t.Errorf("a giant: %v", err)
	}
}

// settle waits until background refreshes have come to an end.
func (f *fixture) settle() { f.w.tasks.Wait() }

// published describes the diagnostics that clients are told of.
func (f *fixture) published(name string) []string {
	f.t.Helper()
	var out []string
	err := f.in(func(t *runtime.Task) error {
		list, err := partition.FileDiagnostics(t, f.uri(name))
		text, _ := f.w.Text(t, f.uri(name))
		out = shownDiagnostics(text, list)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

func TestPublishedDiagnosticsFollow(t *testing.T) {
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	f.index()
	if got := f.published("b/b.go"); len(got) != 0 {
		t.Fatalf("clean code: %q", got)
	}
	// An edit in one package breaks its importer.
	text := f.read("a/a.go")
	if err := f.w.SetOverlay(f.ctx, f.uri("a/a.go"), []byte(strings.Replace(text, "func F(", "func FF(", 1))); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if got, want := f.published("b/b.go"), []string{"F: types: undefined: a.F"}; !slices.Equal(got, want) {
		t.Errorf("importer: got %q, want %q", got, want)
	}
	if err := f.w.ClearOverlay(f.ctx, f.uri("a/a.go")); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if got := f.published("b/b.go"); len(got) != 0 {
		t.Errorf("after going back: %q", got)
	}
	// Files come and go.
	f.write("e/new.go", "package e\n\nvar X int = \"\"\n")
	if err := f.w.FilesChanged(f.ctx, []string{f.uri("e/new.go")}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if got := f.published("e/new.go"); len(got) != 1 {
		t.Errorf("new file: %q", got)
	}
	if err := os.RemoveAll(filepath.Join(f.root, "e")); err != nil {
		t.Fatal(err)
	}
	if err := f.w.FilesChanged(f.ctx, []string{f.uri("e")}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if got := f.published("e/new.go"); len(got) != 0 {
		t.Errorf("removed directory: %q", got)
	}
	if len(f.find("Alone", 1)) != 0 {
		t.Error("a removed file's symbol is still found")
	}
}

func TestWarmStart(t *testing.T) {
	root, store := testfiles.TempDir(t), t.TempDir()
	found := testfiles.Write(t, root, chainModule)
	past := time.Now().Add(-time.Hour)
	if err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, past, past))
	}); err != nil {
		t.Fatal(err)
	}
	f := openFixture(t, root, store, found, lsp.WorkspaceOptions{})
	cold := f.index()
	// Unsaved text dies with the process.
	if err := f.w.SetOverlay(f.ctx, f.uri("a/a.go"), []byte("package a")); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.close()
	f = openFixture(t, root, store, found, lsp.WorkspaceOptions{})
	warm := f.index()
	if warm.Ran != 0 {
		t.Errorf("a warm start ran %d queries: %v", warm.Ran, f.eng.Stats().Queries)
	}
	if warm.Reused == 0 || warm.Symbols != cold.Symbols || warm.References != cold.References || warm.Files != cold.Files || warm.Units != cold.Units {
		t.Errorf("cold %+v\nwarm %+v", cold, warm)
	}
}

// TestIncrementalEqualsClean edits at random and compares with a workspace that never saw anything
// else.
func TestIncrementalEqualsClean(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	f.index()
	names := []string{"a/a.go", "b/b.go", "c/c.go", "d/d.go", "e/e.go"}
	original := map[string]string{}
	for _, n := range names {
		original[n] = f.read(n)
	}
	for round := range 6 {
		name := names[rng.IntN(len(names))]
		text := f.read(name)
		switch rng.IntN(5) {
		case 0:
			text = original[name]
		case 1:
			i := rng.IntN(len(text))
			text = text[:i] + text[min(len(text), i+1+rng.IntN(8)):]
		case 2:
			i := rng.IntN(len(text))
			text = text[:i] + []string{"}", "x", "\n", "func zz() {", "/*", "\"", "int", "("}[rng.IntN(8)] + text[i:]
		case 3:
			text += fmt.Sprintf("\nfunc Added%d() string { return 1 }\n", round)
		case 4:
			text = strings.ReplaceAll(text, "int", "int64")
		}
		f.write(name, text)
		sum := f.index()
		clean := openFixture(t, f.root, "", f.Marks, lsp.WorkspaceOptions{})
		want := clean.index()
		if sum.Diagnostics != want.Diagnostics || sum.Symbols != want.Symbols || sum.References != want.References {
			t.Errorf("round %d, %s: incremental %+v, clean %+v\n%s", round, name, sum, want, text)
		}
		for _, n := range names {
			if got, want := f.diagnostics(n), clean.diagnostics(n); !slices.Equal(got, want) {
				t.Errorf("round %d: %s: incremental %q, clean %q", round, n, got, want)
			}
			got, gotErr := f.published(n), clean.published(n)
			if !slices.Equal(got, gotErr) {
				t.Errorf("round %d: %s: published %q, clean %q", round, n, got, gotErr)
			}
		}
		clean.close()
		if t.Failed() {
			return
		}
	}
}

func TestProgress(t *testing.T) {
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	var last lsp.Progress
	phases := []string{}
	sum, err := f.w.Index(f.ctx, func(p lsp.Progress) {
		if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
			phases = append(phases, p.Phase)
		}
		if p.Phase == last.Phase && (p.UnitsDone < last.UnitsDone || p.FilesDone < last.FilesDone) {
			t.Errorf("progress went back: %+v after %+v", p, last)
		}
		last = p
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"scan", "read", "metadata", "read", "check", "publish"}; !slices.Equal(phases, want) {
		t.Errorf("phases %v, want %v", phases, want)
	}
	if last.UnitsDone != sum.Units || sum.Units != 5 || sum.Files != 5 {
		t.Errorf("last %+v, summary %+v", last, sum)
	}
}

func TestCancelledIndex(t *testing.T) {
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	ctx, cancel := context.WithCancel(f.ctx)
	_, err := f.w.Index(ctx, func(p lsp.Progress) {
		if p.Phase == "check" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if sum := f.index(); sum.Units != 5 || sum.Diagnostics != 0 {
		t.Errorf("after a cancelled one: %+v", sum)
	}
}

func TestClosed(t *testing.T) {
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	if err := f.w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.w.Index(f.ctx, nil); !errors.Is(err, lsp.ErrClosed) {
		t.Errorf("Index: %v", err)
	}
	if _, err := f.hover(f.uri("a/a.go"), 0); !errors.Is(err, lsp.ErrClosed) {
		t.Errorf("Hover: %v", err)
	}
	if err := f.w.SetOverlay(f.ctx, f.uri("a/a.go"), nil); !errors.Is(err, lsp.ErrClosed) {
		t.Errorf("SetOverlay: %v", err)
	}
}
