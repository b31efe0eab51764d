package golang

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// An indexFile is one file of an index to be written.
type indexFile struct {
	uri         string
	occurrences []occurrence // targets number declarations and externals as given to writeIndex
}

// writeIndex gives the bytes of an index. Declarations, externals and occurrences may come in any
// order: equal contents give equal bytes.
func writeIndex(files []indexFile, decls []declaration, externals []externalName) []byte {
	declOrder := order(len(decls), func(a, b int) int {
		return cmp.Or(decls[a].file-decls[b].file, decls[a].span.Start-decls[b].span.Start, decls[a].span.End-decls[b].span.End)
	})
	externalOrder := order(len(externals), func(a, b int) int { return compareExternals(externals[a], externals[b]) })
	newDecl, newExternal := inverse(declOrder), inverse(externalOrder)

	w := indexWriter{numbers: map[string]uint32{"": 0}, ends: []uint32{0}}
	var declAt, paths, fixedExternals, fixedFiles []uint32
	var declBytes, occBytes []byte
	for n, i := range declOrder {
		d := &decls[i]
		declAt = append(declAt, uint32(len(declBytes)))
		for _, v := range []int{d.file, d.span.Start, d.span.End - d.span.Start, int(d.kind), int(d.flags)} {
			declBytes = binary.AppendUvarint(declBytes, uint64(v))
		}
		for _, s := range []string{d.name, d.signature, d.path} {
			declBytes = binary.AppendUvarint(declBytes, uint64(w.number(s)))
		}
		declBytes = binary.AppendUvarint(declBytes, uint64(d.doc.Start))
		declBytes = binary.AppendUvarint(declBytes, uint64(d.doc.End-d.doc.Start))
		if d.path != "" {
			paths = append(paths, uint32(n))
		}
	}
	slices.SortFunc(paths, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(decls[declOrder[a]].path, decls[declOrder[b]].path), cmp.Compare(a, b))
	})
	for _, i := range externalOrder {
		fixedExternals = append(fixedExternals, w.number(externals[i].pkg), w.number(externals[i].path))
	}
	for i := range files {
		occs := slices.Clone(files[i].occurrences)
		for k := range occs {
			if occs[k].external {
				occs[k].target = newExternal[occs[k].target]
			} else {
				occs[k].target = newDecl[occs[k].target]
			}
		}
		slices.SortFunc(occs, compareOccurrences)
		start, at := len(occBytes), 0
		for _, o := range occs {
			occBytes = binary.AppendUvarint(occBytes, uint64(o.span.Start-at))
			at = o.span.Start
			bits := uint64(o.span.End-o.span.Start) << 3
			if o.external {
				bits |= 1
			}
			if o.decl {
				bits |= 2
			}
			if o.signature != "" {
				bits |= 4
			}
			occBytes = binary.AppendUvarint(occBytes, bits)
			occBytes = binary.AppendUvarint(occBytes, uint64(o.target))
			if o.signature != "" {
				occBytes = binary.AppendUvarint(occBytes, uint64(w.number(o.signature)))
			}
		}
		fixedFiles = append(fixedFiles, w.number(files[i].uri), uint32(start), uint32(len(occBytes)), uint32(len(occs)))
	}

	out := appendFixed(nil,
		indexMagic, uint32(len(w.ends)), uint32(len(w.bytes)), uint32(len(files)), uint32(len(declAt)),
		uint32(len(declBytes)), uint32(len(paths)), uint32(len(externals)))
	out = appendFixed(out, w.ends...)
	out = append(out, w.bytes...)
	out = appendFixed(out, fixedFiles...)
	out = appendFixed(out, declAt...)
	out = append(out, declBytes...)
	out = appendFixed(out, paths...)
	out = appendFixed(out, fixedExternals...)
	return append(out, occBytes...)
}

// compareOccurrences sorts by place. What a name uses comes before what it declares: it is what a
// reader asks for.
func compareOccurrences(a, b occurrence) int {
	return cmp.Or(a.span.Start-b.span.Start, a.span.End-b.span.End, boolOrder(a.decl, b.decl),
		boolOrder(a.external, b.external), a.target-b.target)
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// An indexWriter numbers strings in the order in which they are first met.
type indexWriter struct {
	numbers map[string]uint32
	ends    []uint32
	bytes   []byte
}

func (w *indexWriter) number(s string) uint32 {
	n, ok := w.numbers[s]
	if !ok {
		n = uint32(len(w.ends))
		w.numbers[s] = n
		w.bytes = append(w.bytes, s...)
		w.ends = append(w.ends, uint32(len(w.bytes)))
	}
	return n
}

func appendFixed(b []byte, vs ...uint32) []byte {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// order lists 0..n-1 sorted by cmp.
func order(n int, cmp func(a, b int) int) []int {
	o := make([]int, n)
	for i := range o {
		o[i] = i
	}
	slices.SortStableFunc(o, cmp)
	return o
}

// inverse turns an order into the place of each number in it.
func inverse(order []int) []int {
	at := make([]int, len(order))
	for i, v := range order {
		at[v] = i
	}
	return at
}
