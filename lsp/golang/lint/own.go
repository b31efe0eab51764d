package lint

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"

	"github.com/cytisus/cytisus/lsp"
)

// own are analyzers that gopls keeps to itself, with their names and much the same words.
var own = []known{
	{Analyzer: unusedParams, severity: lsp.SeverityInfo, on: true, withTests: true},
	{Analyzer: unusedFunc, severity: lsp.SeverityInfo, on: true, withTests: true},
	{Analyzer: inferTypeArgs, severity: lsp.SeverityInfo, on: true},
	{Analyzer: simplifyCompositeLit, severity: lsp.SeverityInfo, on: true},
	{Analyzer: simplifyRange, severity: lsp.SeverityInfo, on: true},
	{Analyzer: simplifySlice, severity: lsp.SeverityInfo, on: true},
	{Analyzer: mapRange, severity: lsp.SeverityHint, on: true},
	{Analyzer: writeString, severity: lsp.SeverityWarning, on: true},
	{Analyzer: recursiveIter, severity: lsp.SeverityWarning, on: true},
}

// eachWritten calls f with the nodes of files that nobody has generated, parents first; the node is
// the last of the path, which f does not keep.
func eachWritten(pass *analysis.Pass, f func(path []ast.Node)) {
	for _, file := range pass.Files {
		if ast.IsGenerated(file) {
			continue
		}
		var path []ast.Node
		ast.Inspect(file, func(n ast.Node) bool {
			if n == nil {
				path = path[:len(path)-1]
				return true
			}
			path = append(path, n)
			f(path)
			return true
		})
	}
}

// isBlank reports whether an expression is the blank identifier.
func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// calleeOf is the function or method of a package that a call names; nil if that is not known.
func calleeOf(info *types.Info, call *ast.CallExpr) *types.Func {
	id := calledIdent(call.Fun)
	if id == nil {
		return nil
	}
	fn, _ := info.Uses[id].(*types.Func)
	if fn != nil {
		fn = fn.Origin()
	}
	return fn
}

// calledIdent is the identifier that names what is called; nil if none does.
func calledIdent(fun ast.Expr) *ast.Ident {
	switch x := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return x.Sel
	case *ast.IndexExpr:
		return calledIdent(x.X)
	case *ast.IndexListExpr:
		return calledIdent(x.X)
	}
	return nil
}

// methodNames are the names of the methods that interface types of the package's files declare.
func methodNames(pass *analysis.Pass) map[string]bool {
	names := map[string]bool{}
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			if t, ok := n.(*ast.InterfaceType); ok {
				for _, m := range t.Methods.List {
					for _, id := range m.Names {
						names[id.Name] = true
					}
				}
			}
			return true
		})
	}
	return names
}

// fixes is one fix of some edits, or none if there are no edits.
func fixes(title string, edits ...analysis.TextEdit) []analysis.SuggestedFix {
	if len(edits) == 0 {
		return nil
	}
	return []analysis.SuggestedFix{{Message: title, TextEdits: slices.Clone(edits)}}
}
