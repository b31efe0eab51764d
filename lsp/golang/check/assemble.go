package check

import (
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// indexOf puts the parts of a package together. used is what the index names of other packages.
func (m *partMaker) indexOf(r bodies.Result[*part]) (data []byte, used []index.External) {
	a := assembly{
		partMaker: m, files: make([]index.File, len(m.trees)), inFace: map[bodies.Spot]int{},
		external: make([]int, len(m.externals)),
	}
	for i, t := range m.trees {
		a.files[i].URI = t.URI
	}
	a.declarePackage()
	for i, f := range r.Files {
		a.declare(i, f.Face, 0)
		for _, b := range f.Bodies {
			a.declare(i, b.Part, m.trees[i].Offset(b.Function.Pos()))
		}
	}
	n := 0
	for i, f := range r.Files {
		a.occur(i, f.Face, 0, a.first[n])
		n++
		for _, b := range f.Bodies {
			a.occur(i, b.Part, m.trees[i].Offset(b.Function.Pos()), a.first[n])
			n++
		}
	}
	return index.Write(a.files, a.declared, a.used), a.used
}

// An assembly is an index in the making.
type assembly struct {
	*partMaker
	files    []index.File
	declared []index.Declaration
	first    []int // number of the first declaration of each part
	inFace   map[bodies.Spot]int
	external []int // by number of the maker: one more than the number here; 0: not used yet
	used     []index.External
}

// declarePackage makes the package clause of one file the declaration of the package, and those of
// the others mentions of it.
func (a *assembly) declarePackage() {
	home := packageHome(a.trees)
	if home == nil {
		return
	}
	d := index.Declaration{
		Name:      a.meta.Name,
		Kind:      lsp.KindPackage,
		Signature: "package " + a.meta.Name,
		Path:      index.PackagePath,
	}
	for i, t := range a.trees {
		if t == home {
			d.File, d.Span = i, t.Span(t.AST.Name.Pos(), t.AST.Name.End())
			if doc := t.AST.Doc; doc != nil {
				d.Doc = t.Span(doc.Pos(), doc.End())
			}
		}
		if id := t.AST.Name; id.Name != "_" {
			a.files[i].Occurrences = append(a.files[i].Occurrences, index.Occurrence{
				Span: t.Span(id.Pos(), id.End()), Declares: t == home,
			})
		}
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

// declare takes the declarations of a part whose offsets count from base.
func (a *assembly) declare(file int, p *part, base int) {
	a.first = append(a.first, len(a.declared))
	for i := range p.declared {
		d := p.declared[i].Declaration
		d.File = file
		d.Span.Start, d.Span.End = d.Span.Start+base, d.Span.End+base
		if base == 0 {
			a.inFace[p.declared[i].at] = len(a.declared)
		}
		a.declared = append(a.declared, d)
	}
}

// occur takes the occurrences of a part whose declarations are numbered from first.
func (a *assembly) occur(file int, p *part, base, first int) {
	list := slices.Grow(a.files[file].Occurrences, len(p.occurrences))
	for i := range p.occurrences {
		from := &p.occurrences[i]
		o := index.Occurrence{
			Span:     lsp.Span{Start: int(from.start) + base, End: int(from.end) + base},
			Target:   int(from.target),
			Declares: from.declares,
		}
		if from.signature > 0 {
			o.Signature = p.signatures[from.signature-1]
		}
		switch from.of {
		case ofPart:
			o.Target += first
		case ofExternal:
			o.IsExternal, o.Target = true, a.numberOf(o.Target)
		case ofFace:
			n, ok := a.inFace[bodies.Spot{File: int(from.target), Token: int(from.token)}]
			if !ok {
				name := string(a.trees[file].Text[o.Span.Start:o.Span.End])
				o.IsExternal = true
				n = a.numberOf(a.partMaker.external(undeclared(a.meta.Path, name)))
			}
			o.Target = n
		}
		list = append(list, o)
	}
	a.files[file].Occurrences = list
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
	for i, f := range r.Files {
		list = append(list, f.Face.diagnostics...)
		for _, b := range f.Bodies {
			list = append(list, b.Part.diagnostics...)
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
	return list[:min(len(list), maxTypeErrors)]
}

// partsOf are the parts of a package, those of each file together.
func partsOf(r bodies.Result[*part]) (list []*part) {
	for _, f := range r.Files {
		list = append(list, f.Face)
		for _, b := range f.Bodies {
			list = append(list, b.Part)
		}
	}
	return list
}
