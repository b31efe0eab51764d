package complete

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// A postfix is something that can be made of the expression before a dot.
type postfix struct {
	*completer
	x      string     // the expression, as a snippet has it
	t      types.Type // of it
	tuple  *types.Tuple
	isName bool // it is one name
	isVar  bool // it is a variable or field
	stmt   bool // it stands where a statement can
	span   lsp.Span
	edits  []lsp.TextEdit
}

// postfix adds what can be made of the expression before the dot: its text takes the place of the
// expression.
func (c *completer) postfix(sel *ast.SelectorExpr, t types.Type) {
	if !c.o.Snippets {
		return
	}
	p := &postfix{completer: c, x: verbatim(c.d.Text(sel.X)), t: t}
	p.tuple, _ = t.(*types.Tuple)
	_, p.isName = sel.X.(*ast.Ident)
	_, p.isVar = c.objectOf(sel.X).(*types.Var)
	if _, ok := nodeAt[*ast.ExprStmt](c.path, 0); ok {
		switch c.path[1].(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			p.stmt = true
		}
	}
	p.span = lsp.Span{Start: c.d.Offset(sel.X.Pos()), End: c.d.Word.Start}
	u := under(t)
	elem := func() types.Type {
		if e := elemOf(u); e != nil {
			return e
		}
		return types.Typ[types.Invalid]
	}
	word, what := "", ""
	switch u.(type) {
	case *types.Slice:
		word, what = "slice", "i"
	case *types.Map:
		word, what = "map", "k"
	case *types.Chan:
		word, what = "channel", "e"
	}
	if word != "" && p.stmt {
		loop := func(vars string) string { return "for " + vars + " := range " + p.x + " {\n\t$0\n}" }
		names := p.names()
		var first, both string
		if m, ok := u.(*types.Map); ok {
			first = p.hole(1, names.of(m.Key(), "k"))
		} else {
			first = p.hole(1, names.of(nil, what))
		}
		both = first + ", " + p.hole(2, names.of(elem(), "v"))
		switch word {
		case "slice":
			p.add("range", "range over slice", loop(both))
			p.add("for", "range over slice by index", loop(first))
			p.add("forr", "range over slice by index and value", loop(both))
		case "map":
			p.add("range", "range over map", loop(both))
			p.add("for", "range over map by key", loop(first))
			p.add("forr", "range over map by key and value", loop(both))
		case "channel":
			e := p.hole(1, p.names().of(elem(), "e"))
			p.add("range", "range over channel", loop(e))
			p.add("for", "range over channel", loop(e))
		}
	}
	if _, ok := u.(*types.Slice); ok {
		if p.stmt {
			p.with("sort", func(pkg string) {
				names := p.names()
				i, j := names.of(nil, "i"), names.of(nil, "j")
				p.add("sort", "sort.Slice()", pkg+".Slice("+p.x+", func("+i+", "+j+" int) bool {\n\t$0\n})")
			})
			p.with("slices", func(pkg string) { p.add("reverse", "reverse slice", pkg+".Reverse("+p.x+")") })
			if p.isVar {
				p.add("append", "append and re-assign slice", p.x+" = append("+p.x+", $0)")
				name := p.fresh(strings.ReplaceAll(p.x, ".", "") + "Copy")
				p.add("copy", "duplicate slice", name+" := make([]"+escape(c.typeText(elem()))+", len("+p.x+"))\ncopy("+name+", "+p.x+")\n")
			}
		} else {
			p.add("append", "append to slice", "append("+p.x+", $0)")
		}
		if p.isVar {
			p.add("last", "s[len(s)-1]", p.x+"[len("+p.x+")-1]")
		}
		if isString(elem()) {
			p.with("strings", func(pkg string) { p.add("join", "join string slice", pkg+".Join("+p.x+`, "$0")`) })
		}
	}
	if m, ok := u.(*types.Map); ok && p.stmt {
		k, keys := p.names().of(m.Key(), "k"), p.fresh("keys")
		p.add("clear", "clear map contents", "for "+k+" := range "+p.x+" {\n\tdelete("+p.x+", "+k+")\n}\n")
		p.add("keys", "create slice of keys", keys+" := make([]"+escape(c.typeText(m.Key()))+", 0, len("+p.x+"))\nfor "+k+
			" := range "+p.x+" {\n\t"+keys+" = append("+keys+", "+k+")\n}\n")
	}
	switch u.(type) {
	case *types.Slice, *types.Map, *types.Array, *types.Chan:
		p.add("len", "len(s)", "len("+p.x+")")
	}
	if p.stmt {
		p.statements()
	}
	switch {
	case types.Identical(t, types.Typ[types.String]):
		p.with("strings", func(pkg string) { p.add("split", "split string", pkg+".Split("+p.x+`, "$0")`) })
		p.add("tobytes", "string to []byte", "[]byte("+p.x+")")
	case types.Identical(t, types.NewSlice(types.Typ[types.Byte])):
		p.add("tostring", "[]byte to string", "string("+p.x+")")
	case types.Identical(t, types.Typ[types.Int]):
		p.with("strconv", func(pkg string) { p.add("tostring", "int to string", pkg+".Itoa("+p.x+")") })
	}
}

// statements adds what stands by itself.
func (p *postfix) statements() {
	if p.tuple == nil {
		p.add("var", "assign to variable", p.hole(1, p.names().of(p.t, ""))+" := "+p.x)
		quoted := escape(strings.Trim(strconv.Quote(p.d.Text(p.selX())), `"`))
		p.with("fmt", func(pkg string) {
			p.add("print", "print to stdout", pkg+`.Printf("`+quoted+`: %v`+`\n", `+p.x+")")
		})
	} else {
		var vars []string
		names := p.names()
		for i := range p.tuple.Len() {
			v := p.tuple.At(i)
			vars = append(vars, p.hole(i+1, names.of(v.Type(), v.Name())))
		}
		p.add("var", "assign to variables", strings.Join(vars, ", ")+" := "+p.x)
		p.with("fmt", func(pkg string) { p.add("print", "print to stdout", pkg+".Println("+p.x+")") })
	}
	if isNillable(p.t) && p.tuple == nil {
		p.add("ifnotnil", "if expr != nil", "if "+p.x+" != nil {\n\t$0\n}")
	}
	switch {
	case p.tuple != nil && p.tuple.Len() > 0 && isError(p.tuple.At(p.tuple.Len()-1).Type()):
		n := p.tuple.Len()
		blanks := strings.Repeat("_, ", n-1)
		var vars []string
		names := p.names()
		for i := range n - 1 {
			v := p.tuple.At(i)
			vars = append(vars, p.hole(i+1, names.of(v.Type(), v.Name())))
		}
		err := p.hole(n, "err")
		vars = append(vars, err)
		p.add("iferr", "check error and return", "if "+blanks+"err := "+p.x+"; err != nil {\n\t"+p.returning(verbatim, p.hole(1, "err"))+"\n}\n")
		p.add("variferr", "assign variables and check error",
			strings.Join(vars, ", ")+" := "+p.x+"\nif "+err+" != nil {\n\t"+p.returning(verbatim, p.nested(n+1, n, "err"))+"\n}\n")
	case p.tuple == nil && isError(p.t):
		if p.isName {
			p.add("iferr", "check error and return", "if "+p.x+" != nil {\n\t"+p.returning(verbatim, p.hole(1, p.x))+"\n}\n")
		} else {
			p.add("iferr", "check error and return", "if err := "+p.x+"; err != nil {\n\t"+p.returning(verbatim, p.hole(1, "err"))+"\n}\n")
		}
		name := p.fresh("err")
		p.add("variferr", "assign variables and check error",
			p.hole(1, name)+" := "+p.x+"\nif "+p.hole(1, name)+" != nil {\n\t"+p.returning(verbatim, p.nested(2, 1, name))+"\n}\n")
	}
}

func (p *postfix) selX() ast.Expr {
	return p.expr.(*ast.SelectorExpr).X
}

// returning is a return statement with an error, and zero values for all else.
func (c *completer) returning(escape func(string) string, err string) string {
	sig := c.signatureAround(c.path)
	if sig == nil || sig.Results().Len() == 0 {
		return "return"
	}
	var list []string
	for i := range sig.Results().Len() {
		t := sig.Results().At(i).Type()
		if isError(t) {
			list = append(list, err)
		} else {
			list = append(list, escape(c.zero(t)))
		}
	}
	return "return " + strings.Join(list, ", ")
}

// verbatim is escape for what stands in no place of a snippet, where a brace has no meaning.
func verbatim(text string) string { return strings.NewReplacer(`\`, `\\`, `$`, `\$`).Replace(text) }

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

// add adds one. Its text has $ and } only where a snippet has meaning, or after a backslash.
func (p *postfix) add(name, detail, text string) {
	score, ok := p.match.score(name)
	if !ok {
		return
	}
	p.items = append(p.items, Item{
		Completion: lsp.Completion{
			Label: name + "!", Detail: detail, Kind: lsp.CompletionSnippet, Text: text, Snippet: true,
			Extra: append(p.edits[:len(p.edits):len(p.edits)], lsp.TextEdit{Span: p.span}),
		},
		score: score * 0.02,
	})
}

// with calls fn with the name of a package, which what it adds imports.
func (p *postfix) with(path string, fn func(name string)) {
	name, edits := p.importing(path, path[strings.LastIndexByte(path, '/')+1:])
	p.edits = edits
	fn(name)
	p.edits = nil
}

// hole is a place of a snippet.
func (c *completer) hole(n int, name string) string {
	if !c.o.Placeholders {
		name = ""
	}
	return fmt.Sprintf("${%d:%s}", n, name)
}

// nested is a place of a snippet that has the text of another one.
func (c *completer) nested(n, of int, name string) string {
	if !c.o.Placeholders {
		return c.hole(n, "")
	}
	return fmt.Sprintf("${%d:%s}", n, c.hole(of, name))
}

// fresh is a name that nothing around the place has.
func (c *completer) fresh(name string) string {
	taken := func(name string) bool {
		for _, n := range c.path {
			switch fn := n.(type) {
			case *ast.FuncDecl:
				n = fn.Type
			case *ast.FuncLit:
				n = fn.Type
			}
			if s := c.s.Info.Scopes[n]; s != nil {
				_, obj := s.LookupParent(name, token.NoPos)
				return obj != nil
			}
		}
		return false
	}
	if !taken(name) {
		return name
	}
	for i := 2; ; i++ {
		if next := name + strconv.Itoa(i); !taken(next) {
			return next
		}
	}
}

// A naming gives names to values of one piece of code.
type naming struct {
	c     *completer
	given map[string]bool
}

func (c *completer) names() naming { return naming{c, map[string]bool{}} }

// of is a name for a value of a type that nothing around the place has. A type without a name says
// little: its values get another one, if there is any.
func (n naming) of(t types.Type, other string) string {
	name := ""
	switch {
	case t == nil:
		name = other
	case types.Implements(t, errorType()):
		name = "err"
	case !isNamed(pointee(t)):
		name = other
	}
	if name == "" && t != nil {
		name = shortName(t)
	}
	if name == "" || name == "_" {
		name = "v"
	}
	free := n.c.fresh(name)
	for i := 2; n.given[free]; i++ {
		free = n.c.fresh(name + strconv.Itoa(i))
	}
	n.given[free] = true
	return free
}

func errorType() *types.Interface {
	return types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
}

func elemOf(t types.Type) types.Type {
	if e, ok := t.(interface{ Elem() types.Type }); ok {
		return e.Elem()
	}
	return nil
}
