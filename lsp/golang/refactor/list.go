package refactor

import (
	"go/token"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// An item is one of a list that commas part, with the comments around it: an argument, or a field
// of parameters.
type item struct{ from, to token.Pos }

// items are those of a list in parentheses, whose expressions are at the given places in order.
func (r *Request) items(open, closing token.Pos, at []item) (list []item) {
	from := open + 1
	for n, x := range at {
		next := closing
		if n+1 < len(at) {
			next = at[n+1].from
		}
		to := r.comma(x.to, next)
		list = append(list, item{from, to})
		from = min(to+1, closing)
	}
	return list
}

// comma is where the comma behind a position is, outside of comments, and the limit if there is
// none.
func (r *Request) comma(pos, limit token.Pos) token.Pos {
	text := r.text(pos, limit)
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == ',':
			return pos + token.Pos(i)
		case strings.HasPrefix(text[i:], "//"):
			if i += strings.IndexByte(text[i:]+"\n", '\n'); i >= len(text) {
				return limit
			}
		case strings.HasPrefix(text[i:], "/*"):
			end := strings.Index(text[i:], "*/")
			if end < 0 {
				return limit
			}
			i += end + 1
		}
	}
	return limit
}

// trimmed is an item without the space around it.
func (r *Request) trimmed(x item) item {
	text := r.text(x.from, x.to)
	x.from += token.Pos(len(text) - len(strings.TrimLeft(text, " \t\r\n")))
	x.to = max(x.from, x.to-token.Pos(len(text)-len(strings.TrimRight(text, " \t\r\n"))))
	return x
}

// arrange are the edits that give a list other items: each place of the new list says which of the
// old it gets. What is behind the last place goes away. The text of an item is asked for where it
// moves; at are the items without comments, which move alone where a comment goes to the end of its
// line.
func (r *Request) arrange(open, closing token.Pos, at []item, order []int, textOf func(x item) string) (edits []lsp.TextEdit) {
	list := r.items(open, closing, at)
	keeps := slices.IsSorted(order) // nothing moves: some go away
	if keeps {
		var gone []int
		for n := range list {
			if !slices.Contains(order, n) {
				gone = append(gone, n)
			}
		}
		switch {
		case len(gone) == 0:
			return nil
		case len(order) == 0:
			return []lsp.TextEdit{r.replace(open+1, closing, "")}
		}
		for i := 0; i < len(gone); {
			first := gone[i]
			last := first
			for i++; i < len(gone) && gone[i] == last+1; i++ {
				last = gone[i]
			}
			if last+1 < len(list) {
				edits = append(edits, r.replace(r.trimmed(list[first]).from, r.trimmed(list[last+1]).from, ""))
			} else {
				edits = append(edits, r.replace(list[first-1].to, list[last].to, ""))
			}
		}
		return edits
	}
	// What moves takes its comments along, unless one of them would swallow what follows it.
	part := func(n int) item { return r.trimmed(list[n]) }
	for n := range list {
		if strings.Contains(r.text(list[n].from, list[n].to), "//") {
			part = func(n int) item { return at[n] }
		}
	}
	for n, m := range order {
		if n != m {
			edits = append(edits, r.replace(part(n).from, part(n).to, textOf(part(m))))
		}
	}
	if len(order) < len(list) {
		edits = append(edits, r.replace(list[len(order)-1].to, list[len(list)-1].to, ""))
	}
	return edits
}
