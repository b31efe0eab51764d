package check

import (
	"encoding/binary"
	"errors"
	"fmt"
	"go/types"
	"slices"
)

// Export data comes from a store, and a store can be forged. Its reader recovers from what makes no
// sense, but two faults it cannot recover from, for they end the process: a type that is part of
// itself without a name between, or one of very many levels, exhausts the stack; a count that is
// forged asks for more memory than there is. So data is walked first, in the order in which the
// reader walks it and with nothing kept of it: what would go too deep, or counts more than there
// are bytes, is refused.
//
// The format is that of golang.org/x/tools/internal/gcimporter (iexport.go), without the parts that
// Face never writes: other versions, and shallow data.
const (
	soundVersion = 3

	// soundLevels is how deep declarations and types may lie in each other. The reader takes some
	// 1.3 KiB of stack for one, so they stay far below the 250 MB that a process of 32 bits has.
	soundLevels = 100_000

	firstOffset = 32 // smaller numbers are predeclared types
)

var errUnsound = errors.New("the export data is damaged")

// sound returns an error for data that readExport must not be given. The packages are those that
// are known; what they declare is not read again.
func sound(data []byte, packages map[string]*types.Package, path string) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%w: %v", errUnsound, e) // what the walk runs out of, it says by a panic
		}
	}()
	if len(data) == 0 || data[0] != 'i' {
		return fmt.Errorf("%w: it is of another format", errUnsound)
	}
	head := soundPart{data[1:]}
	if v := head.uint(); v != soundVersion {
		return fmt.Errorf("%w: its version is %d", errUnsound, v)
	}
	texts, decls := head.uint(), head.uint()
	w := soundWalk{
		texts: head.take(texts), decls: head.take(decls),
		packages: map[uint64]*soundPackage{},
		steps:    64 * (len(data) + 1024),
	}
	w.walked = make([]bool, len(w.decls)+1)
	own := w.manifest(&head, packages, path)
	for name := range own.at {
		w.decl(own, name)
	}
	return nil
}

// A soundWalk walks what the reader would read.
type soundWalk struct {
	texts, decls []byte
	packages     map[uint64]*soundPackage // by where their paths are
	walked       []bool                   // types that were read to their end, by where they are in decls
	depth        int
	steps        int // left; the reader, which has no such bound, could be kept busy for years
}

// A soundPackage is what the data declares of one package.
type soundPackage struct {
	known    *types.Package // what was read before; nil: nothing
	at       map[string]uint64
	declared map[string]bool
	params   map[string]bool // type parameters, which are not declared
}

// manifest reads which packages there are and where their declarations are, and returns the first.
func (w *soundWalk) manifest(head *soundPart, packages map[string]*types.Package, path string) (own *soundPackage) {
	seen := map[string]bool{}
	count := head.count()
	for range count {
		at := head.uint()
		p := &soundPackage{at: map[string]uint64{}, declared: map[string]bool{}, params: map[string]bool{}}
		name := w.text(at)
		if name == "" {
			name = path
		}
		if seen[name] {
			panic("a package stands in it twice")
		}
		seen[name], p.known, w.packages[at] = true, packages[name], p
		head.uint() // its name
		head.uint() // its height
		for range head.count() {
			name := w.text(head.uint())
			p.at[name] = head.uint()
		}
		if own == nil {
			own = p
		}
	}
	if own == nil {
		panic("no package is in it")
	}
	return own
}

func (w *soundWalk) enter() {
	w.depth++
	if w.depth > soundLevels {
		panic("types lie in each other without end")
	}
	w.spend(1)
}

// spend counts what the reader reads. A name that is declared as an interface reads all of it for
// itself, so a few bytes for each name would cost the memory of as many methods.
func (w *soundWalk) spend(n uint64) {
	if w.steps -= int(n); w.steps < 0 {
		panic("types refer to each other too often")
	}
}

// count reads a number of things that are read one by one.
func (w *soundWalk) count(r *soundPart) uint64 {
	n := r.count()
	w.spend(n)
	return n
}

func (w *soundWalk) text(at uint64) string {
	p := soundPart{w.texts}
	p.take(at)
	return string(p.take(p.uint()))
}

func (w *soundWalk) pkg(at uint64) *soundPackage {
	p := w.packages[at]
	if p == nil {
		panic("a package is missing")
	}
	return p
}

func (w *soundWalk) at(offset uint64) soundPart {
	p := soundPart{w.decls}
	p.take(offset)
	return p
}

func (w *soundWalk) decl(p *soundPackage, name string) {
	if p.declared[name] || p.known != nil && p.known.Scope().Lookup(name) != nil {
		return
	}
	offset, ok := p.at[name]
	if !ok {
		panic("a declaration is missing")
	}
	w.enter()
	r := w.at(offset)
	tag := r.take(1)[0]
	r.pos()
	switch tag {
	case 'A':
		w.typ(r.uint())
	case 'B':
		w.typs(&r)
		w.typ(r.uint())
	case 'C', 'V':
		w.typ(r.uint()) // a constant's value is the last that is read
	case 'F':
		w.signature(&r)
	case 'G':
		w.typs(&r)
		w.signature(&r)
	case 'P':
		p.params[name] = true
		r.uint() // implicit?
		w.typ(r.uint())
		w.depth--
		return // not declared
	case 'T', 'U':
		p.declared[name] = true
		if tag == 'U' {
			w.typs(&r)
		}
		below := r.uint()
		isInterface := w.isInterface(below)
		if isInterface && below >= firstOffset {
			w.walked[below-firstOffset] = false // its methods are the name's own, and read for each
		}
		w.typ(below)
		if !isInterface {
			w.methods(&r)
		}
	default:
		panic("a declaration is of no kind")
	}
	p.declared[name] = true
	w.depth--
}

func (w *soundWalk) methods(r *soundPart) {
	for range w.count(r) {
		r.pos()
		r.uint() // name
		if r.uint() != 0 {
			w.typs(r)
		}
		w.param(r) // the receiver
		w.signature(r)
	}
}

// isInterface tells whether the type at an offset is an interface as such: what it is by a name, a
// writer never refers to as what another type is.
func (w *soundWalk) isInterface(offset uint64) bool {
	if offset >= firstOffset {
		r := w.at(offset - firstOffset)
		return r.uint() == soundInterface
	}
	return slices.Contains([]uint64{19, 30, 31}, offset) // error, comparable, any
}

// Kinds of types.
const (
	soundNamed = iota
	soundPointer
	soundSlice
	soundArray
	soundChan
	soundMap
	soundSignature
	soundStruct
	soundInterface
	soundTypeParam
	soundInstance
	soundUnion
	soundAlias
)

func (w *soundWalk) typ(offset uint64) {
	if offset < firstOffset {
		return
	}
	offset -= firstOffset
	r := w.at(offset)
	if w.walked[offset] {
		return
	}
	w.enter()
	switch r.uint() {
	case soundNamed, soundAlias:
		name := w.text(r.uint())
		w.decl(w.pkg(r.uint()), name)
	case soundPointer, soundSlice:
		w.typ(r.uint())
	case soundArray, soundChan:
		r.uint() // length or direction
		w.typ(r.uint())
	case soundMap:
		w.typ(r.uint())
		w.typ(r.uint())
	case soundSignature:
		r.uint() // package
		w.signature(&r)
	case soundStruct:
		r.uint() // package
		for range w.count(&r) {
			w.param(&r)
			r.uint() // embedded?
			r.uint() // tag
		}
	case soundInterface:
		r.uint() // package
		for range w.count(&r) {
			r.pos()
			w.typ(r.uint())
		}
		for range w.count(&r) {
			r.pos()
			r.uint() // name
			w.signature(&r)
		}
	case soundTypeParam:
		name := w.text(r.uint())
		if p := w.pkg(r.uint()); !p.params[name] {
			w.decl(p, name)
		}
	case soundInstance:
		r.pos()
		w.typs(&r)
		w.typ(r.uint())
	case soundUnion:
		for range w.count(&r) {
			r.uint() // with a tilde?
			w.typ(r.uint())
		}
	default:
		panic("a type is of no kind")
	}
	w.walked[offset] = true
	w.depth--
}

func (w *soundWalk) typs(r *soundPart) {
	for range w.count(r) {
		w.typ(r.uint())
	}
}

func (w *soundWalk) param(r *soundPart) {
	r.pos()
	r.uint() // name
	w.typ(r.uint())
}

func (w *soundWalk) signature(r *soundPart) {
	n := w.count(r)
	for range n {
		w.param(r)
	}
	for range w.count(r) {
		w.param(r)
	}
	if n > 0 {
		r.uint() // variadic?
	}
}

// A soundPart is the rest of some bytes. What is not there, it says by a panic.
type soundPart struct{ b []byte }

func (p *soundPart) uint() uint64 {
	if len(p.b) > 0 && p.b[0] < 0x80 { // nearly all of them
		v := uint64(p.b[0])
		p.b = p.b[1:]
		return v
	}
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		panic("a number is missing")
	}
	p.b = p.b[n:]
	return v
}

// count reads a number of things, each of which has a byte or more.
func (p *soundPart) count() uint64 {
	n := p.uint()
	if n > uint64(len(p.b)) {
		panic("there are more of something than bytes")
	}
	return n
}

func (p *soundPart) take(n uint64) []byte {
	if n > uint64(len(p.b)) {
		panic("it is cut off")
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b
}

// pos reads a position: the change of the column, then perhaps that of the line, then perhaps the
// file. Signed numbers have their sign in the lowest bit, so the bit that says whether more follows
// is the second; of a negative one it is turned over.
func (p *soundPart) pos() {
	if !p.more() {
		return
	}
	if p.more() {
		p.uint()
	}
}

func (p *soundPart) more() bool {
	v := p.uint()
	return (v>>1^-(v&1))&1 != 0
}
