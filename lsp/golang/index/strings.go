package index

import "encoding/binary"

// Strings are numbered in the order in which they are first met; number 0 is "". Each is its length
// and its bytes. Where every 16th starts is in a list of its own.

// str returns string number i; "" if there is none.
func (x *Index) str(i uint64) string { return string(x.strBytes(i)) }

// strBytes is str in place.
func (x *Index) strBytes(i uint64) []byte {
	if i >= uint64(x.stringCount) {
		return nil
	}
	at := u32(x.stringAt, int(i/block))
	if at > uint32(len(x.strings)) {
		return nil
	}
	r := reader{b: x.strings[at:]}
	for range i % block {
		r.skip(r.uint())
	}
	n := r.uint()
	if r.bad || n > uint64(len(r.b)) {
		return nil
	}
	return r.b[:n]
}

// numberOf is the number of a string; not ok if there is no such string.
func (x *Index) numberOf(s string) (number uint64, ok bool) {
	r := reader{b: x.strings}
	for i := range x.stringCount {
		n := r.uint()
		if r.bad || n > uint64(len(r.b)) {
			break
		}
		if string(r.b[:n]) == s {
			return uint64(i), true
		}
		r.skip(n)
	}
	return 0, false
}

// stringTable numbers strings and makes their bytes.
type stringTable struct {
	numbers map[string]uint64
	at      []uint32
	bytes   []byte
}

func newStringTable() *stringTable {
	t := &stringTable{numbers: map[string]uint64{}}
	t.number("")
	return t
}

// number returns the number of s, and whether it was met here first.
func (t *stringTable) number(s string) (n uint64, fresh bool) {
	n, ok := t.numbers[s]
	if ok {
		return n, false
	}
	n = uint64(len(t.numbers))
	t.numbers[s] = n
	if n%block == 0 {
		t.at = append(t.at, uint32(len(t.bytes)))
	}
	t.bytes = binary.AppendUvarint(t.bytes, uint64(len(s)))
	t.bytes = append(t.bytes, s...)
	return n, true
}
