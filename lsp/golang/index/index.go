package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// An Index is what one check knows about the names in a package: what is declared where, and which
// place names what. It is read in place from the bytes that indexWriter made; the bytes may be
// mapped memory, nothing is decoded that is not asked for.
//
// Layout, all fixed numbers little-endian and 32 bits wide, all others uvarints:
//
//	magic, 7 counts and lengths
//	end offset of every string; bytes of all strings
//	file: string of its URI, start and end of its occurrences' bytes, number of occurrences
//	offset of every declaration; bytes of all declarations, sorted by file and start
//	declarations that have a path, sorted by path
//	external: strings of package path and object path, sorted
//	bytes of all occurrences, per file sorted by start
//
// Damaged bytes give errIndex or wrong answers, never a panic; the store's hashes keep them away.
type Index struct {
	strings   []byte // all strings
	stringEnd []byte // fixed numbers
	files     []byte
	declAt    []byte
	decls     []byte
	paths     []byte
	externals []byte
	occs      []byte
}

var errIndex = errors.New("golang: damaged index")

const (
	indexMagic     = 0x31585943 // "CYX1"
	indexHeader    = 8 * 4
	indexFileBytes = 4 * 4
	externalBytes  = 2 * 4
)

// A Declaration is one thing that a package declares.
type Declaration struct {
	File      int // number of the file in the index
	Name      string
	Span      lsp.Span // of the name
	Kind      lsp.SymbolKind
	Flags     Flags
	Signature string   // with OwnPackage in place of the package's own name
	Path      string   // the name other packages know it by; "" if they do not
	Doc       lsp.Span // of its comment; empty: there is none
}

// Flags say more of a declaration.
type Flags uint8

const (
	Local Flags = 1 << iota // declared inside a function
)

// An Occurrence is one place that names something.
type Occurrence struct {
	Span       lsp.Span
	Target     int    // a declaration of this package, or an external
	IsExternal bool   // which of the two
	Declares   bool   // the declaration itself
	Signature  string // what the name means here, where that differs from its declaration; else ""
}

// An External is something that another package declares; PackagePath means that package
// itself.
type External struct {
	Package, Path string
}

// Open reads an index in place: the bytes must stay as they are.
func Open(data []byte) (*Index, error) {
	if len(data) < indexHeader || u32(data, 0) != indexMagic {
		return nil, fmt.Errorf("%w: header", errIndex)
	}
	x := new(Index)
	rest := data[indexHeader:]
	for _, part := range []struct {
		to    *[]byte
		bytes uint64
	}{
		{&x.stringEnd, uint64(u32(data, 1)) * 4},
		{&x.strings, uint64(u32(data, 2))},
		{&x.files, uint64(u32(data, 3)) * indexFileBytes},
		{&x.declAt, uint64(u32(data, 4)) * 4},
		{&x.decls, uint64(u32(data, 5))},
		{&x.paths, uint64(u32(data, 6)) * 4},
		{&x.externals, uint64(u32(data, 7)) * externalBytes},
	} {
		if part.bytes > uint64(len(rest)) {
			return nil, fmt.Errorf("%w: truncated", errIndex)
		}
		*part.to, rest = rest[:part.bytes:part.bytes], rest[part.bytes:]
	}
	x.occs = rest
	return x, nil
}

// u32 is the i-th fixed number of b. The caller knows that it is there.
func u32(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

// str returns string number i; "" if there is none.
func (x *Index) str(i uint64) string {
	if i >= uint64(len(x.stringEnd)/4) {
		return ""
	}
	end, start := u32(x.stringEnd, int(i)), uint32(0)
	if i > 0 {
		start = u32(x.stringEnd, int(i)-1)
	}
	if start > end || end > uint32(len(x.strings)) {
		return ""
	}
	return string(x.strings[start:end])
}

// FileCount is how many files there are.
func (x *Index) FileCount() int { return len(x.files) / indexFileBytes }

func (x *Index) fileField(file, field int) int {
	return int(u32(x.files[file*indexFileBytes:], field))
}

// URI is the name of a file.
func (x *Index) URI(file int) string {
	if file < 0 || file >= x.FileCount() {
		return ""
	}
	return x.str(uint64(x.fileField(file, 0)))
}

// File is the number of a file, -1 if the package has none of that name.
func (x *Index) File(uri string) int {
	for i := range x.FileCount() {
		if x.URI(i) == uri {
			return i
		}
	}
	return -1
}

// DeclarationCount is how many declarations there are.
func (x *Index) DeclarationCount() int { return len(x.declAt) / 4 }

// Declaration returns declaration number i.
func (x *Index) Declaration(i int) (Declaration, bool) {
	if i < 0 || i >= x.DeclarationCount() {
		return Declaration{}, false
	}
	at := u32(x.declAt, i)
	if at > uint32(len(x.decls)) {
		return Declaration{}, false
	}
	r := reader{b: x.decls[at:]}
	var d Declaration
	d.File = r.int()
	start := r.int()
	d.Span = lsp.Span{Start: start, End: start + r.int()}
	d.Kind, d.Flags = lsp.SymbolKind(r.int()), Flags(r.int())
	d.Name, d.Signature, d.Path = x.str(r.uint()), x.str(r.uint()), x.str(r.uint())
	docStart := r.int()
	d.Doc = lsp.Span{Start: docStart, End: docStart + r.int()}
	if r.bad || d.File >= x.FileCount() {
		return Declaration{}, false
	}
	return d, true
}

// DeclarationAt is the number of the declaration whose name starts at a place, -1 if there is none.
func (x *Index) DeclarationAt(file, start int) int {
	lo, hi := 0, x.DeclarationCount()
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		d, ok := x.Declaration(mid)
		switch {
		case !ok:
			return -1
		case d.File == file && d.Span.Start == start:
			return mid
		case d.File < file || d.File == file && d.Span.Start < start:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return -1
}

// DeclarationOf is the number of the declaration that other packages know by a path, -1 if there is
// none.
func (x *Index) DeclarationOf(path string) int {
	lo, hi := 0, len(x.paths)/4
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		i := int(u32(x.paths, mid))
		d, ok := x.Declaration(i)
		switch c := strings.Compare(d.Path, path); {
		case !ok:
			return -1
		case c == 0:
			return i
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return -1
}

func (x *Index) externalCount() int { return len(x.externals) / externalBytes }

// ExternalAt returns external number i.
func (x *Index) ExternalAt(i int) (External, bool) {
	if i < 0 || i >= x.externalCount() {
		return External{}, false
	}
	e := x.externals[i*externalBytes:]
	return External{Package: x.str(uint64(u32(e, 0))), Path: x.str(uint64(u32(e, 1)))}, true
}

// FindExternal is the number of an external, -1 if nothing in the package names it.
func (x *Index) FindExternal(name External) int {
	lo, hi := 0, x.externalCount()
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		e, _ := x.ExternalAt(mid)
		switch c := compareExternals(e, name); {
		case c == 0:
			return mid
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return -1
}

func compareExternals(a, b External) int {
	if c := strings.Compare(a.Package, b.Package); c != 0 {
		return c
	}
	return strings.Compare(a.Path, b.Path)
}

// Occurrences calls fn for every occurrence in a file, sorted by start, until fn says false. The
// signature is left out; see occurrencesAt.
func (x *Index) Occurrences(file int, fn func(o Occurrence) bool) {
	x.scan(file, false, fn)
}

// OccurrencesAt lists what an offset lies on: usually one, two where one name means two things. Of
// two names that touch, the one that starts at the offset wins.
func (x *Index) OccurrencesAt(file, offset int) []Occurrence {
	var found []Occurrence
	x.scan(file, true, func(o Occurrence) bool {
		if o.Span.Start > offset {
			return false
		}
		if o.Span.Contains(offset) {
			found = append(found, o)
		}
		return true
	})
	if n := len(found); n > 0 {
		start := found[n-1].Span.Start
		found = slices.DeleteFunc(found, func(o Occurrence) bool { return o.Span.Start != start })
	}
	return found
}

func (x *Index) scan(file int, signatures bool, fn func(o Occurrence) bool) {
	if file < 0 || file >= x.FileCount() {
		return
	}
	start, end := x.fileField(file, 1), x.fileField(file, 2)
	if start > end || end > len(x.occs) {
		return
	}
	r := reader{b: x.occs[start:end]}
	at := 0
	for range x.fileField(file, 3) {
		var o Occurrence
		at += r.int()
		bits := r.uint()
		o.Span = lsp.Span{Start: at, End: at + int(bits>>3&0x7fffffff)}
		o.IsExternal, o.Declares = bits&1 != 0, bits&2 != 0
		o.Target = r.int()
		if bits&4 != 0 {
			if s := r.uint(); signatures {
				o.Signature = x.str(s)
			}
		}
		if r.bad || at < 0 || !fn(o) {
			return
		}
	}
}

// A reader takes uvarints off a slice. Once something is missing it stays bad and gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// int is a number that fits the offsets of a file.
func (r *reader) int() int {
	v := r.uint()
	if v > 1<<31-1 {
		r.bad = true
		return 0
	}
	return int(v)
}

// OwnPackage stands in signatures for the name of the package that declares them, so that one text
// serves readers inside the package, who see no qualifier, and outside. It cannot occur in Go
// source.
const OwnPackage = "\x00"

// PackagePath is the name by which a package itself is known to others.
const PackagePath = "."
