package gofmt

import (
	"errors"
	"go/format"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
)

const goURI = "file:///m/a.go"

func TestSource(t *testing.T) {
	for _, c := range []struct{ name, uri, text, want string }{
		{"Go", goURI, "package a\nfunc  f( ) {\nx:=1\n}\n", "package a\n\nfunc f() {\n\tx := 1\n}\n"},
		{"imports", goURI, "package a\n\nimport (\n\t\"b\"\n\t\"a\"\n)\n", "package a\n\nimport (\n\t\"a\"\n\t\"b\"\n)\n"},
		{"a part of a file", goURI, "x:=1\n", "x := 1\n"},
		{"empty", goURI, "", ""},
		{"a build line", goURI, "// +build linux\n\npackage a\n", "//go:build linux\n// +build linux\n\npackage a\n"},
		{"a module", "file:///m/go.mod", "module   m\nrequire (\na v1.0.0\n)\n", "module m\n\nrequire (\n\ta v1.0.0\n)\n"},
		{"a workspace", "file:///m/go.work", "go 1.24\nuse ( \n ./a\n)\n", "go 1.24\n\nuse (\n\t./a\n)\n"},
		{"sums have no layout", "file:///m/go.sum", "a  b\n", "a  b\n"},
	} {
		got, err := Source(c.uri, []byte(c.text))
		if c.name == "a build line" { // gofmt adds the new form, and writes both
			if want, _ := format.Source([]byte(c.text)); err != nil || string(got) != string(want) {
				t.Errorf("%s: %q, %v, want %q", c.name, got, err, want)
			}
			continue
		}
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ uri, text, want string }{
		{goURI, "package a\n\nfunc f() {\n\tif {\n\t}\n}\n", "4:5: missing condition in if statement"},
		{goURI, "package a\n\nvar x = \"\x00\"\n", "3:10: illegal character NUL"},
		{"file:///m/go.mod", "modul m\n", "go.mod:1: unknown directive: modul"},
		{"file:///m/go.work", "use (\n", "go.work:2: syntax error (unterminated block started at go.work:1:1)"},
	} {
		edits, err := Edits(c.uri, []byte(c.text))
		if len(edits) > 0 || !errors.Is(err, lsp.ErrSyntax) || err.Error() != c.want {
			t.Errorf("%q: %v, %v, want %s", c.text, edits, err, c.want)
		}
	}
}

// Edits are small: what is in order is not touched.
func TestEditsAreSmall(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []lsp.TextEdit
	}{
		{"laid out", "package a\n\nvar x = 1\n", nil},
		{"blanks", "package a\n\nvar x=1\n", []lsp.TextEdit{{Span: lsp.Span{Start: 16, End: 17}, NewText: " = "}}},
		{"laid out, with carriage returns", "package a\r\n\r\nvar x = 1\r\n", nil},
		{"carriage returns", "package a\r\n\r\nvar x=1\r\n", []lsp.TextEdit{{Span: lsp.Span{Start: 18, End: 19}, NewText: " = "}}},
		{"between characters", "package a\n\nvar é,ê = 1, 2\n", []lsp.TextEdit{{Span: lsp.Span{Start: 18, End: 18}, NewText: " "}}},
	} {
		got, err := Edits(goURI, []byte(c.text))
		if err != nil || len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// TestEditsLeadToSource spoils the layout of real files and compares what the edits make of them
// with what gofmt does.
func TestEditsLeadToSource(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	names, _ := filepath.Glob(filepath.Join(goroot.Src(t), "strings", "*.go"))
	if len(names) == 0 {
		t.Skip("no Go tree")
	}
	for _, name := range names[:min(len(names), 12)] {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		raw := false
		for i := range lines {
			if strings.Count(lines[i], "`")%2 == 1 {
				raw = !raw
			}
			if raw || strings.ContainsRune(lines[i], '`') {
				continue
			}
			switch random.IntN(20) {
			case 0:
				lines[i] = strings.Replace(lines[i], "\t", " ", 1)
			case 1:
				lines[i] += "\n\n"
			case 2:
				lines[i] = strings.Replace(lines[i], " = ", "=", 1)
			}
		}
		for _, returns := range []bool{false, true} {
			spoiled := strings.Join(lines, "")
			if random.IntN(2) == 0 {
				spoiled = strings.TrimRight(spoiled, "\n")
			}
			want, err := format.Source([]byte(spoiled))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if returns {
				spoiled = strings.ReplaceAll(spoiled, "\n", "\r\n")
				want = []byte(strings.ReplaceAll(string(want), "\n", "\r\n"))
			}
			edits, err := Edits(goURI, []byte(spoiled))
			if err != nil {
				t.Fatal(err)
			}
			got, err := lsp.Apply([]byte(spoiled), edits)
			if err != nil || string(got) != string(want) {
				t.Errorf("%s, carriage returns %v: the edits lead elsewhere (%v)", name, returns, err)
			}
		}
	}
}

// marked takes the two carets out of a text.
func marked(t *testing.T, text string) (string, lsp.Span) {
	t.Helper()
	start := strings.IndexByte(text, '|')
	text = strings.Replace(text, "|", "", 1)
	end := strings.IndexByte(text, '|')
	if start < 0 || end < 0 {
		t.Fatalf("no two marks in %q", text)
	}
	return strings.Replace(text, "|", "", 1), lsp.Span{Start: start, End: end}
}

func TestEditsOf(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"one of two lines", "package a\n\nfunc f() {\n\t|x:=1|\n\ty:=2\n}\n", "package a\n\nfunc f() {\n\tx := 1\n\ty:=2\n}\n"},
		{"a caret", "package a\n\nfunc f() {\n\tx:=1\n\ty:|=|2\n}\n", "package a\n\nfunc f() {\n\tx:=1\n\ty := 2\n}\n"},
		{"empty lines", "package a\n|\n\n\n\n|var x int\n\n\n\n", "package a\n\nvar x int\n\n\n\n"},
		{"imports that change places", "package a\n\nimport (\n|\t\"b\"|\n\t\"a\"\n)\n\nvar x=1\n", "package a\n\nimport (\n\t\"a\"\n\t\"b\"\n)\n\nvar x=1\n"},
		{"nothing there", "package a\n\nvar |x| int\nvar y=1\n", "package a\n\nvar x int\nvar y=1\n"},
	} {
		text, span := marked(t, c.text)
		edits, err := Style{}.EditsOf(goURI, []byte(text), []lsp.Span{span})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := lsp.Apply([]byte(text), edits); err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestTyped(t *testing.T) {
	for _, c := range []struct{ name, typed, text, want string }{
		{"the block", "}", "package a\n\nfunc f() {\n\tz:=0\n\tif true {\n\tx:=1\n\t}||\n}\n", "package a\n\nfunc f() {\n\tz:=0\n\tif true {\n\t\tx := 1\n\t}\n}\n"},
		{"the line", "\n", "package a\n\nfunc f() {\n\tx:=1\n\t  ||\n\ty:=2\n}\n", "package a\n\nfunc f() {\n\tx := 1\n\t  \n\ty:=2\n}\n"},
		{"half typed", "\n", "package a\n\nfunc f() {\n\tx:=1 +\n||\n", "package a\n\nfunc f() {\n\tx:=1 +\n\n"},
		{"at the start", "\n", "||\npackage  a\n", "\npackage  a\n"},
		{"something else", ";", "package  a;||\n", "package  a;\n"},
	} {
		text, span := marked(t, c.text)
		edits := Style{}.Typed(goURI, []byte(text), span.Start, c.typed)
		if got, err := lsp.Apply([]byte(text), edits); err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}
