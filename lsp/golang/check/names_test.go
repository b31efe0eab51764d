package check_test

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/check/names"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A chain is packages of one file each, of which each may import those before it.
type chain struct {
	t     *testing.T
	texts []string
	faces [][]byte
}

// newChain makes the faces of all packages but the last.
func newChain(t *testing.T, texts ...string) *chain {
	c := &chain{t: t, texts: texts}
	for i := range len(texts) - 1 {
		p, file := c.file(i)
		face, err := check.Face(p, [][]byte{syntax.FaceText(file)}, c.imports(i), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.faces = append(c.faces, face)
	}
	return c
}

// file is a package with its file. Its path is m/ and what it calls itself, or what the first line
// of its text says.
func (c *chain) file(i int) (*metadata.Package, *syntax.Tree) {
	text := c.texts[i]
	path := "m/" + strings.TrimSpace(strings.TrimPrefix(strings.SplitN(text, "\n", 2)[0], "package "))
	if rest, ok := strings.CutPrefix(text, "// "); ok {
		path, _, _ = strings.Cut(rest, "\n")
	}
	uri := "file:///" + path + "/a.go"
	return &metadata.Package{ID: path, Path: path, Name: "x", Files: []string{uri}, Arch: "amd64"}, syntax.Parse(uri, []byte(text))
}

// imports are the packages before one.
func (c *chain) imports(i int) (list []check.Import) {
	for j := range i {
		p, _ := c.file(j)
		if !strings.Contains(c.texts[i], `"`+p.Path+`"`) {
			continue
		}
		face := c.faces[j]
		list = append(list, check.Import{
			Written: p.Path, Path: p.Path, Face: fmt.Sprintf("%x", sha256.Sum256(face)),
			Export: func() ([]byte, error) { return face, nil },
		})
	}
	return list
}

// last checks the last package.
func (c *chain) last() check.Result {
	n := len(c.texts) - 1
	p, file := c.file(n)
	r, err := check.Package(p, []*syntax.Tree{file}, c.imports(n), purebuild.NoDoubt, true)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// rows are what a check looked at.
func (c *chain) rows(looks check.Looks) map[string]names.Digest {
	rows := map[string]names.Digest{}
	for j, face := range c.faces {
		p, _ := c.file(j)
		if looks[p.Path] == nil {
			continue
		}
		table := check.Names(p.Path, face)
		for _, row := range looks[p.Path] {
			rows[p.Path+" "+row] = table[row]
		}
	}
	return rows
}

// What an edit of a package means for one that imports it: q is what p imports, x imports p.
var namesCases = []struct {
	what     string
	q, p, x  string // behind the package clauses
	old, new string // in p or else in q
	changes  bool   // what the check of x comes to is another thing
	again    bool   // x is checked again
}{
	// What nobody looks at.
	{"a function is added", "", "func F() {}", "func _() { p.F() }", "", "func G() {}", false, false},
	{"a type is added", "", "func F() {}", "func _() { p.F() }", "", "\ntype T struct{ F int }", false, false},
	{"a body", "", "func F() int { return 1 }", "var _ = p.F()", "return 1", "return 2", false, false},
	{"another function is gone", "", "func F() {}\nfunc G() {}", "func _() { p.F() }", "func G() {}", "", false, false},
	{"another constant has another value", "", "const A = 1\nconst B = 1", "const _ = p.A", "B = 1", "B = 2", false, false},
	{"another type has another field", "", "type A struct{}\ntype B struct{ F int }", "var _ p.A", "F int", "F, G int", false, false},
	{
		"the order of declarations", "", "func F() {}\nfunc G() {}\ntype T struct{}\nfunc (T) A() {}\nfunc (T) B() {}", "var _ p.T\nfunc _() { p.G() }",
		"func F() {}\nfunc G() {}\ntype T struct{}\nfunc (T) A() {}\nfunc (T) B() {}", "func G() {}\nfunc (T) B() {}\nfunc (T) A() {}\ntype T struct{}\nfunc F() {}", false, false,
	},
	{"what another name leads to", "type Q struct{}", "func F() {}\nfunc G() q.Q { panic(0) }", "func _() { p.F() }", "type Q struct{}", "type Q struct{ X int }", false, false},
	{"an unexported function", "", "func F() {}", "func _() { p.F() }", "", "\nfunc f() {}", false, false},

	// Names.
	{"a function is gone", "", "func F() {}", "func _() { p.F() }", "func F() {}", "", true, true},
	{"a function is there that was not", "", "", "func _() { p.F() }", "", "func F() {}", true, true},
	{"a name that was looked for in vain, in other case", "", "", "func _() { p.Foo() }", "", "func FOo() {}", true, true},
	{"no longer in other case", "", "func FOo() {}", "func _() { p.Foo() }", "FOo", "Bar", true, true},
	{"another name than the one that was looked for", "", "", "func _() { p.Foo() }", "", "func Bar() {}", false, false},
	{"what was undefined is not exported", "", "type t struct{}\nfunc F() any { return nil }", "var _ p.t", "F() any", "F() t", true, true},
	{"a variable comes to be a function", "", "var F int", "var _ = p.F", "var F int", "func F()", false, true},
	{"a type comes to be an alias", "", "type A struct{}\ntype T struct{}", "var _ = func(t p.T) p.A { return t }", "type T struct{}", "type T = A", true, true},
	{"an alias comes to be a type", "", "type A struct{}\ntype T = A", "var _ = func(t p.T) p.A { return t }", "T = A", "T A", true, true},
	{"an alias of something else", "", "type T = int", "var _ int = p.T(1)", "= int", "= uint", true, true},

	// Signatures and values.
	{"a parameter has another type", "", "func F(a int) {}", "func _() { p.F(1) }", "a int", "a string", true, true},
	{"a parameter has another name", "", "func F(a int) {}", "func _() { p.F(1) }", "a int", "b int", false, true},
	{"one more result", "", "func F() int { panic(0) }", "var _ = p.F()", "int", "(int, error)", true, true},
	{"another value", "", "const N = 1", "var _ [p.N]int = [1]int{}", "= 1", "= 2", true, true},
	{"a typed constant", "", "const N = 1", "var _ float64 = p.N", "N =", "N int =", true, true},
	{"a variable of another type", "", "var V int", "var _ int = p.V", "V int", "V string", true, true},
	{"variadic", "", "func F(a []int) {}", "var _ = func() { p.F(nil) }", "[]int", "...int", true, true},

	// Through types.
	{"a field is gone", "", "type T struct{ A int }", "var _ = p.T{}.A", "A int", "", true, true},
	{"a field has another type", "", "type T struct{ A int }", "var _ int = p.T{}.A", "A int", "A string", true, true},
	{"a tag", "", "type T struct{ A int `a:\"\"` }", "type U struct{ A int `a:\"\"` }\nvar _ = U(p.T{})\nvar _ = struct{ A int `a:\"\"` }(p.T{})\nvar _ struct{ A int `a:\"\"` } = p.T{}", "`a:\"\"`", "`b:\"\"`", true, true},
	{"the order of fields", "", "type T struct{ A int; B string }", "var _ = p.T{1, \"\"}", "A int; B string", "B string; A int", true, true},
	{"a field is added, unkeyed", "", "type T struct{ A int }", "var _ = p.T{1}", "A int", "A, B int", true, true},
	{"a field is added to one that is converted", "", "type T struct{ A int }", "type U struct{ A int }\nvar _ = U(p.T{})", "A int", "A, B int", true, true},
	{"cannot be compared three levels down", "type A struct{ b B }\ntype B struct{ c C }\ntype C struct{}", "type T struct{ a q.A }", "var _ = p.T{} == p.T{}", "C struct{}", "C struct{ f func() }", true, true},
	{"an embedded type has the field, too", "type A struct{ X int }\ntype B struct{}", "type T struct { q.A; q.B }", "var _ = p.T{}.X", "B struct{}", "B struct{ X int }", true, true},
	{"an own struct embeds it", "", "type A struct{ X int }\ntype B struct{}", "type T struct { p.A; p.B }\nvar _ = T{}.X", "B struct{}", "B struct{ X int }", true, true},
	{"a field becomes embedded", "type A struct{ X int }", "type T struct { A q.A }", "var _ = p.T{}.X", "A q.A", "q.A", true, true},
	{"a method is gone", "", "type T struct{}\nfunc (T) M() {}", "func _() { p.T{}.M() }", "M()", "N()", true, true},
	{"a method has another receiver", "", "type T struct{}\nfunc (T) M() {}", "var _ interface{ M() } = p.T{}", "(T) M", "(*T) M", true, true},
	{"a method hides a promoted one", "type A struct{}\nfunc (A) M() {}", "type T struct{ q.A }", "var _ interface{ M() } = p.T{}", "", "\nfunc (T) M(int) {}", true, true},
	{"three embeddings down", "type A struct{ B }\ntype B struct{ C }\ntype C struct{}\nfunc (C) M() {}", "type T struct{ q.A }", "var _ interface{ M() } = p.T{}", "M()", "M(int)", true, true},
	{"an interface wants more", "", "type I interface{ M() }", "type t struct{}\nfunc (t) M() {}\nvar _ p.I = t{}", "M()", "M(); N()", true, true},
	{"an embedded interface wants more", "type I interface{ M() }", "type J interface{ q.I }", "type t struct{}\nfunc (t) M() {}\nvar _ p.J = t{}", "M()", "M(); N()", true, true},
	{"an unexported method of an interface", "", "type I interface{ M() }", "type t struct{}\nfunc (t) M() {}\nvar _ p.I = t{}", "M()", "M(); n()", true, true},
	{"an impossible assertion", "", "type I interface{ M() }", "type t struct{}\nfunc (t) M() {}\nfunc _(i p.I) { _ = i.(t) }", "M()", "M(int)", true, true},
	{"another underlying type", "", "type T int", "var _ = p.T(1) + 1", "T int", "T []int", true, true},
	{"parameter of a parameter", "type F func(I)\ntype I interface{ M() }", "var V q.F", "type t struct{}\nfunc (t) M() {}\nfunc _() { p.V(t{}) }", "M()", "N()", true, true},
	{"sent", "type C chan I\ntype I interface{ M() }", "var V q.C", "type t struct{}\nfunc (t) M() {}\nfunc _() { p.V <- t{} }", "M()", "N()", true, true},
	{"an index", "type M map[K]int\ntype K int", "var V q.M", "var _ = p.V[1]", "K int", "K string", true, true},
	{"ranged over", "type S []E\ntype E struct{ X int }", "var V q.S", "func _() { for _, v := range p.V { _ = v.X } }", "X int", "Y int", true, true},
	{"a chain of calls", "type A struct{}\nfunc (A) B() B { panic(0) }\ntype B struct{}\nfunc (B) C() int { panic(0) }", "func F() q.A { panic(0) }", "var _ int = p.F().B().C()", "C() int", "C() string", true, true},
	{"two indexes", "type A []B\ntype B []C\ntype C struct{ X int }", "var V q.A", "var _ int = p.V[0][1].X", "X int", "X string", true, true},

	{"types that lead to each other", "", "type A struct{ B *B; F int }\ntype B struct{ A *A }", "var _ int = p.B{}.A.F", "F int", "F string", true, true},

	// Type parameters.
	{"a constraint", "type C interface{ ~int | ~string }", "func F[T q.C](T) {}", "func _() { p.F(\"\") }", " | ~string", "", true, true},
	{"a term's underlying type", "type N int", "type C interface{ q.N | string }\nfunc F[T C](T) {}", "func _[T p.C](x T) { _ = []T{}; p.F(x); var _ = x + x }", "N int", "N []int", true, true},
	{"one more type parameter", "", "func F[T any]() {}", "func _() { p.F[int]() }", "T any", "T, U any", true, true},
	{"a generic type", "", "type G[T any] struct{ X T }", "var _ int = p.G[int]{}.X", "X T", "X []T", true, true},
	{"a generic type holds itself", "type Box[T any] struct{ b box[T] }\ntype box[T any] struct{ c []T }", "type B[T any] struct{ b q.Box[T] }", "type R struct{ b p.B[R] }", "c []T", "c T", true, true},
	{"a method of a generic type", "", "type G[T any] struct{}\nfunc (G[T]) M(T) {}", "func _() { p.G[int]{}.M(1) }", "M(T)", "M([]T)", true, true},

	{"a type parameter has another name", "", "func F[T any]() {}", "func _() { p.F() }", "T any", "U any", true, true},
	{"a constraint is written out", "", "func F[T ~int](T) {}", "func _() { p.F(\"\") }", "~int", "interface{ ~int }", true, true},

	// The package as a whole.
	{"a dot import", "", "func F() {}", "import . \"m/p\"\nvar _ = F\nvar G int", "", "\nfunc G() {}", true, true},
	{"a dot import, another name", "", "func F() {}", "import . \"m/p\"\nvar _ = F", "", "func G() {}", false, true},
	{"a dot import, unexported", "", "func F() {}", "import . \"m/p\"\nvar _ = F", "", "\nfunc g() {}", false, false},
	{"the name of the package", "", "func F() {}", "var _ = 1", "package p", "package r", true, true},
	{"two packages of a name", "func F() {}\ntype T struct{}", "type T struct{}", "import \"m/q\"\nvar _ p.T = q.T{}", "package q", "package p", true, true},
	{
		"two packages of a name, of which one is mentioned elsewhere", "package p\ntype T struct{}", "import q \"m/q\"\ntype T struct{}", "var _ int = p.T{}",
		"type T struct{}", "type T struct{ q.T }", true, true,
	},
	{"one more package of a name", "package p\ntype T struct{}", "import q \"m/q\"\nvar _ q.T\ntype T struct{}", "var _ int = p.T{}", "", "func G(q.T) {}", true, true},
	{"the name of a package that is not imported", "package q\ntype T struct{}", "import q \"m/q\"\nfunc F() q.T { panic(0) }", "var V = p.F()", "package q", "package r", true, true},
	{"whose field it is", "type A struct{ x int }", "type B q.A\ntype T B", "import \"m/q\"\nvar _ = q.A(p.T{})", "T B", "T struct { x int }", true, true},
	{"sizes, three levels down", "type A struct{ b B }\ntype B struct{ c C }\ntype C struct{ X int }", "type T struct{ a q.A }", "import \"unsafe\"\nvar _ [unsafe.Sizeof(p.T{})]int = [8]int{}", "X int", "X, Y int", true, true},
	{"an offset", "type A struct{ x int }", "type T struct{ a q.A; B int }", "import \"unsafe\"\nvar _ [unsafe.Offsetof(p.T{}.B)]int = [8]int{}", "x int", "x, y int", true, true},
	{"what a message shows", "", "func F(a int) {}", "var _ int = p.F", "a int", "b int", true, true},
	{"a field goes by another type", "", "type B struct{ X int }", "var _ = p.B{}.X", "B struct{ X int }", "B A\ntype A struct{ X int }", true, true},
	{"a declaration that makes no sense", "", "func F() int { panic(0) }", "var _ = p.F()", "F() int", "F() Int", false, true},
}

// TestNamesCases edits a package and looks whether one that imports it depends on what differs:
// what it comes to is the same unless it does.
func TestNamesCases(t *testing.T) {
	for _, c := range namesCases {
		t.Run(c.what, func(t *testing.T) {
			q := "// m/q\npackage q\n" + c.q
			p := "// m/p\npackage p\nimport _ \"m/q\"\n" + c.p
			if strings.HasPrefix(c.q, "package") {
				q = "// m/q\n" + c.q
			}
			switch {
			case strings.Contains(c.p, `"m/q"`):
				p = "// m/p\npackage p\n" + c.p
			case strings.Contains(c.p, "q."):
				p = "// m/p\npackage p\nimport \"m/q\"\n" + c.p
			}
			x := "// m/x\npackage x\nimport \"m/p\"\n" + c.x
			if strings.Contains(c.x, ". \"m/p\"") {
				x = "// m/x\npackage x\n" + c.x
			}
			before := newChain(t, q, p, x)
			switch {
			case c.old == "":
				p += "\n" + c.new
			case strings.Contains(p, c.old):
				p = strings.Replace(p, c.old, c.new, 1)
			case strings.Contains(q, c.old):
				q = strings.Replace(q, c.old, c.new, 1)
			default:
				t.Fatal("there is nothing to replace")
			}
			after := newChain(t, q, p, x)
			was, is := before.last(), after.last()
			if was.Looked == nil || is.Looked == nil {
				t.Fatal("what was looked at is not known")
			}
			changes := !reflect.DeepEqual(was.Diagnostics, is.Diagnostics) || !slices.Equal(was.Index, is.Index)
			if changes != c.changes {
				t.Errorf("changes: %v, want %v: %+v, then %+v", changes, c.changes, was.Diagnostics, is.Diagnostics)
			}
			rows, then := before.rows(was.Looked), after.rows(was.Looked)
			if again := !reflect.DeepEqual(rows, then); again != c.again {
				t.Errorf("checked again: %v, want %v; it looked at %v", again, c.again, was.Looked)
			}
		})
	}
}
