package gofmt

import (
	"bytes"
	"go/ast"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Edits is what differs between a text and its layout. Lines that do not differ keep their ends;
// new ones have those of the text.
func Edits(uri string, text []byte) ([]lsp.TextEdit, error) { return Style{}.Edits(uri, text) }

// Edits is what differs between a text and its layout in the style.
func (s Style) Edits(uri string, text []byte) ([]lsp.TextEdit, error) {
	unix, parse := text, syntax.Trees.Get
	if bytes.Contains(text, []byte("\r\n")) { // of comments, the parser does not know where they end then
		unix, parse = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), syntax.Parse
	}
	laid, err := source(uri, unix, parse)
	if err == nil && syntax.IsGoFile(uri) {
		laid, err = s.strict(laid)
	}
	if err != nil || bytes.Equal(unix, laid) {
		return nil, err
	}
	edits := between(string(unix), string(laid))
	if len(unix) != len(text) {
		withReturns(edits, text)
	}
	return edits, nil
}

// Between are the edits from one text to another, each of what differs in a line; new lines have
// the ends that the first text has.
func Between(from, to []byte) []lsp.TextEdit {
	unix := bytes.ReplaceAll(from, []byte("\r\n"), []byte("\n"))
	edits := between(string(unix), string(to))
	if len(unix) != len(from) {
		withReturns(edits, from)
	}
	return edits
}

// between are the edits from one text to another. Lines are aligned by what they hold beside
// blanks, which a layout seldom changes: each line has an edit of its own, of what differs in it.
func between(from, to string) (edits []lsp.TextEdit) {
	old, laid := strings.SplitAfter(from, "\n"), strings.SplitAfter(to, "\n")
	bare, target := withoutBlanks(from), withoutBlanks(to)
	at, i, j, seen := 0, 0, 0, 0 // offset in from, lines of both, offset in bare
	alike := func(until int) {   // lines that hold the same
		for n := strings.Count(bare[seen:until], "\n"); n > 0; n-- {
			edits = appendEdit(edits, at, old[i], laid[j])
			at += len(old[i])
			i, j = i+1, j+1
		}
		seen = until
	}
	for _, e := range udiff.Lines(bare, target) {
		alike(e.Start)
		n, m := lineCount(bare[e.Start:e.End]), lineCount(e.New)
		gone, come := strings.Join(old[i:i+n], ""), strings.Join(laid[j:j+m], "")
		edits = appendEdit(edits, at, gone, come)
		at += len(gone)
		i, j, seen = i+n, j+m, e.End
	}
	alike(len(bare))
	if i < len(old) && j < len(laid) { // what has no newline
		edits = appendEdit(edits, at, strings.Join(old[i:], ""), strings.Join(laid[j:], ""))
	}
	return edits
}

// lineCount is how many lines a text has, an unfinished one among them.
func lineCount(s string) int {
	n := strings.Count(s, "\n")
	if s != "" && !strings.HasSuffix(s, "\n") {
		n++
	}
	return n
}

// withoutBlanks is what the lines of a text hold beside blanks.
func withoutBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' {
			return -1
		}
		return r
	}, s)
}

// appendEdit adds the edit of a text at an offset, without what is equal at both ends.
func appendEdit(edits []lsp.TextEdit, at int, old, laid string) []lsp.TextEdit {
	if old == laid {
		return edits
	}
	n := commonPrefix(old, laid)
	m := commonSuffix(old[n:], laid[n:])
	return append(edits, lsp.TextEdit{Span: lsp.Span{Start: at + n, End: at + len(old) - m}, NewText: laid[n : len(laid)-m]})
}

// commonPrefix is how many bytes of whole characters two texts begin with.
func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && (n < len(a) && !utf8.RuneStart(a[n]) || n < len(b) && !utf8.RuneStart(b[n])) {
		n--
	}
	return n
}

// commonSuffix is how many bytes of whole characters two texts end with.
func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && (!utf8.RuneStart(a[len(a)-n]) || !utf8.RuneStart(b[len(b)-n])) {
		n--
	}
	return n
}

// withReturns turns edits of a text without carriage returns at ends of lines into those of the
// text with them.
func withReturns(edits []lsp.TextEdit, text []byte) {
	at, unix := 0, 0 // the same place in both texts
	place := func(offset int) int {
		for unix < offset {
			if text[at] == '\r' && at+1 < len(text) && text[at+1] == '\n' {
				at++
			}
			at++
			unix++
		}
		return at
	}
	for i := range edits {
		e := &edits[i]
		e.Span.Start = place(e.Span.Start)
		e.Span.End = place(e.Span.End)
		e.NewText = strings.ReplaceAll(e.NewText, "\n", "\r\n")
	}
}

// EditsOf is Edits of the lines that spans touch. Where they do not make sense without others, as
// in imports that change places, it is those of the declarations around them, and nothing if that
// is not enough.
func (s Style) EditsOf(uri string, text []byte, spans []lsp.Span) ([]lsp.TextEdit, error) {
	all, err := s.Edits(uri, text)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	lines := make([]lsp.Span, len(spans))
	for i, s := range spans {
		lines[i] = linesOf(text, s)
	}
	for i, within := range [][]lsp.Span{lines, declarations(uri, text, lines)} {
		some := slices.DeleteFunc(slices.Clone(all), func(e lsp.TextEdit) bool {
			return !slices.ContainsFunc(within, func(s lsp.Span) bool {
				return s.Start <= e.Span.Start && e.Span.Start <= s.End && e.Span.End <= s.End+1
			})
		})
		if len(some) > 0 && (i > 0 || onlyBlanks(text, some)) && leadsTo(uri, text, some, all) {
			return some, nil
		}
	}
	return nil, nil
}

// onlyBlanks reports whether edits change nothing but blanks and empty lines.
func onlyBlanks(text []byte, edits []lsp.TextEdit) bool {
	bare := func(s string) string { return strings.ReplaceAll(withoutBlanks(s), "\n", "") }
	return !slices.ContainsFunc(edits, func(e lsp.TextEdit) bool {
		return bare(string(text[e.Span.Start:e.Span.End])) != bare(e.NewText)
	})
}

// leadsTo reports whether a text has the same layout with some of its edits as with all of them.
func leadsTo(uri string, text []byte, some, all []lsp.TextEdit) bool {
	half, err := lsp.Apply(text, some)
	if err != nil {
		return false
	}
	whole, err := lsp.Apply(text, all)
	if err != nil {
		return false
	}
	a, err := Source(uri, half)
	if err != nil {
		return false
	}
	b, err := Source(uri, whole)
	return err == nil && bytes.Equal(a, b)
}

// linesOf is a span with the rest of the lines that it touches, without the end of the last one. A
// span that ends where a line begins does not touch it.
func linesOf(text []byte, s lsp.Span) lsp.Span {
	s.Start = max(0, min(s.Start, len(text)))
	s.End = max(s.Start, min(s.End, len(text)))
	if s.End > s.Start && text[s.End-1] == '\n' {
		s.End--
	}
	s.Start = bytes.LastIndexByte(text[:s.Start], '\n') + 1
	if n := bytes.IndexByte(text[s.End:], '\n'); n >= 0 {
		s.End += n
	} else {
		s.End = len(text)
	}
	return s
}

// declarations are spans with the rest of the declarations that they touch.
func declarations(uri string, text []byte, spans []lsp.Span) []lsp.Span {
	tree := syntax.Trees.Get(uri, text)
	out := slices.Clone(spans)
	for i := range out {
		for _, d := range tree.AST.Decls {
			if s := linesOf(text, tree.Span(d.Pos(), d.End())); s.Start <= out[i].End && out[i].Start <= s.End {
				out[i].Start, out[i].End = min(out[i].Start, s.Start), max(out[i].End, s.End)
			}
		}
	}
	return out
}

// Typed is Edits of what a typed character has finished: the block that a brace closes, the line
// that a newline ends. There are none in a text that cannot be parsed.
func (s Style) Typed(uri string, text []byte, offset int, typed string) []lsp.TextEdit {
	if offset <= 0 || offset > len(text) {
		return nil
	}
	span := lsp.Span{Start: offset, End: offset}
	switch typed {
	case "}":
		if !syntax.IsGoFile(uri) {
			return nil
		}
		tree := syntax.Trees.Get(uri, text)
		span.Start = blockStart(tree, offset)
	case "\n":
		at := bytes.LastIndexByte(text[:offset], '\n')
		if at < 0 {
			return nil
		}
		span = lsp.Span{Start: at, End: at}
	default:
		return nil
	}
	edits, err := s.EditsOf(uri, text, []lsp.Span{span})
	if err != nil {
		return nil
	}
	if typed == "\n" { // the caret stays where it is
		edits = slices.DeleteFunc(edits, func(e lsp.TextEdit) bool { return e.Span.End > span.End })
	}
	return edits
}

// blockStart is where what ends at an offset begins.
func blockStart(tree *syntax.Tree, end int) int {
	start := end
	ast.Inspect(tree.AST, func(n ast.Node) bool {
		if n == nil {
			return false
		}
		s := tree.Span(n.Pos(), n.End())
		if s.End == end {
			start = min(start, s.Start)
		}
		return s.Start < end && end <= s.End
	})
	return start
}
