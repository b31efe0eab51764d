package refactor

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
)

// mends are the changes that make an error go away which the selection touches.
func mends(r *Request) (all []Change) {
	for _, e := range r.Errors {
		t, span := r.Place(e)
		if t == nil || t.URI != r.File.URI || span.End < r.Start || r.End < span.Start {
			continue
		}
		path := r.Enclosing(span.Start, span.End)
		for _, mend := range mendersOf[check.ErrorCode(e)] {
			for _, c := range mend(r, e, path) {
				c.Mends = append(c.Mends, e)
				all = append(all, c)
			}
		}
	}
	all = append(all, removeImports(r)...)
	all = append(all, importEmbed(r)...)
	slices.SortStableFunc(all, func(a, b Change) int {
		switch {
		case a.Preferred == b.Preferred:
			return 0
		case a.Preferred:
			return -1
		}
		return 1
	})
	return slices.CompactFunc(all, func(a, b Change) bool { return a.Title == b.Title })
}

// A mender finds changes that mend an error; path is the syntax around it, innermost first.
type mender func(r *Request, e types.Error, path []ast.Node) []Change

// mendersOf are the menders by the code of the error.
var mendersOf = map[string][]mender{
	"UndeclaredName":       {addImportFor, createVariable, createFunction},
	"MissingFieldOrMethod": {declareMethod, declareField},
	"UnusedVar":            {removeVariable},
	"UnusedLabel":          {removeLabel},
	"NoNewVar":             {assignInstead},
	"WrongResultCount":     {fillReturn, deleteResults},
	"InvalidIfaceAssign":   {stubMethods},
	"ImpossibleAssert":     {stubMethods},
	"IncompatibleAssign":   {stubMethods, convertValue},
	"MissingReturn":        {addReturn},
}

func addImportFor(r *Request, e types.Error, _ []ast.Node) []Change { return addImport(r, e) }

// removeImports are for imports that nothing uses.
func removeImports(r *Request) (all []Change) {
	for _, spec := range r.File.AST.Imports {
		s := r.File.Span(spec.Pos(), spec.End())
		if s.End < r.Start || r.End < s.Start {
			continue
		}
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		written := importSpec{path: path}
		if spec.Name != nil {
			written.name = spec.Name.Name
		}
		if !slices.Contains(r.unusedImports(), written) {
			continue
		}
		all = append(all, Change{Title: "Remove import: " + spec.Path.Value, Preferred: true, Make: func() (*lsp.WorkspaceEdit, error) {
			edits, err := r.editImports(nil, []importSpec{written})
			if err != nil {
				return nil, err
			}
			return r.edit(edits...)
		}})
	}
	return all
}

// importEmbed brings in the package that go:embed asks for.
func importEmbed(r *Request) []Change {
	at := r.Pos(r.Start)
	line := strings.TrimSpace(r.text(r.lineStart(at), r.lineEnd(at)))
	if !strings.HasPrefix(line, "//go:embed ") || r.importedNames("embed") {
		return nil
	}
	return []Change{{Title: `Add import: _ "embed"`, Preferred: true, Make: func() (*lsp.WorkspaceEdit, error) {
		edits, err := r.editImports([]importSpec{{"_", "embed"}}, nil)
		if err != nil {
			return nil, err
		}
		return r.edit(edits...)
	}}}
}

// importedNames reports whether the file imports a package, under whatever name.
func (r *Request) importedNames(path string) bool {
	return slices.ContainsFunc(r.File.AST.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == strconv.Quote(path) })
}

var unusedName = regexp.MustCompile(`declared and not used: (\S+)`)

// removeVariable takes a variable away that nothing reads. A call in its value stays.
func removeVariable(r *Request, e types.Error, path []ast.Node) []Change {
	m := unusedName.FindStringSubmatch(e.Msg)
	if m == nil || len(path) < 2 {
		return nil
	}
	name := m[1]
	id, ok := path[0].(*ast.Ident)
	if !ok || id.Name != name {
		return nil
	}
	change := func(title string, edits ...lsp.TextEdit) []Change {
		return []Change{{Title: title, Preferred: true, Make: func() (*lsp.WorkspaceEdit, error) { return r.edit(edits...) }}}
	}
	switch s := path[1].(type) {
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE {
			return nil
		}
		if of, ok := nodeAt[*ast.TypeSwitchStmt](path, 2); ok && of.Assign == ast.Stmt(s) {
			return change(fmt.Sprintf("Remove variable %s", name), r.replace(s.Pos(), s.Rhs[0].Pos(), ""))
		}
		if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
			if r.hasEffect(s.Rhs[0]) {
				if r.Info.TypeOf(s.Rhs[0]) != nil && !isStatement(s.Rhs[0]) {
					return change(fmt.Sprintf("Replace %s with _", name), r.replace(s.Pos(), s.TokPos+2, "_ ="))
				}
				return change(fmt.Sprintf("Remove variable %s", name), r.replace(s.Pos(), s.Rhs[0].Pos(), ""))
			}
			if r.isInit(path, s) {
				return change(fmt.Sprintf("Remove variable %s", name), r.removeInit(s))
			}
			return change(fmt.Sprintf("Remove variable %s", name), r.removeStatement(s))
		}
		edits := []lsp.TextEdit{r.replace(id.Pos(), id.End(), "_")}
		if r.onlyBlank(s.Lhs, id) {
			edits = append(edits, r.replace(s.TokPos, s.TokPos+2, "="))
		}
		return change(fmt.Sprintf("Replace %s with _", name), edits...)
	case *ast.ValueSpec:
		if len(path) < 4 {
			return nil
		}
		g, ok := path[2].(*ast.GenDecl)
		if !ok || len(s.Names) != 1 {
			return change(fmt.Sprintf("Replace %s with _", name), r.replace(id.Pos(), id.End(), "_"))
		}
		if len(s.Values) == 1 && r.hasEffect(s.Values[0]) {
			return change(fmt.Sprintf("Replace %s with _", name), r.replace(id.Pos(), id.End(), "_"))
		}
		if len(g.Specs) > 1 {
			return change(fmt.Sprintf("Remove variable %s", name), r.removeStatement(s))
		}
		return change(fmt.Sprintf("Remove variable %s", name), r.removeStatement(g))
	case *ast.RangeStmt:
		if s.Key == ast.Expr(id) && s.Value == nil {
			return change(fmt.Sprintf("Remove variable %s", name), r.replace(s.Key.Pos(), s.Range, ""))
		}
		if s.Value == ast.Expr(id) {
			return change(fmt.Sprintf("Remove variable %s", name), r.replace(s.Key.End(), s.Value.End(), ""))
		}
		return change(fmt.Sprintf("Replace %s with _", name), r.replace(id.Pos(), id.End(), "_"))
	}
	return nil
}

// isInit reports whether a statement is the one before the condition of another.
func (r *Request) isInit(path []ast.Node, s ast.Stmt) bool {
	if len(path) < 3 {
		return false
	}
	switch p := path[2].(type) {
	case *ast.IfStmt:
		return p.Init == s
	case *ast.SwitchStmt:
		return p.Init == s
	case *ast.ForStmt:
		return p.Init == s
	case *ast.TypeSwitchStmt:
		return p.Init == s
	}
	return false
}

func (r *Request) removeInit(s ast.Stmt) lsp.TextEdit {
	end := s.End()
	rest := r.text(end, r.lineEnd(end))
	if i := strings.IndexByte(rest, ';'); i >= 0 && strings.TrimSpace(rest[:i]) == "" {
		end += token.Pos(i + 1)
		for end < r.Pos(len(r.File.Text)) && r.File.Text[r.File.Offset(end)] == ' ' {
			end++
		}
	}
	return r.replace(s.Pos(), end, "")
}

// onlyBlank reports whether all names on the left of := are blank but one.
func (r *Request) onlyBlank(list []ast.Expr, but *ast.Ident) bool {
	for _, x := range list {
		id, ok := x.(*ast.Ident)
		if ok && id != but && id.Name != "_" && r.Info.Defs[id] != nil {
			return false
		}
	}
	return true
}

// removeStatement takes a statement away, with its line if it stands alone there.
func (r *Request) removeStatement(n ast.Node) lsp.TextEdit {
	from, to := r.lineStart(n.Pos()), r.lineEnd(n.End())
	if strings.TrimSpace(r.text(from, n.Pos())) == "" {
		rest := strings.TrimSpace(r.text(n.End(), to))
		if rest == "" || rest == ";" || strings.HasPrefix(rest, "//") {
			return r.replace(from, to, "")
		}
	}
	end := n.End()
	if rest := r.text(end, to); strings.HasPrefix(strings.TrimLeft(rest, " "), ";") {
		end += token.Pos(strings.IndexByte(rest, ';') + 1)
	}
	return r.replace(n.Pos(), end, "")
}

// hasEffect reports whether computing an expression does something.
func (r *Request) hasEffect(x ast.Expr) bool {
	effect := false
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if tv := r.Info.Types[n.Fun]; !tv.IsType() {
				id, ok := ast.Unparen(n.Fun).(*ast.Ident)
				effect = effect || !(tv.IsBuiltin() && ok && slices.Contains([]string{"len", "cap", "make", "new", "append", "real", "imag", "complex", "min", "max"}, id.Name))
			}
		case *ast.UnaryExpr:
			effect = effect || n.Op == token.ARROW
		}
		return !effect
	})
	return effect
}

// isStatement reports whether an expression can stand by itself.
func isStatement(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.CallExpr:
		return true
	case *ast.UnaryExpr:
		return x.Op == token.ARROW
	}
	return false
}

// removeLabel takes a label away that nothing jumps to.
func removeLabel(r *Request, e types.Error, path []ast.Node) []Change {
	for _, n := range path {
		if l, ok := n.(*ast.LabeledStmt); ok {
			return []Change{{Title: "Remove label " + l.Label.Name, Preferred: true, Make: func() (*lsp.WorkspaceEdit, error) {
				if r.line(l.Colon) != r.line(l.Stmt.Pos()) {
					return r.edit(r.replace(r.lineStart(l.Pos()), r.lineEnd(l.Colon), ""))
				}
				return r.edit(r.replace(l.Pos(), l.Stmt.Pos(), ""))
			}}}
		}
	}
	return nil
}

// assignInstead makes = of a := that declares nothing.
func assignInstead(r *Request, _ types.Error, path []ast.Node) []Change {
	for _, n := range path {
		if s, ok := n.(*ast.AssignStmt); ok && s.Tok == token.DEFINE {
			return []Change{{Title: "Change ':=' to '='", Preferred: true, Make: func() (*lsp.WorkspaceEdit, error) {
				return r.edit(r.replace(s.TokPos, s.TokPos+2, "="))
			}}}
		}
	}
	return nil
}

// convertValue converts what is assigned to the type that is wanted, where Go has such a conversion
// and it loses nothing by surprise: between types of one underlying type.
func convertValue(r *Request, e types.Error, path []ast.Node) []Change {
	if len(path) < 2 {
		return nil
	}
	x, ok := path[0].(ast.Expr)
	if !ok {
		return nil
	}
	want, has := r.wanted(x, path[1:]), r.Info.TypeOf(x)
	if want == nil || has == nil || !types.ConvertibleTo(has, want) || !types.Identical(has.Underlying(), want.Underlying()) {
		return nil
	}
	i := r.importerAt(x.Pos())
	name := i.typ(want)
	if len(i.needed) > 0 || i.hidden {
		return nil
	}
	return []Change{{Title: "Convert to " + name, Make: func() (*lsp.WorkspaceEdit, error) {
		text := r.textOf(x)
		return r.edit(r.replace(x.Pos(), x.End(), name+"("+text+")"))
	}}}
}
