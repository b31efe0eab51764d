package memo

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Results of traces of format 1 may have lost some of themselves when they were stored. They are
// computed again.
const traceFormat = 3

// A making says what made a trace record.
type making struct {
	version uint32 // of the query
	program uint64 // Options.Program
}

// The form of a trace record (uvarints, strings and hashes as below):
//
//	format, query version, program (8 bytes, little endian), number of traces, then for each trace:
//	  from, to (less than from: holds nowhere), partitions, basis, result hash, number of reads, then for each read:
//	    kind (1 byte), partition or name of the query, key as (bytes shared with the previous key, rest), name (parts only), upper bound (ranges only), glob (filtered ranges only), hash
func encodeTraces(dst []byte, by making, traces []*trace) []byte {
	dst = append(dst, traceFormat)
	dst = binary.AppendUvarint(dst, uint64(by.version))
	dst = binary.LittleEndian.AppendUint64(dst, by.program)
	dst = binary.AppendUvarint(dst, uint64(len(traces)))
	for _, tr := range traces {
		iv := tr.newest()
		dst = binary.AppendUvarint(dst, iv.from)
		dst = binary.AppendUvarint(dst, iv.to)
		dst = binary.AppendUvarint(dst, tr.parts.Load())
		dst = appendBasis(dst, tr.basis.Load())
		dst = append(dst, tr.result[:]...)
		reads := tr.reads
		if g := tr.group; g != nil {
			reads = slices.Concat(reads, g.results, g.versions)
		}
		dst = binary.AppendUvarint(dst, uint64(len(reads)))
		prev := ""
		for i := range reads {
			r := &reads[i]
			dst = append(dst, byte(r.kind))
			if r.kind.asks() {
				dst = appendString(dst, r.query)
			} else {
				dst = binary.AppendUvarint(dst, uint64(r.part))
			}
			shared := sharedPrefix(prev, r.key)
			dst = binary.AppendUvarint(dst, uint64(shared))
			dst = appendString(dst, r.key[shared:])
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
			dst = append(dst, r.hash[:]...)
		}
	}
	return dst
}

// decodeTraces is the inverse of encodeTraces. It accepts any input; what does not decode is
// ErrCorruptTrace. named returns the about of reads of a query.
func decodeTraces(p []byte, named func(query []byte) *about) (by making, traces []*trace, err error) {
	return decode(p, named)
}

// decode is decodeTraces. With named nil it leaves out the reads, which are most of a record.
func decode(p []byte, named func(query []byte) *about) (by making, traces []*trace, err error) {
	d := decoder{rest: p}
	if f := d.byte(); f != traceFormat {
		return by, nil, fmt.Errorf("%w: format %d, this program reads %d", ErrCorruptTrace, f, traceFormat)
	}
	by.version = uint32(d.uvarint())
	by.program = d.uint64()
	n := d.count(1)
	var names []*about // of queries, each once; few in one record
	for range n {
		tr := &trace{}
		from, to := d.uvarint(), d.uvarint()
		if from <= to {
			tr.firstInterval = interval{from: from, to: to}
			tr.holds.Store(&tr.firstInterval)
		}
		tr.parts.Store(d.uvarint())
		tr.basis.Store(d.basis())
		d.hash(&tr.result)
		reads := d.count(2 + len(mmapcas.Hash{}))
		if named == nil {
			key := 0
			for range reads {
				key = d.skipRead(key)
			}
			traces = append(traces, tr)
			continue
		}
		tr.reads = make([]read, reads)
		prev := ""
		for i := range tr.reads {
			r := &tr.reads[i]
			r.kind = readKind(d.byte())
			switch r.kind {
			case readQuery, readPart, readNames, readMember, readResult, readVersion:
				name := d.bytes()
				at := slices.IndexFunc(names, func(a *about) bool { return a.query == string(name) })
				if at < 0 {
					at = len(names)
					names = append(names, named(name))
				}
				r.about = names[at]
			case readRecord, readPresence:
				r.part = db.PartID(d.uvarint())
			default:
				if !r.kind.ranged() {
					d.fail("unknown kind of read")
				}
				r.part = db.PartID(d.uvarint())
			}
			shared := d.uvarint()
			rest := d.bytes()
			if shared > uint64(len(prev)) {
				d.fail("shared prefix longer than the previous key")
				shared = 0
			}
			r.key = prev[:shared] + string(rest)
			prev = r.key
			if r.kind == readPart {
				r.about = &about{query: r.query, name: string(d.bytes())}
			}
			if r.kind.ranged() {
				r.about = &about{hi: string(d.bytes())}
				if r.kind&readFiltered != 0 {
					r.about.glob = string(d.bytes())
				}
			}
			d.hash(&r.hash)
			if d.err != nil {
				return by, nil, d.err
			}
		}
		tr.split()
		traces = append(traces, tr)
	}
	if d.err == nil && len(d.rest) != 0 {
		d.fail("bytes after the end")
	}
	return by, traces, d.err
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

// skipRead goes on behind a read. It takes the length of the key before and returns that of its
// key.
func (d *decoder) skipRead(before int) int {
	kind := readKind(d.byte())
	switch {
	case kind.asks():
		d.bytes()
	case kind == readRecord || kind == readPresence || kind.ranged():
		d.uvarint()
	default:
		d.fail("unknown kind of read")
	}
	shared := d.uvarint()
	if shared > uint64(before) {
		d.fail("shared prefix longer than the previous key")
		return 0
	}
	key := int(shared) + len(d.bytes())
	if kind.ranged() || kind == readPart {
		d.bytes()
	}
	if kind&readFiltered != 0 {
		d.bytes()
	}
	d.take(len(mmapcas.Hash{}))
	return key
}

// Refs returns what a record of this package's kinds refers to: traces, the result of the newest of
// them, and a table, what its values do. A record that does not decode refers to nothing.
func Refs(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	if kind == KindParts {
		refs, _, _ := splitPartsRefs(kind, payload)
		return refs
	}
	all := results(kind, payload)
	return all[:min(len(all), 1)]
}

// OldRefs returns the results of the older traces. The store keeps them between collections, for an undo, and longer while
// somebody who reads an older generation may have been answered with them.
func OldRefs(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	all := results(kind, payload)
	return all[min(len(all), 1):]
}

func results(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	if kind != KindTrace {
		return nil
	}
	_, traces, err := decode(payload, nil)
	if err != nil {
		return nil
	}
	refs := make([]mmapcas.Hash, len(traces))
	for i, tr := range traces {
		refs[i] = tr.result
	}
	return refs
}

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
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

// count reads a number of things that take at least each bytes, so that a damaged count cannot ask for more memory than the input has.
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

func (d *decoder) hash(h *mmapcas.Hash) { copy(h[:], d.take(len(h))) }
