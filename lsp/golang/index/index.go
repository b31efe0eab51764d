package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// An Index is what one check knows about the names in a package: what is declared where, and which
// place names what. It is read in place from the bytes that Write made; the bytes may be mapped
// memory, nothing is decoded that is not asked for.
//
// Layout, all fixed numbers little-endian and 32 bits wide where nothing else is said, all others
// uvarints:
//
//	magic, 7 counts and lengths
//	for every 16 strings: where they start; strings, each behind its length (strings.go)
//	file: string of its URI, start of its occurrences' bytes, number of occurrences there, number of
//	  its first declaration
//	for every 16 declarations: where they start, and how many strings were met before them;
//	  declarations, sorted by file and start (declarations.go)
//	declarations that have a path, sorted by path; 16 bits wide if there are no more than 65536
//	external: strings of package path and object path, sorted
//	bytes of all occurrences, per file sorted by start (occurrences.go)
//
// Damaged bytes give errIndex or wrong answers, never a panic; the store's hashes keep them away.
type Index struct {
	strings     []byte
	stringAt    []byte // fixed numbers
	stringCount int
	files       []byte
	decls       []byte
	declAt      []byte // pairs of fixed numbers
	declCount   int
	paths       []byte
	externals   []byte
	occs        []byte
}

var errIndex = errors.New("golang: damaged index")

const (
	indexMagic     = 0x32585943 // "CYX2"
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
	x := &Index{stringCount: int(u32(data, 1)), declCount: int(u32(data, 4))}
	rest := data[indexHeader:]
	for _, part := range []struct {
		to    *[]byte
		bytes uint64
	}{
		{&x.stringAt, blocks(u32(data, 1)) * 4},
		{&x.strings, uint64(u32(data, 2))},
		{&x.files, uint64(u32(data, 3)) * indexFileBytes},
		{&x.declAt, blocks(u32(data, 4)) * 8},
		{&x.decls, uint64(u32(data, 5))},
		{&x.paths, uint64(u32(data, 6)) * uint64(pathBytes(int(u32(data, 4))))},
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

// block is how many strings, or declarations, have one entry in the list of where they start.
const block = 16

func blocks(n uint32) uint64 { return (uint64(n) + block - 1) / block }

// pathBytes is how wide the number of one of n declarations is in the list of paths.
func pathBytes(n int) int {
	if n <= 1<<16 {
		return 2
	}
	return 4
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

// DeclarationOf is the number of the declaration that other packages know by a path, -1 if there is
// none.
func (x *Index) DeclarationOf(path string) int {
	width := pathBytes(x.declCount)
	lo, hi := 0, len(x.paths)/width
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		i := int(binary.LittleEndian.Uint16(x.paths[width*mid:]))
		if width == 4 {
			i = int(u32(x.paths, mid))
		}
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
	from, to := x.externalsOf(name.Package)
	return x.externalIn(from, to, name.Path)
}

func compareExternals(a, b External) int {
	if c := strings.Compare(a.Package, b.Package); c != 0 {
		return c
	}
	return strings.Compare(a.Path, b.Path)
}

// A reader takes uvarints off a slice. Once something is missing it stays bad and gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := uint64(r.b[0])
		r.b = r.b[1:]
		return v
	}
	return r.long()
}

// long is uint of what takes more than a byte.
func (r *reader) long() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// signed is a number that may be negative.
func (r *reader) signed() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// skip leaves n bytes out.
func (r *reader) skip(n uint64) {
	if n > uint64(len(r.b)) {
		r.bad = true
		r.b = nil
		return
	}
	r.b = r.b[n:]
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
