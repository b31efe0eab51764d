package refactor

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"reflect"
	"slices"
	"strconv"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inline"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Inlining is the work of golang.org/x/tools, whose inliner is reached through the analyzer of
// calls of functions that say //go:fix inline. The analyzer looks at the function alone, as if it
// said so, and notes a fact about it; with that fact it looks at the file of the call.

// allowed is nil: parameters that have to stay may become variables. Lints allow the same, as the
// setting is one of the process, made before anything runs.
var allowed = inline.Analyzer.Flags.Set("allow_binding_decl", "true")

// A CallInlining puts the body of a function in the place of a call. The function may be one of
// another package: whoever can see that calls NewInlinee with its view, and then Make with the
// caller's. Who has one view takes no other.
type CallInlining struct {
	Callee check.Name
	lparen int // offset in the caller's file
}

// An Inlinee is what is known of a function to put its body in the place of calls. It does not
// depend on any view.
type Inlinee struct {
	fact  analysis.Fact
	names map[string]string // of the packages that it could make a caller import, by path
}

// inlineCall offers to inline the call around the selection, of a function that has a declaration.
func inlineCall(r *Request) []Change {
	for _, n := range r.path {
		if _, ok := n.(*ast.FuncLit); ok {
			return nil
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			continue
		}
		fn := typeutil.StaticCallee(r.Info, call)
		if fn == nil || fn.Pkg() == nil {
			return nil
		}
		name, ok := r.NameOf(fn)
		if !ok {
			return nil
		}
		inlining := &CallInlining{Callee: name, lparen: r.File.Offset(call.Lparen)}
		return []Change{{Title: "Inline call to " + fn.Name(), Inlining: inlining}}
	}
	return nil
}

// NewInlinee looks at the function whose name stands at an offset of the view's file, whose body
// the view has. It fails with the reason if no call of the function can be inlined.
func NewInlinee(v *check.View, offset int) (*Inlinee, error) {
	var decl *ast.FuncDecl
	for _, d := range v.File.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && v.File.Offset(fn.Name.Pos()) == offset {
			decl = fn
		}
	}
	if decl == nil {
		return nil, errors.New("the function that is called has no declaration")
	}
	marked := *decl
	marked.Doc = &ast.CommentGroup{List: []*ast.Comment{{Slash: decl.Pos(), Text: "//go:fix inline"}}}
	alone := &ast.File{
		Package: v.File.AST.Package, Name: v.File.AST.Name, Decls: []ast.Decl{&marked},
		FileStart: v.File.AST.FileStart, FileEnd: v.File.AST.FileEnd,
	}
	i := &Inlinee{names: map[string]string{v.Package.Path(): v.Package.Name()}}
	for _, p := range v.Package.Imports() {
		i.names[p.Path()] = p.Name()
	}
	fn := v.Info.Defs[decl.Name]
	found, err := runInliner(v, alone, v.Positions, func(obj types.Object, fact analysis.Fact) {
		if obj == fn {
			i.fact = fact
		}
	}, func(types.Object, analysis.Fact) bool { return false })
	switch {
	case i.fact != nil: // a call of the function in itself need not be one that can be inlined
		return i, nil
	case len(found) > 0:
		return nil, errors.New(found[0].Message)
	}
	return nil, err
}

// Make inlines the call in the view of its file.
func (c *CallInlining) Make(r *Request, callee *Inlinee) (*lsp.WorkspaceEdit, error) {
	var call *ast.CallExpr
	for _, n := range r.Enclosing(c.lparen, c.lparen+1) {
		if x, ok := n.(*ast.CallExpr); ok && r.File.Offset(x.Lparen) == c.lparen {
			call = x
			break
		}
	}
	if call == nil {
		return nil, errGone
	}
	fn := typeutil.StaticCallee(r.Info, call)
	// The analyzer leaves calls in tests of what they call alone. A file of another name is none.
	positions := token.NewFileSet()
	for _, t := range r.Files {
		if t == r.File {
			positions.AddFile("caller.go", t.Pos.Base(), t.Pos.Size()).SetLines(t.Pos.Lines())
		} else {
			positions.AddExistingFiles(t.Pos)
		}
	}
	found, err := runInliner(r.View, r.File.AST, positions, func(types.Object, analysis.Fact) {}, func(obj types.Object, into analysis.Fact) bool {
		if f, ok := obj.(*types.Func); !ok || fn == nil || f.Origin() != fn.Origin() || reflect.TypeOf(into) != reflect.TypeOf(callee.fact) {
			return false
		}
		reflect.ValueOf(into).Elem().Set(reflect.ValueOf(callee.fact).Elem())
		return true
	})
	for _, d := range found {
		if d.Pos == call.Lparen {
			return nil, errors.New(d.Message)
		}
		if d.Pos == call.Pos() && d.End == call.End() && len(d.SuggestedFixes) > 0 {
			return r.inlined(d.SuggestedFixes[0].TextEdits, callee)
		}
	}
	if err != nil {
		return nil, err
	}
	return nil, errors.New("the call could only be replaced by one of a function literal")
}

// runInliner runs the analyzer over one file of a view. Facts are noted by the one function, and
// asked of the other.
func runInliner(
	v *check.View, file *ast.File, positions *token.FileSet,
	note func(types.Object, analysis.Fact), ask func(types.Object, analysis.Fact) bool,
) (found []analysis.Diagnostic, err error) {
	if allowed != nil {
		return nil, fmt.Errorf("refactor: the inliner: %w", allowed)
	}
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("inlining failed (%q), likely because inputs were ill-typed", fmt.Sprint(x))
		}
	}()
	pass := &analysis.Pass{
		Fset: positions, Files: []*ast.File{file}, Pkg: v.Package, TypesInfo: v.Info, TypesSizes: v.Sizes, TypeErrors: v.Errors,
		ResultOf: map[*analysis.Analyzer]any{inspect.Analyzer: inspector.New([]*ast.File{file})},
		Report:   func(d analysis.Diagnostic) { found = append(found, d) },
		ReadFile: func(name string) ([]byte, error) {
			for _, t := range v.Files {
				if t.Pos.Name() == name {
					return t.Text, nil
				}
			}
			return nil, &os.PathError{Op: "read", Path: name, Err: os.ErrNotExist}
		},
		ExportObjectFact: note, ImportObjectFact: ask,
	}
	for _, a := range append(slices.Clone(inline.Analyzer.Requires), inline.Analyzer) {
		if a == inspect.Analyzer {
			continue
		}
		pass.Analyzer = a
		if pass.ResultOf[a], err = a.Run(pass); err != nil {
			return found, fmt.Errorf("refactor: %s: %w", a.Name, err)
		}
	}
	return found, nil
}

// inlined are the edits of the inliner, and those that take imports away which nothing needs
// behind them. The layout is the inliner's.
func (r *Request) inlined(list []analysis.TextEdit, callee *Inlinee) (*lsp.WorkspaceEdit, error) {
	var edits []lsp.TextEdit
	for _, e := range list {
		end := e.End
		if !end.IsValid() {
			end = e.Pos
		}
		edits = append(edits, r.replace(e.Pos, end, string(e.NewText)))
	}
	if err := lsp.SortEdits(edits); err != nil {
		return nil, fmt.Errorf("refactor: the inliner: %w", err)
	}
	text, err := lsp.Apply(r.File.Text, edits)
	if err != nil {
		return nil, fmt.Errorf("refactor: the inliner: %w", err)
	}
	names := func(path string) string { return callee.names[path] }
	more := r.spared(syntax.Parse(r.File.URI, text), names)
	if len(more) > 0 {
		if err := lsp.SortEdits(more); err != nil {
			return nil, err
		}
		edits = lsp.Then(len(r.File.Text), edits, more)
	}
	return r.edit(edits...)
}

// spared are the edits of a later text of the file that take imports away which are not used there,
// but for those that were not used before. NameOf is what a package is called, by its path; "" if
// that is not known.
func (r *Request) spared(t *syntax.Tree, nameOf func(path string) string) (edits []lsp.TextEdit) {
	idle := map[string]bool{}
	for _, spec := range r.unusedImports() {
		idle[spec.path] = true
	}
	known := map[string]string{}
	for _, spec := range r.File.AST.Imports {
		if name := r.Info.PkgNameOf(spec); name != nil {
			known[name.Imported().Path()] = name.Imported().Name()
			if path, err := strconv.Unquote(spec.Path.Value); err == nil {
				known[path] = name.Imported().Name()
			}
		}
	}
	selected := map[string]bool{}
	ast.Inspect(t.AST, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				selected[id.Name] = true
			}
		}
		return true
	})
	later := &Request{View: &check.View{File: t}}
	for _, spec := range t.AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || idle[path] || path == "C" {
			continue
		}
		name := known[path]
		if name == "" {
			name = nameOf(path)
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name != "" && name != "_" && name != "." && !selected[name] {
			edits = append(edits, later.removeStatement(later.wholeImport(spec)))
		}
	}
	return edits
}
