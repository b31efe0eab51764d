package check

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// maxTypeErrors bounds the type errors kept of one package: one missing import can make thousands.
// The last of them is followed by a diagnostic that says so.
const maxTypeErrors = 500

// untoldErrors is shown where the last error stands that is told of a package with more.
func untoldErrors(last FileDiagnostic) FileDiagnostic {
	return FileDiagnostic{last.URI, lsp.Diagnostic{
		Span: last.Diag.Span, Severity: lsp.SeverityInfo, Code: "too-many-errors", Source: SourceTypes,
		Message: fmt.Sprintf("too many errors: this is the last of %d of the package that are told", maxTypeErrors),
	}}
}

// A Result is what a check of the files of a package gives.
type Result struct {
	Diagnostics []FileDiagnostic
	Index       []byte
	Symbols     int // declarations that a reader would look for
	References  int // places that name something
	Looked      Looks
	Methods     []byte // a table of package methods, if bodies were checked; empty: there are none

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
	p *metadata.Package, files []*syntax.Tree, imports []Import,
	doubtOf func(path string) syntax.Doubt, bodies bool,
) (c Result, err error) {
	defer recovered(p, &err)
	if metadata.IsSyntaxOnly(p) {
		c.Index, c.Symbols = syntaxIndex(p, files)
		return c, nil
	}
	k, found, err := inspect(p, files, imports, doubtOf, bodies)
	if err != nil {
		return c, err
	}
	c.Whole, c.Bodies = found.Whole, found.Bodies
	c.Diagnostics, c.Looked = k.diagnostics(found, bodies), k.looked
	if bodies {
		c.Methods = k.methods()
	}
	// The index is made without the session: the next edit does not wait for it.
	maker := k.partMaker
	if k.edited {
		maker = maker.copy()
	}
	k.end()
	if !k.edited {
		k.release()
	}
	k = nil
	x := maker.indexOf(found)
	c.Index, c.Symbols, c.References = x.data, x.symbols, x.references
	return c, nil
}

// Diagnostics are those that Package gives, without the index, and what it looks at.
func Diagnostics(
	p *metadata.Package, files []*syntax.Tree, imports []Import,
	doubtOf func(path string) syntax.Doubt,
) (list []FileDiagnostic, looked Looks, err error) {
	defer recovered(p, &err)
	k, found, err := inspect(p, files, imports, doubtOf, true)
	if err != nil {
		return nil, nil, err
	}
	list = k.diagnostics(found, true)
	k.end()
	return list, k.looked, nil
}

// FileDiagnostics are those that stand in one file, where of the other files only what they declare
// is checked. What the body of another file would make wrong in this one, such as a cycle of
// initialization through it, is not found. The session is one of its own: the ID of the package
// names the file, too.
func FileDiagnostics(
	p *metadata.Package, uri string, files []*syntax.Tree, imports []Import,
	doubtOf func(path string) syntax.Doubt,
) (list []FileDiagnostic, looked Looks, err error) {
	declaring := slices.Clone(files)
	for i, t := range files {
		if t.URI != uri {
			bare := *t
			bare.AST = bodies.Without(t.AST, nil)
			declaring[i] = &bare
		}
	}
	list, looked, err = Diagnostics(p, declaring, imports, doubtOf)
	list = slices.DeleteFunc(list, func(d FileDiagnostic) bool { return d.URI != uri })
	return list, looked, err
}

// FileIndex is what the index that Package gives has of one file: what stands in it, and what that
// names. Of other files it has nothing else.
func FileIndex(
	p *metadata.Package, uri string, files []*syntax.Tree, imports []Import,
	doubtOf func(path string) syntax.Doubt,
) (data []byte, looked Looks, err error) {
	defer recovered(p, &err)
	k, found, err := inspect(p, files, imports, doubtOf, true)
	if err != nil {
		return nil, nil, err
	}
	data = k.fileIndexOf(found, uri)
	k.end()
	return data, k.looked, nil
}

// Prepare does what the next edit of a package takes beside the check of its body, if an editor has
// a file of it.
func Prepare(
	p *metadata.Package, files []*syntax.Tree, imports []Import,
	doubtOf func(path string) syntax.Doubt,
) (err error) {
	defer recovered(p, &err)
	k, _, err := inspect(p, files, imports, doubtOf, true)
	if err != nil {
		return err
	}
	k.prepare()
	k.end()
	return nil
}

// recovered makes an error of a panic while a package is checked.
func recovered(p *metadata.Package, err *error) {
	if e := recover(); e != nil {
		*err = newInternalError("checking "+p.ID, e)
	}
}

// A checked is a package that was checked with a session, until it ends.
type checked struct {
	*session
	edited bool             // the session stays
	syntax []FileDiagnostic // what is known without types
	looked Looks
}

// sortOut says which files are fit to be checked, and which are left since they are too large, with
// what is to be told of all of them.
func sortOut(files []*syntax.Tree) (fit, left []*syntax.Tree, told []FileDiagnostic) {
	for _, t := range files {
		for _, d := range t.Errors {
			told = append(told, FileDiagnostic{t.URI, d})
		}
		switch {
		case t.Unfit:
		case t.TooLarge():
			told = append(told, largeFile(t))
			left = append(left, t)
		default:
			fit = append(fit, t)
		}
	}
	return fit, left, told
}

// inspect checks a package with its session, or one that is made.
func inspect(
	p *metadata.Package, files []*syntax.Tree, imports []Import,
	doubtOf func(path string) syntax.Doubt, withBodies bool,
) (k *checked, found bodies.Result[*part], err error) {
	k = &checked{edited: withBodies && Sessions.Edited(p)}
	var changed []Import
	if k.edited {
		k.session, changed, err = Sessions.take(p, imports)
	} else {
		k.session, err = newSession(p, imports)
	}
	if err != nil {
		return nil, found, fmt.Errorf("checking %s: %w", p.ID, err)
	}
	found = k.inspect(p, files, imports, doubtOf, withBodies)
	if len(changed) == 0 {
		return k, found, nil
	}
	// Whether a face that is another one matters is known when it is known what was looked at.
	same, err := k.sees(k.looked, changed)
	if err == nil && !same {
		if k.session, err = newSession(p, imports); err == nil {
			found = k.inspect(p, files, imports, doubtOf, withBodies)
		}
	}
	if err != nil {
		return nil, found, fmt.Errorf("checking %s: %w", p.ID, err)
	}
	return k, found, nil
}

// inspect checks the files in the session.
func (k *checked) inspect(
	p *metadata.Package, files []*syntax.Tree, imports []Import,
	doubtOf func(path string) syntax.Doubt, withBodies bool,
) bodies.Result[*part] {
	fit, left, told := sortOut(k.known(files))
	k.syntax = told
	found := k.check(p, fit, left, doubtOf, withBodies)
	k.follow = nil
	k.looked = k.looks(imports, found)
	return found
}

// diagnostics are all that were found; of bodies, if they were checked.
func (k *checked) diagnostics(found bodies.Result[*part], withBodies bool) []FileDiagnostic {
	list := k.syntax
	if withBodies {
		list = append(list, k.diagnosticsOf(found)...)
	}
	SortFileDiagnostics(list)
	return list
}

// end gives the session back, or what is worth keeping of it.
func (k *checked) end() {
	if k.edited {
		Sessions.put(k.session)
	} else {
		Worlds.put(k.world)
	}
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
	untold bool // there are more than are told
}

// diagnostics are the errors that do not only follow from what is not known.
func (c *errorCollector) diagnostics(of *consequences) (list []FileDiagnostic) {
	dropped := false // the error before; what continues it goes with it
	primary := 0     // where the error before is in the list
	for _, e := range c.errors {
		file, span := c.place(e, of.unit.At)
		if file == nil {
			continue
		}
		// A message that begins with a tab continues the one before.
		if text, ok := strings.CutPrefix(e.Msg, "\t"); ok {
			if !dropped && primary < len(list) {
				list = continued(list, primary, lsp.Location{URI: file.URI, Span: span}, text)
			}
			continue
		}
		if dropped = c.untold || of.has(e, file); dropped {
			continue
		}
		if len(list) >= maxTypeErrors {
			dropped, c.untold = true, true
			continue
		}
		primary = len(list)
		code := ErrorCode(e)
		d := lsp.Diagnostic{Span: span, Severity: lsp.SeverityError, Code: code, Source: SourceTypes, Message: e.Msg}
		switch code {
		case "UnusedVar", "UnusedImport", "UnusedLabel":
			d.Unnecessary = true
		}
		list = append(list, FileDiagnostic{file.URI, d})
	}
	return list
}

// continued adds what continues an error, the primary one of a list. It helps to understand that
// error, and is one itself where it stands: whoever reads only the other declaration of a name, or
// another link of a cycle, is told there, too.
func continued(list []FileDiagnostic, primary int, at lsp.Location, text string) []FileDiagnostic {
	first := &list[primary]
	of := lsp.Location{URI: first.URI, Span: first.Diag.Span}
	first.Diag.Related = append(first.Diag.Related, lsp.Related{Location: at, Message: text})
	if at == of {
		return list
	}
	return append(list, FileDiagnostic{at.URI, lsp.Diagnostic{
		Span: at.Span, Severity: first.Diag.Severity, Code: first.Diag.Code, Source: SourceTypes,
		Message: continuedBy(first.Diag.Message) + text,
		Related: []lsp.Related{{Location: of, Message: first.Diag.Message}},
	}})
}

// IsContinuation reports whether a diagnostic stands at another place than the error that it
// belongs to.
func IsContinuation(d lsp.Diagnostic) bool {
	return len(d.Related) == 1 && d.Related[0].Message != "" && strings.HasPrefix(d.Message, continuedBy(d.Related[0].Message))
}

// continuedBy is what stands before the text that continues an error. The type checker ends some
// errors that it continues, cycles for one, with a colon of its own.
func continuedBy(message string) string { return strings.TrimSuffix(message, ":") + ": " }

// place finds the file and the span of an error, whose positions are mapped by at.
func (c *errorCollector) place(e types.Error, at func(token.Pos) token.Pos) (*syntax.Tree, lsp.Span) {
	pos := at(e.Pos)
	for _, t := range c.byBase {
		base := token.Pos(t.Pos.Base())
		if pos < base || pos > base+token.Pos(t.Pos.Size()) {
			continue
		}
		start, end := errorRange(e)
		if !start.IsValid() || end <= start || at(start) < base || at(end-1)+1 > base+token.Pos(t.Pos.Size()) {
			from := t.Offset(pos)
			return t, lsp.Span{Start: from, End: syntax.QuotedEnd(t.Text, from)}
		}
		return t, t.Span(at(start), at(end-1)+1)
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
