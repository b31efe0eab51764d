package describe

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/check"
)

// wastedFrom is the share of a struct, in percent, that another order of its fields must save to be
// worth a word.
const wastedFrom = 20

// size says how large a declared type or field is in memory, and where in its struct a field lies;
// "" for what has no size. The nodes are those around the name, the innermost last.
func size(v *check.View, obj types.Object, around []ast.Node) string {
	field, _ := obj.(*types.Var)
	isField := field != nil && field.IsField()
	_, isType := obj.(*types.TypeName)
	if !isField && !isType {
		return ""
	}
	var parts []string
	sizes := v.Sizes
	if !open(obj.Type()) {
		n := sizes.Sizeof(obj.Type())
		part := "size=" + number(n)
		if st, ok := obj.Type().Underlying().(*types.Struct); ok && isType && n > 0 && st.NumFields() > 0 {
			if w := 100 * (n - compact(st, sizes)) / n; w >= wastedFrom {
				part += fmt.Sprintf(" (%d%% wasted)", w)
			}
		}
		parts = append(parts, part)
		if class := allocated(n); class > n {
			parts = append(parts, "class="+number(class))
		}
	}
	if isField {
		if at := offset(v, field, around); at >= 0 {
			parts = append(parts, "offset="+number(at))
		}
	}
	return strings.Join(parts, ", ")
}

// number is a decimal, and what it is in hexadecimal if that differs.
func number(n int64) string {
	if n < 10 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d (%#x)", n, n)
}

// compact is the size of a struct whose fields are sorted by size, the largest first.
func compact(st *types.Struct, sizes types.Sizes) int64 {
	fields := slices.Collect(st.Fields())
	slices.SortStableFunc(fields, func(a, b *types.Var) int {
		return int(min(max(sizes.Sizeof(b.Type())-sizes.Sizeof(a.Type()), -1), 1))
	})
	last := len(fields) - 1
	return sizes.Offsetsof(fields)[last] + sizes.Sizeof(fields[last].Type())
}

// allocatedMost is the largest size that is rounded up to one of the allocator's classes.
const allocatedMost = 1 << 15

// allocated is how many bytes the allocator takes for a value; -1 if that is not known.
func allocated(n int64) int64 {
	if n < 0 || n > allocatedMost {
		return -1
	}
	return int64(cap(append([]byte(nil), make([]byte, n)...)))
}

// offset is where a field lies in its struct; -1 if that depends on type parameters.
func offset(v *check.View, field *types.Var, around []ast.Node) int64 {
	for i := len(around) - 1; i >= 0; i-- {
		n, ok := around[i].(*ast.StructType)
		if !ok {
			continue
		}
		st, ok := v.Info.TypeOf(n).(*types.Struct)
		if !ok {
			return -1
		}
		var before []*types.Var
		for f := range st.Fields() {
			if open(f.Type()) {
				return -1
			}
			before = append(before, f)
			if f == field {
				return v.Sizes.Offsetsof(before)[len(before)-1]
			}
		}
		return -1
	}
	return -1
}

// open reports whether a type depends on type parameters that are not known.
func open(t types.Type) bool {
	switch t := t.(type) {
	case *types.TypeParam:
		return true
	case *types.Alias:
		return open(types.Unalias(t))
	case *types.Named:
		if t.TypeParams().Len() > t.TypeArgs().Len() {
			return true
		}
		for arg := range t.TypeArgs().Types() {
			if open(arg) {
				return true
			}
		}
		return false
	case *types.Struct:
		for f := range t.Fields() {
			if open(f.Type()) {
				return true
			}
		}
		return false
	case *types.Array:
		return open(t.Elem())
	}
	return false // what lies elsewhere has one size
}
