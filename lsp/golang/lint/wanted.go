package lint

import (
	"bytes"
	"go/ast"
	"go/token"
	goversion "go/version"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/ctrlflow"
	"golang.org/x/tools/go/analysis/passes/inline"
	"golang.org/x/tools/go/analysis/passes/modernize"
	"golang.org/x/tools/go/analysis/passes/printf"
	"golang.org/x/tools/go/cfg"
	deprecatedfacts "honnef.co/go/tools/analysis/facts/deprecated"

	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// frugal are analyzers of which Wanted knows about which functions they note anything: those of all
// that is on by default.
var frugal = []*analysis.Analyzer{
	ctrlflow.Analyzer, printf.Analyzer, inline.Analyzer, modernize.NewExprAnalyzer, deprecatedfacts.Analyzer,
}

// Wanted is what has to be checked of a package so that facts about it can be noted. Most packages
// are not looked at with types at all, and of the others most bodies are not.
type Wanted struct {
	Any  bool // false: there are no facts
	all  bool
	kept map[*ast.FuncDecl]bool
}

// Keep reports whether the body of a function is to be checked.
func (w Wanted) Keep(fn *ast.FuncDecl) bool { return w.all || w.kept[fn] }

// Wanted finds out what is to be checked of the files of a package. Ending are names of functions
// of its imports that never return.
//
// What it leaves out has no facts: a function may return if it may although every call of something
// with the name of a function that never returns ends it; it forwards its arguments to Printf only
// if the last one is of any number of any type, which an alias that another package declares does
// not show.
func (n Notes) Wanted(p *metadata.Package, files []*syntax.Tree, ending []string) Wanted {
	if len(n.analyzers) == 0 || len(files) == 0 {
		return Wanted{}
	}
	if n.whole {
		return Wanted{Any: true, all: true}
	}
	w := Wanted{kept: map[*ast.FuncDecl]bool{}}
	s := search{w: &w, methods: p.GoVersion == "" || goversion.Compare(p.GoVersion, "go1.26") >= 0}
	for _, t := range files {
		if bytes.Contains(t.Text, []byte("Deprecated: ")) || bytes.Contains(t.Text, []byte("//go:fix")) {
			w.Any = true
		}
		s.aliases(t.AST)
	}
	for _, t := range files {
		for _, d := range t.AST.Decls {
			s.decl(d)
		}
	}
	s.ends(ending)
	w.Any = w.Any || w.all || len(w.kept) > 0
	return w
}

// A search is one look at the syntax of a package.
type search struct {
	w       *Wanted
	methods bool // methods of interfaces may be noted about
	any     map[string]bool
	bodies  []*ast.FuncDecl
}

// aliases notes names that the package may give to any.
func (s *search) aliases(f *ast.File) {
	if s.any == nil {
		s.any = map[string]bool{"any": true}
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			if spec, ok := spec.(*ast.TypeSpec); ok && spec.Assign.IsValid() {
				s.any[spec.Name.Name] = true
			}
		}
	}
}

// forwards reports whether the last parameter of a function is of any number of any type.
func (s *search) forwards(t *ast.FuncType) bool {
	if len(t.Params.List) == 0 {
		return false
	}
	last, ok := t.Params.List[len(t.Params.List)-1].Type.(*ast.Ellipsis)
	if !ok {
		return false
	}
	switch elt := ast.Unparen(last.Elt).(type) {
	case *ast.InterfaceType:
		return len(elt.Methods.List) == 0
	case *ast.Ident:
		return s.any[elt.Name]
	}
	return false
}

// decl looks at a declaration.
func (s *search) decl(d ast.Decl) {
	fn, _ := d.(*ast.FuncDecl)
	if fn != nil {
		if fn.Body == nil {
			if stops(fn.Name.Name) {
				s.w.Any = true
			}
			return
		}
		s.bodies = append(s.bodies, fn)
		if stops(fn.Name.Name) || s.forwards(fn.Type) || isNew(fn) || isFixed(fn) {
			s.w.kept[fn] = true
		}
	}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			if s.forwards(n.Type) {
				s.w.Any = true
				if fn != nil {
					s.w.kept[fn] = true
				}
			}
		case *ast.InterfaceType:
			for _, m := range n.Methods.List {
				if t, ok := m.Type.(*ast.FuncType); ok && s.methods && s.forwards(t) {
					s.w.all = true // what implements it is assigned to it anywhere
				}
			}
		}
		return true
	})
}

// stops reports whether a function may be one of those that package ctrlflow knows not to return,
// whatever is in them.
func stops(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"exit", "goexit", "fatal", "panic"}, func(p string) bool { return strings.HasPrefix(name, p) })
}

// isNew reports whether a function does nothing but return the address of something.
func isNew(fn *ast.FuncDecl) bool {
	if len(fn.Body.List) != 1 {
		return false
	}
	ret, ok := fn.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return false
	}
	x, ok := ret.Results[0].(*ast.UnaryExpr)
	return ok && x.Op == token.AND
}

func isFixed(fn *ast.FuncDecl) bool {
	return fn.Doc != nil && slices.ContainsFunc(fn.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:fix") })
}

// ends keeps functions that may never return. They are found by names alone, and with them the
// names of more functions that end those that call them.
func (s *search) ends(ending []string) {
	names := map[string]bool{"panic": true}
	for _, name := range ending {
		names[name] = true
	}
	for fn := range s.w.kept {
		if stops(fn.Name.Name) {
			names[fn.Name.Name] = true
		}
	}
	left := s.bodies
	for more := true; more; {
		more = false
		var rest []*ast.FuncDecl
		for _, fn := range left {
			called := false // some function whose name is not known to end it
			g := cfg.New(fn.Body, func(call *ast.CallExpr) bool {
				ends := names[calledName(call)]
				called = called || !ends
				return !ends
			})
			switch {
			case g.NoReturn():
				s.w.kept[fn] = true
				more = more || !names[fn.Name.Name]
				names[fn.Name.Name] = true
			case called:
				rest = append(rest, fn)
			}
		}
		left = rest
	}
}

// calledName is the name of what is called, without its package or receiver.
func calledName(call *ast.CallExpr) string {
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	switch x := fun.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}
