package syntax

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// shown writes spans into a text, as numbers in brackets.
func shown(text string, spans []lsp.Span) string {
	marks := map[int]string{}
	for i, s := range spans {
		marks[s.Start] += fmt.Sprintf("<%d", i)
		marks[s.End] = fmt.Sprintf("%d>", i) + marks[s.End]
	}
	var b strings.Builder
	for i := range len(text) + 1 {
		b.WriteString(marks[i])
		if i < len(text) {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func TestFolds(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"imports", "package a\n\nimport (\n\t\"b\"\n)\n", "package a\n\nimport (<0\n\t\"b\"\n0>)\n"},
		{
			"a function", "package a\n\nfunc f(a int) (\n\tint,\n) {\n\tg(a)\n\treturn 1\n}\n",
			"package a\n\nfunc f(<0a int0>) (<1\n\tint,\n1>) {<2\n\tg(<3a3>)\n\treturn 1\n2>}\n",
		},
		{"nothing inside", "package a\n\nfunc f() {}\n\ntype t struct{}\n", "package a\n\nfunc f() {}\n\ntype t struct{}\n"},
		{"cases", "package a\n\nfunc f() {\n\tswitch {\n\tcase true:\n\t\tg()\n\tdefault:\n\t}\n}\n", "package a\n\nfunc f() {<0\n\tswitch {<1\n\tcase true:<2\n\t\tg()2>\n\tdefault:\n\t1>}\n0>}\n"},
		{"comments", "// One\n// two.\npackage a\n\n// Single.\n\n/* a\r\nb */\n", "// One<0\n// two.0>\npackage a\n\n// Single.\n\n/* a<1\r\nb */1>\n"},
		{"a raw string", "package a\n\nvar x = `a\nb`\n", "package a\n\nvar x = <0`a\nb`0>\n"},
		{"broken", "package a\n\nfunc f() {\n\tif {\n\t}\n}\n", "package a\n\nfunc f() {\n\tif {\n\t}\n}\n"},
		{"empty", "", ""},
	} {
		var spans []lsp.Span
		for _, f := range Folds(Parse("file:///a.go", []byte(c.text))) {
			spans = append(spans, f.Span)
		}
		if got := shown(c.text, spans); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEnclosing(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an operand", "package a\n\nvar x = 1+|23\n", "23; 1+23; x = 1+23; var x = 1+23; package a\n\nvar x = 1+23"},
		{"before an operator", "package a\n\nvar x = 12|+3\n", "12; 12+3; x = 12+3; var x = 12+3; package a\n\nvar x = 12+3"},
		{"a string", "package a\n\nvar x = \"a|b\"\n", "ab; \"ab\"; x = \"ab\"; var x = \"ab\"; package a\n\nvar x = \"ab\""},
		{"the name of a function", "package a\n\nfunc f|() {}\n", "f; func f() {}; package a\n\nfunc f() {}"},
		{"a comment", "package a\n\n// one\n// t|wo\nvar x int\n", "// two; // one\n// two; package a\n\n// one\n// two\nvar x int"},
		{"before the file", "// a|\n\npackage a\n", "// a; // a\n\npackage a\n"},
		{"half typed", "package a\n\nfunc f() {\n\tg(|\n", ""},
		{"no Go", "|\x00", "\x00"},
		{"empty", "|", ""},
	} {
		offset := strings.IndexByte(c.text, '|')
		text := strings.Replace(c.text, "|", "", 1)
		var got []string
		spans := Enclosing(Parse("file:///a.go", []byte(text)), offset)
		for i, s := range spans {
			got = append(got, text[s.Start:s.End])
			if i > 0 && (spans[i-1] == s || s.Start > spans[i-1].Start || s.End < spans[i-1].End) {
				t.Errorf("%s: %v is not around %v", c.name, s, spans[i-1])
			}
		}
		if c.name != "half typed" && strings.Join(got, "; ") != c.want || c.name == "half typed" && len(got) == 0 {
			t.Errorf("%s: %q, want %q", c.name, strings.Join(got, "; "), c.want)
		}
	}
}
