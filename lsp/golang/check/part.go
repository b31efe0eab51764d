package check

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A part is what a check came to about one unit of a package: the body of a function, or what a
// file has outside of those. Offsets count from the function, or from the start of the file, so
// that the part of a body stays right while the text above it changes. What another unit declares
// is known by its token (bodies.Spot).
type part struct {
	declared    []partDeclaration
	occurrences []partOccurrence // sorted by place
	signatures  []string         // of occurrences that have one
	diagnostics []FileDiagnostic // with offsets in files
	failed      bool             // it has errors, told or not
	untold      bool             // it has more errors than are told of a package
	vain        []index.External // names of other packages that it looked for in vain
	foreign     []int32          // targets of occurrences that are numbers of partMaker.externals, each once

	places map[bodies.Spot]int // of a face: declared by its token; nil: nothing has asked
}

// declaredBy is the number of what a token of a face declares: the last, if there are several.
func (p *part) declaredBy(at bodies.Spot) (i int, ok bool) {
	if p.places == nil {
		p.places = make(map[bodies.Spot]int, len(p.declared))
		for i := range p.declared {
			p.places[p.declared[i].at] = i
		}
	}
	i, ok = p.places[at]
	return i, ok
}

type partDeclaration struct {
	index.Declaration             // without File; offsets as in the part
	at                bodies.Spot // of a face
}

// There are as many of these as names in a package, so they are small.
type partOccurrence struct {
	start, end int32 // offsets as in the part
	target     int32 // a declaration of the part, an external, or the file of a token
	token      int32 // of a target in a face
	signature  int32 // one more than its number in the part; 0: there is none
	of         targetKind
	declares   bool
}

type targetKind uint8

const (
	ofPart     targetKind = iota // target is a declaration of the part
	ofFace                       // target and token say where it is declared
	ofExternal                   // target is a number of partMaker.externals
)

// A partMaker makes parts of the units of one package. The externals that it has numbered stay.
type partMaker struct {
	meta    *metadata.Package
	world   *world
	trees   []*syntax.Tree // that were checked, in order
	left    []*syntax.Tree // too large to be
	doubtOf func(path string) syntax.Doubt

	externals []index.External
	numbers   map[index.External]int

	// What is made once for each package that go/types made of the files.
	pkg     *types.Package
	filesOf func(pos token.Pos) (file int, ok bool) // of its objects
	own     map[types.Object]string                 // paths of the package's own objects
	table   *methodTable                            // nil: nothing has asked
	follow  *consequences
	written map[*ast.File]map[token.Pos]string // see collectWritten
}

func newPartMaker() *partMaker {
	return &partMaker{numbers: map[index.External]int{}}
}

// begin makes it ready for a check.
func (m *partMaker) begin(
	p *metadata.Package, w *world, trees, left []*syntax.Tree, doubtOf func(path string) syntax.Doubt,
) {
	m.meta, m.world, m.trees, m.left, m.doubtOf = p, w, trees, left, doubtOf
	m.follow = nil
	if len(m.written) > 2*len(trees)+10 {
		m.written = nil // most is of files that are there no longer
	}
	if m.written == nil {
		m.written = map[*ast.File]map[token.Pos]string{}
	}
}

// copy is one that can put parts together, while m makes others.
func (m *partMaker) copy() *partMaker {
	return &partMaker{
		meta: m.meta, trees: m.trees,
		externals: slices.Clip(m.externals), numbers: maps.Clone(m.numbers),
	}
}

// release lets go of what only the making of parts needs.
func (m *partMaker) release() {
	trees := m.trees
	*m = partMaker{meta: m.meta, externals: m.externals, numbers: m.numbers, trees: make([]*syntax.Tree, len(trees))}
	for i, t := range trees {
		m.trees[i] = t.Clause()
	}
}

// look finds out what is made once for each package that go/types made of the files.
func (m *partMaker) look(pkg *types.Package) {
	if pkg != m.pkg {
		m.pkg, m.table = pkg, nil
		m.own, _ = objectPaths(pkg) // what was written of the package's own fields is in written
	}
}

// make is the part of a unit.
func (m *partMaker) make(c *bodies.Checked) *part {
	m.look(c.Package)
	m.filesOf = c.Files()
	tree := m.treeOf(c.File)
	b := &partBuilder{partMaker: m, unit: c, tree: tree, part: new(part), number: map[token.Pos]int{}}
	if c.Function != nil {
		b.base = tree.Offset(c.Function.Pos())
	} else {
		b.docs = map[token.Pos]lsp.Span{}
		collectDocs(tree, b.docs)
	}
	b.declareSwitches()
	b.declare()
	b.use()
	if c.Function == nil {
		b.importPaths()
		b.diagnostics = append(b.diagnostics, misusedEmbeds(tree, b.definedBy)...)
	}
	if b.failed = len(c.Errors) > 0; b.failed {
		told, untold := b.told(c.Errors)
		b.diagnostics, b.untold = append(b.diagnostics, told...), untold
		b.vain = b.inVain()
	}
	slices.SortFunc(b.occurrences, func(a, b partOccurrence) int {
		return cmp.Or(int(a.start-b.start), int(a.end-b.end))
	})
	b.foreign = b.foreignTargets()
	return b.part
}

// foreignTargets are the numbers of what a part names of other packages.
func (p *part) foreignTargets() (list []int32) {
	for i := range p.occurrences {
		if o := &p.occurrences[i]; o.of == ofExternal {
			list = append(list, o.target)
		}
	}
	slices.Sort(list)
	return slices.Clone(slices.Compact(list))
}

// treeOf is the tree that a file was made of.
func (m *partMaker) treeOf(f *bodies.File) *syntax.Tree {
	for _, t := range m.trees {
		if t.Pos == f.Tokens {
			return t
		}
	}
	return nil
}

// textOf is what the source says of an object of the package beside its type.
func (m *partMaker) textOf(c *bodies.Checked, obj types.Object) string {
	file := c.Syntax(obj.Pos())
	if file == nil {
		return ""
	}
	texts, ok := m.written[file]
	if !ok {
		texts = map[token.Pos]string{}
		collectWritten(file, texts)
		m.written[file] = texts
	}
	return texts[obj.Pos()]
}

// external is the number of something that another package declares.
func (m *partMaker) external(name index.External) int {
	i, ok := m.numbers[name]
	if !ok {
		i = len(m.externals)
		m.externals = append(m.externals, name)
		m.numbers[name] = i
	}
	return i
}

// A partBuilder makes one part.
type partBuilder struct {
	*partMaker
	*part
	unit    *bodies.Checked
	tree    *syntax.Tree           // as it is asked about
	base    int                    // offset of the function; 0 for a face
	docs    map[token.Pos]lsp.Span // of a face: doc comments by the position of the declared name in tree
	number  map[token.Pos]int      // of declared, by the position of the name in the files that were checked
	objects []types.Object         // that declared were made of
}

// qualify is the types.Qualifier of stored signatures.
func (b *partBuilder) qualify(p *types.Package) string {
	if p == b.pkg {
		return index.OwnPackage
	}
	return p.Name()
}

// span is where something stands that was checked at some position, in the terms of the part.
func (b *partBuilder) span(start, end token.Pos) lsp.Span {
	at := b.unit.At(start)
	s := b.tree.Span(at, at+end-start)
	return lsp.Span{Start: s.Start - b.base, End: s.End - b.base}
}

// declare makes declarations of all objects that the unit defines.
func (b *partBuilder) declare() {
	// A type switch declares one variable per clause, all at the place of its one name.
	for _, d := range b.unit.Facts.Defs {
		if d.Object != nil {
			b.declareObject(d.Object, d.Ident.Pos(), d.Ident.End())
		}
	}
	for _, i := range b.unit.Facts.Implicits {
		switch obj := i.Object.(type) {
		case *types.PkgName:
			if spec, ok := i.Node.(*ast.ImportSpec); ok && spec.Path != nil {
				b.declareObject(obj, spec.Path.Pos(), spec.Path.End())
			}
		case *types.Var:
			if _, ok := i.Node.(*ast.CaseClause); ok {
				b.declareObject(obj, obj.Pos(), obj.Pos()+token.Pos(len(obj.Name())))
			}
		}
	}
}

// declareObject makes a declaration of an object whose name stands at a place, and its first
// occurrence, unless there is one.
func (b *partBuilder) declareObject(obj types.Object, start, end token.Pos) {
	if obj.Name() == "_" {
		return
	}
	if _, ok := b.number[start]; ok {
		return
	}
	d := partDeclaration{Declaration: index.Declaration{
		Name:      obj.Name(),
		Span:      b.span(start, end),
		Kind:      kindOf(obj),
		Signature: b.signature(obj),
		Path:      b.own[obj],
	}}
	if b.isLocal(obj) {
		d.Flags |= index.Local
	}
	if b.unit.Function == nil {
		d.at, _ = b.unit.Spot(start)
		d.Doc = b.docs[b.unit.At(start)]
	}
	b.number[start] = len(b.declared)
	b.objects = append(b.objects, obj)
	b.declared = append(b.declared, d)
	o := occurrenceAt(d.Span)
	o.target, o.declares = int32(b.number[start]), true
	b.occurrences = append(b.occurrences, o)
}

func occurrenceAt(s lsp.Span) partOccurrence {
	return partOccurrence{start: int32(s.Start), end: int32(s.End)}
}

// sign gives an occurrence a signature.
func (b *partBuilder) sign(o *partOccurrence, signature string) {
	if signature != "" {
		b.signatures = append(b.signatures, signature)
		o.signature = int32(len(b.signatures))
	}
}

// signature describes an object of the package, with what was written of it that its type does not
// show.
func (b *partBuilder) signature(obj types.Object) string {
	return signature(obj, b.qualify, b.textOf(b.unit, obj))
}

// isLocal reports whether an object is none of those that a reader would look for by name: not
// declared at package level, no method, no field of a declared type.
func (b *partBuilder) isLocal(obj types.Object) bool {
	if b.own[obj] != "" || obj.Parent() == b.pkg.Scope() {
		return false
	}
	fn, ok := obj.(*types.Func)
	return !ok || fn.Signature().Recv() == nil
}

// use notes everything that names something declared elsewhere.
func (b *partBuilder) use() {
	for _, u := range b.unit.Facts.Uses {
		if u.Object == nil || u.Ident.Name == "_" {
			continue
		}
		obj, origin := u.Object, originOf(u.Object)
		o := occurrenceAt(b.span(u.Ident.Pos(), u.Ident.End()))
		if origin.Pkg() == b.pkg && b.declaredHere(origin, &o) {
			if i, ok := b.number[origin.Pos()]; ok {
				if obj != b.objects[i] {
					if s := b.signature(obj); s != b.declared[i].Signature {
						b.sign(&o, s)
					}
				}
			} else if obj != origin {
				if s := b.signature(obj); s != b.signature(origin) {
					b.sign(&o, s)
				}
			}
		} else {
			name := b.nameOf(origin)
			o.of, o.target = ofExternal, int32(b.external(name))
			switch {
			case name.Path == "":
				b.sign(&o, signature(obj, b.qualify, ""))
			case obj != origin:
				b.sign(&o, signature(obj, b.qualify, b.tagOf(origin)))
			}
		}
		b.occurrences = append(b.occurrences, o)
	}
}

// declaredHere sets the target of an occurrence of something that the package declares; it reports
// whether an identifier of the files declares it.
func (b *partBuilder) declaredHere(origin types.Object, o *partOccurrence) bool {
	if i, ok := b.number[origin.Pos()]; ok {
		o.of, o.target = ofPart, int32(i)
		return true
	}
	at, ok := b.unit.Spot(origin.Pos())
	if !ok {
		return false
	}
	o.of, o.target, o.token = ofFace, int32(at.File), int32(at.Token)
	return true
}

// tagOf is the tag of a field of another package, "" of anything else.
func (b *partBuilder) tagOf(obj types.Object) string {
	if v, ok := obj.(*types.Var); ok && v.IsField() && v.Pkg() != b.pkg {
		return b.world.writtenTag(v)
	}
	return ""
}

// originOf is the generic method or field that an instantiated one comes from, and the method that
// one in export data is declared as.
func originOf(obj types.Object) types.Object {
	switch obj := obj.(type) {
	case *types.Func:
		return declared(obj.Origin())
	case *types.Var:
		return obj.Origin()
	}
	return obj
}

// nameOf is what another package's object is called there. Universe objects belong to package
// builtin. An object without a name, such as a field of an unnamed type that nothing exported leads
// to, gets an impossible one: it can be described, not found.
func (b *partBuilder) nameOf(obj types.Object) index.External {
	pkg := packageOf(obj)
	switch {
	case pkg == nil:
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
			return index.External{Package: metadata.Builtin, Path: "error." + obj.Name()} // the only method of the universe
		}
		return index.External{Package: metadata.Builtin, Path: obj.Name()}
	case pkg == types.Unsafe:
		return index.External{Package: "unsafe", Path: obj.Name()}
	case pkg == b.pkg:
		return undeclared(pkg.Path(), obj.Name())
	}
	if path := b.world.objectPath(obj); path != "" {
		return index.External{Package: pkg.Path(), Path: path}
	}
	return index.External{Package: pkg.Path(), Path: "?" + obj.Name()}
}

// undeclared is the name of something that no identifier of the files declares, in broken code.
// There is nothing to find.
func undeclared(pkg, name string) index.External {
	return index.External{Package: pkg, Path: "?" + name}
}

// importPaths notes that the literals of a file's imports name packages.
func (b *partBuilder) importPaths() {
	for _, spec := range b.unit.Seen().Imports {
		name := b.unit.Facts.Info.PkgNameOf(spec)
		if name == nil || spec.Path == nil || name.Imported().Path() == "C" {
			continue
		}
		imported := b.external(index.External{Package: name.Imported().Path(), Path: index.PackagePath})
		o := occurrenceAt(b.span(spec.Path.Pos(), spec.Path.End()))
		o.of, o.target = ofExternal, int32(imported)
		b.occurrences = append(b.occurrences, o)
	}
}

// definedBy is the object that an identifier of the file as it is asked about defines, outside of
// bodies.
func (b *partBuilder) definedBy(id *ast.Ident) types.Object {
	for _, d := range b.unit.Facts.Defs {
		if b.unit.At(d.Ident.Pos()) == id.Pos() {
			return d.Object
		}
	}
	return nil
}

// told are the errors of the unit that do not only follow from what is not known, as many as are
// told of a package, and whether there are more.
func (b *partBuilder) told(errs []types.Error) (list []FileDiagnostic, untold bool) {
	if b.follow == nil || b.follow.pkg != b.pkg {
		b.follow = newConsequences(b.meta, b.pkg, b.trees, b.left, b.doubtOf)
	}
	b.follow.unit = b.unit
	c := errorCollector{byBase: b.trees, errors: errs}
	list = c.diagnostics(b.follow)
	return list, c.untold
}
