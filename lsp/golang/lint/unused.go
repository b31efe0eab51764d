package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// What is declared and not used. Both look at a package as if nobody else could add uses of what it
// does not export, so it is to be the one with its tests.
var (
	unusedParams = &analysis.Analyzer{
		Name: "unusedparams", Doc: "find parameters that no body uses and no type asks for", Run: runUnusedParams,
	}
	unusedFunc = &analysis.Analyzer{
		Name: "unusedfunc", Doc: "find declarations that are neither exported nor used", Run: runUnusedFunc,
	}
	recursiveIter = &analysis.Analyzer{
		Name: "recursiveiter", Doc: "find iterators that range over themselves, which takes quadratic time", Run: runRecursiveIter,
	}
)

func runUnusedParams(pass *analysis.Pass) (any, error) {
	info := pass.TypesInfo
	called := map[*ast.Ident]bool{} // where something is called, or given a function
	used := map[types.Object]bool{} // variables
	bound := map[*ast.FuncLit]types.Object{}
	takes := map[types.Object]int{} // how many functions a variable is given
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if id := calledIdent(n.Fun); id != nil {
					called[id] = true
				}
			case *ast.AssignStmt:
				for i, e := range n.Rhs {
					lit, ok := e.(*ast.FuncLit)
					if !ok || len(n.Lhs) != len(n.Rhs) {
						continue
					}
					id, ok := n.Lhs[i].(*ast.Ident)
					if !ok {
						continue
					}
					called[id] = true
					if bound[lit] = info.ObjectOf(id); id.Name == "_" {
						bound[lit] = types.NewVar(id.Pos(), pass.Pkg, id.Name, info.TypeOf(lit))
					}
					takes[bound[lit]]++
				}
			case *ast.ValueSpec:
				for i, e := range n.Values {
					lit, ok := e.(*ast.FuncLit)
					if !ok || len(n.Names) != len(n.Values) {
						continue
					}
					if obj := info.Defs[n.Names[i]]; obj != nil && (obj.Parent() != pass.Pkg.Scope() || !obj.Exported()) {
						bound[lit] = obj
						takes[obj]++
					}
				}
			}
			return true
		})
	}
	asValue := map[types.Object]bool{}
	for id, obj := range info.Uses {
		if v, ok := obj.(*types.Var); ok && !v.IsField() {
			used[v] = true
		}
		if fn, ok := obj.(*types.Func); ok {
			obj = fn.Origin()
		}
		if !called[id] {
			asValue[obj] = true
		}
	}
	methods := methodNames(pass)
	eachWritten(pass, func(path []ast.Node) {
		var (
			of   types.Object
			typ  *ast.FuncType
			body *ast.BlockStmt
		)
		switch n := path[len(path)-1].(type) {
		case *ast.FuncDecl:
			if n.Body == nil || n.Name.IsExported() || n.Recv != nil && methods[n.Name.Name] {
				return
			}
			of, typ, body = info.Defs[n.Name], n.Type, n.Body
			if of == nil && n.Name.Name == "_" || n.Name.Name == "init" || n.Name.Name == "main" {
				return
			}
		case *ast.FuncLit:
			of, typ, body = bound[n], n.Type, n.Body
		}
		if of == nil || asValue[of] || len(body.List) == 0 || onlyPanics(body) {
			return
		}
		if takes[of] > 1 {
			return // another function that the variable is given may use the parameter
		}
		for _, field := range typ.Params.List {
			for _, id := range field.Names {
				param := info.Defs[id]
				if id.Name == "_" || param == nil || used[param] {
					continue
				}
				from, to := field.Pos(), field.End()
				if len(field.Names) > 1 {
					from, to = id.Pos(), id.End()
				}
				pass.Report(analysis.Diagnostic{
					Pos: from, End: to, Category: "unusedparam", Message: "unused parameter: " + id.Name,
					SuggestedFixes: fixes(`Rename parameter to "_"`, analysis.TextEdit{Pos: id.Pos(), End: id.End(), NewText: []byte("_")}),
				})
			}
		}
	})
	return nil, nil
}

// onlyPanics reports whether a body does nothing else, as one does that is yet to be written.
func onlyPanics(body *ast.BlockStmt) bool {
	if len(body.List) != 1 {
		return false
	}
	stmt, ok := body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := stmt.X.(*ast.CallExpr)
	return ok && calledName(call) == "panic"
}

func runUnusedFunc(pass *analysis.Pass) (any, error) {
	switch {
	case pass.Module == nil:
		return nil, nil // a file outside of modules may not be all of a package
	case pass.Module.Path == standardModule:
		return nil, nil // the compiler and the linker know some of its declarations
	}
	uses := map[types.Object][]token.Pos{}
	for id, obj := range pass.TypesInfo.Uses {
		switch o := obj.(type) {
		case *types.Func:
			obj = o.Origin()
		case *types.Var:
			obj = o.Origin()
		}
		uses[obj] = append(uses[obj], id.Pos())
	}
	u := &unusedSearch{pass: pass, uses: uses, linked: linkedNames(pass), methods: methodNames(pass)}
	for _, file := range pass.Files {
		if ast.IsGenerated(file) {
			continue
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				u.function(d)
			case *ast.GenDecl:
				u.group(d)
			}
		}
	}
	return nil, nil
}

// linkedNames are those that linkname and export directives name, which others use.
func linkedNames(pass *analysis.Pass) map[string]bool {
	names := map[string]bool{}
	for _, file := range pass.Files {
		for _, g := range file.Comments {
			for _, c := range g.List {
				words := strings.Fields(c.Text)
				if len(words) > 1 && (words[0] == "//go:linkname" || words[0] == "//export") {
					names[words[1]] = true
				}
			}
		}
	}
	return names
}

// An unusedSearch looks for declarations that nothing uses.
type unusedSearch struct {
	pass    *analysis.Pass
	uses    map[types.Object][]token.Pos
	linked  map[string]bool
	methods map[string]bool
}

// unused reports whether nothing outside of a declaration uses what it declares by a name.
func (u *unusedSearch) unused(id *ast.Ident, within ast.Node) bool {
	obj := u.pass.TypesInfo.Defs[id]
	if obj == nil || id.Name == "_" || id.IsExported() || u.linked[id.Name] {
		return false
	}
	for _, pos := range u.uses[obj] {
		if pos < within.Pos() || within.End() <= pos {
			return false
		}
	}
	return true
}

func (u *unusedSearch) report(noun string, id *ast.Ident, edits ...analysis.TextEdit) {
	u.pass.Report(analysis.Diagnostic{
		Pos: id.Pos(), End: id.End(), Message: fmt.Sprintf("%s %q is unused", noun, id.Name),
		SuggestedFixes: fixes(fmt.Sprintf("Delete %s %q", noun, id.Name), edits...),
	})
}

func (u *unusedSearch) function(d *ast.FuncDecl) {
	noun := "function"
	switch {
	case d.Recv != nil && u.methods[d.Name.Name], d.Recv == nil && (d.Name.Name == "init" || d.Name.Name == "main"), d.Body == nil:
		return
	case d.Recv != nil:
		noun = "method"
	}
	if u.unused(d.Name, d) {
		u.report(noun, d.Name, u.without(d, d.Doc))
	}
}

func (u *unusedSearch) group(d *ast.GenDecl) {
	if u.isEnum(d) {
		u.enum(d)
		return
	}
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if u.unused(spec.Name, spec) {
				u.report("type", spec.Name, u.withoutSpec(d, spec, spec.Doc))
			}
		case *ast.ValueSpec:
			for _, id := range spec.Names {
				if !u.unused(id, spec) {
					continue
				}
				// A value that is computed may be wanted for what its computation does.
				if len(spec.Names) == 1 && !does(spec) && (d.Tok == token.VAR || len(d.Specs) == 1) {
					u.report(d.Tok.String(), id, u.withoutSpec(d, spec, spec.Doc))
				} else {
					u.report(d.Tok.String(), id)
				}
			}
		}
	}
}

// does reports whether the values of a declaration may do something when they are computed.
func does(spec *ast.ValueSpec) (does bool) {
	for _, e := range spec.Values {
		ast.Inspect(e, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.CallExpr, *ast.IndexExpr, *ast.StarExpr, *ast.TypeAssertExpr, *ast.SliceExpr:
				does = true
			case *ast.UnaryExpr:
				does = does || n.Op == token.ARROW
			}
			return true
		})
	}
	return does
}

// isEnum reports whether a declaration is one of several constants of one type.
func (u *unusedSearch) isEnum(d *ast.GenDecl) bool {
	if d.Tok != token.CONST || len(d.Specs) < 2 {
		return false
	}
	var of types.Type
	for _, spec := range d.Specs {
		spec, ok := spec.(*ast.ValueSpec)
		if !ok {
			return false
		}
		for _, id := range spec.Names {
			t := u.pass.TypesInfo.TypeOf(id)
			if t == nil || of != nil && !types.Identical(t, of) {
				return false
			}
			of = t
		}
	}
	return true
}

// enum reports constants of one type if none of them is used: one that is may stand for all.
func (u *unusedSearch) enum(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			if !u.unused(id, d) {
				return
			}
		}
	}
	u.pass.Report(analysis.Diagnostic{
		Pos: d.Pos(), End: d.End(), Message: "all values in this set of constants are unused",
		SuggestedFixes: fixes("Delete the constants declaration", u.without(d, d.Doc)),
	})
}

// without deletes a declaration with its comment and the line break behind it.
func (u *unusedSearch) without(d ast.Node, doc *ast.CommentGroup) analysis.TextEdit {
	from, to := d.Pos(), d.End()
	if doc != nil {
		from = doc.Pos()
	}
	file := u.pass.Fset.File(from)
	if line := file.Line(to); line < file.LineCount() {
		if next := file.LineStart(line + 1); u.blank(file, to, next) {
			to = next
		}
	}
	return analysis.TextEdit{Pos: from, End: to}
}

// blank reports whether there is nothing but white space from one position to another.
func (u *unusedSearch) blank(file *token.File, from, to token.Pos) bool {
	text, err := u.pass.ReadFile(file.Name())
	a, b := file.Offset(from), file.Offset(to)
	return err == nil && b <= len(text) && strings.TrimSpace(string(text[a:b])) == ""
}

// withoutSpec deletes one part of a declaration, or all of it if that is all.
func (u *unusedSearch) withoutSpec(d *ast.GenDecl, spec ast.Node, doc *ast.CommentGroup) analysis.TextEdit {
	if len(d.Specs) == 1 {
		return u.without(d, d.Doc)
	}
	return u.without(spec, doc)
}

func runRecursiveIter(pass *analysis.Pass) (any, error) {
	eachWritten(pass, func(path []ast.Node) {
		loop, ok := path[len(path)-1].(*ast.RangeStmt)
		if !ok {
			return
		}
		call, ok := loop.X.(*ast.CallExpr)
		if !ok {
			return
		}
		fn := calleeOf(pass.TypesInfo, call)
		if fn == nil || !iterates(fn) {
			return
		}
		// The loop must stand in a function that the declaration of fn returns.
		inside, returned := false, false
		for i, n := range path {
			switch n := n.(type) {
			case *ast.FuncDecl:
				inside = pass.TypesInfo.Defs[n.Name] == fn
			case *ast.FuncLit:
				_, isReturn := path[i-1].(*ast.ReturnStmt)
				returned = returned || isReturn
			}
		}
		if inside && returned {
			pass.Report(analysis.Diagnostic{
				Pos: loop.Range, End: loop.X.End(), Message: "inefficient recursion in iterator " + fn.Name(),
			})
		}
	})
	return nil, nil
}

// iterates reports whether a function returns nothing but an iter.Seq or iter.Seq2.
func iterates(fn *types.Func) bool {
	results := fn.Signature().Results()
	if results.Len() != 1 {
		return false
	}
	named, ok := types.Unalias(results.At(0).Type()).(*types.Named)
	if !ok {
		return false
	}
	obj := named.Obj()
	return obj.Pkg() != nil && obj.Pkg().Path() == "iter" && (obj.Name() == "Seq" || obj.Name() == "Seq2")
}
