package refactor

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"

	"github.com/cytisus/cytisus/lsp"
)

// undeclared is the name that an error says nobody declares.
func undeclared(path []ast.Node) (*ast.Ident, bool) {
	if len(path) < 2 {
		return nil, false
	}
	id, ok := path[0].(*ast.Ident)
	if !ok || id.Name == "_" {
		return nil, false
	}
	if sel, ok := path[1].(*ast.SelectorExpr); ok && sel.X == ast.Expr(id) {
		return nil, false // a package, most likely
	}
	return id, true
}

// createVariable declares a variable that is used and that nobody declares: by := where it is
// assigned first, or else before the statement that uses it first.
func createVariable(r *Request, _ types.Error, path []ast.Node) []Change {
	id, ok := undeclared(path)
	if !ok {
		return nil
	}
	if call, ok := path[1].(*ast.CallExpr); ok && call.Fun == ast.Expr(id) {
		return nil
	}
	title := fmt.Sprintf("Create variable %q", id.Name)
	uses := r.undeclaredUses(id.Name, path)
	if len(uses) == 0 {
		return nil
	}
	if a, ok := r.declaringAssignment(uses); ok {
		return []Change{{Title: title, Make: func() (*lsp.WorkspaceEdit, error) {
			return r.edit(r.replace(a.TokPos, a.TokPos+1, ":="))
		}}}
	}
	t := r.wanted(id, path[1:])
	for _, x := range uses { // what the others want
		if t != nil && t != types.Typ[types.Invalid] {
			break
		}
		if around := r.Enclosing(r.File.Offset(x.Pos()), r.File.Offset(x.End())); len(around) > 1 {
			t = r.wanted(x, around[1:])
		}
	}
	if t == nil || t == types.Typ[types.Invalid] {
		if !takesAnything(id, path[1]) {
			return nil
		}
		t = types.Universe.Lookup("any").Type()
	}
	t = types.Default(t)
	i := r.importerAt(id.Pos())
	value := i.zero(t)
	if value == "" {
		return nil
	}
	return []Change{{Title: title, Make: func() (*lsp.WorkspaceEdit, error) {
		if value == "nil" || len(i.needed) > 0 {
			return r.declareBefore(id, uses, i.typ(t))
		}
		if b, ok := types.Unalias(t).(*types.Basic); ok && b.Kind() != types.Int && b.Info()&types.IsNumeric != 0 || isNamedBasic(t) {
			value = i.typ(t) + "(" + value + ")"
		}
		return r.declareBefore(id, uses, "= "+value)
	}}}
}

// takesAnything reports whether a value of any type can stand in the place of an expression.
func takesAnything(x ast.Expr, around ast.Node) bool {
	switch n := around.(type) {
	case *ast.AssignStmt:
		return slices.Contains(n.Rhs, x) && (n.Tok == token.DEFINE || n.Tok == token.ASSIGN)
	case *ast.ValueSpec:
		return n.Type == nil && slices.Contains(n.Values, x)
	case *ast.CallExpr:
		return slices.Contains(n.Args, x)
	}
	return false
}

// undeclaredUses are the uses of a name in the function around some nodes which nothing declares,
// in order.
func (r *Request) undeclaredUses(name string, path []ast.Node) (uses []*ast.Ident) {
	for _, n := range path {
		fn, ok := n.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		fields := map[*ast.Ident]bool{}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				fields[n.Sel] = true
			case *ast.Ident:
				if n.Name == name && !fields[n] && r.Info.ObjectOf(n) == nil {
					uses = append(uses, n)
				}
			}
			return true
		})
	}
	return uses
}

// declaringAssignment is the assignment that can declare a variable for some uses: the first of
// them, if it does not read the variable and the others are in its block.
func (r *Request) declaringAssignment(uses []*ast.Ident) (a *ast.AssignStmt, ok bool) {
	first := uses[0]
	path := r.Enclosing(r.File.Offset(first.Pos()), r.File.Offset(first.End()))
	a, ok = nodeAt[*ast.AssignStmt](path, 1)
	if !ok || a.Tok != token.ASSIGN || len(path) < 3 {
		return nil, false
	}
	if loop, ok := path[2].(*ast.ForStmt); ok && loop.Post == ast.Stmt(a) {
		return nil, false
	}
	left := false
	for _, x := range a.Lhs {
		other, isName := x.(*ast.Ident)
		left = left || x == ast.Expr(first)
		if !isName || other != first && r.Info.Uses[other] != nil && r.Info.Uses[other].Parent() != r.scopeAt(a.Pos()) {
			return nil, false
		}
	}
	block := path[2]
	for _, x := range uses[1:] {
		if x.Pos() < a.End() || x.Pos() >= block.End() {
			return nil, false
		}
	}
	return a, left
}

func isNamedBasic(t types.Type) bool {
	_, named := types.Unalias(t).(*types.Named)
	_, basic := t.Underlying().(*types.Basic)
	return named && basic
}

// declareBefore declares a variable before the statement around its first use, in the block around
// all of them: with a type, or with a value behind "=".
func (r *Request) declareBefore(id *ast.Ident, uses []*ast.Ident, what string) (*lsp.WorkspaceEdit, error) {
	var all []ast.Expr
	for _, x := range uses {
		all = append(all, x)
	}
	at, declared, ok := r.placeFor(all, nil)
	if !ok || declared {
		return nil, errGone
	}
	text := "var " + id.Name + " " + what
	if value, ok := strings.CutPrefix(what, "= "); ok {
		text = id.Name + " := " + value
	}
	return r.edit(r.replace(at, at, text+"\n"+r.indent(at)))
}

// createFunction declares a function that is called and that nobody declares.
func createFunction(r *Request, _ types.Error, path []ast.Node) []Change {
	id, ok := undeclared(path)
	if !ok {
		return nil
	}
	call, ok := path[1].(*ast.CallExpr)
	if !ok || call.Fun != ast.Expr(id) {
		return nil
	}
	var fn *ast.FuncDecl
	for _, n := range path {
		if d, ok := n.(*ast.FuncDecl); ok {
			fn = d
		}
	}
	if fn == nil {
		return nil
	}
	return []Change{{Title: fmt.Sprintf("Create function %q", id.Name), Make: func() (*lsp.WorkspaceEdit, error) {
		i := r.importerAt(fn.Pos())
		text := "func " + id.Name + r.signatureOf(i, call, path[1:], numberedParams) + " {\n\tpanic(\"unimplemented\")\n}"
		edits, err := i.imports()
		if err != nil {
			return nil, err
		}
		return r.edit(append(edits, r.replace(fn.End(), fn.End(), "\n\n"+text))...)
	}}}
}

// A paramNamer names the parameters for arguments of some types, and writes them. What is given is
// nil for the further results of a call.
type paramNamer func(i *importer, ts []types.Type, given []ast.Expr) (names, params []string)

// numberedParams names them like the arguments or their types, with numbers where that is the same,
// and writes the type of several once.
func numberedParams(i *importer, ts []types.Type, given []ast.Expr) (names, params []string) {
	names = make([]string, len(ts))
	count := map[string]int{}
	for n, t := range ts {
		names[n] = argumentName(t, given[n])
		count[names[n]]++
	}
	number := map[string]int{}
	for n, t := range ts {
		if name := names[n]; count[name] > 1 {
			number[name]++
			names[n] = fmt.Sprint(name, number[name])
		}
		if n+1 < len(ts) && types.Identical(t, ts[n+1]) {
			params = append(params, names[n])
		} else {
			params = append(params, names[n]+" "+i.typ(t))
		}
	}
	return names, params
}

// stubParams names them by the last word of what is given or of its type, and by their number where
// that says nothing or is taken.
func (r *Request) stubParams(i *importer, ts []types.Type, given []ast.Expr) (names, params []string) {
	for n, t := range ts {
		name := ""
		switch x := ast.Unparen(given[n]).(type) {
		case *ast.Ident:
			if !r.Info.Types[x].IsNil() && x.Name != "true" && x.Name != "false" {
				name = x.Name
			}
		case *ast.SelectorExpr:
			name = lastWord(x.Sel.Name)
		default:
			name = stubName(t)
		}
		if name == "_" {
			name = ""
		}
		for k := n + 1; name == "" || slices.Contains(names, name); k++ {
			if name = "param"; k > 1 {
				name = fmt.Sprint(name, k)
			}
		}
		names = append(names, name)
		params = append(params, name+" "+i.typ(t))
	}
	return names, params
}

// stubName is what a parameter of a type is called by its last word; "" if the type has none.
func stubName(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return stubName(t.Elem())
	case *types.Named:
		if t.Obj().Pkg() == nil {
			return shortName(t)
		}
		return lastWord(t.Obj().Name())
	case *types.Basic, *types.Map, *types.Chan, *types.Signature:
		return shortName(t)
	}
	return ""
}

// lastWord is the last word of a name in mixed case, in small letters.
func lastWord(name string) string {
	runes := []rune(name)
	for n := len(runes) - 1; n > 0; n-- {
		if unicode.IsUpper(runes[n]) && !unicode.IsUpper(runes[n-1]) {
			runes = runes[n:]
			break
		}
	}
	word := lowered(string(runes))
	if token.IsKeyword(word) {
		return ""
	}
	return word
}

// signatureOf is what a function must look like for a call to be right.
func (r *Request) signatureOf(i *importer, call *ast.CallExpr, path []ast.Node, name paramNamer) string {
	var ts []types.Type
	var given []ast.Expr
	for _, a := range call.Args {
		t := r.Info.TypeOf(a)
		if tuple, ok := t.(*types.Tuple); ok {
			for v := range tuple.Variables() {
				ts, given = append(ts, v.Type()), append(given, nil)
			}
			continue
		}
		if t == nil || t == types.Typ[types.Invalid] || t == types.Typ[types.UntypedNil] {
			t = types.Universe.Lookup("any").Type()
		}
		ts, given = append(ts, types.Default(t)), append(given, a)
	}
	names, params := name(i, ts, given)
	text := "(" + strings.Join(params, ", ") + ")"
	if call.Ellipsis.IsValid() && len(ts) > 0 {
		if s, ok := ts[len(ts)-1].Underlying().(*types.Slice); ok {
			params[len(params)-1] = names[len(names)-1] + " ..." + i.typ(s.Elem())
			text = "(" + strings.Join(params, ", ") + ")"
		}
	}
	var results []string
	if len(path) > 1 {
		switch p := path[1].(type) {
		case *ast.ExprStmt, *ast.GoStmt, *ast.DeferStmt:
		case *ast.UnaryExpr:
			switch t := r.wanted(p, path[2:]); {
			case p.Op == token.NOT:
				results = append(results, "bool")
			case p.Op == token.AND || p.Op == token.ARROW:
				results = append(results, "any")
			case t != nil && t != types.Typ[types.Invalid] && !types.IsInterface(t):
				results = append(results, i.typ(t))
			default:
				results = append(results, "int")
			}
		case *ast.ValueSpec:
			switch t := r.wanted(call, path[1:]); {
			case t == nil || t == types.Typ[types.Invalid]:
				results = append(results, "any")
			case len(p.Values) == 1:
				results = slices.Repeat([]string{i.typ(t)}, len(p.Names))
			default:
				results = append(results, i.typ(t))
			}
		case *ast.ReturnStmt:
			if s := r.signatureAround(path); s != nil && len(p.Results) == 1 {
				for v := range s.Results().Variables() {
					results = append(results, i.typ(v.Type()))
				}
			} else if t := r.wanted(call, path[1:]); t != nil && t != types.Typ[types.Invalid] {
				results = append(results, i.typ(t))
			}
		case *ast.AssignStmt:
			if len(p.Rhs) == 1 && len(p.Lhs) > 1 {
				for _, l := range p.Lhs {
					t := r.Info.TypeOf(l)
					if t == nil || t == types.Typ[types.Invalid] {
						t = types.Universe.Lookup("any").Type()
					}
					results = append(results, i.typ(types.Default(t)))
				}
				break
			}
			if t := r.wanted(call, path[1:]); t != nil && t != types.Typ[types.Invalid] {
				results = append(results, i.typ(t))
			} else if p.Tok == token.DEFINE {
				results = append(results, "any")
			}
		default:
			if t := r.wanted(call, path[1:]); t != nil && t != types.Typ[types.Invalid] {
				results = append(results, i.typ(t))
			} else if _, ok := p.(ast.Expr); ok {
				results = append(results, "any") // something is done with its value
			}
		}
	}
	switch len(results) {
	case 0:
	case 1:
		text += " " + results[0]
	default:
		text += " (" + strings.Join(results, ", ") + ")"
	}
	return text
}

// argumentName is what the parameter for an argument is called: like the argument, or like its
// type.
func argumentName(t types.Type, x ast.Expr) string {
	if id, ok := x.(*ast.Ident); ok && id.Name != "_" && id.Name != "nil" && id.Name != "true" && id.Name != "false" {
		return id.Name
	}
	return shortName(t)
}
