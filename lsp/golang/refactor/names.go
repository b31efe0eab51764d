package refactor

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// scopeAt is the innermost scope at a position of the file.
func (r *Request) scopeAt(pos token.Pos) *types.Scope {
	if s := r.Info.Scopes[r.File.AST]; s != nil {
		if inner := s.Innermost(pos); inner != nil {
			return inner
		}
		return s
	}
	return r.Package.Scope()
}

// fresh is a name that nothing has which can be seen at a position, or that is declared inside of
// one of the nodes: the name itself, or with a number.
func (r *Request) fresh(name string, at token.Pos, within ...ast.Node) string {
	taken := map[string]bool{}
	for _, n := range within {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				taken[id.Name] = true
			}
			return true
		})
	}
	free := func(name string) bool {
		if taken[name] || token.IsKeyword(name) {
			return false
		}
		_, obj := r.scopeAt(at).LookupParent(name, token.NoPos)
		return obj == nil
	}
	if free(name) {
		return name
	}
	for i := 1; ; i++ {
		if numbered := fmt.Sprint(name, i); free(numbered) {
			return numbered
		}
	}
}

// An importer writes types as a file would, and notes what it has to import for them.
type importer struct {
	r      *Request
	at     token.Pos
	needed []*types.Package
	hidden bool   // something was written that the file cannot name
	indent string // of the lines behind the first of a type that takes several

	// like has the names by path that packages are imported under; others go without. Nil decides
	// by their paths.
	like map[string]string
}

// importerAt writes types for a place of the file.
func (r *Request) importerAt(at token.Pos) *importer { return &importer{r: r, at: at} }

// qualify is a types.Qualifier.
func (i *importer) qualify(p *types.Package) string {
	if p == i.r.Package {
		return ""
	}
	for _, spec := range i.r.File.AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || path != p.Path() && !(i.r.Info.PkgNameOf(spec) != nil && i.r.Info.PkgNameOf(spec).Imported() == p) {
			continue
		}
		if spec.Name == nil {
			return p.Name()
		}
		switch spec.Name.Name {
		case ".":
			return ""
		case "_":
			continue
		}
		return spec.Name.Name
	}
	for _, had := range i.needed {
		if had.Path() == p.Path() {
			return i.nameOf(p)
		}
	}
	i.needed = append(i.needed, p)
	return i.nameOf(p)
}

// nameOf is the name that a package is imported under.
func (i *importer) nameOf(p *types.Package) string {
	if name := i.like[p.Path()]; name != "" {
		return name
	}
	return p.Name()
}

// qualified is an exported name of a package.
func (i *importer) qualified(p *types.Package, name string) string { return dotted(i.qualify(p), name) }

// typ is the text of a type, as gofmt writes it.
func (i *importer) typ(t types.Type) string {
	eachName(t, func(obj types.Object) {
		if obj.Pkg() != nil && obj.Pkg() != i.r.Package && !obj.Exported() && obj.Parent() != nil {
			i.hidden = true
		}
	})
	text := types.TypeString(t, i.qualify)
	if !strings.Contains(text, "{") {
		return text
	}
	x, err := parser.ParseExpr(text)
	if err != nil {
		return text
	}
	var out strings.Builder
	if err := format.Node(&out, token.NewFileSet(), x); err != nil {
		return text
	}
	return strings.ReplaceAll(out.String(), "\n", "\n"+i.indent)
}

// eachName calls fn for every declared type that a type mentions.
func eachName(t types.Type, fn func(types.Object)) {
	seen := map[types.Type]bool{}
	var walk func(t types.Type)
	walk = func(t types.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Named:
			fn(t.Obj())
			for arg := range t.TypeArgs().Types() {
				walk(arg)
			}
		case *types.Alias:
			fn(t.Obj())
			for arg := range t.TypeArgs().Types() {
				walk(arg)
			}
		case *types.TypeParam:
			fn(t.Obj())
		case *types.Tuple:
			for v := range t.Variables() {
				walk(v.Type())
			}
		case *types.Map:
			walk(t.Key())
			walk(t.Elem())
		case *types.Signature:
			walk(t.Params())
			walk(t.Results())
		case *types.Struct:
			for f := range t.Fields() {
				walk(f.Type())
			}
		case *types.Interface:
			for m := range t.ExplicitMethods() {
				walk(m.Type())
			}
			for e := range t.EmbeddedTypes() {
				walk(e)
			}
		case *types.Union:
			for term := range t.Terms() {
				walk(term.Type())
			}
		case interface{ Elem() types.Type }:
			walk(t.Elem())
		}
	}
	walk(t)
}

// imports are the edits that bring in what was needed.
func (i *importer) imports() ([]lsp.TextEdit, error) {
	var add []importSpec
	for _, p := range i.needed {
		if i.like != nil {
			add = append(add, importSpec{i.like[p.Path()], p.Path()})
		} else {
			add = append(add, specOf(p.Name(), Package{Path: p.Path(), Name: p.Name()}))
		}
	}
	return i.r.editImports(add, nil)
}

// zero is the zero value of a type as an expression; "" if there is none without a declaration.
func (i *importer) zero(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsBoolean != 0:
			return "false"
		case u.Info()&types.IsNumeric != 0:
			return "0"
		case u.Info()&types.IsString != 0:
			return `""`
		case u.Kind() == types.UnsafePointer, u.Kind() == types.UntypedNil:
			return "nil"
		}
		return ""
	case *types.Struct, *types.Array:
		return i.typ(t) + "{}"
	case *types.Interface:
		if _, ok := t.(*types.TypeParam); ok {
			return "*new(" + i.typ(t) + ")"
		}
	}
	return "nil"
}
