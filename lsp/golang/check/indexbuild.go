package check

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// buildIndex lists the declarations of a checked package and everything its files name. Trees are
// the files that were checked.
func buildIndex(fset *token.FileSet, pkg *types.Package, info *types.Info, trees []*syntax.Tree, w *world) []byte {
	b := indexBuilder{
		fset:      fset,
		pkg:       pkg,
		info:      info,
		world:     w,
		trees:     slices.Clone(trees),
		files:     make([]index.File, len(trees)),
		declOf:    map[token.Pos]int{},
		externals: map[index.External]int{},
		docs:      map[token.Pos]lsp.Span{},
		written:   map[token.Pos]string{},
		fileOf:    map[*syntax.Tree]int{},
	}
	b.own, _ = objectPaths(pkg) // what was written of the package's own fields is in written
	for i, t := range trees {
		b.files[i].URI = t.URI
		b.fileOf[t] = i
		b.collectDocs(t)
		collectWritten(t, b.written)
	}
	slices.SortFunc(b.trees, func(x, y *syntax.Tree) int { return cmp.Compare(x.Pos.Base(), y.Pos.Base()) })
	b.declarePackage(trees)
	b.declareSwitches()
	b.declare()
	b.use()
	for _, t := range trees {
		b.importPaths(t)
	}
	names := make([]index.External, len(b.externals))
	for name, i := range b.externals {
		names[i] = name
	}
	return index.Write(b.files, b.decls, names)
}

type indexBuilder struct {
	fset      *token.FileSet
	pkg       *types.Package
	info      *types.Info
	world     *world
	trees     []*syntax.Tree // sorted by base, for find
	files     []index.File
	fileOf    map[*syntax.Tree]int
	decls     []index.Declaration
	objects   []types.Object    // what each of decls was made from; nil for the package
	declOf    map[token.Pos]int // by the position of the declared name
	externals map[index.External]int
	own       map[types.Object]string // paths of the package's own objects
	docs      map[token.Pos]lsp.Span  // doc comments by the position of the declared name
	written   map[token.Pos]string    // see collectWritten
}

// find returns the tree that holds a position, or nil.
func (b *indexBuilder) find(pos token.Pos) *syntax.Tree {
	i, ok := slices.BinarySearchFunc(b.trees, int(pos), func(t *syntax.Tree, pos int) int { return cmp.Compare(t.Pos.Base(), pos) })
	if !ok {
		i--
	}
	if i < 0 || int(pos) > b.trees[i].Pos.Base()+b.trees[i].Pos.Size() {
		return nil
	}
	return b.trees[i]
}

// qualify is the types.Qualifier of stored signatures.
func (b *indexBuilder) qualify(p *types.Package) string {
	if p == b.pkg {
		return index.OwnPackage
	}
	return p.Name()
}

// declare makes declarations of all objects that the package's files define.
func (b *indexBuilder) declare() {
	// A type switch declares one variable per clause, all at the place of its one name.
	for _, id := range sortedIdents(b.info.Defs) {
		if obj := b.info.Defs[id]; obj != nil {
			b.declareObject(obj, id.Pos(), id.End())
		}
	}
	implicit := slices.SortedFunc(maps.Keys(b.info.Implicits), func(x, y ast.Node) int { return cmp.Compare(x.Pos(), y.Pos()) })
	for _, node := range implicit {
		switch obj := b.info.Implicits[node].(type) {
		case *types.PkgName:
			if spec, ok := node.(*ast.ImportSpec); ok && spec.Path != nil {
				b.declareObject(obj, spec.Path.Pos(), spec.Path.End())
			}
		case *types.Var:
			if _, ok := node.(*ast.CaseClause); ok {
				b.declareObject(obj, obj.Pos(), obj.Pos()+token.Pos(len(obj.Name())))
			}
		}
	}
}

func sortedIdents(m map[*ast.Ident]types.Object) []*ast.Ident {
	return slices.SortedFunc(maps.Keys(m), func(x, y *ast.Ident) int { return cmp.Compare(x.NamePos, y.NamePos) })
}

// declareObject makes a declaration of an object whose name stands at a place, and its first
// occurrence, unless there is one.
func (b *indexBuilder) declareObject(obj types.Object, start, end token.Pos) {
	t := b.find(start)
	if t == nil || obj.Name() == "_" {
		return
	}
	if _, ok := b.declOf[start]; ok {
		return
	}
	d := index.Declaration{
		File:      b.fileOf[t],
		Name:      obj.Name(),
		Span:      t.Span(start, end),
		Kind:      kindOf(obj),
		Signature: b.signature(obj),
		Path:      b.own[obj],
		Doc:       b.docs[start],
	}
	if b.isLocal(obj) {
		d.Flags |= index.Local
	}
	b.declOf[start] = len(b.decls)
	b.decls = append(b.decls, d)
	b.objects = append(b.objects, obj)
	b.occur(start, end, index.Occurrence{Target: b.declOf[start], Declares: true})
}

// signature describes an object of the package, with what was written of it that its type does not
// show.
func (b *indexBuilder) signature(obj types.Object) string {
	return signature(obj, b.qualify, b.written[obj.Pos()])
}

// isLocal reports whether an object is none of those that a reader would look for by name: not
// declared at package level, no method, no field of a declared type.
func (b *indexBuilder) isLocal(obj types.Object) bool {
	if b.own[obj] != "" || obj.Parent() == b.pkg.Scope() {
		return false
	}
	fn, ok := obj.(*types.Func)
	return !ok || fn.Signature().Recv() == nil
}

// occur notes an occurrence.
func (b *indexBuilder) occur(start, end token.Pos, o index.Occurrence) {
	t := b.find(start)
	if t == nil {
		return
	}
	o.Span = t.Span(start, end)
	f := &b.files[b.fileOf[t]]
	f.Occurrences = append(f.Occurrences, o)
}

// use notes everything that names something declared elsewhere.
func (b *indexBuilder) use() {
	for id, obj := range b.info.Uses {
		if obj == nil || id.Name == "_" {
			continue
		}
		origin := originOf(obj)
		var o index.Occurrence
		if i, ok := b.declOf[origin.Pos()]; ok && origin.Pkg() == b.pkg {
			o.Target = i
			if obj != b.objects[i] {
				if s := b.signature(obj); s != b.decls[i].Signature {
					o.Signature = s
				}
			}
		} else {
			name := b.nameOf(origin)
			o.IsExternal, o.Target = true, b.external(name)
			switch {
			case name.Path == "":
				o.Signature = signature(obj, b.qualify, "")
			case obj != origin:
				o.Signature = signature(obj, b.qualify, b.tagOf(origin))
			}
		}
		b.occur(id.Pos(), id.End(), o)
	}
}

// tagOf is the tag of a field of another package, "" of anything else.
func (b *indexBuilder) tagOf(obj types.Object) string {
	if v, ok := obj.(*types.Var); ok && v.IsField() && v.Pkg() != b.pkg {
		return b.world.writtenTag(v)
	}
	return ""
}

// originOf is the generic method or field that an instantiated one comes from.
func originOf(obj types.Object) types.Object {
	switch obj := obj.(type) {
	case *types.Func:
		return obj.Origin()
	case *types.Var:
		return obj.Origin()
	}
	return obj
}

// nameOf is what another package's object is called there. Universe objects belong to package
// builtin. An object without a name, such as a field of an unnamed type that nothing exported leads
// to, gets an impossible one: it can be described, not found.
func (b *indexBuilder) nameOf(obj types.Object) index.External {
	pkg := obj.Pkg()
	switch {
	case pkg == nil:
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
			return index.External{Package: metadata.Builtin, Path: "error." + obj.Name()} // the only method of the universe
		}
		return index.External{Package: metadata.Builtin, Path: obj.Name()}
	case pkg == types.Unsafe:
		return index.External{Package: "unsafe", Path: obj.Name()}
	case pkg == b.pkg:
		// Declared by no identifier of the files: broken code. There is nothing to find.
		return index.External{Package: pkg.Path(), Path: "?" + obj.Name()}
	}
	if path := b.world.objectPath(obj); path != "" {
		return index.External{Package: pkg.Path(), Path: path}
	}
	return index.External{Package: pkg.Path(), Path: "?" + obj.Name()}
}

func (b *indexBuilder) external(name index.External) int {
	i, ok := b.externals[name]
	if !ok {
		i = len(b.externals)
		b.externals[name] = i
	}
	return i
}

// declarePackage makes the package clause of one file the declaration of the package, and those of
// the others mentions of it.
func (b *indexBuilder) declarePackage(trees []*syntax.Tree) {
	home := packageHome(trees)
	if home == nil {
		return
	}
	d := index.Declaration{
		File:      b.fileOf[home],
		Name:      b.pkg.Name(),
		Span:      home.Span(home.AST.Name.Pos(), home.AST.Name.End()),
		Kind:      lsp.KindPackage,
		Signature: "package " + b.pkg.Name(),
		Path:      index.PackagePath,
	}
	if doc := home.AST.Doc; doc != nil {
		d.Doc = home.Span(doc.Pos(), doc.End())
	}
	b.decls = append(b.decls, d)
	b.objects = append(b.objects, nil)
	for _, t := range trees {
		if id := t.AST.Name; id.Name != "_" {
			b.occur(id.Pos(), id.End(), index.Occurrence{Declares: t == home})
		}
	}
}

// packageHome is the file in which the package is documented, without one the first.
func packageHome(trees []*syntax.Tree) (home *syntax.Tree) {
	for _, t := range trees {
		switch {
		case t.AST.Name.Name == "_":
		case home == nil,
			syntax.IsTestFile(home.URI) && !syntax.IsTestFile(t.URI),
			home.AST.Doc == nil && t.AST.Doc != nil && !syntax.IsTestFile(t.URI):
			home = t
		}
	}
	return home
}

// importPaths notes that the literals of a file's imports name packages.
func (b *indexBuilder) importPaths(t *syntax.Tree) {
	for _, spec := range t.AST.Imports {
		if name := b.info.PkgNameOf(spec); name != nil && spec.Path != nil && name.Imported().Path() != "C" {
			imported := b.external(index.External{Package: name.Imported().Path(), Path: index.PackagePath})
			b.occur(spec.Path.Pos(), spec.Path.End(), index.Occurrence{IsExternal: true, Target: imported})
		}
	}
}

// collectDocs finds the doc comments of everything declared in a file outside functions.
func (b *indexBuilder) collectDocs(t *syntax.Tree) {
	note := func(names []*ast.Ident, groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if g == nil {
				continue
			}
			for _, id := range names {
				b.docs[id.Pos()] = t.Span(g.Pos(), g.End())
			}
			return
		}
	}
	fields := func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			note(fieldNames(f), f.Doc, f.Comment)
		}
		return true
	}
	for _, decl := range t.AST.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			note([]*ast.Ident{decl.Name}, decl.Doc)
		case *ast.GenDecl:
			groupDoc := decl.Doc
			if decl.Lparen.IsValid() && len(decl.Specs) > 1 {
				groupDoc = nil // it is about the group
			}
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					note(spec.Names, spec.Doc, groupDoc, spec.Comment)
				case *ast.TypeSpec:
					note([]*ast.Ident{spec.Name}, spec.Doc, groupDoc, spec.Comment)
					ast.Inspect(spec.Type, fields)
				}
			}
		}
	}
}

// kindOf says what an object is.
func kindOf(obj types.Object) lsp.SymbolKind {
	switch obj := obj.(type) {
	case *types.PkgName:
		return lsp.KindPackage
	case *types.Const:
		return lsp.KindConstant
	case *types.Var:
		if obj.IsField() {
			return lsp.KindField
		}
		return lsp.KindVariable
	case *types.Func:
		if obj.Signature().Recv() != nil {
			return lsp.KindMethod
		}
		return lsp.KindFunction
	case *types.TypeName:
		t := obj.Type()
		if _, ok := types.Unalias(t).(*types.TypeParam); ok {
			return lsp.KindTypeParameter
		}
		switch t.Underlying().(type) {
		case *types.Struct:
			return lsp.KindStruct
		case *types.Interface:
			return lsp.KindInterface
		}
		return lsp.KindClass
	case *types.Label:
		return lsp.KindKey
	case *types.Builtin:
		return lsp.KindFunction
	case *types.Nil:
		return lsp.KindNull
	}
	return lsp.KindVariable
}
