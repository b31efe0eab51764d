package refactor

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// fillSwitch adds the cases that a switch over the constants of a type, or over the types that
// implement an interface, lacks.
func fillSwitch(r *Request) []Change {
	for _, n := range r.path {
		switch s := n.(type) {
		case *ast.SwitchStmt:
			return r.fillConstants(s)
		case *ast.TypeSwitchStmt:
			return r.fillTypes(s)
		case *ast.FuncLit, *ast.FuncDecl:
			return nil
		}
	}
	return nil
}

// cases are what is added to a switch: those that lack, and a default that tells of others.
func (r *Request) cases(body *ast.BlockStmt, of *types.Named, subject string, cases []string, i *importer) []Change {
	for _, c := range body.List {
		if clause, ok := c.(*ast.CaseClause); ok && clause.List == nil {
			return nil // what else there is has been thought of
		}
	}
	if len(cases) == 0 {
		return nil
	}
	title := "Add cases for " + of.Obj().Name()
	return []Change{{Title: title, Make: func() (*lsp.WorkspaceEdit, error) {
		indent := r.indent(body.Rbrace)
		var b strings.Builder
		for _, c := range cases {
			fmt.Fprintf(&b, "%scase %s:\n", indent, c)
		}
		name := of.Obj().Name()
		if of.Obj().Pkg() != nil {
			name = of.Obj().Pkg().Name() + "." + name
		}
		format := "fmt"
		edits, err := r.needs("fmt", &format)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%sdefault:\n%[1]s\tpanic(%s.Sprintf(\"unexpected %s: %%#v\", %s))\n", indent, format, name, subject)
		more, err := i.imports()
		if err != nil {
			return nil, err
		}
		if len(more) > 0 {
			edits, err = r.editImports(append([]importSpec{{path: "fmt"}}, specs(i.needed)...), nil)
			if err != nil {
				return nil, err
			}
		}
		at := r.lineStart(body.Rbrace)
		if strings.TrimSpace(r.text(at, body.Rbrace)) != "" {
			return r.edit(append(edits, r.replace(body.Rbrace, body.Rbrace, "\n"+b.String()+indent))...)
		}
		return r.edit(append(edits, r.replace(at, at, b.String()))...)
	}}}
}

func specs(packages []*types.Package) (out []importSpec) {
	for _, p := range packages {
		out = append(out, specOf(p.Name(), Package{Path: p.Path(), Name: p.Name()}))
	}
	return out
}

// needs is how the file calls a package of the standard library, which it imports if it does not
// yet.
func (r *Request) needs(path string, name *string) ([]lsp.TextEdit, error) {
	for _, spec := range r.File.AST.Imports {
		if spec.Path.Value == `"`+path+`"` {
			if spec.Name == nil {
				return nil, nil
			}
			if spec.Name.Name != "_" && spec.Name.Name != "." {
				*name = spec.Name.Name
				return nil, nil
			}
		}
	}
	return r.editImports([]importSpec{{path: path}}, nil)
}

func (r *Request) fillConstants(s *ast.SwitchStmt) []Change {
	if s.Tag == nil {
		return nil
	}
	named, ok := types.Unalias(typeOr(r.Info.TypeOf(s.Tag))).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return nil
	}
	if _, ok := named.Underlying().(*types.Basic); !ok {
		return nil
	}
	var had []constant.Value
	for _, c := range s.Body.List {
		for _, x := range c.(*ast.CaseClause).List {
			if v := r.Info.Types[x].Value; v != nil {
				had = append(had, v)
			}
		}
	}
	i := r.importerAt(s.Pos())
	var cases []string
	scope := named.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		c, ok := scope.Lookup(name).(*types.Const)
		if !ok || name == "_" || !types.Identical(c.Type(), named) || !c.Exported() && c.Pkg() != r.Package ||
			slices.ContainsFunc(had, func(v constant.Value) bool {
				return v.Kind() == c.Val().Kind() && v.ExactString() == c.Val().ExactString()
			}) {
			continue
		}
		cases = append(cases, qualified(i.qualify(c.Pkg()), name))
		had = append(had, c.Val()) // two names of one value make one case
	}
	return r.cases(s.Body, named, r.textOf(s.Tag), cases, i)
}

func qualified(pkg, name string) string {
	if pkg == "" {
		return name
	}
	return pkg + "." + name
}

func typeOr(t types.Type) types.Type {
	if t == nil {
		return types.Typ[types.Invalid]
	}
	return t
}

func (r *Request) fillTypes(s *ast.TypeSwitchStmt) []Change {
	var (
		x       ast.Expr
		subject string
	)
	switch a := s.Assign.(type) {
	case *ast.ExprStmt:
		x = a.X
	case *ast.AssignStmt:
		x = a.Rhs[0]
		subject = r.textOf(a.Lhs[0])
	}
	assert, ok := x.(*ast.TypeAssertExpr)
	if !ok {
		return nil
	}
	if subject == "" {
		subject = r.textOf(assert.X)
	}
	named, ok := types.Unalias(typeOr(r.Info.TypeOf(assert.X))).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return nil
	}
	iface, ok := named.Underlying().(*types.Interface)
	if !ok || iface.NumMethods() == 0 {
		return nil
	}
	var had []types.Type
	for _, c := range s.Body.List {
		for _, x := range c.(*ast.CaseClause).List {
			if t := r.Info.TypeOf(x); t != nil {
				had = append(had, t)
			}
		}
	}
	i := r.importerAt(s.Pos())
	var cases []string
	scope := named.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		obj, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || obj.IsAlias() || !obj.Exported() && obj.Pkg() != r.Package || obj == named.Obj() {
			continue
		}
		t, ok := obj.Type().(*types.Named)
		if !ok || t.TypeParams().Len() > 0 || types.IsInterface(t) {
			continue
		}
		var with types.Type = t
		prefix := ""
		if !types.Implements(t, iface) {
			if with, prefix = types.NewPointer(t), "*"; !types.Implements(with, iface) {
				continue
			}
		}
		if !slices.ContainsFunc(had, func(t types.Type) bool { return types.Identical(t, with) }) {
			cases = append(cases, prefix+qualified(i.qualify(obj.Pkg()), name))
		}
	}
	return r.cases(s.Body, named, subject, cases, i)
}
