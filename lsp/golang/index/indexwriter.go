package index

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A File is one file of an index to be written.
type File struct {
	URI         string
	Occurrences []Occurrence // targets number declarations and externals as given to Write
}

// Write gives the bytes of an index. Declarations, externals and occurrences may come in any
// order: equal contents give equal bytes.
func Write(files []File, decls []Declaration, externals []External) []byte {
	declOrder := order(len(decls), func(a, b int) int {
		return cmp.Or(decls[a].File-decls[b].File, decls[a].Span.Start-decls[b].Span.Start, decls[a].Span.End-decls[b].Span.End)
	})
	externalOrder := order(len(externals), func(a, b int) int { return compareExternals(externals[a], externals[b]) })
	newDecl, newExternal := inverse(declOrder), inverse(externalOrder)

	w := indexWriter{numbers: map[string]uint32{"": 0}, ends: []uint32{0}}
	var declAt, paths, fixedExternals, fixedFiles []uint32
	var declBytes, occBytes []byte
	for n, i := range declOrder {
		d := &decls[i]
		declAt = append(declAt, uint32(len(declBytes)))
		for _, v := range []int{d.File, d.Span.Start, d.Span.End - d.Span.Start, int(d.Kind), int(d.Flags)} {
			declBytes = binary.AppendUvarint(declBytes, uint64(v))
		}
		for _, s := range []string{d.Name, d.Signature, d.Path} {
			declBytes = binary.AppendUvarint(declBytes, uint64(w.number(s)))
		}
		declBytes = binary.AppendUvarint(declBytes, uint64(d.Doc.Start))
		declBytes = binary.AppendUvarint(declBytes, uint64(d.Doc.End-d.Doc.Start))
		if d.Path != "" {
			paths = append(paths, uint32(n))
		}
	}
	slices.SortFunc(paths, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(decls[declOrder[a]].Path, decls[declOrder[b]].Path), cmp.Compare(a, b))
	})
	for _, i := range externalOrder {
		fixedExternals = append(fixedExternals, w.number(externals[i].Package), w.number(externals[i].Path))
	}
	for i := range files {
		occs := slices.Clone(files[i].Occurrences)
		for k := range occs {
			if occs[k].IsExternal {
				occs[k].Target = newExternal[occs[k].Target]
			} else {
				occs[k].Target = newDecl[occs[k].Target]
			}
		}
		slices.SortFunc(occs, compareOccurrences)
		start, at := len(occBytes), 0
		for _, o := range occs {
			occBytes = binary.AppendUvarint(occBytes, uint64(o.Span.Start-at))
			at = o.Span.Start
			bits := uint64(o.Span.End-o.Span.Start) << 3
			if o.IsExternal {
				bits |= 1
			}
			if o.Declares {
				bits |= 2
			}
			if o.Signature != "" {
				bits |= 4
			}
			occBytes = binary.AppendUvarint(occBytes, bits)
			occBytes = binary.AppendUvarint(occBytes, uint64(o.Target))
			if o.Signature != "" {
				occBytes = binary.AppendUvarint(occBytes, uint64(w.number(o.Signature)))
			}
		}
		fixedFiles = append(fixedFiles, w.number(files[i].URI), uint32(start), uint32(len(occBytes)), uint32(len(occs)))
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
func compareOccurrences(a, b Occurrence) int {
	return cmp.Or(a.Span.Start-b.Span.Start, a.Span.End-b.Span.End, boolOrder(a.Declares, b.Declares),
		boolOrder(a.IsExternal, b.IsExternal), a.Target-b.Target)
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
