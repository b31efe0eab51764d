package methods

import (
	"encoding/binary"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// A term is a type as bytes: whether it is open, then its root. A node is its operator, behind its
// length, the number of its operands, and these. The operator of a type parameter is a dollar sign
// and its number among those of the type or receiver.

// Whether type parameters occur in a term.
const (
	closedTerm = 'c'
	openTerm   = 'o'
)

// literalsDeep bounds how deep the methods of interface literals are written out: one can contain
// itself by way of a name. What lies deeper is known by its methods' IDs.
const literalsDeep = 3

// A termWriter makes a term.
type termWriter struct {
	out      []byte
	open     bool
	literals int
}

// termOf is the term of a type.
func termOf(t types.Type) string {
	w := termWriter{out: []byte{closedTerm}}
	w.typ(t)
	if w.open {
		w.out[0] = openTerm
	}
	return string(w.out)
}

func (w *termWriter) node(op string, operands int) {
	w.out = binary.AppendUvarint(w.out, uint64(len(op)))
	w.out = append(w.out, op...)
	w.out = binary.AppendUvarint(w.out, uint64(operands))
}

func (w *termWriter) typ(t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		w.node(types.Typ[t.Kind()].Name(), 0) // byte and uint8 are one type
	case *types.Pointer:
		w.node("*", 1)
		w.typ(t.Elem())
	case *types.Slice:
		w.node("[]", 1)
		w.typ(t.Elem())
	case *types.Array:
		w.node("["+strconv.FormatInt(t.Len(), 10)+"]", 1)
		w.typ(t.Elem())
	case *types.Map:
		w.node("map", 2)
		w.typ(t.Key())
		w.typ(t.Elem())
	case *types.Chan:
		w.node("chan"+strconv.Itoa(int(t.Dir())), 1)
		w.typ(t.Elem())
	case *types.Tuple:
		w.node("()", t.Len())
		for v := range t.Variables() {
			w.typ(v.Type())
		}
	case *types.Signature:
		op := "func"
		if t.Variadic() {
			op = "func..."
		}
		w.node(op, 2)
		w.typ(t.Params())
		w.typ(t.Results())
	case *types.Struct:
		w.node("struct", t.NumFields())
		for i := range t.NumFields() {
			f := t.Field(i)
			w.node("."+f.Id()+" "+strconv.FormatBool(f.Embedded())+" "+t.Tag(i), 1)
			w.typ(f.Type())
		}
	case *types.Interface:
		w.literal(t)
	case *types.Union:
		w.node("|", t.Len())
		for term := range t.Terms() {
			w.node("~"+strconv.FormatBool(term.Tilde()), 1)
			w.typ(term.Type())
		}
	case *types.Named:
		w.node(nameOf(t.Origin().Obj()), t.TypeArgs().Len())
		for arg := range t.TypeArgs().Types() {
			w.typ(arg)
		}
	case *types.TypeParam:
		w.open = true
		w.node("$"+strconv.Itoa(t.Index()), 0)
	default:
		w.node("?", 0)
	}
}

// nameOf names a defined type among all of them. Those of function bodies are told apart by where
// they stand, which is the same as long as the package is.
func nameOf(obj *types.TypeName) string {
	pkg := obj.Pkg()
	if pkg == nil {
		return obj.Name()
	}
	name := pkg.Path() + "." + obj.Name()
	if obj.Parent() != nil && obj.Parent() != pkg.Scope() {
		name += "@" + strconv.Itoa(int(obj.Pos()))
	}
	return name
}

// literal writes an interface without a name.
func (w *termWriter) literal(t *types.Interface) {
	w.literals++
	defer func() { w.literals-- }()
	list := slices.Collect(t.Methods())
	slices.SortFunc(list, func(a, b *types.Func) int { return strings.Compare(a.Id(), b.Id()) })
	var sets []types.Type
	for e := range t.EmbeddedTypes() {
		if !types.IsInterface(e) {
			sets = append(sets, e)
		}
	}
	w.node("interface", len(list)+len(sets))
	for _, m := range list {
		if w.literals > literalsDeep {
			w.node("."+m.Id(), 0)
			continue
		}
		w.node("."+m.Id(), 1)
		w.typ(m.Type())
	}
	for _, e := range sets {
		w.typ(e)
	}
}

// A node is a term to be unified.
type node struct {
	op       string
	operands []*node
	parameter,
	side int // of a type parameter, whose op is ""
}

// parse reads a term; side tells the type parameters of two terms apart.
func parse(term string, side int) *node {
	if term == "" {
		return nil
	}
	r := reader{b: []byte(term[1:])}
	n := r.node(side, 0)
	if r.bad {
		return nil
	}
	return n
}

// termsDeep bounds how deep a term that is read may be.
const termsDeep = 10000

func (r *reader) node(side, depth int) *node {
	n := &node{op: string(r.bytes())}
	if rest, ok := strings.CutPrefix(n.op, "$"); ok {
		n.parameter, _ = strconv.Atoi(rest)
		n.op, n.side = "", side
	}
	for range r.int() {
		if r.bad || depth > termsDeep {
			r.bad = true
			return n
		}
		n.operands = append(n.operands, r.node(side, depth+1))
	}
	return n
}

// A unifier knows what the type parameters of two sides stand for.
type unifier map[[2]int]*node

// found follows type parameters to what they stand for, or to one that is free.
func (u unifier) found(n *node) *node {
	for n != nil && n.op == "" {
		next := u[[2]int{n.side, n.parameter}]
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// unify reports whether two terms can be of one type, and notes what type parameters then stand
// for.
func (u unifier) unify(a, b *node) bool {
	a, b = u.found(a), u.found(b)
	switch {
	case a == nil || b == nil:
		return false
	case a.op == "" && b.op == "" && a.side == b.side && a.parameter == b.parameter:
		return true
	case a.op == "":
		return u.bind(a, b)
	case b.op == "":
		return u.bind(b, a)
	case a.op != b.op || len(a.operands) != len(b.operands):
		return false
	}
	for i := range a.operands {
		if !u.unify(a.operands[i], b.operands[i]) {
			return false
		}
	}
	return true
}

func (u unifier) bind(parameter, to *node) bool {
	if u.occurs(parameter, to) {
		return false
	}
	u[[2]int{parameter.side, parameter.parameter}] = to
	return true
}

func (u unifier) occurs(parameter, in *node) bool {
	in = u.found(in)
	if in == nil {
		return false
	}
	if in.op == "" {
		return in.side == parameter.side && in.parameter == parameter.parameter
	}
	return slices.ContainsFunc(in.operands, func(n *node) bool { return u.occurs(parameter, n) })
}

// Unify reports whether two types can be the same, for some meaning of the type parameters in them.
func Unify(a, b types.Type) bool {
	return unifier{}.unify(parse(termOf(a), 0), parse(termOf(b), 1))
}
