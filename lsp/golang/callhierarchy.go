package golang

import (
	"errors"
	"go/ast"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// Callables implements lsp.CallHierarchy.
func (w *workspace) Callables(t *runtime.Task, uri string, offset int) (list []lsp.HierarchyItem, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		return eachPlace(src, uri, offset, namesIn(src, uri), func(at place) (bool, error) {
			f, ok, err := resolve(src, at, at.occs[0])
			if err != nil || !ok || !isCallable(&f) {
				return false, err
			}
			list = []lsp.HierarchyItem{hierarchyItem(&f)}
			return true, nil
		})
	})
	return list, err
}

// isCallable reports whether a declaration is a function, or has a function as its value.
func isCallable(f *found) bool {
	switch f.Kind {
	case lsp.KindFunction, lsp.KindMethod:
		return true
	case lsp.KindVariable, lsp.KindField:
		return strings.Contains(f.Signature, " func(")
	}
	return false
}

// IncomingCalls implements lsp.CallHierarchy. Calls through interfaces may be calls of a method, as
// they are references of it.
func (w *workspace) IncomingCalls(t *runtime.Task, uri string, offset int) (list []lsp.Call, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		at, err := w.referencesOfAll(t, root, uri, offset, false)
		if err != nil {
			return err
		}
		list, err = callers(src, at)
		return err
	})
	return list, err
}

// callers are the declarations around places, which are sorted.
func callers(src taskSource, places []lsp.Location) (list []lsp.Call, err error) {
	var tree *syntax.Tree
	detail := ""
	number := map[lsp.Location]int{}
	for _, at := range places {
		if tree == nil || tree.URI != at.URI {
			text, err := src.text(at.URI)
			if errors.Is(err, lsp.ErrUnknownFile) {
				continue
			}
			if err != nil {
				return nil, err
			}
			tree = syntax.Trees.Get(at.URI, text)
			owners, err := ownersOf(src, at.URI)
			if err != nil {
				return nil, err
			}
			if detail = ""; len(owners) > 0 {
				detail = owners[0].Path
			}
		}
		item := around(tree, at.Span.Start)
		item.Detail = detail
		i, ok := number[item.At]
		if !ok {
			i = len(list)
			number[item.At] = i
			list = append(list, lsp.Call{Item: item})
		}
		list[i].Spans = append(list[i].Spans, at.Span)
	}
	slices.SortStableFunc(list, func(a, b lsp.Call) int { return a.Item.At.Compare(b.Item.At) })
	return list, nil
}

// around is the function, or else the variable or constant, whose declaration lies around an offset
// of a file; the package where none does.
func around(t *syntax.Tree, offset int) lsp.HierarchyItem {
	item := func(name *ast.Ident, kind lsp.SymbolKind) lsp.HierarchyItem {
		return lsp.HierarchyItem{Name: name.Name, Kind: kind, At: lsp.Location{URI: t.URI, Span: t.Span(name.Pos(), name.End())}}
	}
	within := func(n ast.Node) bool { return t.Offset(n.Pos()) <= offset && offset <= t.Offset(n.End()) }
	for _, d := range t.AST.Decls {
		if !within(d) {
			continue
		}
		switch d := d.(type) {
		case *ast.FuncDecl:
			kind := lsp.KindFunction
			if d.Recv != nil {
				kind = lsp.KindMethod
			}
			return item(d.Name, kind)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && within(v) && len(v.Names) > 0 {
					name := v.Names[0]
					if i := slices.IndexFunc(v.Values, func(e ast.Expr) bool { return within(e) }); i >= 0 && len(v.Values) == len(v.Names) {
						name = v.Names[i]
					}
					return item(name, lsp.KindVariable)
				}
			}
		}
	}
	return item(t.AST.Name, lsp.KindPackage)
}

// OutgoingCalls implements lsp.CallHierarchy.
func (w *workspace) OutgoingCalls(t *runtime.Task, uri string, offset int) (list []lsp.Call, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		text, err := src.text(uri)
		if err != nil {
			return err
		}
		if offset < 0 || offset > len(text) {
			return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrOutOfRange}
		}
		spans := callsIn(syntax.Trees.Get(uri, text), offset)
		if len(spans) == 0 {
			return nil
		}
		list, err = callees(src, uri, spans)
		return err
	})
	return list, err
}

// callsIn are the names of what is called in the declaration whose name stands at an offset.
func callsIn(t *syntax.Tree, offset int) (list []lsp.Span) {
	is := func(id *ast.Ident) bool { return t.Span(id.Pos(), id.End()).Contains(offset) }
	var in []ast.Node
	for _, d := range t.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if is(d.Name) {
				in = append(in, d)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				i := slices.IndexFunc(v.Names, is)
				switch {
				case i >= 0 && len(v.Values) == len(v.Names):
					in = append(in, v.Values[i])
				case i >= 0:
					in = append(in, v)
				}
			}
		}
	}
	for _, n := range in {
		ast.Inspect(n, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if id := calledName(call.Fun); id != nil {
					list = append(list, t.Span(id.Pos(), id.End()))
				}
			}
			return true
		})
	}
	slices.SortFunc(list, func(a, b lsp.Span) int { return a.Start - b.Start })
	return list
}

// calledName is the name of what is called; nil for a function without one.
func calledName(fun ast.Expr) *ast.Ident {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return fun
	case *ast.SelectorExpr:
		return fun.Sel
	case *ast.IndexExpr:
		return calledName(fun.X)
	case *ast.IndexListExpr:
		return calledName(fun.X)
	}
	return nil
}

// callees are the functions and methods that are named at spans of a file, which are sorted.
func callees(src taskSource, uri string, spans []lsp.Span) (list []lsp.Call, err error) {
	owners, err := ownersOf(src, uri)
	if err != nil || len(owners) == 0 {
		return nil, err
	}
	p := owners[0]
	x, err := src.names(p, uri)
	if err != nil {
		return nil, err
	}
	file := x.File(uri)
	number := map[lsp.Location]int{}
	for _, span := range spans {
		occs := x.OccurrencesAt(file, span.Start)
		if len(occs) == 0 || occs[0].Span != span {
			continue
		}
		f, ok, err := resolve(src, place{p, x, occs}, occs[0])
		if err != nil {
			return nil, err
		}
		if !ok || f.Kind != lsp.KindFunction && f.Kind != lsp.KindMethod || f.pkg.Path == metadata.Builtin {
			continue
		}
		i, known := number[f.location()]
		if !known {
			i = len(list)
			number[f.location()] = i
			list = append(list, lsp.Call{Item: hierarchyItem(&f)})
		}
		list[i].Spans = append(list[i].Spans, span)
	}
	slices.SortStableFunc(list, func(a, b lsp.Call) int { return a.Item.At.Compare(b.Item.At) })
	return list, nil
}
