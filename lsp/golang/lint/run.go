package lint

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"net/url"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/unreachable"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A Finding is something that an analyzer has found in a file of the package.
type Finding struct {
	URI   string
	Diag  lsp.Diagnostic
	Fixes []Fix
}

// A Fix makes a finding go away.
type Fix struct {
	Title string
	Edits []lsp.FileEdit
}

// A Result is what a run says.
type Result struct {
	Found  []Finding // in the order of files and places
	Failed []Failure // of analyzers that gave no answer
	Broken bool      // the package does not compile, so that not all analyzers could look at it
}

// Add adds what another run says.
func (r *Result) Add(other Result) {
	r.Found = append(r.Found, other.Found...)
	r.Failed = append(r.Failed, other.Failed...)
	sortFindings(r.Found)
}

func sortFindings(found []Finding) {
	slices.SortStableFunc(found, func(a, b Finding) int {
		if c := strings.Compare(a.URI, b.URI); c != 0 {
			return c
		}
		return lsp.CompareDiagnostics(a.Diag, b.Diag)
	})
}

// Run runs analyzers over a view with all bodies.
func Run(v *check.View, s Settings, imported Imported, turn Turn) (Result, error) {
	return runThose(v, s, imported, turn, func(known) bool { return true })
}

// RunBesideTests runs those analyzers that Run leaves out over the variant of a package with tests
// where the tests do not compile. The view is of the package without tests. Analyzers that take a
// package for all of its uses stay left out: they would not see those that tests make.
func RunBesideTests(v *check.View, s Settings, imported Imported, turn Turn) (Result, error) {
	return runThose(v, s, imported, turn, func(k known) bool {
		return !k.withTests && !runsDespiteErrors(k.Analyzer)
	})
}

// runThose runs the analyzers that the settings choose and that are wanted.
func runThose(v *check.View, s Settings, imported Imported, turn Turn, wanted func(known) bool) (out Result, err error) {
	r := newRunner(v, imported, turn)
	out.Broken = r.broken
	for _, t := range v.Files {
		r.files = append(r.files, t.AST)
	}
	if v.Meta.Cgo {
		r.info = withUnknown(v.Info, v.Package, r.files)
	}
	for _, k := range s.chosen() {
		if !wanted(k) || !r.runs(k.Analyzer) {
			continue
		}
		res := r.run(k.Analyzer)
		if r.stopped != nil {
			return Result{}, r.stopped
		}
		if res.err != nil {
			out.Failed = append(out.Failed, Failure{k.Name, res.err.Error()})
			continue
		}
		for _, d := range res.diagnostics {
			if f, ok := r.finding(k, d); ok {
				out.Found = append(out.Found, f)
			}
		}
	}
	sortFindings(out.Found)
	return out, nil
}

// A Turn has analyzers run, one after the other. It calls run, which computes for long, or gives an
// error: then no further analyzer runs, and that error is the answer.
type Turn func(run func()) error

// A Failure says why an analyzer gave no answer.
type Failure struct {
	Analyzer string `json:"analyzer"`
	Why      string `json:"why"`
}

// runsDespiteErrors reports whether an analyzer can look at a package that does not compile, with
// all that it needs.
func runsDespiteErrors(a *analysis.Analyzer) bool {
	return a.RunDespiteErrors && !slices.ContainsFunc(a.Requires, func(a *analysis.Analyzer) bool { return !runsDespiteErrors(a) })
}

type runner struct {
	view    *check.View
	info    *types.Info // of the view; see withUnknown
	files   []*ast.File
	broken  bool // the package does not compile
	results map[*analysis.Analyzer]*result
	facts   *facts
	turn    Turn
	stopped error // of turn
}

type result struct {
	value       any
	diagnostics []analysis.Diagnostic
	err         error
}

func newRunner(v *check.View, imported Imported, turn Turn) *runner {
	return &runner{
		view: v, info: v.Info, results: map[*analysis.Analyzer]*result{}, turn: turn,
		broken: len(v.Errors) > 0 || slices.ContainsFunc(v.Files, func(t *syntax.Tree) bool { return len(t.Errors) > 0 }),
		facts:  newFacts(v.Package, v.Imported(), imported),
	}
}

// runs reports whether an analyzer can look at the package. What cgo makes of a package is not
// known: names of C have no types.
func (r *runner) runs(a *analysis.Analyzer) bool {
	return (!r.broken || runsDespiteErrors(a)) && (!r.view.Meta.Cgo || !needsWhole(a))
}

// run runs an analyzer once, behind those whose results it needs.
func (r *runner) run(a *analysis.Analyzer) (res *result) {
	if res, ok := r.results[a]; ok {
		return res
	}
	res = new(result)
	r.results[a] = res
	needed := map[*analysis.Analyzer]any{}
	for _, other := range a.Requires {
		of := r.run(other)
		if of.err != nil {
			res.err = fmt.Errorf("%s: %w", other.Name, of.err)
			return res
		}
		needed[other] = of.value
	}
	if res.err = r.stopped; res.err != nil {
		return res
	}
	v := r.view
	var module *analysis.Module // nil: the package is in none
	if v.Meta.GoVersion != "" || v.Meta.Standard {
		module = &analysis.Module{GoVersion: strings.TrimPrefix(v.Meta.GoVersion, "go")}
	}
	if v.Meta.Standard {
		module.Path = standardModule
	}
	pass := &analysis.Pass{
		Analyzer: a, Fset: v.Positions, Files: r.files, Pkg: v.Package, TypesInfo: r.info, TypesSizes: v.Sizes,
		TypeErrors: v.Errors, ResultOf: needed,
		Module:            module,
		Report:            func(d analysis.Diagnostic) { res.diagnostics = append(res.diagnostics, d) },
		ReadFile:          r.readFile,
		ImportObjectFact:  r.facts.ofObject,
		ImportPackageFact: r.facts.ofPackage,
		ExportObjectFact: func(obj types.Object, fact analysis.Fact) {
			r.facts.objects[objectFact{obj, reflect.TypeOf(fact)}] = fact
		},
		ExportPackageFact: func(fact analysis.Fact) {
			r.facts.packages[packageFact{v.Package, reflect.TypeOf(fact)}] = fact
		},
		AllObjectFacts: func() (facts []analysis.ObjectFact) {
			r.facts.takeAll()
			for k, f := range r.facts.objects {
				if hasFactType(a, k.typ) {
					facts = append(facts, analysis.ObjectFact{Object: k.obj, Fact: f})
				}
			}
			return facts
		},
		AllPackageFacts: func() (facts []analysis.PackageFact) {
			r.facts.takeAll()
			for k, f := range r.facts.packages {
				if hasFactType(a, k.typ) {
					facts = append(facts, analysis.PackageFact{Package: k.pkg, Fact: f})
				}
			}
			return facts
		},
	}
	r.stopped = r.turn(func() { res.value, res.err = runGuarded(a, pass) })
	res.err = cmp.Or(r.stopped, res.err)
	return res
}

// runGuarded runs an analyzer, whose panics are errors.
func runGuarded(a *analysis.Analyzer, pass *analysis.Pass) (value any, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("panic: %v\n%s", e, debug.Stack())
		}
	}()
	return a.Run(pass)
}

// standardModule is the path of the module of the standard library.
const standardModule = "std"

// hasFactType reports whether facts of a type are those of an analyzer, which sees no others.
func hasFactType(a *analysis.Analyzer, t reflect.Type) bool {
	return slices.ContainsFunc(a.FactTypes, func(f analysis.Fact) bool { return reflect.TypeOf(f) == t })
}

// readFile gives analyzers the texts of the package's own files, which they know by the names in
// positions.
func (r *runner) readFile(name string) ([]byte, error) {
	for _, t := range r.view.Files {
		if t.Pos.Name() == name {
			return t.Text, nil
		}
	}
	return nil, &os.PathError{Op: "read", Path: name, Err: errors.ErrUnsupported}
}

// finding is a diagnostic of an analyzer as it is shown; not ok if it is in no file of the package.
func (r *runner) finding(k known, d analysis.Diagnostic) (f Finding, ok bool) {
	t, span := r.place(d.Pos, d.End)
	if t == nil {
		return f, false
	}
	f.URI = t.URI
	f.Diag = lsp.Diagnostic{Span: span, Severity: k.severity, Source: k.Name, Code: d.Category, Message: strings.TrimSpace(d.Message)}
	if f.Diag.Code == "" {
		f.Diag.Code = "default"
	}
	f.Diag.Deprecated = k.deprecated
	f.Diag.Unnecessary = k.Analyzer == unreachable.Analyzer
	f.Diag.Href = page(k.Analyzer, d)
	for _, rel := range d.Related {
		if at, span := r.place(rel.Pos, rel.End); at != nil {
			f.Diag.Related = append(f.Diag.Related, lsp.Related{Location: lsp.Location{URI: at.URI, Span: span}, Message: rel.Message})
		}
	}
	for _, fix := range d.SuggestedFixes {
		if edits, ok := r.edits(fix.TextEdits); ok {
			f.Fixes = append(f.Fixes, Fix{fix.Message, edits})
		}
	}
	return f, true
}

// page is where it is explained what an analyzer has found; see analysis.Diagnostic.URL.
func page(a *analysis.Analyzer, d analysis.Diagnostic) string {
	rel := d.URL
	if rel == "" && d.Category != "" {
		rel = "#" + d.Category
	}
	base, err := url.Parse(a.URL)
	if err != nil {
		return ""
	}
	to, err := base.Parse(rel)
	if err != nil || !to.IsAbs() {
		return ""
	}
	return to.String()
}

func (r *runner) place(from, to token.Pos) (*syntax.Tree, lsp.Span) {
	t := r.view.Tree(from)
	if t == nil {
		return nil, lsp.Span{}
	}
	if to <= from || r.view.Tree(to) != t {
		start := t.Offset(from)
		return t, lsp.Span{Start: start, End: syntax.QuotedEnd(t.Text, start)}
	}
	return t, t.Span(from, to)
}

// edits are those of a fix, by file; not ok if one is of no file of the package.
func (r *runner) edits(list []analysis.TextEdit) (out []lsp.FileEdit, ok bool) {
	for _, e := range list {
		if !e.End.IsValid() {
			e.End = e.Pos
		}
		t := r.view.Tree(e.Pos)
		if t == nil || r.view.Tree(e.End) != t {
			return nil, false
		}
		span := t.Span(e.Pos, e.End)
		i := slices.IndexFunc(out, func(f lsp.FileEdit) bool { return f.URI == t.URI })
		if i < 0 {
			i = len(out)
			out = append(out, lsp.FileEdit{URI: t.URI})
		}
		out[i].Edits = append(out[i].Edits, lsp.TextEdit{Span: span, NewText: string(e.NewText)})
	}
	return out, len(out) > 0
}
