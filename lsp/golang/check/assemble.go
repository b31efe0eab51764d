package check

import (
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// indexOf puts the parts of a package together. The occurrences of one file at a time are in memory
// in the form that the index is made of.
func (m *partMaker) indexOf(r bodies.Result[*part]) indexed {
	a := m.assemble()
	n := 1
	for i, f := range r.Files {
		n += a.take(i, f)
	}
	return a.write(n)
}

// fileIndexOf is indexOf for the names in one file. What other files declare is in it if they name
// that.
func (m *partMaker) fileIndexOf(r bodies.Result[*part], uri string) []byte {
	a := m.assemble()
	a.faces = make([]*part, len(r.Files))
	for i, f := range r.Files {
		if m.trees[i].URI == uri {
			a.take(i, f)
		} else {
			a.faces[i] = f.Face
		}
	}
	return a.write(0).data
}

// An indexed is an index, and what is known of it when it is made.
type indexed struct {
	data       []byte
	symbols    int // declarations that a reader would look for
	references int // places that name something
}

// An assembly is an index in the making.
type assembly struct {
	*partMaker
	home     *syntax.Tree   // see packageHome
	units    [][]placedPart // by file
	declared []index.Declaration
	inFace   map[bodies.Spot]int
	faces    []*part // of files that are left out but for what others name of them; nil: of none
	external []int   // by number of the maker: one more than the number here; 0: not used yet
	used     []index.External

	references int // so far
}

// A placedPart is a part and where it stands in its file.
type placedPart struct {
	*part
	base  int // what its offsets count from
	first int // number of its first declaration
}

func (m *partMaker) assemble() *assembly {
	return &assembly{
		partMaker: m, units: make([][]placedPart, len(m.trees)), inFace: map[bodies.Spot]int{},
		external: make([]int, len(m.externals)),
	}
}

// take takes the parts of a file, and returns how many declarations they have.
func (a *assembly) take(file int, f bodies.FileResult[*part]) (n int) {
	units := append(make([]placedPart, 0, 1+len(f.Bodies)), placedPart{part: f.Face})
	n = len(f.Face.declared)
	for _, b := range f.Bodies {
		units = append(units, placedPart{part: b.Part, base: a.trees[file].Offset(b.Start)})
		n += len(b.Part.declared)
	}
	a.units[file] = units
	return n
}

// write makes the index, of some n declarations.
func (a *assembly) write(n int) (x indexed) {
	a.declared = make([]index.Declaration, 0, n)
	a.declarePackage()
	for i := range a.units {
		for k := range a.units[i] {
			a.declare(i, &a.units[i][k])
		}
	}
	// What other packages declare, and what is named of files that are left out, has a number
	// before the first list of occurrences is asked for.
	for i := range a.units {
		for _, u := range a.units[i] {
			for k := range u.occurrences {
				a.target(i, &u, &u.occurrences[k])
			}
		}
	}
	files := make([]index.File, len(a.trees))
	for i, t := range a.trees {
		files[i] = index.File{URI: t.URI, Occurrences: func() []index.Occurrence { return a.occurrences(i) }}
	}
	declared := a.declared
	a.declared = nil
	x.symbols = symbolsOf(declared)
	x.data = index.Write(files, declared, a.used)
	x.references = a.references
	return x
}

// symbolsOf counts declarations that a reader would look for.
func symbolsOf(declared []index.Declaration) (n int) {
	for i := range declared {
		if d := &declared[i]; d.Flags&index.Local == 0 && d.Kind != lsp.KindPackage {
			n++
		}
	}
	return n
}

// declarePackage makes the package clause of one file the declaration of the package.
func (a *assembly) declarePackage() {
	a.home = packageHome(a.trees)
	if a.home == nil {
		return
	}
	d := index.Declaration{
		File: slices.Index(a.trees, a.home),
		Name: a.meta.Name,
		Span: a.home.Span(a.home.AST.Name.Pos(), a.home.AST.Name.End()),
		Kind: lsp.KindPackage, Signature: "package " + a.meta.Name, Path: index.PackagePath,
	}
	if doc := a.home.AST.Doc; doc != nil {
		d.Doc = a.home.Span(doc.Pos(), doc.End())
	}
	a.declared = append(a.declared, d)
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

// declare takes the declarations of a part.
func (a *assembly) declare(file int, u *placedPart) {
	u.first = len(a.declared)
	for i := range u.declared {
		d := u.declared[i].Declaration
		d.File = file
		d.Span.Start, d.Span.End = d.Span.Start+u.base, d.Span.End+u.base
		if u.base == 0 {
			a.inFace[u.declared[i].at] = len(a.declared)
		}
		a.declared = append(a.declared, d)
	}
}

// occurrences lists what a file names. Its package clause declares the package, or mentions it.
func (a *assembly) occurrences(file int) []index.Occurrence {
	if a.units[file] == nil {
		return nil
	}
	n := 1
	for i := range a.units[file] {
		n += len(a.units[file][i].occurrences)
	}
	list := make([]index.Occurrence, 0, n)
	t := a.trees[file]
	if id := t.AST.Name; id.Name != "_" && a.home != nil {
		list = append(list, index.Occurrence{Span: t.Span(id.Pos(), id.End()), Declares: t == a.home})
		if t != a.home {
			a.references++
		}
	}
	take := func(u *placedPart, from *partOccurrence) {
		o := index.Occurrence{
			Span:     lsp.Span{Start: int(from.start) + u.base, End: int(from.end) + u.base},
			Declares: from.declares,
		}
		if from.signature > 0 {
			o.Signature = u.signatures[from.signature-1]
		}
		if !o.Declares {
			a.references++
		}
		o.Target, o.IsExternal = a.target(file, u, from)
		list = append(list, o)
	}
	// Parts are sorted, and so is the list, nearly.
	face, rest := &a.units[file][0], a.units[file][0].occurrences
	for i := range a.units[file][1:] {
		u := &a.units[file][1+i]
		for len(rest) > 0 && int(rest[0].start) < u.base {
			take(face, &rest[0])
			rest = rest[1:]
		}
		for k := range u.occurrences {
			take(u, &u.occurrences[k])
		}
	}
	for k := range rest {
		take(face, &rest[k])
	}
	a.units[file] = nil // the list is all that is needed of them
	return list
}

// target is what an occurrence of a part names.
func (a *assembly) target(file int, u *placedPart, o *partOccurrence) (target int, external bool) {
	switch o.of {
	case ofExternal:
		return a.numberOf(int(o.target)), true
	case ofFace:
		if n, ok := a.declaredAt(bodies.Spot{File: int(o.target), Token: int(o.token)}); ok {
			return n, false
		}
		name := string(a.trees[file].Text[int(o.start)+u.base : int(o.end)+u.base])
		return a.numberOf(a.partMaker.external(undeclared(a.meta.Path, name))), true
	}
	return int(o.target) + u.first, false
}

// declaredAt is the number of what a token of a face declares.
func (a *assembly) declaredAt(at bodies.Spot) (n int, ok bool) {
	n, ok = a.inFace[at]
	if ok || at.File >= len(a.faces) || a.faces[at.File] == nil {
		return n, ok
	}
	face := a.faces[at.File]
	i, ok := face.declaredBy(at)
	if !ok {
		return 0, false
	}
	d := face.declared[i].Declaration
	d.File = at.File
	n = len(a.declared)
	a.inFace[at] = n
	a.declared = append(a.declared, d)
	return n, true
}

// numberOf is the number that an external has here.
func (a *assembly) numberOf(n int) int {
	for n >= len(a.external) {
		a.external = append(a.external, 0)
	}
	if a.external[n] == 0 {
		a.used = append(a.used, a.externals[n])
		a.external[n] = len(a.used)
	}
	return a.external[n] - 1
}

// diagnosticsOf are those of the parts of a package, as many as are told, and its unused imports.
func (m *partMaker) diagnosticsOf(r bodies.Result[*part]) (list []FileDiagnostic) {
	untold := false
	add := func(p *part) {
		list = append(list, p.diagnostics...)
		untold = untold || p.untold
	}
	for i, f := range r.Files {
		add(f.Face)
		for _, b := range f.Bodies {
			add(b.Part)
		}
		if t := m.trees[i]; len(t.Errors) == 0 {
			for _, u := range f.Unused {
				at := t.Offset(u.Spec.Pos())
				list = append(list, FileDiagnostic{t.URI, lsp.Diagnostic{
					Span:     lsp.Span{Start: at, End: syntax.QuotedEnd(t.Text, at)},
					Severity: lsp.SeverityError, Code: "UnusedImport", Source: SourceTypes, Message: u.Message,
					Unnecessary: true,
				}})
			}
		}
	}
	SortFileDiagnostics(list)
	if untold || len(list) > maxTypeErrors {
		list = list[:maxTypeErrors]
		list = append(list, untoldErrors(list[maxTypeErrors-1]))
	}
	return list
}
