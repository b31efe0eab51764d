package golang

import (
	"errors"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// largeSource is a file that declares what the tests ask about, with a body that makes it large or
// not.
func largeSource(pkg, body string) string {
	return "package " + pkg + "\n\ntype Big struct{}\n\nfunc (Big) Grow() int { return 1 }\n\nfunc Make() Big { return Big{} }\n\nvar Size = 1\n\nfunc init() {\n" + body + "}\n"
}

// lines repeats a line until there are so many bytes.
func lines(line string, bytes int) string { return strings.Repeat(line, bytes/len(line)+1) }

const largeRest = `package big

func use() int {
	var n string = 1
	m := Make()
	if Nowhere() {
		return missing
	}
	return m.Grow() + Size + len(n)
}
`

// A file whose code is too large is not checked. It says so; nothing that it declares is an error
// in other files, in the package or beyond, and what is wrong there without it is told.
func TestLargeFileIsNotChecked(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/large

go 1.24
-- big/big.go --
package big
-- big/rest.go --
`+largeRest+`-- user/user.go --
package user

import "example.com/large/big"

var a int = big.Make().Grow() + big.Size

var b int = big.Nowhere

var c int = "c"
`, lsp.WorkspaceOptions{})
	f.write("big/big.go", largeSource("big", "\tvar x = 1\n"+lines("\tx = x + 1\n", syntax.MaxCode)))
	f.index()
	got := f.diagnostics("big/big.go")
	wantDiagnostic(t, got, "not type-checked", "4 MiB")
	if len(got) != 1 {
		t.Errorf("diagnostics of the large file: %q", got)
	}
	got = f.diagnostics("big/rest.go")
	wantDiagnostic(t, got, "undefined: Nowhere")
	wantDiagnostic(t, got, "undefined: missing")
	wantDiagnostic(t, got, "cannot use 1")
	if len(got) != 3 {
		t.Errorf("diagnostics beside the large file: %q", got)
	}
	// Its declarations take little, so importers know them.
	got = f.diagnostics("user/user.go")
	wantDiagnostic(t, got, "undefined: big.Nowhere")
	wantDiagnostic(t, got, `cannot use "c"`)
	if len(got) != 2 {
		t.Errorf("diagnostics of the importer: %q", got)
	}
}

// What looks unused in a package may be used in a file of it that is not checked, whichever of its
// files that is.
func TestNothingIsUnusedBesideALargeFile(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/large

go 1.24
-- whole/a.go --
package whole

func never() {}
-- large/a.go --
package large

func used() {}
-- large/z.go --
package large
`, lsp.WorkspaceOptions{})
	f.write("large/z.go", largeSource("large", "\tvar x = 1\n\tused()\n"+lines("\tx = x + 1\n", syntax.MaxCode)))
	f.index()
	var report string
	err := f.in(func(t *runtime.Task) error {
		r, err := f.w.lintAll(t, []byte("{}"))
		report = string(r.Value)
		return err
	})
	if err != nil || !strings.Contains(report, "never") || strings.Contains(report, "large/a.go") {
		t.Errorf("%v, found: %s", err, report)
	}
}

// longText is a file that declares one long constant, of so many bytes and a few.
func longText(pkg, name string, bytes int) string {
	return "package " + pkg + "\n\nconst " + name + ` = "` + strings.Repeat("x", bytes) + "\"\n"
}

// A package whose files declare too much together, each of them little enough, has no face. Its
// importers say so where they import it, and nothing else about it.
func TestPackageThatDeclaresTooMuchIsLeftOut(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/large

go 1.24
-- big/a.go --
package big
-- user/user.go --
package user

import "example.com/large/big"

var a = big.A + big.Nowhere

var c int = "c"
`, lsp.WorkspaceOptions{})
	const part = syntax.MaxCode * 7 / 8
	for i := range maxPackageFace/part + 1 {
		name := string(rune('A' + i))
		f.write("big/"+strings.ToLower(name)+".go", longText("big", name, part))
	}
	f.index()
	got := f.diagnostics("user/user.go")
	wantDiagnostic(t, got, "example.com/large/big declares too much", "16 MiB")
	wantDiagnostic(t, got, `cannot use "c"`)
	if len(got) != 2 {
		t.Errorf("diagnostics of the importer: %.300q", got)
	}
}

// Texts of a package beyond the limit are not parsed; the files say so, and others go on.
func TestPackageWithTooMuchTextIsReadInPart(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/large

go 1.24
-- big/a.go --
package big

var a = B

var c int = "c"
`, lsp.WorkspaceOptions{})
	const part = maxPackageText / 3
	for _, name := range []string{"B", "C", "D", "E"} {
		f.write("big/"+strings.ToLower(name)+".go", "package big\n\nconst "+name+" = 1\n\n/*"+strings.Repeat("x", part)+"*/\n")
	}
	f.index()
	got := f.diagnostics("big/a.go")
	wantDiagnostic(t, got, `cannot use "c"`)
	if len(got) != 1 {
		t.Errorf("diagnostics beside files that are not read: %q", got)
	}
	for name, read := range map[string]bool{"b.go": true, "c.go": true, "d.go": false, "e.go": false} {
		got := f.diagnostics("big/" + name)
		if !read {
			wantDiagnostic(t, got, "not read", "32 MiB of text")
			got = got[min(len(got), 1):]
		}
		if len(got) > 0 {
			t.Errorf("diagnostics of %s: %.300q", name, got)
		}
	}
	// Questions about a file that is not among those of the check have no types to look at.
	uri, offset := f.uri("big/d.go"), strings.Index(f.read("big/d.go"), "D = 1")
	for what, ask := range map[string]func(t *runtime.Task) error{
		"type definition": func(t *runtime.Task) error { _, err := f.w.TypeDefinition(t, uri, offset); return err },
		"actions": func(t *runtime.Task) error {
			_, err := f.w.Actions(t, lsp.ActionRequest{URI: uri, Span: lsp.Span{Start: offset, End: offset + 1}})
			return err
		},
	} {
		if err := f.in(ask); !errors.Is(err, check.ErrUnfit) {
			t.Errorf("%s: %v, want %v", what, err, check.ErrUnfit)
		}
	}
	if _, err := f.hover(uri, offset); err != nil && !errors.Is(err, lsp.ErrNoSymbol) {
		t.Error(err)
	}
}
