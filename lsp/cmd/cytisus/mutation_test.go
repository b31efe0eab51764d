package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// A mutation is a small change of a Go text. It returns "" where it finds nothing to change.
type mutation struct {
	name string
	fn   func(m *mutated) string
}

// A mutated is a text that a mutation is made from.
type mutated struct {
	rng    *rand.Rand
	text   string
	file   *ast.File
	other  string   // another file's text
	paths  []string // what may be imported
	bodies []*ast.BlockStmt
}

// mutations are all kinds of changes, those that are made more often more than once.
var mutations = []mutation{
	{"token in a body", (*mutated).bodyToken},
	{"token in a body", (*mutated).bodyToken},
	{"statement", (*mutated).statement},
	{"statement", (*mutated).statement},
	{"half of a line", (*mutated).halfLine},
	{"half of a line", (*mutated).halfLine},
	{"comment", (*mutated).comment},
	{"token", (*mutated).anyToken},
	{"name everywhere", (*mutated).rename},
	{"name everywhere", (*mutated).rename},
	{"declaration away", (*mutated).declarationAway},
	{"declaration of another file", (*mutated).declarationCopied},
	{"declaration added", (*mutated).declarationAdded},
	{"declaration added", (*mutated).declarationAdded},
	{"declarations swapped", (*mutated).declarationsSwapped},
	{"parameter", (*mutated).parameter},
	{"import added", (*mutated).importAdded},
	{"import away", (*mutated).importAway},
	{"import named", (*mutated).importNamed},
	{"package clause", (*mutated).packageClause},
	{"cut off", (*mutated).cutOff},
	{"build constraint", (*mutated).constraint},
	{"letters of other scripts", (*mutated).letters},
	{"byte order mark, ends of lines", (*mutated).marks},
	{"something odd", (*mutated).odd},
}

// mutate changes a text in a way that is possible in it.
func mutate(rng *rand.Rand, text, other string, paths []string) (changed, how string) {
	m := &mutated{rng: rng, text: text, other: other, paths: paths}
	m.file, _ = parser.ParseFile(token.NewFileSet(), "", text, parser.ParseComments|parser.SkipObjectResolution)
	if m.file != nil && m.file.FileStart.IsValid() {
		ast.Inspect(m.file, func(n ast.Node) bool {
			if b, ok := n.(*ast.BlockStmt); ok && m.at(b.End()) <= len(text) && b.Rbrace.IsValid() {
				m.bodies = append(m.bodies, b)
			}
			return true
		})
	} else {
		m.file = &ast.File{}
	}
	for range 20 {
		how := pick(rng, mutations)
		if changed = how.fn(m); changed != "" && changed != text {
			return changed, how.name
		}
	}
	return "package p\n\n" + text, "package clause put in front"
}

func (m *mutated) at(p token.Pos) int { return int(p - m.file.FileStart) }

// replaced is the text with another one in a range of it.
func (m *mutated) replaced(from, to int, by string) string {
	if from < 0 || from > to || to > len(m.text) {
		return ""
	}
	return m.text[:from] + by + m.text[to:]
}

// tokenIn changes a token in a range: it is taken away, or another one of the range takes its
// place.
func (m *mutated) tokenIn(from, to int) string {
	if from < 0 || to > len(m.text) || from >= to {
		return ""
	}
	list := editToken.FindAllStringIndex(m.text[from:to], -1)
	if len(list) == 0 {
		return ""
	}
	one, other := pick(m.rng, list), pick(m.rng, list)
	by := ""
	if m.rng.IntN(3) > 0 {
		by = m.text[from+other[0] : from+other[1]]
	}
	return m.replaced(from+one[0], from+one[1], by)
}

func (m *mutated) bodyToken() string {
	if len(m.bodies) == 0 {
		return ""
	}
	b := pick(m.rng, m.bodies)
	return m.tokenIn(m.at(b.Lbrace)+1, m.at(b.Rbrace))
}

func (m *mutated) anyToken() string { return m.tokenIn(0, len(m.text)) }

// statement takes a statement away, writes it twice, or writes a new one behind it.
func (m *mutated) statement() string {
	if len(m.bodies) == 0 {
		return ""
	}
	b := pick(m.rng, m.bodies)
	if len(b.List) == 0 {
		return m.replaced(m.at(b.Rbrace), m.at(b.Rbrace), "\n\tpanic(1)\n")
	}
	s := pick(m.rng, b.List)
	from, to := m.at(s.Pos()), m.at(s.End())
	if to > len(m.text) {
		return ""
	}
	switch m.rng.IntN(4) {
	case 0:
		return m.replaced(from, to, "")
	case 1:
		return m.replaced(to, to, "\n"+m.text[from:to])
	}
	return m.replaced(to, to, "\n\t"+pick(m.rng, []string{
		"x := 1", "_ = 1", "var unused int", "undefined()", "return", "for {\n\t}", "go func() {}()", "_ = func() int { return \"x\" }",
		"type local struct{ a int }", "const c = 1 << 70", "goto nowhere", "if x := 1; x > 0 {\n\t\tpanic(x)\n\t}", "/* a remark */",
	}))
}

// halfLine is what stands in an editor while a line of a body is being typed.
func (m *mutated) halfLine() string {
	if len(m.bodies) == 0 {
		return ""
	}
	b := pick(m.rng, m.bodies)
	line := pick(m.rng, []string{
		"x.", "if x", "if err != nil {", "for i := range", "switch x {", "switch y := x.(", "case 1:", "go func() {", "return foo(", "a, b :=",
		"x := []int{1,", "f(\"", "`", "/*", "} else if", "x <-", "func f", "type T struct {", "var x =", "}", "{", ")",
	})
	at := m.at(b.Lbrace) + 1
	if len(b.List) > 0 {
		at = m.at(pick(m.rng, b.List).End())
	}
	return m.replaced(at, at, "\n\t"+line+"\n")
}

func (m *mutated) comment() string {
	at := m.rng.IntN(len(m.text) + 1)
	at = strings.LastIndexByte(m.text[:at], '\n') + 1
	return m.replaced(at, at, pick(m.rng, []string{"// A remark.\n", "/* two\nlines */\n", "\n", "//go:noinline\n"}))
}

// rename gives a declared name another one, in all of the file or where it is declared only.
func (m *mutated) rename() string {
	var names []*ast.Ident
	for _, d := range m.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names = append(names, d.Name)
		case *ast.GenDecl:
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.TypeSpec:
					names = append(names, n.Name)
				case *ast.ValueSpec:
					names = append(names, n.Names...)
				case *ast.Field:
					names = append(names, n.Names...)
				}
				return true
			})
		}
	}
	if len(names) == 0 {
		return ""
	}
	id := pick(m.rng, names)
	to := pick(m.rng, []string{id.Name + "s", strings.TrimSuffix(id.Name, "s"), strings.ToUpper(id.Name[:1]) + id.Name[1:], strings.ToLower(id.Name[:1]) + id.Name[1:], "_"})
	if m.rng.IntN(2) == 0 {
		return m.replaced(m.at(id.Pos()), m.at(id.End()), to)
	}
	return regexp.MustCompile(`\b`+regexp.QuoteMeta(id.Name)+`\b`).ReplaceAllString(m.text, to)
}

// declaration is a declaration that is no import, and where it stands.
func (m *mutated) declaration() (from, to int) {
	list := slices.DeleteFunc(slices.Clone(m.file.Decls), func(d ast.Decl) bool {
		g, ok := d.(*ast.GenDecl)
		return ok && g.Tok == token.IMPORT || m.at(d.End()) > len(m.text)
	})
	if len(list) == 0 {
		return -1, -1
	}
	d := pick(m.rng, list)
	return m.at(d.Pos()), m.at(d.End())
}

func (m *mutated) declarationAway() string {
	from, to := m.declaration()
	return m.replaced(from, to, "")
}

func (m *mutated) declarationCopied() string {
	if f := editFunction.FindAllString(m.other, -1); len(f) > 0 {
		return m.text + "\n" + pick(m.rng, f)
	}
	return ""
}

func (m *mutated) declarationAdded() string {
	n := m.rng.IntN(3)
	return m.text + "\n" + fmt.Sprintf(pick(m.rng, []string{
		"func Added%d() int { return 1 }\n", "func Added%d() string { return \"\" }\n", "type Added%d struct{ A, b int }\n",
		"type Added%d[T any] []T\n\nfunc (a Added[T]) Len() int { return len(a) }\n", "type Added%d interface{ M(); ~int }\n",
		"const Added%d = iota\n", "var Added%d, other = 1, \"x\"\n", "func init() { _ = Added%d }\n", "var _ = Added%d()\n",
		"type Added%d = Added0\n", "func Generic%d[T comparable, U ~[]T](u U) (t T) { return u[0] }\n",
		"func (Added%d) Method() {}\n", "var cycle%d = func() int { return cycle0 }()\n",
	}), n)
}

func (m *mutated) declarationsSwapped() string {
	a, b := m.declaration()
	c, d := m.declaration()
	if a > c {
		a, b, c, d = c, d, a, b
	}
	if a < 0 || b > c || d > len(m.text) {
		return ""
	}
	return m.text[:a] + m.text[c:d] + m.text[b:c] + m.text[a:b] + m.text[d:]
}

// parameter changes the signature of a function.
func (m *mutated) parameter() string {
	var list []*ast.FuncDecl
	for _, d := range m.file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Type.Params.Closing.IsValid() {
			list = append(list, fn)
		}
	}
	if len(list) == 0 {
		return ""
	}
	fn := pick(m.rng, list)
	at := m.at(fn.Type.Params.Closing)
	switch m.rng.IntN(4) {
	case 0:
		if fn.Type.Results == nil {
			return m.replaced(at+1, at+1, " error")
		}
		return m.replaced(m.at(fn.Type.Results.Pos()), m.at(fn.Type.Results.End()), "")
	case 1:
		if fn.Recv == nil && fn.Type.TypeParams == nil {
			return m.replaced(m.at(fn.Name.End()), m.at(fn.Name.End()), "[T any]")
		}
	case 2:
		return m.replaced(m.at(fn.Type.Params.Opening)+1, at, "")
	}
	if len(fn.Type.Params.List) > 0 && len(fn.Type.Params.List[0].Names) > 0 {
		return m.replaced(at, at, ", more int")
	}
	return m.replaced(at, at, "int")
}

func (m *mutated) importAdded() string {
	if !m.file.Name.Pos().IsValid() {
		return ""
	}
	at := m.at(m.file.Name.End())
	name := pick(m.rng, []string{"", "", "", ". ", "_ ", "named "})
	return m.replaced(at, at, "\n\nimport "+name+"\""+pick(m.rng, m.paths)+"\"")
}

func (m *mutated) importAway() string {
	if len(m.file.Imports) == 0 {
		return ""
	}
	s := pick(m.rng, m.file.Imports)
	by := ""
	for _, d := range m.file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && len(g.Specs) == 1 && g.Specs[0] == s && !g.Lparen.IsValid() {
			by = "()"
		}
	}
	return m.replaced(m.at(s.Pos()), m.at(s.End()), by)
}

func (m *mutated) importNamed() string {
	if len(m.file.Imports) == 0 {
		return ""
	}
	s := pick(m.rng, m.file.Imports)
	return m.replaced(m.at(s.Pos()), m.at(s.Path.Pos()), pick(m.rng, []string{"", ". ", "_ ", "named "}))
}

func (m *mutated) packageClause() string {
	if !m.file.Name.Pos().IsValid() {
		return ""
	}
	name := pick(m.rng, []string{"p", "main", m.file.Name.Name + "_test", strings.TrimSuffix(m.file.Name.Name, "_test"), "p_test", ""})
	return m.replaced(m.at(m.file.Name.Pos()), m.at(m.file.Name.End()), name)
}

func (m *mutated) cutOff() string { return m.text[:m.rng.IntN(len(m.text)+1)] }

func (m *mutated) constraint() string {
	if rest, ok := strings.CutPrefix(m.text, "//go:build "); ok {
		if _, rest, ok := strings.Cut(rest, "\n"); ok {
			return rest
		}
	}
	return pick(m.rng, []string{"//go:build ignore\n\n", "//go:build go1.18\n\n", "//go:build windows\n\n", "//go:build (\n\n"}) + m.text
}

// letters are such as take several bytes, and some of them two units of UTF-16.
func (m *mutated) letters() string {
	if len(m.bodies) == 0 {
		return ""
	}
	at := m.at(pick(m.rng, m.bodies).Lbrace) + 1
	return m.replaced(at, at, pick(m.rng, []string{
		" /* 𝒳𝒴 */ ", "\n\t日本 := \"𝒳\"; _ = 日本; _ = undefined\n", "\n\tvar é𝒳 int\n", " _ = `\U0001f600`; undefined() // 😀\n", " \u00a0 ",
	}))
}

// marks puts a byte order mark in front or takes it away, or has lines end in another way.
func (m *mutated) marks() string {
	const mark = "\ufeff"
	switch rest, ok := strings.CutPrefix(m.text, mark); {
	case m.rng.IntN(2) == 0 && ok:
		return rest
	case m.rng.IntN(2) == 0:
		return mark + rest
	case strings.Contains(m.text, "\r\n"):
		return strings.ReplaceAll(m.text, "\r\n", "\n")
	case m.rng.IntN(4) == 0:
		at := m.rng.IntN(len(m.text) + 1)
		return m.replaced(at, at, "\r")
	}
	return strings.ReplaceAll(m.text, "\n", "\r\n")
}

// odd adds what is right or nearly so, and seldom written.
func (m *mutated) odd() string {
	return m.text + "\n" + pick(m.rng, []string{
		"//line other.go:7\nfunc lined() int { return \"\" }\n", "/*line x_test.go:1:1*/ func LinedToo() {}\n",
		"type Endless[T any] struct{ next *Endless[Endless[T]] }\n\nvar _ Endless[int]\n",
		"func Forever[T any](n int) {\n\tForever[*T](n)\n}\n", "type Self struct{ Self }\n", "type Around interface{ Around }\n",
		"type Circle [len(circle)]int\n\nvar circle Circle\n", "var deep = " + strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300) + "\n",
		"var deeper = " + strings.Repeat("[]", 3000) + "int{}\n", "import \"fmt\"\n\nvar late = fmt.Sprint()\n",
		"//go:embed *.go\nvar embedded string\n", "//go:linkname runtimeNano runtime.nanotime\nfunc runtimeNano() int64\n", "func bodiless() int\n",
		"var a\x00 int\n", "const big = 1 << 600\n\nvar _ int = big\n", "type Alias[T any] = map[T]Alias[T]\n", "func (r *Nowhere) M() { r.m() }\n",
	})
}
