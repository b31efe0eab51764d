package golang

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

// receiverMarks are left out of a method's name: (*Client).Do is searched for as Client.Do.
var receiverMarks = strings.NewReplacer("(", "", ")", "", "*", "")

func appendSymbolList(dst []byte, symbols []lsp.Symbol) []byte {
	for _, s := range symbols {
		dst = appendSymbol(dst, s, receiverMarks.Replace(s.Name))
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
		dst = appendSymbol(dst, c, name+"."+c.Name)
	}
	return dst
}

// A foundSymbol is an entry of a symbol list. The name is part of the list.
type foundSymbol struct {
	name []byte
	kind lsp.SymbolKind
	span lsp.Span
}

// eachSymbol calls fn for the entries of a list until fn says false. Damaged bytes end the list.
func eachSymbol(list []byte, fn func(s foundSymbol) bool) {
	r := reader{b: list}
	for len(r.b) > 0 {
		n := r.int()
		if r.bad || n > len(r.b) {
			return
		}
		s := foundSymbol{name: r.b[:n]}
		r.b = r.b[n:]
		s.kind = lsp.SymbolKind(r.int())
		s.span.Start = r.int()
		s.span.End = s.span.Start + r.int()
		if r.bad || !fn(s) {
			return
		}
	}
}

// A symbolHeap keeps the best matches of a search.
type symbolHeap struct {
	limit int
	list  []lsp.SymbolMatch
	worst float64 // no match below it is of interest
}

func newSymbolHeap(limit int) *symbolHeap { return &symbolHeap{limit: limit, worst: math.Inf(-1)} }

// add notes a match; now and then the worse half is dropped.
func (h *symbolHeap) add(m lsp.SymbolMatch) {
	h.list = append(h.list, m)
	if len(h.list) >= 2*h.limit+64 {
		h.cut()
	}
}

func (h *symbolHeap) wants(score float64) bool { return score >= h.worst }

// cut sorts the matches, best first, and keeps as many as wanted.
func (h *symbolHeap) cut() []lsp.SymbolMatch {
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
