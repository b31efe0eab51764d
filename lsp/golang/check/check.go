package check

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// maxTypeErrors bounds the type errors kept of one package: one missing import can make thousands.
const maxTypeErrors = 500

// A Result is what a check of the files of a package gives.
type Result struct {
	Diagnostics []FileDiagnostic
	Index       []byte
	Symbols     int // declarations that a reader would look for
	References  int // places that name something
	Looked      Looks

	// How much was checked: everything, or how many bodies.
	Whole  bool
	Bodies int
}

// A FileDiagnostic is a diagnostic and the file it is in.
type FileDiagnostic struct {
	URI  string
	Diag lsp.Diagnostic
}

// Package type-checks the files of a package. Bodies tells whether function bodies are
// checked, too: for packages of others only what they declare matters. What is doubtful of a
// package imported, doubtOf says. It always gives an index; what went wrong is in the diagnostics.
//
// While an editor has a file of the package (SessionPool.Open), what is found is kept for the next
// check, which then looks at what has changed. What a check gives does not depend on that.
func Package(
	p *metadata.Package, files []*syntax.Tree, imports []Import, doubtOf func(path string) syntax.Doubt, bodies bool,
) (c Result, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = newInternalError("checking "+p.ID, e)
		}
	}()
	if metadata.IsSyntaxOnly(p) {
		c.Index = syntaxIndex(p, files)
		return c, c.count()
	}
	var s *session
	edited := bodies && Sessions.edited(p)
	if edited {
		s, err = Sessions.take(p, imports)
	} else {
		s, err = newSession(p, imports)
	}
	if err != nil {
		return c, fmt.Errorf("checking %s: %w", p.ID, err)
	}
	files = s.known(files)
	var fit, left []*syntax.Tree // left: too large
	for _, t := range files {
		for _, d := range t.Errors {
			c.Diagnostics = append(c.Diagnostics, FileDiagnostic{t.URI, d})
		}
		switch {
		case t.Unfit:
		case t.TooLarge():
			c.Diagnostics = append(c.Diagnostics, largeFile(t))
			left = append(left, t)
		default:
			fit = append(fit, t)
		}
	}
	r := s.check(p, fit, left, doubtOf, bodies)
	c.Whole, c.Bodies = r.Whole, r.Bodies
	if bodies {
		c.Diagnostics = append(c.Diagnostics, s.diagnosticsOf(r)...)
	}
	if s.follow = nil; !edited {
		Worlds.put(s.world)
		s.release()
	}
	failed := failedParts(r)
	var used []index.External
	c.Index, used = s.indexOf(r)
	c.Looked = s.looks(imports, failed, used)
	if edited {
		Sessions.put(s)
	}
	SortFileDiagnostics(c.Diagnostics)
	return c, c.count()
}

// count fills in the totals.
func (c *Result) count() error {
	x, err := index.Open(c.Index)
	if err != nil {
		return err
	}
	for i := range x.DeclarationCount() {
		if d, ok := x.Declaration(i); ok && d.Flags&index.Local == 0 && d.Kind != lsp.KindPackage {
			c.Symbols++
		}
	}
	for i := range x.FileCount() {
		x.Occurrences(i, func(o index.Occurrence) bool {
			if !o.Declares {
				c.References++
			}
			return true
		})
	}
	return nil
}

// SortFileDiagnostics sorts by file and place.
func SortFileDiagnostics(ds []FileDiagnostic) {
	slices.SortStableFunc(ds, func(a, b FileDiagnostic) int {
		if c := strings.Compare(a.URI, b.URI); c != 0 {
			return c
		}
		return lsp.CompareDiagnostics(a.Diag, b.Diag)
	})
}

// An errorCollector turns the errors of go/types into diagnostics.
type errorCollector struct {
	byBase []*syntax.Tree
	errors []types.Error
}

// diagnostics are the errors that do not only follow from what is not known.
func (c *errorCollector) diagnostics(of *consequences) (list []FileDiagnostic) {
	dropped := false // the error before; what continues it goes with it
	for _, e := range c.errors {
		file, span := c.place(e, of.unit.At)
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
		d := lsp.Diagnostic{Span: span, Severity: lsp.SeverityError, Code: code, Source: SourceTypes, Message: e.Msg}
		switch code {
		case "UnusedVar", "UnusedImport", "UnusedLabel":
			d.Unnecessary = true
		}
		list = append(list, FileDiagnostic{file.URI, d})
	}
	return list
}

// place finds the file and the span of an error, whose positions are mapped by at.
func (c *errorCollector) place(e types.Error, at func(token.Pos) token.Pos) (*syntax.Tree, lsp.Span) {
	pos := at(e.Pos)
	for _, t := range c.byBase {
		base := token.Pos(t.Pos.Base())
		if pos < base || pos > base+token.Pos(t.Pos.Size()) {
			continue
		}
		start, end := errorRange(e)
		if start != e.Pos || end <= start || at(end-1)+1 > base+token.Pos(t.Pos.Size()) {
			from := t.Offset(pos)
			return t, lsp.Span{Start: from, End: syntax.QuotedEnd(t.Text, from)}
		}
		return t, t.Span(pos, at(end-1)+1)
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

// SourceTypes is the source of diagnostics that come from the type checker, as editors show it.
const SourceTypes = "types"
