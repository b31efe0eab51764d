package methods

import (
	"encoding/binary"
	"errors"
	"go/types"
)

// A table is: length of the sets; sets; strings, each behind its length. All numbers are uvarints
// where nothing else is said. A set is:
//
//	length of what follows the mask, and the mask, 8 bytes
//	name: number of a string; file and 1, twice, and 1 more for an interface
//	number of methods; of each: ID and signature, numbers of strings; file and 1;
//	  0 if it is the set's package and type that declare it, else the path of the package and 1,
//	  and the path of the method, numbers of strings

// Of is the table of a package: the sets of its defined types, but for those without a method.
func Of(pkg *types.Package, namer Namer) []byte {
	w := tableWriter{numbers: map[string]uint64{}}
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		if obj, ok := scope.Lookup(name).(*types.TypeName); ok && !obj.IsAlias() {
			if s := OfType(obj.Type(), pkg, namer); len(s.Methods) > 0 {
				w.set(pkg, &s)
			}
		}
	}
	if len(w.sets) == 0 {
		return nil
	}
	out := binary.AppendUvarint(nil, uint64(len(w.sets)))
	out = append(out, w.sets...)
	return append(out, w.strings...)
}

type tableWriter struct {
	numbers       map[string]uint64
	sets, strings []byte
}

func (w *tableWriter) string(s string) uint64 {
	n, ok := w.numbers[s]
	if !ok {
		n = uint64(len(w.numbers))
		w.numbers[s] = n
		w.strings = binary.AppendUvarint(w.strings, uint64(len(s)))
		w.strings = append(w.strings, s...)
	}
	return n
}

func (w *tableWriter) set(pkg *types.Package, s *Set) {
	head := uint64(s.File+1) << 1
	if s.Interface {
		head |= 1
	}
	b := binary.AppendUvarint(nil, w.string(s.Name))
	b = binary.AppendUvarint(b, head)
	b = binary.AppendUvarint(b, uint64(len(s.Methods)))
	for i := range s.Methods {
		m := &s.Methods[i]
		b = binary.AppendUvarint(b, w.string(m.ID))
		b = binary.AppendUvarint(b, w.string(m.signature))
		b = binary.AppendUvarint(b, uint64(m.File+1))
		if m.Package == pkg.Path() && m.Path == s.Name+"."+m.Name() {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, w.string(m.Package)+1)
		b = binary.AppendUvarint(b, w.string(m.Path))
	}
	w.sets = binary.AppendUvarint(w.sets, uint64(len(b)))
	w.sets = binary.LittleEndian.AppendUint64(w.sets, s.mask)
	w.sets = append(w.sets, b...)
}

// ErrTable is the error for bytes that are no table.
var ErrTable = errors.New("methods: damaged table")

// A Table is the sets of one package, read in place.
type Table struct {
	path    string // of the package
	sets    []byte
	strings []byte
	at      []int // where strings start; nil: nobody has asked
}

// Open reads the table of a package of a path. The bytes must stay as they are.
func Open(path string, data []byte) (*Table, error) {
	if len(data) == 0 {
		return &Table{path: path}, nil
	}
	r := reader{b: data}
	n := r.int()
	if r.bad || n > len(r.b) {
		return nil, ErrTable
	}
	return &Table{path: path, sets: r.b[:n:n], strings: r.b[n:]}, nil
}

// Search calls fn for the sets that implement q, or that q implements, whichever is asked for. It
// is not for several goroutines at a time.
func (t *Table) Search(q *Set, implementing, implemented bool, fn func(s *Set)) {
	t.each(func(mask uint64, row []byte) bool {
		sub := implementing && q.Interface && len(q.Methods) > 0 && mask&q.mask == q.mask
		super := implemented && q.mask&mask == mask
		if !sub && !super {
			return true
		}
		s := t.set(mask, row)
		if sub && s.Implements(q) || super && q.Implements(&s) {
			fn(&s)
		}
		return true
	})
}

// Find is the set of a type.
func (t *Table) Find(name string) (found Set, ok bool) {
	t.each(func(mask uint64, row []byte) bool {
		r := reader{b: row}
		if ok = t.string(r.int()) == name; ok {
			found = t.set(mask, row)
		}
		return !ok
	})
	return found, ok
}

// each calls fn for the rows of sets until it says false.
func (t *Table) each(fn func(mask uint64, row []byte) bool) {
	for r := (reader{b: t.sets}); len(r.b) > 0; {
		n := r.int()
		if r.bad || n+8 > len(r.b) {
			return
		}
		mask, row := binary.LittleEndian.Uint64(r.b), r.b[8:8+n]
		r.b = r.b[8+n:]
		if !fn(mask, row) {
			return
		}
	}
}

// set decodes a row.
func (t *Table) set(mask uint64, row []byte) Set {
	r := reader{b: row}
	s := Set{Name: t.string(r.int()), mask: mask}
	head := r.int()
	s.File, s.Interface = head>>1-1, head&1 != 0
	for range r.int() {
		m := Method{ID: t.string(r.int()), signature: t.string(r.int()), File: r.int() - 1}
		if from := r.int(); from == 0 {
			m.Package, m.Path = t.path, s.Name+"."+m.Name()
		} else {
			m.Package, m.Path = t.string(from-1), t.string(r.int())
		}
		if r.bad {
			break
		}
		s.Methods = append(s.Methods, m)
	}
	return s
}

// string is string number i; "" if there is none.
func (t *Table) string(i int) string {
	if t.at == nil {
		t.at = []int{}
		for r := (reader{b: t.strings}); len(r.b) > 0 && !r.bad; r.bytes() {
			t.at = append(t.at, len(t.strings)-len(r.b))
		}
	}
	if i < 0 || i >= len(t.at) {
		return ""
	}
	r := reader{b: t.strings[t.at[i]:]}
	return string(r.bytes())
}

// A reader takes numbers and strings off a slice. Once something is missing it stays bad and gives
// zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) int() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > 1<<31-1 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *reader) bytes() []byte {
	n := r.int()
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}
