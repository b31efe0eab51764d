package runtime

import (
	"encoding/binary"
	"errors"

	"github.com/fxamacker/cbor/v2"
)

var errExpand = errors.New("damaged compact form")

// compactDec knows what may be a value in the compact form: a struct in it has two levels, the tag
// and the array.
var compactDec = must(cbor.DecOptions{
	MaxArrayElements: 1<<31 - 1,
	MaxMapPairs:      1<<31 - 1,
	MaxNestedLevels:  2 * (maxValueLevels + maxTypeLevels + 1),
	IndefLength:      cbor.IndefLengthForbidden,
}.DecMode())

// expand returns the CBOR by name of a value in the compact form, with its marker, which is
// well-formed.
func expand(p []byte) ([]byte, error) {
	e := expander{itemReader: itemReader{p}, out: make([]byte, 0, 2*len(p))}
	if kind, tag := e.head(); kind != cborTag || tag != compactMarker {
		return nil, errExpand
	}
	if err := e.item(); err != nil {
		return nil, err
	}
	return e.out, nil
}

// byNameOf returns the CBOR by name of a value, which may be compact.
func byNameOf(p []byte) ([]byte, error) {
	if len(p) == 0 || p[0] != cborTag|compactMarker {
		return p, nil
	}
	if err := compactDec.Wellformed(p); err != nil {
		return nil, err
	}
	return expand(p)
}

// An itemReader takes well-formed CBOR apart. Its users take whole items, so what is left of in
// when they ask for a head begins with one.
type itemReader struct{ in []byte }

// head takes the head of an item.
func (r *itemReader) head() (kind byte, n uint64) {
	kind, n = r.in[0]&0xe0, uint64(r.in[0]&0x1f)
	r.in = r.in[1:]
	switch n {
	case 24:
		n, r.in = uint64(r.in[0]), r.in[1:]
	case 25:
		n, r.in = uint64(binary.BigEndian.Uint16(r.in)), r.in[2:]
	case 26:
		n, r.in = uint64(binary.BigEndian.Uint32(r.in)), r.in[4:]
	case 27:
		n, r.in = binary.BigEndian.Uint64(r.in), r.in[8:]
	}
	return kind, n
}

// An expander expands one value.
type expander struct {
	itemReader
	out    []byte
	firsts [][][]byte // by number, the names
}

// copy copies what lies between from and what is left of it.
func (e *expander) copy(from []byte) { e.out = append(e.out, from[:len(from)-len(e.in)]...) }

func (e *expander) item() error {
	from := e.in
	kind, n := e.head()
	parts := uint64(0)
	switch kind {
	case cborBytes, cborText:
		e.in = e.in[n:]
	case cborArray:
		parts = n
	case cborMap:
		parts = 2 * n
	case cborTag:
		if n == compactFirst {
			return e.first()
		}
		if n >= compactFurther {
			return e.further(n - compactFurther)
		}
		parts = 1
	}
	e.copy(from)
	for range parts {
		if err := e.item(); err != nil {
			return err
		}
	}
	return nil
}

// first expands a struct with its names.
func (e *expander) first() error {
	kind, parts := e.head()
	if kind != cborArray || parts == 0 {
		return errExpand
	}
	kind, n := e.head()
	if kind != cborArray || n != parts-1 {
		return errExpand
	}
	from, names := e.in, make([][]byte, n)
	for i := range names {
		name := e.in
		switch kind, n := e.head(); kind {
		case cborText:
			e.in = e.in[n:]
		case cborUint, cborNegative:
		default:
			return errExpand
		}
		names[i] = name[:len(name)-len(e.in)]
	}
	if len(from)-len(e.in) > maxCompactNames {
		return errExpand
	}
	e.firsts = append(e.firsts, names)
	return e.fields(names)
}

// further expands a struct with the names of one before it.
func (e *expander) further(number uint64) error {
	kind, n := e.head()
	if kind != cborArray || number >= uint64(len(e.firsts)) || n != uint64(len(e.firsts[number])) {
		return errExpand
	}
	return e.fields(e.firsts[number])
}

func (e *expander) fields(names [][]byte) error {
	e.out = appendHead(e.out, cborMap, uint64(len(names)))
	for _, name := range names {
		e.out = append(e.out, name...)
		if err := e.item(); err != nil {
			return err
		}
	}
	return nil
}
