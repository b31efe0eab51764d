package runtime

import (
	"bytes"
	"math/bits"
	"reflect"
)

// A compactReader reads a value in the compact form, with its marker, which was well-formed before
// any of it was taken. It knows what values of its type are written as today. All else it gives up
// on, and the value is expanded and read by name, which decides: fields that there were once, other
// kinds of items, and damage.
//
// C5: What a compactReader reads is what the value is read as by name.
type compactReader struct {
	itemReader
	firsts []compactShape // by number
}

// readCompact sets v, which is zero, to the value that p is the compact form of. If it reports
// false, v may have been set in part.
func (f *form) readCompact(p []byte, v reflect.Value) bool {
	r := compactReader{itemReader: itemReader{p}}
	kind, tag := r.head()
	return kind == cborTag && tag == compactMarker && r.value(f, v)
}

// isNull takes a null if that is what is next.
func (r *compactReader) isNull() bool {
	if r.in[0] != cborNull {
		return false
	}
	r.in = r.in[1:]
	return true
}

// parts takes the head of an item of a kind and returns how many items there are in it.
func (r *compactReader) parts(of byte) (int, bool) {
	kind, n := r.head()
	return int(n), kind == of
}

// byName reads an item that has no struct with a number in it.
func (r *compactReader) byName(v reflect.Value) bool {
	from := r.in
	return r.skip() && cborDec.Unmarshal(from[:len(from)-len(r.in)], v.Addr().Interface()) == nil
}

// skip takes an item if it has no struct with a number in it.
func (r *compactReader) skip() bool {
	for left := 1; left > 0; left-- {
		switch kind, n := r.head(); kind {
		case cborBytes, cborText:
			r.in = r.in[n:]
		case cborArray:
			left += int(n)
		case cborMap:
			left += 2 * int(n)
		case cborTag:
			if n >= compactFirst {
				return false
			}
			left++
		}
	}
	return true
}

// value is the inverse of compactWriter.value.
func (r *compactReader) value(f *form, v reflect.Value) bool {
	switch f.how {
	case byString:
		kind, n := r.head()
		if kind != cborText {
			return false
		}
		v.SetString(string(r.in[:n]))
		r.in = r.in[n:]
	case byBool:
		b := r.in[0]
		if b != cborTrue && b != cborFalse {
			return false
		}
		v.SetBool(b == cborTrue)
		r.in = r.in[1:]
	case byInt:
		kind, n := r.head()
		i := int64(n)
		if kind == cborNegative {
			i = -1 - i
		}
		if kind > cborNegative || n >= 1<<63 || v.OverflowInt(i) {
			return false
		}
		v.SetInt(i)
	case byUint:
		kind, n := r.head()
		if kind != cborUint || v.OverflowUint(n) {
			return false
		}
		v.SetUint(n)
	case byBytes:
		if r.isNull() {
			break
		}
		kind, n := r.head()
		if kind != cborBytes {
			return false
		}
		v.SetBytes(append(make([]byte, 0, n), r.in[:n]...))
		r.in = r.in[n:]
	case byStruct:
		return r.structure(f.layout, v)
	case byPointer:
		if r.isNull() {
			break
		}
		v.Set(reflect.New(f.elem.t))
		return r.value(f.elem, v.Elem())
	case byMap:
		return r.isNull() || r.mapping(f, v)
	case bySlice:
		return r.isNull() || r.list(f, v)
	case byArray:
		return r.list(f, v)
	default:
		return r.byName(v)
	}
	return true
}

// list reads a slice or an array.
func (r *compactReader) list(f *form, v reflect.Value) bool {
	n, ok := r.parts(cborArray)
	if !ok || f.how == byArray && n != v.Len() {
		return false
	}
	if f.how == bySlice {
		v.Set(reflect.MakeSlice(f.t, n, n))
	}
	for i := range n {
		if !r.value(f.elem, v.Index(i)) {
			return false
		}
	}
	return true
}

func (r *compactReader) mapping(f *form, v reflect.Value) bool {
	n, ok := r.parts(cborMap)
	if !ok {
		return false
	}
	v.Set(reflect.MakeMapWithSize(f.t, n))
	for range n {
		key, elem := reflect.New(f.key.t).Elem(), reflect.New(f.elem.t).Elem()
		if !r.byName(key) || !r.value(f.elem, elem) {
			return false
		}
		v.SetMapIndex(key, elem)
	}
	return v.Len() == n // else a key was there twice
}

func (r *compactReader) structure(l *layout, v reflect.Value) bool {
	kind, n := r.head()
	switch {
	case l.array:
		return kind == cborArray && n == uint64(len(l.fields)) && r.fields(l, 1<<len(l.fields)-1, v)
	case kind == cborMap:
		return r.named(l, int(n), v)
	case kind != cborTag:
		return false
	case n == compactFirst:
		return r.first(l, v)
	case n < compactFurther || n-compactFurther >= uint64(len(r.firsts)):
		return false
	}
	shape := r.firsts[n-compactFurther]
	parts, ok := r.parts(cborArray)
	return ok && shape.l == l && parts == bits.OnesCount64(shape.some) && r.fields(l, shape.some, v)
}

// named reads a struct of n fields with their names.
func (r *compactReader) named(l *layout, n int, v reflect.Value) bool {
	i := 0
	for range n {
		if i = r.name(l, i); i < 0 || !r.value(l.fields[i].form, l.fields[i].in(v)) {
			return false
		}
		i++
	}
	return true
}

// name takes a name and returns which field it is, of those from i on.
func (r *compactReader) name(l *layout, i int) int {
	for ; i < len(l.fields); i++ {
		if name := l.fields[i].name; bytes.HasPrefix(r.in, name) {
			r.in = r.in[len(name):]
			return i
		}
	}
	return -1
}

func (r *compactReader) first(l *layout, v reflect.Value) bool {
	parts, ok := r.parts(cborArray)
	if !ok || parts == 0 {
		return false
	}
	n, ok := r.parts(cborArray)
	if !ok || n != parts-1 {
		return false
	}
	shape := compactShape{l: l}
	i := 0
	for range n {
		if i = r.name(l, i); i < 0 {
			return false
		}
		shape.some |= 1 << i
		i++
	}
	r.firsts = append(r.firsts, shape)
	return r.fields(l, shape.some, v)
}

// fields reads those fields of a struct that are there.
func (r *compactReader) fields(l *layout, some uint64, v reflect.Value) bool {
	for ; some != 0; some &= some - 1 {
		field := &l.fields[bits.TrailingZeros64(some)]
		if !r.value(field.form, field.in(v)) {
			return false
		}
	}
	return true
}

// in returns the field of a struct; what an embedded pointer points to is made if it is nil.
func (f *layoutField) in(v reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return v.Field(f.index[0])
	}
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}
