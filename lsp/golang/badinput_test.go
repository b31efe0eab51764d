package golang

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// wantDiagnostic checks that one of the diagnostics contains all of the parts.
func wantDiagnostic(t *testing.T, got []string, parts ...string) {
	t.Helper()
	for _, d := range got {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(d, p) }) {
			return
		}
	}
	t.Errorf("no diagnostic with %q in %q", parts, got)
}

func TestBadInput(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/bad

go 1.26

require example.com/missing v1.0.0
-- syntax/a.go --
package syntax

func f( {
-- syntax/b.go --
package syntax

func g() int { return 1 }
-- types/a.go --
package types

import "unicode/utf8"

func f() int { return "x" }
-- cycle/a/a.go --
package a

import "example.com/bad/cycle/b"

var A = b.B
-- cycle/b/b.go --
package b

import "example.com/bad/cycle/a"

var B = a.A
-- self/self.go --
package self

import "example.com/bad/self"
-- missing/a.go --
package missing

import (
	"example.com/missing/x"
	"example.com/bad/nothere"
	"nosuchstd"
)

var X = x.X
-- two/one.go --
package one
-- two/two.go --
package two
-- header/a.go --
packag header
-- empty/a.go --
-- directive/a.go --
package directive

//line other.go:100
var x int = "s"
-- excluded/a.go --
//go:build never

package excluded

func Excluded() {
-- good/good.go --
package good

func Good() {}
`, lsp.WorkspaceOptions{})
	if err := os.MkdirAll(filepath.Join(f.root, "disk"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.write("disk/a.go", "package disk\n")
	f.write("disk/binary.go", "\x7fELF\x00\x01package disk")
	f.write("disk/utf8.go", "package disk\n\nvar s = \"\xff\"\n")
	huge := filepath.Join(f.root, "disk", "huge.go")
	f.write("disk/huge.go", "package disk\n")
	if err := os.Truncate(huge, lsp.MaxFileBytes+1); err != nil {
		t.Fatal(err)
	}
	f.write("disk/deep.go", "package disk\n\nvar deep = "+strings.Repeat("(", 50_000)+"1"+strings.Repeat(")", 50_000)+"\n")
	f.write("disk/deeper.go", "package disk\n\nvar deeper = "+strings.Repeat("-", 500_000)+"1\n")
	f.write("disk/longline.go", "package disk\n\nvar long = \""+strings.Repeat("x", 1<<20)+"\"\n")
	posix := goruntime.GOOS == "linux"
	if posix {
		if err := os.Symlink("..", filepath.Join(f.root, "disk", "loop")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("nowhere", filepath.Join(f.root, "disk", "dangling.go")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.root, "disk", "na\xffme.go"), []byte("package disk"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(f.root, "disk", "dir.go"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f.index()
	for _, c := range []struct {
		file  string
		parts []string
	}{
		{"syntax/a.go", []string{"syntax: ", "expected ')'"}},
		{"types/a.go", []string{`"x": types: cannot use "x"`}},
		{"types/a.go", []string{`"unicode/utf8": types: "unicode/utf8" imported and not used`}},
		{"cycle/a/a.go", []string{`"example.com/bad/cycle/b"`, "import cycle not allowed: example.com/bad/cycle/a -> example.com/bad/cycle/b -> example.com/bad/cycle/a"}},
		{"cycle/b/b.go", []string{"import cycle not allowed: example.com/bad/cycle/b -> example.com/bad/cycle/a -> example.com/bad/cycle/b"}},
		{"self/self.go", []string{"import cycle not allowed: example.com/bad/self -> example.com/bad/self"}},
		{"missing/a.go", []string{`"example.com/missing/x": types: could not import example.com/missing/x (`}},
		{"missing/a.go", []string{`"example.com/bad/nothere": types: could not import`}},
		{"missing/a.go", []string{`"nosuchstd": types: could not import`}},
		{"two/two.go", []string{"types: package two; expected package one"}},
		{"header/a.go", []string{"syntax: expected 'package'"}},
		{"empty/a.go", []string{"syntax: expected 'package'"}},
		{"directive/a.go", []string{`"s": types: cannot use "s"`}},
		{"excluded/a.go", []string{"syntax: expected '}'"}},
		{"disk/binary.go", []string{"syntax: binary file: NUL byte at offset 4"}},
		{"disk/utf8.go", []string{"syntax: illegal UTF-8 encoding"}},
		{"disk/huge.go", []string{"disk: the file has 16777217 bytes"}},
		{"disk/deep.go", []string{"nested deeper than"}},
		{"disk/deeper.go", []string{"syntax: "}},
	} {
		wantDiagnostic(t, f.diagnostics(c.file), c.parts...)
		if c.file != "excluded/a.go" { // no part of the build: told to who opens it
			wantDiagnostic(t, f.published(c.file), c.parts...)
		}
	}
	if got := f.diagnostics("good/good.go"); len(got) > 0 {
		t.Errorf("good file: %q", got)
	}
	if n := len(f.diagnostics("missing/a.go")); n != 3 {
		t.Errorf("%d diagnostics for three bad imports: %q", n, f.diagnostics("missing/a.go"))
	}
	if posix {
		wantDiagnostic(t, f.published(""), `na\xffme.go`, "not valid UTF-8")
		wantDiagnostic(t, f.published("disk/dangling.go"), "no such file")
	}
	// What is right among all this works.
	if got := f.find("Good", 1); len(got) != 1 || got[0].Container != "example.com/bad/good" {
		t.Errorf("symbol of a good file: %v", got)
	}
	if got := f.find("syntax.g", 1); len(got) != 1 {
		t.Errorf("symbol beside a syntax error: %v", got)
	}
	for i, name := range []string{"syntax/a.go", "disk/binary.go", "disk/deep.go", "disk/huge.go", "header/a.go"} {
		for offset := range 20 {
			_, _ = f.hover(f.uri(name), offset+i)
		}
	}
}

// A //go:build line that cannot be read is told where it stands. The file stays what it is without
// the line, for the go command too, whether another file is unsaved or not.
func TestMalformedBuildConstraint(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.26
-- a/a.go --
//go:build (

package a

func A() int { return 1 }
-- a/b.go --
package a

var B = A()
-- a/twice.go --
//go:build go1.1

//go:build go1.2

package a

func Twice() {}
-- use/use.go --
package use

import "example.com/m/a"

func Use() int { a.Twice(); return a.A() + a.B }
-- other/other.go --
package other
`, lsp.WorkspaceOptions{})
	f.index()
	told := map[string][]string{
		"a/a.go": {"parsing //go:build line: missing close paren"}, "a/b.go": nil, "a/twice.go": {"multiple //go:build comments"},
		"use/use.go": nil, "go.mod": nil,
	}
	f.wantPublished("saved", told)
	f.set("other/other.go", "package other\n\nimport _ \"fmt\"\n")
	f.wantPublished("beside an unsaved file", told)
	text := f.read("a/a.go")
	for _, line := range []string{"//go:build", "//go:build a b", "//go:build a &&"} {
		f.set("a/a.go", strings.Replace(text, "//go:build (", line, 1))
		told["a/a.go"] = []string{"parsing //go:build line"}
		f.wantPublished(line, told)
	}
	f.set("a/a.go", strings.TrimPrefix(text, "//go:build (\n"))
	told["a/a.go"] = nil
	f.wantPublished("without the line", told)
	f.set("a/a.go", "packag")
	f.settle()
	wantDiagnostic(t, f.published("a/a.go"), "expected 'package'")
	if got := f.published("a/b.go"); len(got) > 0 {
		t.Errorf("beside a file whose head is broken, over one that is malformed: %q", got)
	}
}

// What the go command says of a package does not depend on whether a file elsewhere is unsaved.
func TestMessageBesideUnsavedFile(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.26
-- a/a.go --
package a
-- a/a_test.go --
package a

import "C"
-- other/other.go --
package other
`, lsp.WorkspaceOptions{Tests: true})
	f.index()
	told := map[string][]string{"a/a.go": {"use of cgo in test a_test.go not supported"}}
	f.wantPublished("saved", told)
	f.set("other/other.go", "package other\n\nimport _ \"fmt\"\n")
	f.wantPublished("beside an unsaved file", told)
}

func TestNoModule(t *testing.T) {
	f := newFixture(t, `
-- a/a.go --
package a

import "unicode/utf8"

func A() int { return utf8.RuneLen('a') }
-- b/b.go --
package b

import "example.com/elsewhere"

var B = elsewhere.X
-- b/b_windows.go --
package b

var W = 1
`, lsp.WorkspaceOptions{})
	sum := f.index()
	if sum.Units != 2 {
		t.Errorf("%d packages, want 2", sum.Units)
	}
	if got := f.published("go.mod"); len(got) != 0 {
		t.Errorf("a file that is not there has diagnostics: %q", got)
	}
	if got := f.diagnostics("a/a.go"); len(got) != 0 {
		t.Errorf("imports of the standard library work: %q", got)
	}
	wantDiagnostic(t, f.diagnostics("b/b.go"), "could not import example.com/elsewhere", "no go.mod file in "+f.root)
	if got := f.find("A", 1); len(got) != 1 {
		t.Errorf("symbols: %v", got)
	}
}

func TestBrokenModuleFile(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/broken
what is this
-- a/a.go --
package a

var A = 1
-- b/b.go --
package b

import "example.com/broken/a"

var B = a.A
`, lsp.WorkspaceOptions{})
	f.index()
	wantDiagnostic(t, f.published("go.mod"), "go list: ", "unknown directive: what")
	if got := f.diagnostics("b/b.go"); len(got) != 0 {
		t.Errorf("imports inside the module work: %q", got)
	}
	// Repaired, the module is listed as it should be.
	f.write("go.mod", "module example.com/broken\n\ngo 1.26\n")
	f.index()
	if got := f.published("go.mod"); len(got) != 0 {
		t.Errorf("after repair: %q", got)
	}
}

func TestNoGoCommand(t *testing.T) {
	f := newFixture(t, chainModule, lsp.WorkspaceOptions{})
	t.Setenv("PATH", t.TempDir())
	sum := f.index()
	wantDiagnostic(t, f.published("go.mod"), "go env: ")
	if sum.Units != 5 || sum.Diagnostics != 1 {
		t.Errorf("%+v", sum)
	}
}

func TestOpenErrors(t *testing.T) {
	eng := newEngine(t, "")
	defer eng.Close(t.Context())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{"relative", "", "/no\xff", filepath.Join(t.TempDir(), "none"), file} {
		if _, err := (Language{}).Open(t.Context(), eng, root, lsp.WorkspaceOptions{}); err == nil {
			t.Errorf("opening %q succeeded", root)
		}
	}
	if w, err := (Language{}).Open(t.Context(), eng, t.TempDir(), lsp.WorkspaceOptions{}); err != nil {
		t.Error(err)
	} else if sum, err := w.Index(t.Context(), nil); err != nil || sum.Files != 0 {
		t.Errorf("an empty directory: %+v, %v", sum, err)
	} else if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestManyTypeErrorsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("package many\n\nfunc f() {\n")
	const most = 500 // errors of one package
	for i := range 3 * most {
		fmt.Fprintf(&b, "\tundefined%d()\n", i)
	}
	b.WriteString("}\n")
	f := newFixture(t, "-- go.mod --\nmodule example.com/many\n\ngo 1.26\n-- a.go --\n"+b.String(), lsp.WorkspaceOptions{})
	if sum := f.index(); sum.Diagnostics != most+1 { // which says that there are more
		t.Errorf("%d diagnostics, want %d", sum.Diagnostics, most+1)
	}
}
