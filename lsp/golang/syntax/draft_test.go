package syntax_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/go/ast/astutil"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// TestDraft: wherever somebody types, the name that is put there has the place in the tree that the
// code before it gives it.
func TestDraft(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"x.|\n\ty := 1", "Ident SelectorExpr ExprStmt"},
		{"f(|", "Ident CallExpr ExprStmt"},
		{"f(a, b.|\n\tif x {\n\t}", "Ident SelectorExpr CallExpr"},
		{"if x.|", "Ident SelectorExpr ExprStmt IfStmt"},
		{"for i := range |\n\tf()", "Ident RangeStmt"},
		{"go |", "Ident CallExpr GoStmt"},
		{"defer x.|", "Ident SelectorExpr CallExpr DeferStmt"},
		{"switch x {\n\tcase |", "Ident CaseClause"},
		{"x := T{a: |", "Ident KeyValueExpr CompositeLit AssignStmt"},
		{"x := T{|}", "Ident CompositeLit AssignStmt"},
		{"return |", "Ident ReturnStmt"},
		{"var x |", "Ident ValueSpec"},
		{"goto |", "Ident BranchStmt"},
		{"x := func() { y.|", "Ident SelectorExpr ExprStmt"},
		{"f(func() {\n\t\ty.|\n\t\tz()", "Ident SelectorExpr"},
		{"a, b|", "Ident AssignStmt"},
		{"f(\"a\" b|)", "Ident CallExpr ExprStmt"},
		{"for := range b|", "Ident"},
		{"f(, 0)\n\tx.|", "Ident SelectorExpr ExprStmt"},
		{"// x.|", ""},
		{"s := \"x.|\"", ""},
		{"s := `x.|", ""},
		{"c := 'x|", ""},
		{"n := 12|", ""},
	} {
		for _, behind := range []string{"\n}\n\nfunc g() {}\n", ""} {
			text := "package p\n\nfunc f(x T) {\n\t" + c.body + behind
			at := strings.IndexByte(text, '|')
			text = text[:at] + text[at+1:]
			d := syntax.NewDraft("file:///p.go", []byte(text), at)
			var got []string
			if d.Tree != nil {
				path, _ := astutil.PathEnclosingInterval(d.Tree.AST, d.Name.Pos(), d.Name.End())
				for _, n := range path {
					got = append(got, strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast."))
				}
			}
			if s := strings.Join(got, " "); !strings.HasPrefix(s, c.want) || (c.want == "") != (s == "") {
				t.Errorf("%q: %s", text, s)
			}
		}
	}
}

// A text that begins with a declaration has an empty section before it.
func TestDraftBeforeTheFirstKeyword(t *testing.T) {
	for _, text := range []string{"func f() {}\n", "type T int\n", "import \"os\"\n", "var x = 1\n"} {
		for offset := range len(text) + 1 {
			for _, d := range []*syntax.Draft{syntax.NewDraft("file:///a.go", []byte(text), offset), syntax.NewDraftAsIs("file:///a.go", []byte(text), offset)} {
				if d.Word.Start > offset || offset > d.Word.End || d.Word.End > max(offset, d.Section.End) {
					t.Errorf("%q at %d: the word is at %v, the section at %v", text, offset, d.Word, d.Section)
				}
			}
		}
	}
}
