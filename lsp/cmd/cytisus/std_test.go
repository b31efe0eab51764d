package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/uri"
)

var std = flag.Bool("std", false, "run the tests that index the whole standard library (make show)")

// The main claims, on the standard library of the local toolchain: a warm start takes at most 15 %
// of a cold one; an edit in a body checks its package and nothing else, and so does a name that is
// added to what the package exports; an edit of what others use checks exactly these as well.
func TestStandardLibrary(t *testing.T) {
	if !*std {
		t.Skip("takes the whole standard library: make show, or -std")
	}
	src, err := stdSource(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := &app{err: t.Output(), flags: flags{store: filepath.Join(t.TempDir(), "store"), workers: 2, tests: false, progress: "none"}}
	index := func() (time.Duration, *local) {
		began := time.Now()
		l, err := a.openLocal(t.Context(), src, "test")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.index(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		return time.Since(began), l
	}
	cold, l := index()
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	warm, l := index()
	defer l.close()
	t.Logf("cold %v, warm %v: %.1f %%", cold.Round(time.Millisecond), warm.Round(time.Millisecond), 100*warm.Seconds()/cold.Seconds())
	if warm > cold*15/100 {
		t.Errorf("the warm start took %v, more than 15 %% of %v", warm, cold)
	}

	edit := func(file, old, replacement string) (checks uint64) {
		t.Helper()
		name := filepath.Join(src, filepath.FromSlash(file))
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		edited := bytes.Replace(text, []byte(old), []byte(replacement), 1)
		if bytes.Equal(edited, text) {
			t.Fatalf("%s does not hold %q", file, old)
		}
		before := l.eng.Stats().Queries["golang/check"].Ran
		u := string(uri.File(name))
		if err := l.ws.SetOverlay(t.Context(), u, edited); err != nil {
			t.Fatal(err)
		}
		if _, err := l.ws.Index(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		checks = l.eng.Stats().Queries["golang/check"].Ran - before
		if err := l.ws.ClearOverlay(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		before = l.eng.Stats().Queries["golang/check"].Ran
		if _, err := l.ws.Index(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if again := l.eng.Stats().Queries["golang/check"].Ran - before; again != 0 {
			t.Errorf("going back on the edit of %s checked %d packages", file, again)
		}
		return checks
	}
	if n := edit("fmt/print.go", "p.doPrintf(format, a)", "p.doPrintf(format, a)\n\t_ = 1"); n != 1 {
		t.Errorf("an edit in a body of fmt checked %d packages, want 1", n)
	}
	want := importersOf(t, src, "text/tabwriter")
	if n := edit("text/tabwriter/tabwriter.go", "type Writer struct {", "const New = 1\n\ntype Writer struct {"); n != 1 {
		t.Errorf("a new name exported by text/tabwriter checked %d packages, want 1", n)
	}
	if n := edit("text/tabwriter/tabwriter.go", "type Writer struct {", "type Writer struct {\n\tadded int"); n != uint64(len(want)+1) {
		t.Errorf("a new field of a type that all importers of text/tabwriter use checked %d packages, want it and %q", n, want)
	}
}

// importersOf returns the packages below src that import a package, as the go command sees them.
func importersOf(t *testing.T, src, pkg string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}}: {{range .Imports}}{{.}} {{end}}", "./...")
	cmd.Dir = src
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var importers []string
	for line := range strings.Lines(string(out)) {
		path, imports, _ := strings.Cut(line, ": ")
		if slices.Contains(strings.Fields(imports), pkg) {
			importers = append(importers, path)
		}
	}
	return importers
}
