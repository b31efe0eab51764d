package index

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A File is one file of an index to be written.
type File struct {
	URI string

	// Occurrences makes the list of those in the file, whose targets number declarations and
	// externals as given to Write. It is called once, and the list is the writer's: those of one
	// file at a time are in memory.
	Occurrences func() []Occurrence
}

// Write gives the bytes of an index. Declarations, externals and occurrences may come in any
// order: equal contents give equal bytes.
func Write(files []File, decls []Declaration, externals []External) []byte {
	declOrder := order(len(decls), func(a, b int) int {
		return cmp.Or(decls[a].File-decls[b].File, decls[a].Span.Start-decls[b].Span.Start, decls[a].Span.End-decls[b].Span.End)
	})
	externalOrder := order(len(externals), func(a, b int) int { return compareExternals(externals[a], externals[b]) })
	newDecl, newExternal := inverse(declOrder), inverse(externalOrder)

	sorted, sortedExternals := permuted(decls, declOrder), permuted(externals, externalOrder)

	table := newStringTable()
	occurrences := occurrenceWriter{strings: table, decls: sorted, spoken: make([]bool, len(sorted))}
	var fixedFiles, fixedExternals, paths []uint32
	first := 0
	for i := range files {
		occs := files[i].Occurrences()
		for k := range occs {
			if occs[k].IsExternal {
				occs[k].Target = newExternal[occs[k].Target]
			} else {
				occs[k].Target = newDecl[occs[k].Target]
			}
		}
		slices.SortFunc(occs, compareOccurrences)
		for first < len(sorted) && sorted[first].File < i {
			first++
		}
		uri, _ := table.number(files[i].URI)
		start := uint32(len(occurrences.bytes))
		fixedFiles = append(fixedFiles, uint32(uri), start, occurrences.add(i, occs), uint32(first))
	}
	rows := rowWriter{strings: table}
	for i := range sorted {
		rows.add(&sorted[i], !occurrences.spoken[i])
		if sorted[i].Path != "" {
			paths = append(paths, uint32(i))
		}
	}
	slices.SortFunc(paths, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(sorted[a].Path, sorted[b].Path), cmp.Compare(a, b))
	})
	for i := range sortedExternals {
		pkg, _ := table.number(sortedExternals[i].Package)
		path, _ := table.number(sortedExternals[i].Path)
		fixedExternals = append(fixedExternals, uint32(pkg), uint32(path))
	}

	out := appendFixed(nil,
		indexMagic, uint32(len(table.numbers)), uint32(len(table.bytes)), uint32(len(files)), uint32(len(sorted)),
		uint32(len(rows.bytes)), uint32(len(paths)), uint32(len(sortedExternals)))
	out = appendFixed(out, table.at...)
	out = append(out, table.bytes...)
	out = appendFixed(out, fixedFiles...)
	out = appendFixed(out, rows.at...)
	out = append(out, rows.bytes...)
	for _, p := range paths {
		if pathBytes(len(sorted)) == 2 {
			out = binary.LittleEndian.AppendUint16(out, uint16(p))
		} else {
			out = binary.LittleEndian.AppendUint32(out, p)
		}
	}
	out = appendFixed(out, fixedExternals...)
	return append(out, occurrences.bytes...)
}

// compareOccurrences sorts by place. What a name uses comes before what it declares: it is what a
// reader asks for.
func compareOccurrences(a, b Occurrence) int {
	return cmp.Or(a.Span.Start-b.Span.Start, a.Span.End-b.Span.End, boolOrder(a.Declares, b.Declares),
		boolOrder(a.IsExternal, b.IsExternal), a.Target-b.Target, cmp.Compare(a.Signature, b.Signature))
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

// permuted lists what order names.
func permuted[T any](list []T, order []int) []T {
	out := make([]T, len(order))
	for i, from := range order {
		out[i] = list[from]
	}
	return out
}

// inverse turns an order into the place of each number in it.
func inverse(order []int) []int {
	at := make([]int, len(order))
	for i, v := range order {
		at[v] = i
	}
	return at
}
