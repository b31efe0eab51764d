package keyed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

// Typed keys become strings whose order as bytes is the order of the keys. The form of each kind,
// which is also the only one that is accepted (after the tuple layer of FoundationDB):
//
//	string, []byte as the whole key   the bytes themselves
//	string, []byte in a struct        the bytes, a zero byte as 00 ff, and 00 01 at the end
//	[n]byte                           the bytes
//	bool                              00 or 01
//	intN, uintN                       N/8 bytes, the most significant first; the sign bit of intN inverted
//	struct                            its fields one after the other
//
// int and uint take 8 bytes. No field's form begins another value's of the same field, so the form
// of the first fields of a struct begins the form of exactly those keys that have them: a prefix of
// fields is a prefix of bytes.

// ErrBadKey is matched by errors about keys: a type that cannot be a key, a number of fields that
// the type does not have, or stored bytes that are not the form of a key.
var ErrBadKey = errors.New("keyed: bad key")

// A form turns keys of one type into strings and back.
type form struct {
	t      reflect.Type
	plain  bool // text that is the whole key: stored as it is
	fields []keyField
	err    error // the type cannot be a key
}

// A keyField is one part of a key.
type keyField struct {
	index []int // reflect's; empty: the key itself
	top   int   // position of the outermost field that it belongs to
}

// formOf returns the form of the keys of a partition that was named at a place in the program.
// A key is nested that has its form inside of another one.
func formOf(t reflect.Type, nested bool, partition, where string) *form {
	f := &form{t: t, plain: !nested && isText(t)}
	err := f.addFields(t, nil, 0)
	if err == nil && len(f.fields) == 0 {
		err = fmt.Errorf("type %v has no fields", t)
	}
	if err != nil {
		f.err = fmt.Errorf("%w: partition %q at %s: %w", ErrBadKey, partition, where, err)
	}
	return f
}

// isText reports whether a type's form in a struct has an end.
func isText(t reflect.Type) bool { return t.Kind() == reflect.String || isBytes(t) }

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

func (f *form) addFields(t reflect.Type, index []int, top int) error {
	switch k := t.Kind(); {
	case isText(t), k == reflect.Bool, k >= reflect.Int && k <= reflect.Uint64,
		k == reflect.Array && t.Elem().Kind() == reflect.Uint8:
		f.fields = append(f.fields, keyField{index: index, top: top})
		return nil
	case k == reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if !field.IsExported() {
				return fmt.Errorf("field %s of type %v is not exported", field.Name, t)
			}
			at := top
			if len(index) == 0 {
				at = i
			}
			if err := f.addFields(field.Type, append(index[:len(index):len(index)], i), at); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("type %v has no order of bytes; wanted are strings, bytes, integers, bools and structs of them", t)
	}
}

// encode returns the form of the first n fields of k, all of them if n is negative.
func (f *form) encode(k reflect.Value, n int) (string, error) {
	if f.err != nil {
		return "", f.err
	}
	if f.plain {
		if n == 0 {
			return "", nil
		}
		if k.Kind() == reflect.String {
			return k.String(), nil
		}
		return string(k.Bytes()), nil
	}
	var b []byte
	for _, part := range f.fields {
		if n >= 0 && part.top >= n {
			break
		}
		v := k
		if len(part.index) > 0 {
			v = k.FieldByIndex(part.index)
		}
		b = appendKeyField(b, v)
	}
	return string(b), nil
}

// begin returns what the forms of those keys begin with whose first n fields are those of k.
func (f *form) begin(k reflect.Value, n int) (string, error) {
	if f.err != nil {
		return "", f.err
	}
	if n < 0 || n > f.count() {
		return "", fmt.Errorf("%w: %d fields of %v, which has %d", ErrBadKey, n, f.t, f.count())
	}
	return f.encode(k, n)
}

// under is Partition.Under.
func (f *form) under(k reflect.Value, n int) (runtime.Pattern, error) {
	begin, err := f.begin(k, n)
	if f.plain && n > 0 {
		return runtime.Exact(begin), err
	}
	return runtime.Prefix(begin), err
}

// prefix is Partition.Prefix.
func (f *form) prefix(k reflect.Value, n int) (runtime.Pattern, error) {
	begin, err := f.begin(k, n)
	if err != nil || f.plain {
		return runtime.Prefix(begin), err
	}
	var last reflect.Type // of the part that ends the first n fields
	for _, part := range f.fields {
		if part.top < n {
			last = part.typeIn(f.t)
		}
	}
	if last == nil || !isText(last) {
		return nothing, fmt.Errorf("%w: field %d of %v is no text", ErrBadKey, n, f.t)
	}
	return runtime.Prefix(begin[:len(begin)-textEndBytes]), nil
}

// typeIn returns the type of the part in a key of type t.
func (p keyField) typeIn(t reflect.Type) reflect.Type {
	if len(p.index) == 0 {
		return t
	}
	return t.FieldByIndex(p.index).Type
}

// count returns the number of fields that a prefix may have.
func (f *form) count() int { return f.fields[len(f.fields)-1].top + 1 }

func appendKeyField(b []byte, v reflect.Value) []byte {
	switch k := v.Kind(); {
	case k == reflect.String:
		return appendKeyText(b, v.String())
	case k == reflect.Slice:
		return appendKeyText(b, string(v.Bytes()))
	case k == reflect.Array:
		for i := range v.Len() {
			b = append(b, byte(v.Index(i).Uint()))
		}
		return b
	case k == reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case v.CanInt():
		bits := keyBits(v.Type())
		return appendKeyNumber(b, uint64(v.Int())^1<<(bits-1), bits)
	default:
		return appendKeyNumber(b, v.Uint(), keyBits(v.Type()))
	}
}

// keyBits is the size of a number's form, the same on every platform.
func keyBits(t reflect.Type) int {
	if k := t.Kind(); k == reflect.Int || k == reflect.Uint {
		return 64
	}
	return t.Bits()
}

func appendKeyNumber(b []byte, n uint64, bits int) []byte {
	return append(b, binary.BigEndian.AppendUint64(nil, n)[8-bits/8:]...)
}

// textEndBytes is how many bytes end a text in a struct.
const textEndBytes = 2

func appendKeyText(b []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, 0)
		if i < 0 {
			return append(append(b, s...), 0, 1)
		}
		b = append(append(b, s[:i]...), 0, 0xff)
		s = s[i+1:]
	}
}

// decode is the inverse of encode of all fields. It accepts the form that encode makes and nothing
// else.
func (f *form) decode(key string, into reflect.Value) error {
	if f.err != nil {
		return f.err
	}
	if f.plain {
		if into.Kind() == reflect.String {
			into.SetString(key)
		} else {
			into.SetBytes([]byte(key))
		}
		return nil
	}
	rest := key
	for _, part := range f.fields {
		v := into
		if len(part.index) > 0 {
			v = into.FieldByIndex(part.index)
		}
		var ok bool
		if rest, ok = decodeKeyField(rest, v); !ok {
			return fmt.Errorf("%w: %q is no %v", ErrBadKey, key, f.t)
		}
	}
	if rest != "" {
		return fmt.Errorf("%w: %q is a %v and %d bytes more", ErrBadKey, key, f.t, len(rest))
	}
	return nil
}

func decodeKeyField(s string, v reflect.Value) (rest string, ok bool) {
	switch k := v.Kind(); {
	case k == reflect.String:
		text, rest, ok := cutKeyText(s)
		v.SetString(text)
		return rest, ok
	case k == reflect.Slice:
		text, rest, ok := cutKeyText(s)
		v.SetBytes([]byte(text))
		return rest, ok
	case k == reflect.Array:
		if len(s) < v.Len() {
			return "", false
		}
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(s[i]))
		}
		return s[v.Len():], true
	case k == reflect.Bool:
		if s == "" || s[0] > 1 {
			return "", false
		}
		v.SetBool(s[0] == 1)
		return s[1:], true
	}
	bits := keyBits(v.Type())
	if len(s) < bits/8 {
		return "", false
	}
	var n uint64
	for i := range bits / 8 {
		n = n<<8 | uint64(s[i])
	}
	if v.CanInt() {
		n ^= 1 << (bits - 1)
		i := int64(n<<(64-bits)) >> (64 - bits) // the sign goes to the bits above
		v.SetInt(i)
		return s[bits/8:], v.Int() == i // an int may have less room here than where the key was made
	}
	v.SetUint(n)
	return s[bits/8:], v.Uint() == n
}

// cutKeyText returns the text that s begins with; it is a part of s unless there was a zero byte in
// it.
func cutKeyText(s string) (text, rest string, ok bool) {
	for joined := []byte(nil); ; {
		i := strings.IndexByte(s, 0)
		if i < 0 || i+1 == len(s) {
			return "", "", false
		}
		switch {
		case s[i+1] == 0xff:
			joined = append(append(joined, s[:i]...), 0)
		case s[i+1] != 1:
			return "", "", false
		case joined == nil:
			return s[:i], s[i+2:], true
		default:
			return string(append(joined, s[:i]...)), s[i+2:], true
		}
		s = s[i+2:]
	}
}
