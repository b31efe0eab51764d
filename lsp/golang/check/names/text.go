package names

import (
	"encoding/binary"
	"go/types"
	"slices"
	"strings"
)

// A text is a declaration in bytes, with the declarations that it mentions. Nothing that an
// importer can see of the declaration itself is left out; no two declarations that differ have one
// text.
type text struct {
	path     func(types.Object) string
	out      []byte
	mentions []types.Object // origins, perhaps several times
}

// Each thing in a text begins with a byte that says what it is.
const (
	isConst byte = iota + 1
	isVar
	isFunc
	isDefined
	isAlias
	isOtherName
	isOther
	isNothing
	isBasic
	isPointer
	isSlice
	isArray
	isMap
	isChan
	isTuple
	isSignature
	isStruct
	isInterface
	isUnion
	isNamed
	isAliasUse
	isParameter
)

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func (t *text) kind(k byte) { t.out = append(t.out, k) }

func (t *text) string(s string) { t.out = appendString(t.out, s) }

func (t *text) number(n int) { t.out = binary.AppendVarint(t.out, int64(n)) }

func (t *text) flag(b bool) {
	if b {
		t.out = append(t.out, 1)
	} else {
		t.out = append(t.out, 0)
	}
}

// declaration writes a package-level declaration.
func (t *text) declaration(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Const:
		t.kind(isConst)
		t.typ(obj.Type())
		t.number(int(obj.Val().Kind()))
		t.string(obj.Val().ExactString())
	case *types.Var:
		t.kind(isVar)
		t.typ(obj.Type())
	case *types.Func:
		t.kind(isFunc)
		t.typ(obj.Type())
	case *types.TypeName:
		t.typeName(obj)
	default:
		t.kind(isOther)
		t.string(obj.String())
	}
}

func (t *text) typeName(obj *types.TypeName) {
	switch typ := obj.Type().(type) {
	case *types.Named:
		if typ.Obj() == obj {
			t.kind(isDefined)
			t.parameters(typ.TypeParams())
			t.typ(typ.Underlying())
			t.methods(typ)
			return
		}
	case *types.Alias:
		if typ.Obj() == obj {
			t.kind(isAlias)
			t.parameters(typ.TypeParams())
			t.typ(typ.Rhs())
			return
		}
	}
	t.kind(isOtherName)
	t.typ(obj.Type())
}

// methods writes the methods that are declared for a type. Their order means nothing.
func (t *text) methods(typ *types.Named) {
	list := slices.Collect(typ.Methods())
	slices.SortFunc(list, func(a, b *types.Func) int { return strings.Compare(a.Id(), b.Id()) })
	t.number(len(list))
	for _, m := range list {
		t.string(m.Id())
		t.string(t.path(m))
		_, pointer := types.Unalias(m.Signature().Recv().Type()).(*types.Pointer)
		t.flag(pointer)
		t.typ(m.Type())
	}
}

// parameters writes the declaration of type parameters.
func (t *text) parameters(list *types.TypeParamList) {
	t.number(list.Len())
	for p := range list.TypeParams() {
		t.string(p.Obj().Name())
		t.typ(p.Constraint())
	}
}

// arguments writes type arguments.
func (t *text) arguments(list *types.TypeList) {
	t.number(list.Len())
	for arg := range list.Types() {
		t.typ(arg)
	}
}

// mention writes a declared type by its name.
func (t *text) mention(obj *types.TypeName) {
	t.string(label(obj))
	if pkg := obj.Pkg(); pkg != nil {
		t.string(pkg.Name())
		t.mentions = append(t.mentions, obj)
	}
}

// typ writes a type, down to the types that have a name.
func (t *text) typ(typ types.Type) {
	switch typ := typ.(type) {
	case nil:
		t.kind(isNothing)
	case *types.Basic:
		t.kind(isBasic)
		t.string(typ.Name())
	case *types.Pointer:
		t.kind(isPointer)
		t.typ(typ.Elem())
	case *types.Slice:
		t.kind(isSlice)
		t.typ(typ.Elem())
	case *types.Array:
		t.kind(isArray)
		t.number(int(typ.Len()))
		t.typ(typ.Elem())
	case *types.Map:
		t.kind(isMap)
		t.typ(typ.Key())
		t.typ(typ.Elem())
	case *types.Chan:
		t.kind(isChan)
		t.number(int(typ.Dir()))
		t.typ(typ.Elem())
	case *types.Tuple:
		t.kind(isTuple)
		t.number(typ.Len())
		for v := range typ.Variables() {
			t.string(v.Name())
			t.typ(v.Type())
		}
	case *types.Signature:
		t.kind(isSignature)
		t.parameters(typ.RecvTypeParams())
		t.parameters(typ.TypeParams())
		t.flag(typ.Variadic())
		t.typ(typ.Params())
		t.typ(typ.Results())
	case *types.Struct:
		t.kind(isStruct)
		t.number(typ.NumFields())
		for i := range typ.NumFields() {
			f := typ.Field(i)
			t.string(f.Id())
			t.string(t.path(f))
			t.flag(f.Embedded())
			t.string(typ.Tag(i))
			t.typ(f.Type())
		}
	case *types.Interface:
		t.iface(typ)
	case *types.Union:
		t.kind(isUnion)
		t.number(typ.Len())
		for term := range typ.Terms() {
			t.flag(term.Tilde())
			t.typ(term.Type())
		}
	case *types.Named:
		t.kind(isNamed)
		t.mention(typ.Origin().Obj())
		t.arguments(typ.TypeArgs())
	case *types.Alias:
		t.kind(isAliasUse)
		t.mention(typ.Origin().Obj())
		t.arguments(typ.TypeArgs())
	case *types.TypeParam:
		t.kind(isParameter)
		t.number(typ.Index())
		t.string(typ.Obj().Name()) // whose it is
	default:
		t.kind(isOther)
		t.string(typ.String())
	}
}

func (t *text) iface(typ *types.Interface) {
	t.kind(isInterface)
	t.flag(typ.IsImplicit())
	list := slices.Collect(typ.ExplicitMethods())
	slices.SortFunc(list, func(a, b *types.Func) int { return strings.Compare(a.Id(), b.Id()) })
	t.number(len(list))
	for _, m := range list {
		t.string(m.Id())
		t.string(t.path(m))
		t.typ(m.Type())
	}
	t.number(typ.NumEmbeddeds())
	for e := range typ.EmbeddedTypes() {
		t.typ(e)
	}
}
