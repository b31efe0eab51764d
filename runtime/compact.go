package runtime

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"sync"
)

// The compact form of values that may hold any number of structs of one type.
//
// CBOR by name repeats the names of the fields in each struct. The compact form says them once in a
// value: the first struct that has a set of fields is written with their names, which are the
// schema of those after it, and these are written by position.
//
//	value   = marker, item              the marker is tag 5; without it an item is CBOR by name
//	first   = tag 6, [names, item, …]   names is an array; the n-th of these has the number n, from 0
//	further = tag 8+n, [item, …]        in the order of the names with the number n
//
// C1: A record stands by itself. It refers to no schema in another record, so the hash of a value
// depends on the value and its type alone, the collector has nothing more to reach, and damage to a
// record costs that record.
//
// C2: expand gives back the CBOR by name that cborEnc makes of the value, byte for byte, and needs
// no type for it. So F1 and F2 hold of the compact form because they hold of the other, and a value
// of a type that has changed since is read by name, as one that is not compact.
//
// C3: A value without a struct that has a number is written by name, without the marker. Structs
// have numbers if a slice, an array, a map or recursion holds them. Records that were written
// before there was a compact form have no marker either and are read as they are.
//
// C4: No other value begins with the marker or holds tags from 6 on: the tags of cborEnc are those
// of big numbers, 2 and 3. What a MarshalCBOR writes may hold any tag, so no type with such a part
// is compact, and no marker is looked for where the whole value is such a part.
//
// The keys of maps, whose order their bytes decide, are written by name throughout.
const (
	compactMarker  = 5
	compactFirst   = 6
	compactFurther = 8 // and the number of the first
)

// maxCompactNames bounds the bytes of the names of a struct that is written by position, and so
// what expand makes of bytes that were forged.
const maxCompactNames = 4 << 10

// maxCompactFields bounds its fields: a word says which of them are there.
const maxCompactFields = 64

// The kinds of CBOR items, in the upper three bits of an item's first byte.
const (
	cborUint byte = iota << 5
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag

	cborFalse, cborTrue = 0xf4, 0xf5
)

// appendHead appends the shortest head of an item.
func appendHead(dst []byte, kind byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, kind|byte(n))
	case n < 1<<8:
		return append(dst, kind|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, kind|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, kind|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, kind|27), n)
	}
}

// A compactWriter writes one value.
type compactWriter struct {
	dst    []byte
	firsts []compactShape // by number
}

// A compactShape is a struct's type and which of its fields are there.
type compactShape struct {
	l    *layout
	some uint64 // bit i: field i of the layout is there
}

var compactWriters = sync.Pool{New: func() any { return new(compactWriter) }}

// maxKeptBytes bounds what a writer keeps for the next value.
const maxKeptBytes = 64 << 10

// appendCompact appends the compact form of v.
func (f *form) appendCompact(dst []byte, v reflect.Value) ([]byte, error) {
	w := compactWriters.Get().(*compactWriter)
	w.head(cborTag, compactMarker)
	err := w.value(f, v)
	from := 0
	if len(w.firsts) == 0 {
		from = 1 // C3
	}
	dst = append(dst, w.dst[from:]...)
	if cap(w.dst) <= maxKeptBytes {
		clear(w.firsts)
		w.dst, w.firsts = w.dst[:0], w.firsts[:0]
		compactWriters.Put(w)
	}
	return dst, err
}

func (w *compactWriter) byName(v reflect.Value) error {
	b, err := cborEnc.Marshal(addressOf(v))
	w.dst = append(w.dst, b...)
	return err
}

func (w *compactWriter) head(kind byte, n int) { w.dst = appendHead(w.dst, kind, uint64(n)) }

// value writes a value.
func (w *compactWriter) value(f *form, v reflect.Value) error {
	switch f.how {
	case byString:
		w.head(cborText, v.Len())
		w.dst = append(w.dst, v.String()...)
	case byBool:
		if v.Bool() {
			w.dst = append(w.dst, cborTrue)
		} else {
			w.dst = append(w.dst, cborFalse)
		}
	case byInt:
		n := v.Int()
		// The sign bit, spread out, turns a negative n into -1-n, as CBOR has it.
		w.dst = appendHead(w.dst, cborNegative&byte(n>>63), uint64(n^n>>63))
	case byUint:
		w.dst = appendHead(w.dst, cborUint, v.Uint())
	case byBytes:
		if w.null(v) {
			break
		}
		w.head(cborBytes, v.Len())
		w.dst = append(w.dst, v.Bytes()...)
	case byStruct:
		return w.structure(f.layout, v)
	case byPointer:
		if w.null(v) {
			break
		}
		return w.value(f.elem, v.Elem())
	case byMap:
		if w.null(v) {
			break
		}
		return w.mapping(f, v)
	case bySlice, byArray:
		if f.how == bySlice && w.null(v) {
			break
		}
		n := v.Len()
		w.head(cborArray, n)
		for i := range n {
			if err := w.value(f.elem, v.Index(i)); err != nil {
				return err
			}
		}
	default:
		return w.byName(v)
	}
	return nil
}

// null writes what is nil.
func (w *compactWriter) null(v reflect.Value) bool {
	if v.IsNil() {
		w.dst = append(w.dst, cborNull)
		return true
	}
	return false
}

// A compactHow says how the values of a form are written: those that hold structs with numbers, and
// those that are common, here; the others by cborEnc.
type compactHow uint8

const (
	byName compactHow = iota
	byString
	byBool
	byInt
	byUint
	byBytes
	byStruct
	byPointer
	byMap
	bySlice
	byArray
)

func (f *form) compactHow() compactHow {
	if f.own != ownNone || f.t == timeType || f.t == bigIntType {
		return byName
	}
	switch f.t.Kind() {
	case reflect.String:
		return byString
	case reflect.Bool:
		return byBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return byInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return byUint
	}
	switch k := f.t.Kind(); {
	case k == reflect.Slice && f.t.Elem() == byteType:
		return byBytes
	case !f.numbered:
		return byName
	case k == reflect.Struct:
		return byStruct
	case k == reflect.Pointer:
		return byPointer
	case k == reflect.Map:
		return byMap
	case k == reflect.Slice:
		return bySlice
	default:
		return byArray
	}
}

var byteType = reflect.TypeFor[byte]()

func (w *compactWriter) mapping(f *form, v reflect.Value) error {
	type entry struct {
		key  []byte
		elem reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := cborEnc.Marshal(addressOf(it.Key()))
		if err != nil {
			return err
		}
		entries = append(entries, entry{key, it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	w.head(cborMap, len(entries))
	for _, e := range entries {
		w.dst = append(w.dst, e.key...)
		if err := w.value(f.elem, e.elem); err != nil {
			return err
		}
	}
	return nil
}

func (w *compactWriter) structure(l *layout, v reflect.Value) error {
	some, n := l.present(v)
	names := false // before each item
	switch shape := (compactShape{l, some}); {
	case l.array:
		w.head(cborArray, n)
	case !l.repeats || n == 0:
		w.head(cborMap, n)
		names = true
	default:
		if number := slices.Index(w.firsts, shape); number >= 0 {
			w.head(cborTag, compactFurther+number)
			w.head(cborArray, n)
			break
		}
		w.firsts = append(w.firsts, shape)
		w.head(cborTag, compactFirst)
		w.head(cborArray, n+1)
		w.head(cborArray, n)
		for i := range l.fields {
			if some&(1<<i) != 0 {
				w.dst = append(w.dst, l.fields[i].name...)
			}
		}
	}
	for i := range l.fields {
		if some&(1<<i) == 0 {
			continue
		}
		field := &l.fields[i]
		if names {
			w.dst = append(w.dst, field.name...)
		}
		if err := w.value(field.form, field.in(v)); err != nil {
			return err
		}
	}
	return nil
}

// A layout says how the structs of a type are written.
type layout struct {
	fields  []layoutField // those of embedded structs among them, as cborEnc orders them
	array   bool          // a tag says toarray: the fields have no names
	sparse  bool          // some fields may be left out
	repeats bool          // a value may hold several of these structs
}

type layoutField struct {
	name    []byte // in CBOR
	index   []int
	form    *form
	omit    bool // what is zero is left out
	pointed bool // it is in an embedded pointer
}

// present returns which fields of a struct are written, and how many these are.
func (l *layout) present(v reflect.Value) (some uint64, n int) {
	if !l.sparse {
		return 1<<len(l.fields) - 1, len(l.fields)
	}
	for i := range l.fields {
		field := &l.fields[i]
		fv, err := v.FieldByIndexErr(field.index)
		if err != nil { // a nil pointer on the way
			continue
		}
		if field.omit && fv.IsZero() { // what is empty and not zero, check has refused
			continue
		}
		some |= 1 << i
	}
	return some, bits.OnesCount64(some)
}

// layOut gives each struct in the forms its layout, and says of each form whether structs in it
// have numbers. A struct without a layout is written by cborEnc, with all that is in it.
func (b *formBuilder) layOut(root *form) error {
	whole := root
	for whole.own == ownNone && whole.elem != nil && whole.t.Kind() == reflect.Pointer {
		whole = whole.elem
	}
	root.marked = whole.own != ownCBOR
	if root.foreign {
		return nil // C4
	}
	root.repeat(map[*form]bool{}, false)
	for _, f := range b.all {
		if len(f.fields) == 0 {
			continue
		}
		l := &layout{array: f.array, repeats: f.repeats}
		if err := l.add(f, nil, false); err != nil {
			return err
		}
		if l.tidy() {
			f.layout = l
			f.numbered = l.repeats && !l.array && !f.embedded
		}
	}
	for again := true; again; {
		again = false
		for _, f := range b.all {
			if f.numbered || f.t.Kind() == reflect.Struct && f.layout == nil {
				continue
			}
			for part := range f.parts {
				if part.numbered && part != f.key {
					f.numbered, again = true, true
				}
			}
		}
	}
	for _, f := range b.all {
		f.how = f.compactHow()
	}
	return nil
}

// repeat finds the types of which a value may hold any number; many says that it may of f, because
// of what f is a part of. Types that a value holds a fixed number of are not worth it.
func (f *form) repeat(open map[*form]bool, many bool) {
	many = many || open[f] // it is in itself
	if f.repeats || f.met && !many {
		return
	}
	f.met, f.repeats = true, many
	defer func(was bool) { open[f] = was }(open[f])
	open[f] = true
	if f.elem != nil {
		f.elem.repeat(open, many || f.t.Kind() != reflect.Pointer)
	}
	for _, field := range f.fields {
		field.form.repeat(open, many)
	}
}

// add adds the fields of f, which lie at index.
func (l *layout) add(f *form, index []int, pointed bool) error {
	for i := range f.fields {
		field := &f.fields[i]
		at := append(slices.Clone(index), field.index)
		if field.embedded {
			in, pointed := field.form, pointed
			if in.t.Kind() == reflect.Pointer {
				in, pointed = in.elem, true
			}
			if err := l.add(in, at, pointed); err != nil {
				return err
			}
			continue
		}
		name, err := field.stored.cbor()
		if err != nil {
			return fmt.Errorf("runtime: the name of %v.%s: %w", f.t, field.name, err)
		}
		l.fields = append(l.fields, layoutField{
			name: name, index: at, form: field.form, omit: field.omitEmpty || field.omitZero, pointed: pointed,
		})
	}
	return nil
}

// tidy brings the fields into order, and reports whether structs of the layout can be written here.
func (l *layout) tidy() bool {
	if l.array {
		slices.SortFunc(l.fields, func(a, b layoutField) int { return slices.Compare(a.index, b.index) })
	} else {
		slices.SortFunc(l.fields, func(a, b layoutField) int { return bytes.Compare(a.name, b.name) })
	}
	size := 0
	for i := range l.fields {
		field := &l.fields[i]
		size += len(field.name)
		l.sparse = l.sparse || field.omit || field.pointed
		if field.omit && !field.form.simplyOmitted() {
			return false
		}
	}
	return size <= maxCompactNames && len(l.fields) <= maxCompactFields
}

// simplyOmitted reports whether omitempty and omitzero leave out what is zero of the form, of the
// values that check accepts. What methods and structs have to say about it, cborEnc knows.
func (f *form) simplyOmitted() bool {
	if f.own != ownNone || f.t == timeType || f.t == bigIntType || reflect.PointerTo(f.t).Implements(isZeroType) {
		return false
	}
	return f.t.Kind() != reflect.Struct && f.t.Kind() != reflect.Array
}

var isZeroType = reflect.TypeFor[interface{ IsZero() bool }]()
