package index

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// A symbol list is the declarations of one file as a symbol search wants them: in bytes that are
// read from front to back, without an allocation for what does not match. Each entry is: uvarint
// length and bytes of the name, then uvarints kind, start and length of the declared name. Names of
// methods and fields are qualified: "Client.Do".

// searched is what a method is searched for: (*List[T]).Len as List.Len.
func searched(name string) string {
	receiver, method, ok := strings.Cut(name, ").")
	if !ok {
		return name
	}
	receiver, _, _ = strings.Cut(strings.TrimLeft(receiver, "(*"), "[")
	return receiver + "." + method
}

// AppendSymbols writes the symbol list of an outline.
func AppendSymbols(dst []byte, symbols []lsp.Symbol) []byte {
	for _, s := range symbols {
		dst = appendSymbol(dst, s, searched(s.Name))
	}
	return dst
}

func appendSymbol(dst []byte, s lsp.Symbol, name string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(name)))
	dst = append(dst, name...)
	for _, v := range []int{int(s.Kind), s.NameSpan.Start, s.NameSpan.End - s.NameSpan.Start} {
		dst = binary.AppendUvarint(dst, uint64(v))
	}
	for _, c := range s.Children {
		if c.Kind == lsp.KindField && strings.HasPrefix(s.Detail, "interface{") {
			c.Kind = lsp.KindInterface // an interface has no fields: this one is embedded
		}
		dst = appendSymbol(dst, c, name+"."+c.Name)
	}
	return dst
}

// A Symbol is an entry of a symbol list. The name is part of the list.
type Symbol struct {
	Name []byte
	Kind lsp.SymbolKind
	Span lsp.Span
}

// EachSymbol calls fn for the entries of a list until fn says false. Damaged bytes end the list.
func EachSymbol(list []byte, fn func(s Symbol) bool) {
	for at := 0; at < len(list); {
		n, from := numberAt(list, at)
		if from < 0 || n > len(list)-from {
			return
		}
		s := Symbol{Name: list[from : from+n]}
		kind, at1 := numberAt(list, from+n)
		start, at2 := numberAt(list, at1)
		bytes, end := numberAt(list, at2)
		s.Kind, s.Span = lsp.SymbolKind(kind), lsp.Span{Start: start, End: start + bytes}
		if end < 0 || !fn(s) {
			return
		}
		at = end
	}
}

// numberAt reads a number that fits the offsets of a file; next is where it ends, -1 if it is not
// there.
func numberAt(b []byte, at int) (v, next int) {
	if uint(at) < uint(len(b)) && b[at] < 0x80 {
		return int(b[at]), at + 1
	}
	return longNumberAt(b, at)
}

// longNumberAt is numberAt of what takes more than a byte.
func longNumberAt(b []byte, at int) (v, next int) {
	if at < 0 || at >= len(b) {
		return 0, -1
	}
	long, n := binary.Uvarint(b[at:])
	if n <= 0 || long > 1<<31-1 {
		return 0, -1
	}
	return int(long), at + n
}

// A Best keeps the best matches of a search.
type Best struct {
	limit int
	list  []lsp.SymbolMatch
	worst float64 // no match below it is of interest
}

// NewBest keeps so many matches.
func NewBest(limit int) *Best { return &Best{limit: limit, worst: math.Inf(-1)} }

// Add notes a match; now and then the worse half is dropped.
func (h *Best) Add(m lsp.SymbolMatch) {
	h.list = append(h.list, m)
	if len(h.list) >= 2*h.limit+64 {
		h.Sorted()
	}
}

// Wants reports whether a match with a score would be kept.
func (h *Best) Wants(score float64) bool { return score >= h.worst }

// Sorted sorts the matches, best first, and keeps as many as wanted.
func (h *Best) Sorted() []lsp.SymbolMatch {
	slices.SortFunc(h.list, func(a, b lsp.SymbolMatch) int {
		return cmp.Or(-cmp.Compare(a.Score, b.Score), len(a.Name)-len(b.Name), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Container, b.Container), a.Location.Compare(b.Location))
	})
	h.list = h.list[:min(len(h.list), h.limit)]
	if len(h.list) == h.limit {
		h.worst = h.list[h.limit-1].Score
	}
	return h.list
}
