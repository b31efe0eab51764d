package flow

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// placed takes the caret out of a text.
func placed(t *testing.T, text string) (*syntax.Tree, int) {
	t.Helper()
	before, after, ok := strings.Cut(text, "|")
	if !ok {
		t.Fatalf("no caret in %q", text)
	}
	return syntax.Parse("file:///a.go", []byte(before+after)), len(before)
}

func TestJump(t *testing.T) {
	for _, c := range []struct{ body, to string }{
		{"func f() (int, error) { |return 1, nil }", "(int, error)"},
		{"func f() int { _ = func() string { ret|urn `` }; return 1 }", "string"},
		{"func f() { re|turn }", ""},
		{"func f() { for { switch { default: |break } } }", "} } }"},
		{"func f() { a: for { switch { default: |break a } } /**/ }", "} /**/ }"},
		{"func f() { for x := range y { if x { |continue } } }", "for x"},
		{"func f() { a: for { for { |continue a } } }", "for { for"},
		{"func f() { a: for {}; for i { |continue a } }", "for i"},
		{"func f() { a: { |goto a } }", "a: {"},
		{"func f() { |goto b }", ""},
		{"func f() { for { func() { |break }() } }", ""},
		{"func f() { select { case <-c: |break }/**/ }", "}/**/ }"},
		{"var x = |1", ""},
		{"func f() { |break", ""},
	} {
		tree, at := placed(t, "package a; "+c.body)
		to, ok := Jump(tree, at)
		if ok != (c.to != "") || ok && !strings.HasPrefix(string(tree.Text[to.Start:]), c.to) {
			t.Errorf("%s: %v %v, %q", c.body, to, ok, tree.Text[to.Start:])
		}
	}
}

func TestRelated(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"|func f() int { if x { return 1 }; _ = func() { return }; return 2 }", "func return 1 return 2"},
		{"func f() (a, b int) { |return 1, 2 }", "func return 1, 2"},
		{"func f() (a, b int) { return 1, |2 }", "b 2"},
		{"func f() (a, b int) { return 1 + |2, 3 }", "a 1 + 2"},
		{"func f() (a, |b int) { return 1, 2 }", "b 2"},
		{"func f() (int, |string) { return 1, g(2) }", "string g(2)"},
		{"func f() (int, string) { return 1, g(|2) }", ""},
		{"func f() { |for { break; switch { case a: break; default: continue }; for { break } } }", "for break continue"},
		{"func f() { a: |for { for { break a; continue a; break }; goto a } }", "for break a continue a goto a"},
		{"func f() { for { switch { case a: |break } } }", "switch break"},
		{"func f() { a: for { switch { case a: |break a } } }", "for break a"},
		{"func f() { |select { case <-c: break; case <-d: for { break } } }", "select break"},
		{"func f() { for { switch { case a: |continue } } }", "for continue"},
		{"|", ""},
	} {
		tree, at := placed(t, "package a; "+c.body)
		var got []string
		for _, s := range Related(tree, at) {
			got = append(got, string(tree.Text[s.Start:s.End]))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, wanted %s", c.body, got, c.want)
		}
	}
}

func TestWritten(t *testing.T) {
	tree := syntax.Parse("file:///a.go", []byte(`package a
const c = 1
func f(p int) (r int) {
	x, y.z := 1, 2
	*q = a[i]; b[j]++; d++
	ch <- v
	for k, l := range m { _ = T{key: n} }
	return
}`))
	var places []lsp.Span
	ast.Inspect(tree.AST, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			places = append(places, tree.Span(id.Pos(), id.End()))
		}
		return true
	})
	var got []string
	uses := Written(tree, places)
	for at, u := range uses {
		got = append(got, fmt.Sprintf("%s%d", tree.Text[at:syntax.WordEnd(tree.Text, at)], u))
	}
	slices.Sort(got)
	if want := "_1 c1 ch1 d1 k1 key2 l1 p3 q1 r3 x1 z1"; strings.Join(got, " ") != want {
		t.Errorf("%s\nwanted %s", got, want)
	}
	for _, place := range places { // each by itself
		use, known := uses[place.Start]
		alone := Written(tree, []lsp.Span{place})
		if u, ok := alone[place.Start]; ok != known || u != use || len(alone) > 1 {
			t.Errorf("at %d: %v, wanted %d", place.Start, alone, use)
		}
	}
}

func TestDirectives(t *testing.T) {
	for _, c := range []struct{ literal, want string }{
		{`"a %d %% %s"`, "%d=0 %s=1"},
		{"`%-5.2f\r\n%v`", "%-5.2f=0 %v=1"},
		{`"\t%[2]d %d %[1]q"`, "%[2]d=1 %d=2 %[1]q=0"},
		{`"%*d"`, "*=0 d=1"},
		{`"%[3]*.[2]*[1]f"`, "[3]*=2 .[2]*=1 [1]f=0"},
		{`"%*[3]d"`, "*=0 [3]d=2"},
		{`"%6.*f|"`, ".*=0 f=1"},
		{`"\u00e9%é"`, "%é=0"},
		{`"%d %"`, ""},
		{`"%[x]d"`, ""},
		{`"%[0]d"`, ""},
		{`"%[1"`, ""},
		{`"`, ""},
		{`'%'`, ""},
		{`""`, ""},
	} {
		var got []string
		for _, d := range Directives(c.literal) {
			got = append(got, fmt.Sprintf("%s=%d", c.literal[d.Start:d.End], d.Operand))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, wanted %s", c.literal, got, c.want)
		}
	}
}

func FuzzDirectives(f *testing.F) {
	f.Add(`"%[3]*.[2]*[1]f"`)
	f.Fuzz(func(t *testing.T, literal string) {
		for _, d := range Directives(literal) {
			if d.Start < 1 || d.End <= d.Start || d.End >= len(literal) || d.Operand < 0 {
				t.Errorf("%q: %+v", literal, d)
			}
		}
	})
}
