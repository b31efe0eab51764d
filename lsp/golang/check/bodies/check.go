package bodies

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A Config is what a check of a package depends on beside its files.
type Config struct {
	Path      string
	Name      string
	GoVersion string
	Sizes     types.Sizes
	Importer  types.Importer // another one means that what is imported has changed
	Cgo       bool
	FacesOnly bool // bodies are not looked at, and there are no unused imports
}

// errorsMost is how many errors a check may have for its units to be kept.
const errorsMost = 200

// An importedPackages is an importer that is asked once for each path. It remembers which it could
// not give: to go/types those count as used.
type importedPackages struct {
	types.Importer
	known  map[string]*types.Package
	failed map[string]error
}

func (i *importedPackages) Import(path string) (*types.Package, error) {
	if pkg := i.known[path]; pkg != nil {
		return pkg, nil
	}
	if err := i.failed[path]; err != nil {
		return nil, err
	}
	pkg, err := i.Importer.Import(path)
	switch {
	case err != nil:
		i.failed[path] = err
	case pkg == nil:
		err = fmt.Errorf("package %s has not been found", path)
		i.failed[path] = err
	default:
		i.known[path] = pkg
	}
	return pkg, err
}

// A checker runs go/types with one configuration.
type checker struct {
	config   Config
	imported *importedPackages
}

func newChecker(c Config) *checker {
	imported := &importedPackages{c.Importer, map[string]*types.Package{}, map[string]error{}}
	return &checker{config: c, imported: imported}
}

// run checks files as part of pkg and hands errors, in order, to report.
func (c *checker) run(
	pkg *types.Package, fset *token.FileSet, files []*ast.File, info *types.Info,
	report func(types.Error),
) {
	conf := types.Config{
		GoVersion:                c.config.GoVersion,
		IgnoreFuncBodies:         c.config.FacesOnly,
		FakeImportC:              true,
		DisableUnusedImportCheck: true, // UnusedImport says it
		Error: func(err error) {
			if e, ok := err.(types.Error); ok {
				report(e)
			}
		},
		Importer: c.imported,
		Sizes:    c.config.Sizes,
	}
	// Errors go to report.
	_ = types.NewChecker(&conf, fset, pkg, info).Files(files)
}

// A whole is a check of a package with its bodies.
type whole struct {
	pkg    *types.Package
	facts  Facts
	errors []types.Error

	positions *token.FileSet
}

func (c *checker) whole(files []File) whole {
	fset := token.NewFileSet()
	var syntax []*ast.File
	for _, f := range files {
		fset.AddExistingFiles(f.Tokens)
		syntax = append(syntax, f.Syntax)
	}
	w := whole{pkg: types.NewPackage(c.config.Path, c.config.Name), positions: fset}
	info := newInfo()
	c.run(w.pkg, fset, syntax, info, func(e types.Error) { w.errors = append(w.errors, e) })
	w.facts = sortFacts(info)
	return w
}

// faces is a package that was checked with its bodies left out.
type faces struct {
	checker *checker
	pkg     *types.Package
	sources []*source
	facts   Facts
	errors  [][]types.Error // by file
	failed  bool            // it has errors
	checks  int             // bodies that were checked against it

	variables map[reference]declared
	positions *token.FileSet
}

// checksMost is how many bodies are checked against the same faces. Each leaves its scopes behind
// as children of the package's, some kilobytes, and nothing takes them out again.
const checksMost = 2000

func (c *checker) faces(sources []*source) *faces {
	f := &faces{
		checker: c, pkg: types.NewPackage(c.config.Path, c.config.Name),
		sources:   slices.Clone(sources),
		variables: map[reference]declared{},
	}
	fset := token.NewFileSet()
	var syntax []*ast.File
	for _, s := range sources {
		fset.AddExistingFiles(s.Tokens)
		syntax = append(syntax, Without(s.Syntax, nil))
	}
	f.positions = fset
	info := newInfo()
	var errs []types.Error
	c.run(f.pkg, fset, syntax, info, func(e types.Error) { errs = append(errs, e) })
	f.facts = sortFacts(info)
	f.failed = len(errs) > 0
	f.errors = byFile(sources, errs)
	for _, s := range sources {
		declareVariables(f.variables, f.pkg, s.Syntax, &f.facts)
	}
	return f
}

// byFile divides errors among files. One that is nowhere goes to the first.
func byFile(sources []*source, errs []types.Error) [][]types.Error {
	out := make([][]types.Error, len(sources))
	for _, group := range grouped(errs) {
		holds := func(s *source) bool { return s.holds(group[0].Pos) }
		if i := max(0, slices.IndexFunc(sources, holds)); i < len(out) {
			out[i] = append(out[i], group...)
		}
	}
	return out
}

// mapTo maps positions in the files that f was checked from to those of sources.
func (f *faces) mapTo(sources []*source) func(token.Pos) token.Pos {
	var moved [][2]*source
	for i, s := range f.sources {
		if s != sources[i] {
			moved = append(moved, [2]*source{s, sources[i]})
		}
	}
	return func(pos token.Pos) token.Pos {
		for _, m := range moved {
			if m[0].holds(pos) {
				return move(m[0], m[1], pos)
			}
		}
		return pos
	}
}

// Without is a file whose functions never return, but for those whose bodies are kept; nil keeps
// none. All nodes but those functions and the file itself are those of the file.
func Without(file *ast.File, keep func(*ast.FuncDecl) bool) *ast.File {
	out := *file
	out.Decls = slices.Clone(file.Decls)
	for i, d := range out.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil || keep != nil && keep(fn) {
			continue
		}
		bare := *fn
		from, to := fn.Body.Lbrace, fn.Body.Rbrace
		loop := &ast.ForStmt{For: from, Body: &ast.BlockStmt{Lbrace: from, Rbrace: to}}
		bare.Body = &ast.BlockStmt{Lbrace: from, List: []ast.Stmt{loop}, Rbrace: to}
		out.Decls[i] = &bare
	}
	return &out
}

// Only is one more file of the package of another: it imports the same, and has some functions of
// the other, which are renamed to "_" (B2). All nodes but those functions and the file itself are
// those of the other file.
func Only(other *ast.File, functions []*ast.FuncDecl) *ast.File {
	file := &ast.File{
		Package:   other.Package,
		Name:      other.Name,
		FileStart: other.FileStart,
		FileEnd:   other.FileEnd,
		Imports:   other.Imports,
		GoVersion: other.GoVersion,
	}
	for _, d := range other.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			file.Decls = append(file.Decls, g)
		}
	}
	for _, fn := range functions {
		alone := *fn
		alone.Name = &ast.Ident{NamePos: fn.Name.NamePos, Name: "_"}
		alone.Doc = nil
		file.Decls = append(file.Decls, &alone)
	}
	return file
}

// body checks the body of a function of a file that has the same face as the one that f has.
func (f *faces) body(s *source, fn *ast.FuncDecl) (facts Facts, errs []types.Error) {
	f.checks++
	fset := token.NewFileSet()
	fset.AddExistingFiles(s.Tokens)
	for _, other := range f.sources {
		if other.Tokens != s.Tokens {
			fset.AddExistingFiles(other.Tokens) // messages name places
		}
	}
	info := newInfo()
	info.Types = map[ast.Expr]types.TypeAndValue{}
	report := func(e types.Error) { errs = append(errs, e) }
	f.checker.run(f.pkg, fset, []*ast.File{Only(s.Syntax, []*ast.FuncDecl{fn})}, info, report)
	all := sortFacts(info)
	facts = all.between(fn.Body.Lbrace, fn.Body.Rbrace)
	return facts, f.inside(errs, fn)
}

// inside is what of the errors of one more file is about the body in it.
func (f *faces) inside(errs []types.Error, fn *ast.FuncDecl) (list []types.Error) {
	ours := false
	for _, e := range errs {
		if !continues(e) {
			ours = fn.Body.Lbrace <= e.Pos && e.Pos <= fn.Body.Rbrace && !(f.failed && followsUp(e))
		}
		if ours {
			list = append(list, e)
		}
	}
	return list
}

// continues reports whether an error is a further line of the one before.
func continues(e types.Error) bool { return strings.HasPrefix(e.Msg, "\t") }

// followsUp reports whether go/types tells an error only if it is the first.
func followsUp(e types.Error) bool {
	return strings.Index(e.Msg, "invalid operand") > 0 || strings.Index(e.Msg, "invalid type") > 0
}
