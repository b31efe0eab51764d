package bodies

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// A reference is the name of something of a package that an initialization can depend on: of a
// variable or a function, or of a method as "T.m".
type reference = string

// referenceTo names an object of a package; "" if initialization cannot depend on it.
func referenceTo(pkg *types.Package, obj types.Object) reference {
	if obj == nil || obj.Pkg() != pkg {
		return ""
	}
	switch obj := obj.(type) {
	case *types.Func:
		recv := obj.Signature().Recv()
		if recv == nil {
			if obj.Parent() != pkg.Scope() {
				return ""
			}
			return obj.Name()
		}
		t := recv.Type()
		if p, ok := types.Unalias(t).(*types.Pointer); ok {
			t = p.Elem()
		}
		if named, ok := types.Unalias(t).(*types.Named); ok {
			return named.Obj().Name() + "." + obj.Name()
		}
	case *types.Var:
		if obj.Parent() == pkg.Scope() {
			return obj.Name()
		}
	}
	return ""
}

// references lists what the uses of a unit refer to, sorted.
func references(pkg *types.Package, uses []Use) (list []reference) {
	for _, u := range uses {
		if r := referenceTo(pkg, u.Object); r != "" {
			list = append(list, r)
		}
	}
	slices.Sort(list)
	return slices.Clip(slices.Compact(list))
}

// A declared is something that can lie on an initialization cycle, and what it refers to.
type declared struct {
	refers   []reference
	variable bool
}

// declareVariables adds the variables that a face declares.
func declareVariables(of map[reference]declared, pkg *types.Package, file *ast.File, facts *Facts) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok || len(v.Values) == 0 {
				continue
			}
			for i, name := range v.Names {
				values := v.Values
				if len(v.Values) == len(v.Names) {
					values = v.Values[i : i+1]
				}
				var refers []reference
				for _, x := range values {
					part := facts.between(x.Pos(), x.End())
					refers = append(refers, references(pkg, part.Uses)...)
				}
				of[name.Name] = declared{refers, true}
			}
		}
	}
}

// functionName is the reference to a function; "" if nothing can refer to it.
func functionName(fn *ast.FuncDecl) reference {
	if fn.Name.Name == "_" {
		return ""
	}
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		if fn.Name.Name == "init" {
			return ""
		}
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + fn.Name.Name
		default:
			return ""
		}
	}
}

// mayCycle reports whether something of the package can lie on a cycle of references with a
// variable. It says so also of some that cannot.
func mayCycle(of map[reference]declared, start reference) bool {
	type state struct {
		at       reference
		variable bool // there is one on the way
	}
	first, ok := of[start]
	if !ok {
		return false
	}
	seen := map[state]bool{}
	queue := []state{{start, first.variable}}
	for len(queue) > 0 {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		d, ok := of[s.at]
		if !ok {
			continue // of no unit with references
		}
		for _, r := range d.refers {
			to := of[r]
			next := state{r, s.variable || to.variable}
			if r == start && next.variable {
				return true
			}
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return false
}
