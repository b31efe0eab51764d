package describe

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
	"text/tabwriter"

	"golang.org/x/tools/go/types/typeutil"
)

func accessible(obj types.Object, from *types.Package) bool {
	return obj.Exported() || obj.Pkg() == from
}

// promoted is a table of the fields that a struct has through those that it embeds.
func promoted(t types.Type, from *types.Package, q types.Qualifier) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 1, ' ', 0)
	var visit func(t types.Type, through []*types.Var)
	visit = func(u types.Type, through []*types.Var) {
		if p, ok := types.Unalias(u).(*types.Pointer); ok {
			u = p.Elem()
		}
		st, ok := u.Underlying().(*types.Struct)
		if !ok {
			return
		}
	fields:
		for f := range st.Fields() {
			if f.Embedded() {
				for _, above := range through {
					if above.Origin() == f.Origin() {
						continue fields // a struct that embeds itself
					}
				}
				visit(f.Type(), append(through[:len(through):len(through)], f))
			}
			if len(through) == 0 || !accessible(f, from) {
				continue
			}
			if obj, index, _ := types.LookupFieldOrMethod(t, true, f.Pkg(), f.Name()); obj != f || len(index) < 2 {
				continue // hidden by another
			}
			names := make([]string, len(through))
			for i, above := range through {
				names[i] = above.Name()
			}
			fmt.Fprintf(w, "%s\t%s\t// through %s\t\n", f.Name(), types.TypeString(f.Type(), q), strings.Join(names, "."))
		}
	}
	visit(t, nil)
	w.Flush() // to a string, which takes all
	if b.Len() == 0 {
		return ""
	}
	return "// Embedded fields:\n" + b.String()
}

// methods lists the methods of a type that its declaration does not show, one on each line.
func methods(t types.Type, spec *ast.TypeSpec, from *types.Package, q types.Qualifier) string {
	shown := map[string]bool{}
	if iface, ok := spec.Type.(*ast.InterfaceType); ok && iface.Methods != nil {
		for _, m := range iface.Methods.List {
			for _, name := range m.Names {
				shown[name.Name] = true
			}
		}
	}
	var lines []string
	for _, m := range typeutil.IntuitiveMethodSet(t, nil) {
		if fn, ok := m.Obj().(*types.Func); ok && accessible(fn, from) && !shown[fn.Name()] {
			lines = append(lines, function(fn, q))
		}
	}
	return strings.Join(lines, "\n")
}

// throughFields is what a selected field or method is reached through, as a comment; "" if it is
// the operand's own.
func throughFields(sel *types.Selection, q types.Qualifier) string {
	var through []string
	t := sel.Recv()
	for _, i := range sel.Index()[:len(sel.Index())-1] {
		if p, ok := types.Unalias(t).(*types.Pointer); ok {
			t = p.Elem()
		}
		st, ok := t.Underlying().(*types.Struct)
		if !ok || i >= st.NumFields() {
			break
		}
		t = st.Field(i).Type()
		through = append(through, types.TypeString(t, q))
	}
	if len(through) == 0 {
		return ""
	}
	return " // through " + strings.Join(through, ", ")
}
