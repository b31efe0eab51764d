package runtime

import (
	"encoding/binary"
	"reflect"
)

// Values of plain types are written and read here, without memory of their own: numbers, strings
// and truth values, and structs of these that have all their fields. What is written is what
// cborEnc writes, byte for byte; what is not read here cborDec reads.

// isPlain reports whether values of the form can be written and read here.
func (f *form) isPlain() bool { return f.plainWithin(map[*form]bool{}) }

func (f *form) plainWithin(open map[*form]bool) bool {
	if f.checked || f.timed || f.foreign || f.numbered || open[f] {
		return false
	}
	switch f.how {
	case byString, byBool, byInt, byUint:
		return true
	}
	l := f.layout
	if f.own != ownNone || f.t.Kind() != reflect.Struct || l == nil || l.sparse || l.array {
		return false
	}
	open[f] = true
	defer delete(open, f)
	for i := range l.fields {
		if !l.fields[i].form.plainWithin(open) {
			return false
		}
	}
	return true
}

// appendPlain appends a value of a plain form.
func (f *form) appendPlain(dst []byte, v reflect.Value) []byte {
	switch f.how {
	case byString:
		s := v.String()
		return append(appendHead(dst, cborText, uint64(len(s))), s...)
	case byBool:
		if v.Bool() {
			return append(dst, cborTrue)
		}
		return append(dst, cborFalse)
	case byInt:
		n := v.Int()
		return appendHead(dst, cborNegative&byte(n>>63), uint64(n^n>>63)) // as a compactWriter does
	case byUint:
		return appendHead(dst, cborUint, v.Uint())
	}
	dst = appendHead(dst, cborMap, uint64(len(f.layout.fields)))
	for i := range f.layout.fields {
		field := &f.layout.fields[i]
		dst = field.form.appendPlain(append(dst, field.name...), field.of(v))
	}
	return dst
}

// of returns the field of a struct. No pointer is on the way.
func (field *layoutField) of(v reflect.Value) reflect.Value {
	for _, i := range field.index {
		v = v.Field(i)
	}
	return v
}

// readPlain reads what appendPlain has written into v, and returns what is behind it. It reports
// false for anything else, and v is of no use then. Strings in v are parts of s.
func (f *form) readPlain(s string, v reflect.Value) (rest string, ok bool) {
	switch f.how {
	case byString:
		kind, n, s, ok := plainHead(s)
		if !ok || kind != cborText || n > uint64(len(s)) {
			return "", false
		}
		v.SetString(s[:n])
		return s[n:], true
	case byBool:
		if s == "" || s[0] != cborTrue && s[0] != cborFalse {
			return "", false
		}
		v.SetBool(s[0] == cborTrue)
		return s[1:], true
	case byInt:
		kind, n, rest, ok := plainHead(s)
		if !ok || kind != cborUint && kind != cborNegative || n > 1<<63-1 {
			return "", false
		}
		i := int64(n)
		if kind == cborNegative {
			i = ^i
		}
		if v.OverflowInt(i) {
			return "", false
		}
		v.SetInt(i)
		return rest, true
	case byUint:
		kind, n, rest, ok := plainHead(s)
		if !ok || kind != cborUint || v.OverflowUint(n) {
			return "", false
		}
		v.SetUint(n)
		return rest, true
	}
	kind, n, s, ok := plainHead(s)
	if !ok || kind != cborMap || n != uint64(len(f.layout.fields)) {
		return "", false
	}
	for i := range f.layout.fields {
		field := &f.layout.fields[i]
		if len(s) < len(field.name) || s[:len(field.name)] != string(field.name) {
			return "", false
		}
		if s, ok = field.form.readPlain(s[len(field.name):], field.of(v)); !ok {
			return "", false
		}
	}
	return s, true
}

// plainHead takes the head of an item off s, whose number has to be in its shortest form.
func plainHead(s string) (kind byte, n uint64, rest string, ok bool) {
	if s == "" {
		return 0, 0, "", false
	}
	kind, low := s[0]&0xe0, s[0]&0x1f
	if low < 24 {
		return kind, uint64(low), s[1:], true
	}
	size := 1 << (low - 24)
	if low > 27 || len(s) <= size {
		return 0, 0, "", false
	}
	var b [8]byte
	copy(b[8-size:], s[1:1+size])
	n = binary.BigEndian.Uint64(b[:])
	least := uint64(24)
	if size > 1 {
		least = 1 << (4 * size) // what half of the bytes can say
	}
	return kind, n, s[1+size:], n >= least
}
