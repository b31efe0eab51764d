package memo

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Results of traces of format 1 may have lost some of themselves when they were stored, before
// format 4 tiny results had other names, and before format 5 a basis did not tell presence from the
// record. They are computed again.
const traceFormat = 5

// A making says what made a trace record.
type making struct {
	version uint32 // of the query
	program uint64 // Options.Program; 0 if no trace asks a query
}

// The form of a trace record (uvarints, strings and hashes as below):
//
//	head: the format (3 bits), the number of traces (2 bits; 3: one number more says how many) and
//	the query version (the others), then for each trace:
//	  flags (1 byte), from and how much later to is, program (8 bytes, little endian), partitions,
//	  basis, all of them as the flags say; result hash; number of reads, if it is not in the
//	  flags; then for each read:
//	    what: the kind (4 bits; see readCodes), whether the hash is short (1 bit), and the partition
//	    or the number of the query's name in the record (the others); that name, if it is new; the
//	    key as (bytes shared with the previous key, rest); name (parts only), upper bound (ranges
//	    only), glob (filtered ranges only), hash
//
// The lengths of a key are one byte, 4 bits each, if none is above 14; else 255 and two numbers.
// A short hash is as many bytes, behind the first, as that says; zeros follow.
const (
	traceHolds   = 1 << iota // from and to are there; else it holds nowhere
	traceOnce                // they are the same: from is there
	traceProgram             // it asks queries: the program is there
	traceParts               // the partitions are there; else they are those of its own reads
	traceBasis               // a basis is there
	traceShort               // the result hash is short
	traceReads               // the number of reads, up to 2; 3: it is there

	formatBits, countBits = 3, 2
	countMost             = 1<<countBits - 1
)

// readCodes are kinds as a record has them: by the place in the list.
var readCodes = [16]readKind{
	1: readRecord, 2: readKeys, 3: readRange, 4: readQuery, 5: readPresence, 6: readCount, 7: readPart, 8: readNames,
	9: readMember, 10: readResult, 11: readVersion,
	12: readKeys | readFiltered, 13: readRange | readFiltered, 14: readCount | readFiltered,
}

func (k readKind) code() uint64 {
	if k&readFiltered == 0 {
		return uint64(k)
	}
	return uint64(slices.Index(readCodes[:], k))
}

// ownParts returns the partitions that reads are about.
func ownParts(reads []read) (parts partSet) {
	for i := range reads {
		if r := &reads[i]; !r.kind.asks() {
			parts |= partBit(r.part)
		}
	}
	return parts
}

func encodeTraces(dst []byte, by making, traces []*trace) []byte {
	n := min(len(traces), countMost)
	dst = binary.AppendUvarint(dst, traceFormat|uint64(n)<<formatBits|uint64(by.version)<<(formatBits+countBits))
	if n == countMost {
		dst = binary.AppendUvarint(dst, uint64(len(traces)))
	}
	var names []string
	for _, tr := range traces {
		dst, names = encodeTrace(dst, by, tr, names)
	}
	return dst
}

func encodeTrace(dst []byte, by making, tr *trace, names []string) ([]byte, []string) {
	reads := tr.reads
	if g := tr.group; g != nil {
		reads = slices.Concat(reads, g.results, g.versions)
	}
	iv, parts, basis := tr.newest(), tr.parts.Load(), tr.basis.Load()
	flags := min(len(reads), countMost) * traceReads
	for _, has := range []struct {
		it   bool
		flag int
	}{
		{iv.from <= iv.to, traceHolds},
		{iv.from == iv.to, traceOnce},
		{slices.ContainsFunc(reads, func(r read) bool { return r.kind.asks() }), traceProgram},
		{partSet(parts) != ownParts(reads), traceParts},
		{basis != nil, traceBasis},
		{isShort(&tr.result), traceShort},
	} {
		if has.it {
			flags |= has.flag
		}
	}
	dst = append(dst, byte(flags))
	if flags&traceHolds != 0 {
		dst = binary.AppendUvarint(dst, iv.from)
		if flags&traceOnce == 0 {
			dst = binary.AppendUvarint(dst, iv.to-iv.from)
		}
	}
	if flags&traceProgram != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, by.program)
	}
	if flags&traceParts != 0 {
		dst = binary.AppendUvarint(dst, parts)
	}
	if flags&traceBasis != 0 {
		dst = appendBasis(dst, basis)
	}
	dst = appendHash(dst, &tr.result)
	if len(reads) >= countMost {
		dst = binary.AppendUvarint(dst, uint64(len(reads)))
	}
	prev := ""
	for i := range reads {
		r := &reads[i]
		about, isNew := uint64(r.part), false
		if r.kind.asks() {
			at := slices.Index(names, r.query)
			if isNew = at < 0; isNew {
				at = len(names)
				names = append(names, r.query)
			}
			about = uint64(at)
		}
		what := about<<5 | r.kind.code()
		if isShort(&r.hash) {
			what |= 1 << 4
		}
		dst = binary.AppendUvarint(dst, what)
		if isNew {
			dst = appendString(dst, r.query)
		}
		dst = appendKey(dst, prev, r.key)
		prev = r.key
		if r.kind == readPart {
			dst = appendString(dst, r.name)
		}
		if r.kind.ranged() {
			dst = appendString(dst, r.hi)
		}
		if r.kind&readFiltered != 0 {
			dst = appendString(dst, r.glob)
		}
		dst = appendHash(dst, &r.hash)
	}
	return dst, names
}

// decodeTraces is the inverse of encodeTraces. It accepts any input; what does not decode is
// ErrCorruptTrace. named returns the about of reads of a query.
func decodeTraces(p []byte, named func(query []byte) *about) (by making, traces []*trace, err error) {
	d := decoder{rest: p}
	version, n := d.begin()
	by.version = version
	var names []*about // of queries, each once; few in one record
	for range n {
		h := d.head(false)
		tr := &trace{result: h.result, reads: make([]read, h.reads)}
		if h.flags&traceHolds != 0 {
			tr.firstInterval = interval{from: h.from, to: h.to}
			tr.holds.Store(&tr.firstInterval)
		}
		prev := ""
		for i := range tr.reads {
			names = d.read(&tr.reads[i], prev, names, named)
			prev = tr.reads[i].key
			if d.err != nil {
				return by, nil, d.err
			}
		}
		d.checkProgram(&h)
		by.program = max(by.program, h.program)
		if h.flags&traceParts == 0 {
			h.parts = ownParts(tr.reads)
		}
		tr.parts.Store(uint64(h.parts))
		tr.basis.Store(h.basis)
		tr.split()
		traces = append(traces, tr)
	}
	d.end()
	return by, traces, d.err
}

// resultsOf returns the results in a record. It takes no other memory: a collection asks for those
// of all records.
func resultsOf(p []byte) (results []mmapcas.Hash, err error) {
	d := decoder{rest: p}
	_, traces := d.begin()
	names := 0
	for range traces {
		h := d.head(true)
		for key := 0; h.reads > 0 && d.err == nil; h.reads-- {
			key = d.skipRead(key, &names)
		}
		d.checkProgram(&h)
		if d.err != nil {
			return nil, d.err
		}
		results = append(results, h.result)
	}
	d.end()
	return results, d.err
}

// split takes what is of a group out of the reads of a trace.
func (tr *trace) split() {
	n := slices.IndexFunc(tr.reads, func(r read) bool { return r.kind == readResult })
	if n < 0 {
		return
	}
	rest := tr.reads[n:]
	tr.reads = tr.reads[:n:n]
	results := slices.IndexFunc(rest, func(r read) bool { return r.kind == readVersion })
	if results < 0 {
		results = len(rest)
	}
	tr.group = &group{results: rest[:results:results], versions: rest[results:]}
}

// begin reads the head of a record, which says how many traces follow.
func (d *decoder) begin() (version uint32, traces int) {
	head := d.uvarint()
	if f := head & (1<<formatBits - 1); f != traceFormat {
		d.fail(fmt.Sprintf("format %d, this program reads %d", f, traceFormat))
		return 0, 0
	}
	n := int(head >> formatBits & countMost)
	if n == countMost {
		n = d.count(1)
	}
	return uint32(head >> (formatBits + countBits)), n
}

// end is called behind all traces.
func (d *decoder) end() {
	if d.err == nil && len(d.rest) != 0 {
		d.fail("bytes after the end")
	}
}

// A traceHead is what comes before the reads of a trace.
type traceHead struct {
	flags    byte
	from, to uint64
	program  uint64
	parts    partSet
	basis    *basis
	result   mmapcas.Hash
	reads    int
}

func (d *decoder) head(withoutBasis bool) (h traceHead) {
	h.flags = d.byte()
	d.asks = false
	if h.flags&traceHolds != 0 {
		h.from = d.uvarint()
		if h.to = h.from; h.flags&traceOnce == 0 {
			h.to += d.uvarint()
		}
		if h.to < h.from {
			d.fail("an interval that ends beyond all numbers")
		}
	}
	if h.flags&traceProgram != 0 {
		h.program = d.uint64()
	}
	if h.flags&traceParts != 0 {
		h.parts = partSet(d.uvarint())
	}
	switch {
	case h.flags&traceBasis == 0:
	case withoutBasis:
		d.skipBasis()
	default:
		h.basis = d.basis()
	}
	d.hash(&h.result, h.flags&traceShort != 0)
	if h.reads = int(h.flags / traceReads); h.reads == countMost {
		h.reads = d.count(3)
	}
	return h
}

// checkProgram is called behind the reads of a trace.
func (d *decoder) checkProgram(h *traceHead) {
	if d.asks != (h.flags&traceProgram != 0) {
		d.fail("a program, and no query is asked, or the other way round")
	}
}

// what reads what a read is about.
func (d *decoder) what() (kind readKind, short bool, about uint64) {
	what := d.uvarint()
	if kind = readCodes[what&0xf]; kind == 0 {
		d.fail("unknown kind of read")
	}
	d.asks = d.asks || kind.asks()
	return kind, what>>4&1 != 0, what >> 5
}

// read reads a read, behind one of the key prev. names are those that the record has had.
func (d *decoder) read(r *read, prev string, names []*about, named func([]byte) *about) []*about {
	kind, short, of := d.what()
	r.kind = kind
	switch {
	case !kind.asks():
		r.part = db.PartID(of)
	case of < uint64(len(names)):
		r.about = names[of]
	case of == uint64(len(names)):
		r.about = named(d.bytes())
		names = append(names, r.about)
	default:
		d.fail("a query that has no name")
		return names
	}
	shared, rest := d.key(len(prev))
	r.key = prev[:shared] + string(rest)
	if kind == readPart {
		r.about = &about{query: r.query, name: string(d.bytes())}
	}
	if kind.ranged() {
		r.about = &about{hi: string(d.bytes())}
		if kind&readFiltered != 0 {
			r.about.glob = string(d.bytes())
		}
	}
	d.hash(&r.hash, short)
	return names
}

// skipRead goes on behind a read. It takes the length of the key before, and returns that of its
// key; names is how many the record has had.
func (d *decoder) skipRead(before int, names *int) int {
	kind, short, about := d.what()
	if kind.asks() {
		switch {
		case about == uint64(*names):
			d.bytes()
			*names++
		case about > uint64(*names):
			d.fail("a query that has no name")
		}
	}
	shared, rest := d.key(before)
	if kind.ranged() || kind == readPart {
		d.bytes()
	}
	if kind&readFiltered != 0 {
		d.bytes()
	}
	d.hash(&mmapcas.Hash{}, short)
	return shared + len(rest)
}

// Refs returns what a record of this package's kinds refers to: traces, the result of the newest of
// them, and a table, what its values do. A record that does not decode refers to nothing.
func Refs(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	if kind == KindParts {
		refs, _, _ := splitPartsRefs(kind, payload)
		return refs
	}
	all := results(kind, payload)
	return inStore(all[:min(len(all), 1)])
}

// OldRefs returns the results of the older traces. The store keeps them between collections, for an
// undo, and longer while somebody who reads an older generation may have been answered with them.
func OldRefs(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	all := results(kind, payload)
	return inStore(all[min(len(all), 1):])
}

// inStore returns the results of which there are records.
func inStore(results []mmapcas.Hash) []mmapcas.Hash { return slices.DeleteFunc(results, isTiny) }

func results(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	if kind != KindTrace {
		return nil
	}
	all, err := resultsOf(payload)
	if err != nil {
		return nil
	}
	return all
}

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// isShort reports whether h has a short form, which is shorter.
func isShort(h *mmapcas.Hash) bool {
	n := int(h[0])
	if n > len(h)-2 {
		return false
	}
	for _, b := range h[n+1:] {
		if b != 0 {
			return false
		}
	}
	return true
}

func appendHash(dst []byte, h *mmapcas.Hash) []byte {
	if isShort(h) {
		return append(dst, h[:1+h[0]]...)
	}
	return append(dst, h[:]...)
}

// lengthsFollow is in the place of the lengths of a key where they need more than 4 bits.
const lengthsFollow = 0xff

func appendKey(dst []byte, prev, key string) []byte {
	shared := sharedPrefix(prev, key)
	rest := key[shared:]
	if shared < 15 && len(rest) < 15 {
		dst = append(dst, byte(shared<<4|len(rest)))
	} else {
		dst = append(dst, lengthsFollow)
		dst = binary.AppendUvarint(dst, uint64(shared))
		dst = binary.AppendUvarint(dst, uint64(len(rest)))
	}
	return append(dst, rest...)
}

func sharedPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// A decoder reads the forms above; after the first error every read gives zero.
type decoder struct {
	rest []byte
	err  error
	asks bool // a read of the trace asks a query
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrCorruptTrace, what)
	}
	d.rest = nil
}

func (d *decoder) take(n int) []byte {
	if n > len(d.rest) {
		d.fail("truncated")
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail("truncated number")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// count reads a number of things that take at least each bytes, so that a damaged count cannot ask
// for more memory than the input has.
func (d *decoder) count(each int) int {
	n := d.uvarint()
	if n > uint64(len(d.rest)/each) {
		d.fail("count larger than the record")
		return 0
	}
	return int(n)
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.fail("truncated string")
		return nil
	}
	return d.take(int(n))
}

func (d *decoder) hash(h *mmapcas.Hash, short bool) {
	if !short {
		copy(h[:], d.take(len(h)))
		return
	}
	if h[0] = d.byte(); int(h[0]) > len(h)-2 {
		d.fail("a short hash that is long")
		return
	}
	copy(h[1:], d.take(int(h[0])))
}

// key reads the lengths of a key, behind one of a length, and what it does not share with that.
func (d *decoder) key(before int) (shared int, rest []byte) {
	lengths := d.byte()
	long, n := uint64(lengths>>4), uint64(lengths&0xf)
	if lengths == lengthsFollow {
		long, n = d.uvarint(), d.uvarint()
	}
	if long > uint64(before) {
		d.fail("shared prefix longer than the previous key")
		return 0, nil
	}
	if n > uint64(len(d.rest)) {
		d.fail("truncated key")
		return 0, nil
	}
	return int(long), d.take(int(n))
}
