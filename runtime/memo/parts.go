package memo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A Part is a name of a table with the bytes of its value.
type Part struct {
	Name  string
	Value []byte
}

// EncodeParts returns the record of a table: parts in ascending order of their names, none twice.
// refs are the records that values refer to. The form, with numbers little endian:
//
//	number of references (uvarint), references
//	number of parts (4 bytes), hash of the names
//	for each part: end of its name, end of its value (4 bytes each, in all names and in all values)
//	for each part: hash of its value
//	names, values
func EncodeParts(refs []mmapcas.Hash, parts []Part) ([]byte, error) {
	names, values := 0, 0
	for i, p := range parts {
		if i > 0 && parts[i-1].Name >= p.Name {
			return nil, fmt.Errorf("memo: name %q of a table is not behind %q", p.Name, parts[i-1].Name)
		}
		names += len(p.Name)
		values += len(p.Value)
	}
	size := binary.MaxVarintLen64 + len(refs)*hashBytes + partsHeadBytes + len(parts)*partBytes + names + values
	if size > mmapcas.MaxPayloadBytes {
		return nil, fmt.Errorf("memo: a table of %d names: %w: %d bytes", len(parts), mmapcas.ErrTooLarge, size)
	}
	b := binary.AppendUvarint(make([]byte, 0, size), uint64(len(refs)))
	for _, h := range refs {
		b = append(b, h[:]...)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(parts)))
	all := make([]byte, 0, 4*len(parts)+names) // what the hash of the names is of
	names, values = 0, 0
	hashOfNames := len(b)
	b = append(b, make([]byte, hashBytes)...)
	for _, p := range parts {
		names += len(p.Name)
		values += len(p.Value)
		b = binary.LittleEndian.AppendUint32(b, uint32(names))
		b = binary.LittleEndian.AppendUint32(b, uint32(values))
		all = binary.LittleEndian.AppendUint32(all, uint32(names))
	}
	for _, p := range parts {
		h := mmapcas.HashOf(KindParts, p.Value)
		b = append(b, h[:]...)
	}
	for _, p := range parts {
		b = append(b, p.Name...)
		all = append(all, p.Name...)
	}
	h := mmapcas.HashOf(KindParts, all)
	copy(b[hashOfNames:], h[:])
	for _, p := range parts {
		b = append(b, p.Value...)
	}
	return b, nil
}

const (
	hashBytes      = len(mmapcas.Hash{})
	partsHeadBytes = 4 + hashBytes
	partBytes      = 8 + hashBytes
)

// Parts is a table in its stored form.
type Parts struct {
	n             int
	hashOfNames   mmapcas.Hash
	ends, hashes  []byte
	names, values []byte
}

// A Parted is the decoded result of a query whose results are tables.
type Parted interface {
	Parts() *Parts

	// Decode makes the value at a place readable.
	Decode(i int) error
}

var errParts = fmt.Errorf("memo: %w: not the form of a table", mmapcas.ErrCorrupt)

// ReadParts returns the table in a record, which it refers to. It accepts any input; what is not
// whole is mmapcas.ErrCorrupt.
func ReadParts(kind mmapcas.Kind, payload []byte) (*Parts, error) {
	p, err := openParts(kind, payload)
	if err != nil {
		return nil, err
	}
	for i := range p.n {
		name, _, ok := p.part(i)
		if !ok {
			return nil, errParts
		}
		if i > 0 {
			if before, _, _ := p.part(i - 1); string(before) >= string(name) {
				return nil, errParts
			}
		}
	}
	return &p, nil
}

// openParts is ReadParts without a look at each part.
func openParts(kind mmapcas.Kind, payload []byte) (p Parts, err error) {
	_, rest, err := splitPartsRefs(kind, payload)
	if err != nil || len(rest) < partsHeadBytes {
		return p, errParts
	}
	n := binary.LittleEndian.Uint32(rest)
	rest = rest[4:]
	rest = rest[copy(p.hashOfNames[:], rest):]
	if uint64(n) > uint64(len(rest)/partBytes) {
		return p, errParts
	}
	p.n = int(n)
	p.ends, rest = rest[:8*p.n], rest[8*p.n:]
	p.hashes, rest = rest[:hashBytes*p.n], rest[hashBytes*p.n:]
	names := 0
	if p.n > 0 {
		names, _ = p.end(p.n - 1)
	}
	if names > len(rest) {
		return p, errParts
	}
	p.names, p.values = rest[:names], rest[names:]
	return p, nil
}

// splitPartsRefs takes the references off the record of a table.
func splitPartsRefs(kind mmapcas.Kind, payload []byte) (refs []mmapcas.Hash, rest []byte, err error) {
	n, w := binary.Uvarint(payload)
	if kind != KindParts || w <= 0 || n > uint64(len(payload[w:])/hashBytes) {
		return nil, nil, errParts
	}
	rest = payload[w:]
	for range n {
		refs = append(refs, mmapcas.Hash(rest[:hashBytes]))
		rest = rest[hashBytes:]
	}
	return refs, rest, nil
}

// end returns where the name and the value of a part end.
func (p *Parts) end(i int) (name, value int) {
	return int(binary.LittleEndian.Uint32(p.ends[8*i:])), int(binary.LittleEndian.Uint32(p.ends[8*i+4:]))
}

func (p *Parts) hash(i int) mmapcas.Hash { return mmapcas.Hash(p.hashes[hashBytes*i:][:hashBytes]) }

// part returns the bytes of a part; not ok says that they are not there.
func (p *Parts) part(i int) (name, value []byte, ok bool) {
	nameFrom, valueFrom := 0, 0
	if i > 0 {
		nameFrom, valueFrom = p.end(i - 1)
	}
	nameTo, valueTo := p.end(i)
	if nameFrom > nameTo || nameTo > len(p.names) || valueFrom > valueTo || valueTo > len(p.values) {
		return nil, nil, false
	}
	return p.names[nameFrom:nameTo], p.values[valueFrom:valueTo], true
}

// Len returns the number of names.
func (p *Parts) Len() int { return p.n }

// Name returns a name. Names are in ascending order.
func (p *Parts) Name(i int) string {
	name, _, _ := p.part(i)
	return string(name)
}

// Value returns the bytes of a value, which must not be changed.
func (p *Parts) Value(i int) []byte {
	_, value, _ := p.part(i)
	return value
}

// Find returns the place of a name, -1 if the table does not have it.
func (p *Parts) Find(name string) int {
	i := sort.Search(p.n, func(i int) bool {
		at, _, _ := p.part(i)
		return string(at) >= name
	})
	if i < p.n {
		if at, _, ok := p.part(i); ok && string(at) == name {
			return i
		}
	}
	return -1
}

// hashOf returns the hash of the part that a read is about, or that of the names.
func (p *Parts) hashOf(r *read) (h mmapcas.Hash) {
	if r.kind == readNames {
		return p.hashOfNames
	}
	if i := p.Find(r.name); i >= 0 {
		h = p.hash(i)
	}
	return h
}

// Part answers q for key and records which of some names were read. at has the place of each in the
// table, where its value is decoded, or -1 where the table does not have the name.
func (t *Table) Part(fr *Frame, q *Query, key string, names ...string) (a Answer, at []int, err error) {
	defer fr.answered()
	at = make([]int, len(names))
	var reads []read
	if fr.records() {
		for _, name := range names {
			reads = append(reads, read{kind: readPart, about: &about{query: q.Name, name: name}, key: key})
		}
	}
	a, err = t.parts(fr, q, key, reads, func(value any) error { return places(value, names, at) })
	return a, at, err
}

// Names answers q for key and records that the set of the table's names was read.
func (t *Table) Names(fr *Frame, q *Query, key string) (Answer, error) {
	defer fr.answered()
	reads := []read{{kind: readNames, about: q.about, key: key}}
	return t.parts(fr, q, key, reads, func(value any) error { return places(value, nil, nil) })
}

// parts answers q for key, whose value see looks at, and records reads of it.
func (t *Table) parts(fr *Frame, q *Query, key string, reads []read, see func(value any) error) (Answer, error) {
	if fr.replay != nil {
		return fr.replay.parts(fr, q, key, reads, see)
	}
	return t.readParts(fr, q, key, reads, see)
}

func (t *Table) readParts(fr *Frame, q *Query, key string, reads []read, see func(value any) error) (Answer, error) {
	found, value, err := t.answer(fr, q, key, false, see)
	if err != nil {
		if fr.strand.unwinding {
			panic(unwound{})
		}
		fr.tainted = true
		return Answer{}, err
	}
	if fr.restsOn(&found) {
		return Answer{found.trace.result, value}, nil
	}
	fr.tainted = fr.tainted || found.trace.tainted
	if fr.records() {
		parts := value.(Parted).Parts()
		for _, r := range reads {
			r.hash = parts.hashOf(&r)
			fr.recordAnswer(r, &found)
		}
	}
	return Answer{found.trace.result, value}, nil
}

// KnownPart is Known for one name of a table.
func (t *Table) KnownPart(q *Query, key, name string, snap *db.Snapshot) (a Answer, at int, ok bool) {
	var place [1]int
	a, ok = t.known(q, key, snap, func(value any) error { return places(value, []string{name}, place[:]) })
	return a, place[0], ok
}

// places finds names in the result of a query, which is to be a table, and decodes their values.
func places(value any, names []string, at []int) error {
	v, ok := value.(Parted)
	if !ok {
		return errNoTable
	}
	parts := v.Parts()
	for i, name := range names {
		if at[i] = parts.Find(name); at[i] < 0 {
			continue
		}
		if err := v.Decode(at[i]); err != nil {
			return err
		}
	}
	return nil
}

var errNoTable = errors.New("memo: the results of the query are no tables")

// partHash returns the hash that a read of a part sees in the result of a trace.
func (t *Table) partHash(tr *trace, r *read) (h mmapcas.Hash, err error) {
	if b := tr.value.Load(); b != nil {
		if v, ok := b.value.(Parted); ok {
			return v.Parts().hashOf(r), nil
		}
		return h, errParts
	}
	err = t.View(tr.result, func(kind mmapcas.Kind, payload []byte) error {
		p, err := openParts(kind, payload)
		if err == nil {
			h = p.hashOf(r)
		}
		return err
	})
	return h, err
}
