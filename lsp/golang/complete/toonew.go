package complete

import (
	"go/ast"
	"go/build"
	"go/token"
	"go/types"
	goversion "go/version"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/analysis/passes/stdversion"
	"golang.org/x/tools/go/ast/inspector"
)

// withoutTooNew drops what the standard library has only in releases that are newer than the file's
// version of the language: it would be an error in the file. The analyzer stdversion knows what is
// too new; it looks at a file that names all items.
func (c *completer) withoutTooNew(items []Item) []Item {
	version := c.v.Info.FileVersions[c.v.File.AST]
	if version == "" || goversion.Compare(version, build.Default.ReleaseTags[len(build.Default.ReleaseTags)-1]) >= 0 {
		return items
	}
	named := &ast.ValueSpec{Names: []*ast.Ident{ast.NewIdent("_")}}
	uses, packages := map[*ast.Ident]types.Object{}, map[string]*types.Package{}
	for i := range items {
		if obj := objectOf(&items[i], packages); obj != nil {
			id := &ast.Ident{NamePos: token.Pos(i + 1), Name: obj.Name()}
			named.Values, uses[id] = append(named.Values, id), obj
		}
	}
	file := &ast.File{
		Name: ast.NewIdent("p"), Decls: []ast.Decl{&ast.GenDecl{Tok: token.VAR, Specs: []ast.Spec{named}}},
	}
	tooNew := map[int]bool{}
	pass := &analysis.Pass{
		Analyzer: stdversion.Analyzer, Pkg: c.v.Package, Files: []*ast.File{file},
		TypesInfo: &types.Info{Uses: uses, FileVersions: map[*ast.File]string{file: version}},
		ResultOf:  map[*analysis.Analyzer]any{inspect.Analyzer: inspector.New([]*ast.File{file})},
		Report:    func(d analysis.Diagnostic) { tooNew[int(d.Pos)-1] = true },
	}
	if _, err := stdversion.Analyzer.Run(pass); err != nil || len(tooNew) == 0 {
		return items
	}
	i := -1
	return slices.DeleteFunc(items, func(Item) bool {
		i++
		return tooNew[i]
	})
}

// objectOf is what an item stands for. Of a package that is not imported it is a variable of its
// name, in a package that packages gets: only names matter.
func objectOf(item *Item, packages map[string]*types.Package) types.Object {
	if item.Object != nil && item.Object.Pkg() != nil || item.Path == "" || item.Name == "" {
		return item.Object
	}
	pkg := packages[item.Path]
	if pkg == nil {
		pkg = types.NewPackage(item.Path, "p")
		packages[item.Path] = pkg
	}
	v := types.NewVar(token.NoPos, pkg, item.Name, types.Typ[types.Int])
	pkg.Scope().Insert(v)
	return pkg.Scope().Lookup(item.Name)
}
