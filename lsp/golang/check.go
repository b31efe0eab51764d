package golang

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// maxTypeErrors bounds the type errors kept of one package: one missing import can make thousands.
const maxTypeErrors = 500

// A checked package is what a check of its files gives.
type checkedPackage struct {
	diagnostics []fileDiagnostic
	index       []byte
	symbols     int // declarations that a reader would look for
	references  int // places that name something
}

// A fileDiagnostic is a diagnostic and the file it is in.
type fileDiagnostic struct {
	URI  string
	Diag lsp.Diagnostic
}

// checkPackage type-checks the files of a package. Bodies tells whether function bodies are
// checked, too: for packages of others only what they declare matters. What is doubtful of a
// package imported, doubtOf says. It always gives an index; what went wrong is in the diagnostics.
func checkPackage(
	p *pkgMeta, sizes types.Sizes, files []*syntax.Tree, imports []importedFace, doubtOf func(path string) syntax.Doubt, bodies bool,
) (c checkedPackage, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = newInternalError("checking "+p.ID, e)
		}
	}()
	if isSyntaxOnly(p) {
		c.index = syntaxIndex(p, files)
		return c, c.count()
	}
	fset := token.NewFileSet()
	var parsed []*ast.File
	var fit, left []*syntax.Tree // left: too large
	for _, t := range files {
		for _, d := range t.Errors {
			c.diagnostics = append(c.diagnostics, fileDiagnostic{t.URI, d})
		}
		switch {
		case t.Unfit:
		case t.TooLarge():
			c.diagnostics = append(c.diagnostics, largeFile(t))
			left = append(left, t)
		default:
			fset.AddExistingFiles(t.Pos)
			parsed = append(parsed, t.AST)
			fit = append(fit, t)
		}
	}
	errs := errorCollector{byBase: fit}
	w := worlds.take(imports)
	conf := types.Config{
		GoVersion:                p.GoVersion,
		IgnoreFuncBodies:         !bodies,
		FakeImportC:              true,
		DisableUnusedImportCheck: !bodies,
		Error:                    errs.add,
		Importer:                 w,
		Sizes:                    sizes,
	}
	info := &types.Info{
		Defs:      map[*ast.Ident]types.Object{},
		Uses:      map[*ast.Ident]types.Object{},
		Implicits: map[ast.Node]types.Object{},
	}
	pkg := types.NewPackage(p.Path, p.Name)
	// Errors have gone to the collector; what could be made out is in info.
	_ = types.NewChecker(&conf, fset, pkg, info).Files(parsed)
	c.index = buildIndex(fset, pkg, info, fit, w)
	if bodies {
		c.diagnostics = append(c.diagnostics, errs.diagnostics(newConsequences(p, pkg, info, fit, left, doubtOf))...)
		for _, t := range fit {
			c.diagnostics = append(c.diagnostics, misusedEmbeds(t, info)...)
		}
	}
	worlds.put(w)
	sortFileDiagnostics(c.diagnostics)
	if err := c.count(); err != nil {
		return c, err
	}
	return c, nil
}

// count fills in the totals.
func (c *checkedPackage) count() error {
	x, err := openIndex(c.index)
	if err != nil {
		return err
	}
	for i := range x.declCount() {
		if d, ok := x.declaration(i); ok && d.flags&declLocal == 0 && d.kind != lsp.KindPackage {
			c.symbols++
		}
	}
	for i := range x.fileCount() {
		x.occurrences(i, func(o occurrence) bool {
			if !o.decl {
				c.references++
			}
			return true
		})
	}
	return nil
}

func sortFileDiagnostics(ds []fileDiagnostic) {
	slices.SortStableFunc(ds, func(a, b fileDiagnostic) int {
		if c := strings.Compare(a.URI, b.URI); c != 0 {
			return c
		}
		return compareDiagnostics(a.Diag, b.Diag)
	})
}

// An errorCollector turns the errors of go/types into diagnostics.
type errorCollector struct {
	byBase []*syntax.Tree
	errors []types.Error
}

func (c *errorCollector) add(err error) {
	if e, ok := err.(types.Error); ok && len(c.errors) < 4*maxTypeErrors {
		c.errors = append(c.errors, e)
	}
}

// diagnostics are the errors that do not only follow from what is not known.
func (c *errorCollector) diagnostics(of *consequences) (list []fileDiagnostic) {
	dropped := false // the error before; what continues it goes with it
	for _, e := range c.errors {
		file, span := c.place(e)
		if file == nil {
			continue
		}
		// A message that begins with a tab continues the one before.
		if text, ok := strings.CutPrefix(e.Msg, "\t"); ok {
			if n := len(list); n > 0 && !dropped {
				last := &list[n-1].Diag
				last.Related = append(last.Related, lsp.Related{Location: lsp.Location{URI: file.URI, Span: span}, Message: text})
			}
			continue
		}
		if dropped = of.has(e, file); dropped || len(list) == maxTypeErrors {
			continue
		}
		code := errorCode(e)
		d := lsp.Diagnostic{Span: span, Severity: lsp.SeverityError, Code: code, Source: sourceTypes, Message: e.Msg}
		switch code {
		case "UnusedVar", "UnusedImport", "UnusedLabel":
			d.Unnecessary = true
		}
		list = append(list, fileDiagnostic{file.URI, d})
	}
	return list
}

// place finds the file and the span of an error.
func (c *errorCollector) place(e types.Error) (*syntax.Tree, lsp.Span) {
	for _, t := range c.byBase {
		base := token.Pos(t.Pos.Base())
		if e.Pos < base || e.Pos > base+token.Pos(t.Pos.Size()) {
			continue
		}
		start, end := errorRange(e)
		if start != e.Pos || end <= start || end > base+token.Pos(t.Pos.Size()) {
			at := t.Offset(e.Pos)
			return t, lsp.Span{Start: at, End: syntax.QuotedEnd(t.Text, at)}
		}
		return t, t.Span(start, end)
	}
	return nil, lsp.Span{}
}

// sizesFor gives the sizes of types on an architecture; an unknown one is taken for the usual.
func sizesFor(arch string) types.Sizes {
	if s := types.SizesFor("gc", arch); s != nil {
		return s
	}
	return types.SizesFor("gc", "amd64")
}
