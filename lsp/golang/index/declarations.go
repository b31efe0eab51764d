package index

import (
	"encoding/binary"

	"github.com/cytisus/cytisus/lsp"
)

// A declaration is a row of uvarints:
//
//	head: local:1 | comment:1 | kind:5 | other file:1 | silent:1 | other flags:7 | rest of the kind:3
//	by how many files this one is after that of the row before, if it is another
//	start, from that of the row before if both are in one file; length
//	name and signature: 0 for the string that is met first here, else its number and 1
//	path: 0 for none, 1 for the name, else like a name, and 2 more
//	how far before the start the comment ends (zigzag), and its length, if there is one
//
// The first row of a block follows one that starts file 0. A row is silent if no occurrence is
// that declaration's own; the others have one that is not written down (occurrences.go).
const (
	headLocal = 1 << iota
	headComment
	headKind // from here on
)

const (
	headOtherFile = 1 << (7 + iota)
	headSilent
	headFlags // from here on

	headKinds    = 31       // those that fit below headOtherFile
	headRestBits = 9 + 7    // where the rest of the kind starts
	headFlagMask = 1<<7 - 1 // the flags but Local
)

// A row is a declaration with its strings as numbers.
type row struct {
	file, start, bytes    int
	kind                  lsp.SymbolKind
	flags                 Flags
	silent                bool
	name, signature, path uint64
	doc                   lsp.Span
}

func (w *row) span() lsp.Span { return lsp.Span{Start: w.start, End: w.start + w.bytes} }

// A rowReader reads rows in order.
type rowReader struct {
	x           *Index
	r           reader
	i           int // number of the next row
	file, start int // of the row before
	strings     uint64
}

// rowsFrom returns a reader whose next row is number i.
func (x *Index) rowsFrom(i int) rowReader {
	if i < 0 {
		i = x.declCount
	}
	rows := rowReader{x: x, i: i - i%block}
	for rows.i < i {
		if _, ok := rows.next(); !ok {
			break
		}
	}
	return rows
}

// next returns the next row, and false behind the last one.
func (rows *rowReader) next() (w row, ok bool) {
	if rows.i < 0 || rows.i >= rows.x.declCount {
		return row{}, false
	}
	r := &rows.r
	if rows.i%block == 0 {
		at := u32(rows.x.declAt, rows.i/block*2)
		if at > uint32(len(rows.x.decls)) {
			rows.i = rows.x.declCount
			return row{}, false
		}
		*r = reader{b: rows.x.decls[at:]}
		rows.file, rows.start = 0, 0
		rows.strings = uint64(u32(rows.x.declAt, rows.i/block*2+1))
	}
	head := r.uint()
	w.flags = Flags(head&headLocal) | Flags(head/headFlags&headFlagMask<<1)
	w.kind = lsp.SymbolKind(head/headKind&headKinds | head>>headRestBits<<5)
	w.silent = head&headSilent != 0
	if head&headOtherFile != 0 {
		rows.file, rows.start = rows.file+r.int(), 0
	}
	rows.start += r.int()
	w.file, w.start, w.bytes = rows.file, rows.start, r.int()
	w.name = rows.stringOf(r.uint())
	w.signature = rows.stringOf(r.uint())
	switch code := r.uint(); code {
	case 0: // none
	case 1:
		w.path = w.name
	default:
		w.path = rows.stringOf(code - 2)
	}
	if head&headComment != 0 {
		w.doc.End = w.start - int(r.signed())
		w.doc.Start = w.doc.End - r.int()
	}
	rows.i++
	if r.bad || w.file >= rows.x.FileCount() || w.start < 0 {
		rows.i = rows.x.declCount
		return row{}, false
	}
	return w, true
}

// stringOf is the string of a code: 0 for the one that is met first here, else its number and 1.
func (rows *rowReader) stringOf(code uint64) uint64 {
	if code == 0 {
		rows.strings++
		return rows.strings - 1
	}
	return code - 1
}

// DeclarationCount is how many declarations there are.
func (x *Index) DeclarationCount() int { return x.declCount }

// Declaration returns declaration number i.
func (x *Index) Declaration(i int) (Declaration, bool) {
	if i < 0 || i >= x.declCount {
		return Declaration{}, false
	}
	rows := x.rowsFrom(i)
	w, ok := rows.next()
	if !ok {
		return Declaration{}, false
	}
	return Declaration{
		File: w.file, Span: w.span(), Kind: w.kind, Flags: w.flags, Doc: w.doc,
		Name: x.str(w.name), Signature: x.str(w.signature), Path: x.str(w.path),
	}, true
}

// Places calls fn for every declaration, by number, with where its name stands, and reads no
// strings.
func (x *Index) Places(fn func(file int, at lsp.Span)) {
	for rows := x.rowsFrom(0); ; {
		w, ok := rows.next()
		if !ok {
			return
		}
		fn(w.file, w.span())
	}
}

// Named lists the numbers of the declarations of a name. It compares numbers of strings and makes
// none.
func (x *Index) Named(name string) (list []int) {
	number, ok := x.numberOf(name)
	if !ok {
		return nil
	}
	for rows := x.rowsFrom(0); ; {
		i := rows.i
		w, ok := rows.next()
		if !ok {
			return list
		}
		if w.name == number {
			list = append(list, i)
		}
	}
}

// DeclarationAt is the number of the declaration whose name starts at a place, -1 if there is none.
func (x *Index) DeclarationAt(file, start int) int {
	after := func(w *row) bool { return w.file > file || w.file == file && w.start > start }
	// The last block that begins no later, or the first.
	lo, hi := 0, int(blocks(uint32(x.declCount)))
	for hi-lo > 1 {
		mid := int(uint(lo+hi) / 2)
		rows := x.rowsFrom(mid * block)
		if w, ok := rows.next(); !ok || after(&w) {
			hi = mid
		} else {
			lo = mid
		}
	}
	for rows := x.rowsFrom(lo * block); ; {
		i := rows.i
		switch w, ok := rows.next(); {
		case !ok || after(&w):
			return -1
		case w.file == file && w.start == start:
			return i
		}
	}
}

// rowWriter makes the bytes of rows.
type rowWriter struct {
	strings     *stringTable
	n           int
	at          []uint32
	bytes       []byte
	file, start int
}

func (rows *rowWriter) add(d *Declaration, silent bool) {
	if rows.n%block == 0 {
		rows.at = append(rows.at, uint32(len(rows.bytes)), uint32(len(rows.strings.numbers)))
		rows.file, rows.start = 0, 0
	}
	rows.n++
	head := uint64(d.Flags&Local) | uint64(d.Flags>>1)*headFlags |
		uint64(d.Kind&headKinds)*headKind | uint64(d.Kind>>5)<<headRestBits
	if d.Doc != (lsp.Span{}) {
		head |= headComment
	}
	if silent {
		head |= headSilent
	}
	if d.File != rows.file {
		head |= headOtherFile
	}
	b := binary.AppendUvarint(rows.bytes, head)
	if d.File != rows.file {
		b = binary.AppendUvarint(b, uint64(d.File-rows.file))
		rows.file, rows.start = d.File, 0
	}
	b = binary.AppendUvarint(b, uint64(d.Span.Start-rows.start))
	rows.start = d.Span.Start
	b = binary.AppendUvarint(b, uint64(d.Span.End-d.Span.Start))
	b = binary.AppendUvarint(b, rows.codeOf(d.Name))
	b = binary.AppendUvarint(b, rows.codeOf(d.Signature))
	switch d.Path {
	case "":
		b = append(b, 0)
	case d.Name:
		b = append(b, 1)
	default:
		b = binary.AppendUvarint(b, rows.codeOf(d.Path)+2)
	}
	if d.Doc != (lsp.Span{}) {
		b = binary.AppendVarint(b, int64(d.Span.Start-d.Doc.End))
		b = binary.AppendUvarint(b, uint64(d.Doc.End-d.Doc.Start))
	}
	rows.bytes = b
}

// codeOf is what rowReader.stringOf reads.
func (rows *rowWriter) codeOf(s string) uint64 {
	n, fresh := rows.strings.number(s)
	if fresh {
		return 0
	}
	return n + 1
}
