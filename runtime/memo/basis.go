package memo

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/cytisus/cytisus/runtime/db"
)

// A basis is the keys that a trace rests on, by its own reads and those of the queries below: at
// least these, and perhaps others. Immutable; traces share theirs. See "After a restart".
type basis struct {
	prints []uint32 // of records and presences, ascending; nil if there are marks
	more   *moreBasis
}

// A moreBasis is what few bases have.
type moreBasis struct {
	marks *printMarks // a bit for each print; nil: prints are listed
	all   partSet     // partitions of which any change counts
	keys  partSet     // partitions of which any coming and going of a key counts
}

const (
	printsMost = 256 // are listed; more are marked
	marksWords = 64
	marksMost  = marksWords * 64 / 2 // bits that say anything; with more the partitions stand for them
)

// A print stands for a key of a partition: keys may share one. It is the same in every process (the
// hash of Fowler, Noll and Vo, 1a, folded).
func printOf(part db.PartID, key string) uint32 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	h = (h ^ uint64(part)) * prime
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * prime
	}
	return uint32(h ^ h>>32)
}

// recordPrint and presencePrint stand in a basis for the record at a key and for whether the key is
// there, if print stands for the key.
func recordPrint(print uint32) uint32   { return print &^ 1 }
func presencePrint(print uint32) uint32 { return print | 1 }

// printMarks have a bit for each key's print, which others share. The record and the presence of a
// key have the same: with two, twice as many keys that come would be found by chance.
type printMarks [marksWords]uint64

func (m *printMarks) set(p uint32)      { m[p/128%marksWords] |= 1 << (p / 2 % 64) }
func (m *printMarks) has(p uint32) bool { return m[p/128%marksWords]&(1<<(p/2%64)) != 0 }

// has reports whether a key with a print may be in b.
func (b *basis) has(p uint32) bool {
	if b.more != nil && b.more.marks != nil {
		return b.more.marks.has(p)
	}
	_, listed := slices.BinarySearch(b.prints, p)
	return listed
}

// touchedBy reports whether a change may be of something that a trace with b and parts rests on.
func (b *basis) touchedBy(c *moved, parts partSet) bool {
	bit := partBit(c.part)
	switch {
	case parts&bit == 0:
		return false
	case c.what == movedAll:
		return true
	case b.more != nil && (b.more.all&bit != 0 || c.what == movedCame && b.more.keys&bit != 0):
		return true
	}
	return b.has(recordPrint(c.print)) || c.what == movedCame && b.has(presencePrint(c.print))
}

// size estimates the bytes of b, as if no other trace had it.
func (b *basis) size() int {
	n := 32 + 4*len(b.prints)
	if b.more != nil {
		n += 24
		if b.more.marks != nil {
			n += 8 * marksWords
		}
	}
	return n
}

// A footing is a basis that is being put together.
type footing struct {
	base   *basis   // is in it; nil: none
	prints []uint32 // are in it, too; in no order
	more   moreBasis
	marked int // bits of more.marks
}

// full reports whether there are too many prints to tell them apart.
func (f *footing) full() bool { return f.marked > marksMost }

func (f *footing) add(p uint32) {
	switch {
	case f.full() || f.base != nil && f.base.has(p):
	case f.more.marks != nil:
		if !f.more.marks.has(p) {
			f.more.marks.set(p)
			f.marked++
		}
	default:
		if f.prints = append(f.prints, p); len(f.prints) > 4*printsMost {
			f.sort()
			if len(f.prints) > printsMost {
				f.mark()
			}
		}
	}
}

func (f *footing) sort() {
	slices.Sort(f.prints)
	f.prints = slices.Compact(f.prints)
}

// mark goes over to marks.
func (f *footing) mark() {
	f.more.marks = new(printMarks)
	for _, p := range f.prints {
		f.more.marks.set(p)
	}
	f.prints = f.prints[:0]
	f.count()
}

func (f *footing) count() {
	f.marked = 0
	for _, w := range f.more.marks {
		f.marked += bits.OnesCount64(w)
	}
}

// addBasis adds all that is in b.
func (f *footing) addBasis(b *basis) {
	switch {
	case b == f.base || f.full():
	case f.base == nil && len(f.prints) == 0 && f.more == (moreBasis{}):
		f.base = b
	default:
		f.take(b)
	}
}

func (f *footing) take(b *basis) {
	if b.more != nil {
		f.more.all |= b.more.all
		f.more.keys |= b.more.keys
		if b.more.marks != nil {
			if f.more.marks == nil {
				f.mark()
			}
			for i, w := range b.more.marks {
				f.more.marks[i] |= w
			}
			f.count()
		}
	}
	for _, p := range b.prints {
		f.add(p)
	}
}

// addTrace adds what a trace rests on.
func (f *footing) addTrace(tr *trace) {
	if f.full() {
		return
	}
	if b := tr.basis.Load(); b != nil {
		f.addBasis(b)
		return
	}
	f.addReads(tr.reads, tr.readParts())
}

// addReads adds what reads of partitions are about. One of a query is not known more closely than
// by parts.
func (f *footing) addReads(reads []read, parts partSet) {
	for i := range reads {
		if f.full() {
			return
		}
		f.addRead(&reads[i], parts)
	}
}

// addPlain adds what reads of partitions are about, and nothing of queries.
func (f *footing) addPlain(reads []read) {
	for i := range reads {
		if r := &reads[i]; !r.kind.asks() {
			f.addRead(r, 0)
		}
	}
}

func (f *footing) addRead(r *read, parts partSet) {
	switch {
	case r.kind == readRecord:
		f.add(recordPrint(printOf(r.part, r.key)))
	case r.kind == readPresence:
		f.add(presencePrint(printOf(r.part, r.key)))
	case r.kind.ranged() && r.kind&^readFiltered != readRange:
		f.more.keys |= partBit(r.part)
	case r.kind.ranged():
		f.more.all |= partBit(r.part)
	default:
		f.more.all |= parts
	}
}

// basis returns what was put together, for a trace that rests on parts. If there is nothing beside
// the first basis that was added, it is that one.
func (f *footing) basis(parts partSet) *basis {
	f.sort()
	if b := f.base; b != nil {
		if !f.beyond(b) {
			return b
		}
		f.base = nil
		f.take(b)
		f.sort()
	}
	if len(f.prints) > printsMost {
		f.mark()
	}
	if f.full() {
		return &basis{more: &moreBasis{all: parts}}
	}
	b := &basis{prints: slices.Clone(f.prints)}
	if f.more != (moreBasis{}) {
		more := f.more
		b.more = &more
	}
	return b
}

// beyond reports whether there is anything in f that may not be in b, its base.
func (f *footing) beyond(b *basis) bool {
	had := moreBasis{marks: new(printMarks)}
	if b.more != nil {
		had.all, had.keys = b.more.all, b.more.keys
		if b.more.marks != nil {
			had.marks = b.more.marks
		}
	}
	if len(f.prints) > 0 || f.more.all&^had.all != 0 || f.more.keys&^had.keys != 0 {
		return true
	}
	if f.more.marks != nil {
		for i, w := range f.more.marks {
			if w&^had.marks[i] != 0 {
				return true
			}
		}
	}
	return false
}

// begin makes an empty footing ready, in the memory that it has.
func (f *footing) begin(base *basis) { *f = footing{base: base, prints: f.prints[:0]} }

// What a basis in a record has; its first byte.
const (
	basisKnown = 1 << iota // or none of what follows is there
	basisParts             // partitions of which any change counts, and those of which keys count
	basisMarks             // marks, 8 bytes for each word; or the number of prints and these, 4 bytes each
)

func appendBasis(dst []byte, b *basis) []byte {
	if b == nil {
		return append(dst, 0)
	}
	at := len(dst)
	dst = append(dst, basisKnown)
	if m := b.more; m != nil && (m.all|m.keys) != 0 {
		dst[at] |= basisParts
		dst = binary.AppendUvarint(dst, uint64(m.all))
		dst = binary.AppendUvarint(dst, uint64(m.keys))
	}
	if b.more != nil && b.more.marks != nil {
		dst[at] |= basisMarks
		for _, w := range b.more.marks {
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.prints)))
	for _, p := range b.prints {
		dst = binary.LittleEndian.AppendUint32(dst, p)
	}
	return dst
}

// skipBasis goes on behind a basis. What it takes basis does.
func (d *decoder) skipBasis() {
	has := d.byte()
	if has&basisKnown == 0 {
		if has != 0 {
			d.fail("unknown form of a basis")
		}
		return
	}
	if has&basisParts != 0 {
		d.uvarint()
		d.uvarint()
	}
	if has&basisMarks != 0 {
		d.take(8 * marksWords)
		return
	}
	last := uint32(0)
	for i := range d.count(4) {
		p := d.uint32()
		if i > 0 && p <= last {
			d.fail("prints out of order")
		}
		last = p
	}
}

// basis is the inverse of appendBasis. It accepts any input.
func (d *decoder) basis() *basis {
	has := d.byte()
	if has&basisKnown == 0 {
		if has != 0 {
			d.fail("unknown form of a basis")
		}
		return nil
	}
	b := &basis{}
	more := moreBasis{}
	if has&basisParts != 0 {
		more.all, more.keys = partSet(d.uvarint()), partSet(d.uvarint())
	}
	if has&basisMarks != 0 {
		more.marks = new(printMarks)
		for i := range more.marks {
			more.marks[i] = d.uint64()
		}
	} else if n := d.count(4); n > 0 {
		b.prints = make([]uint32, n)
		for i := range b.prints {
			b.prints[i] = d.uint32()
			if i > 0 && b.prints[i] <= b.prints[i-1] {
				d.fail("prints out of order")
			}
		}
	}
	if more != (moreBasis{}) {
		b.more = &more
	}
	return b
}
