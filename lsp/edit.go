package lsp

import (
	"cmp"
	"fmt"
	"slices"
)

// A TextEdit puts a text in the place of a span. An empty span inserts.
type TextEdit struct {
	Span    Span
	NewText string
}

// A FileEdit changes the text of one file. Its edits say where in the text that the task saw which
// asked for them; they do not overlap.
type FileEdit struct {
	URI   string
	Edits []TextEdit
}

// A FileRename gives a file or a directory another name.
type FileRename struct {
	Old, New string // URIs
}

// A WorkspaceEdit is a change of several files that is made as a whole or not at all. Files are
// created first, then texts are changed, then files are renamed: a text is named by the URI that
// its file has before the change.
type WorkspaceEdit struct {
	Create  []string // URIs of files that must not be there yet; an edit at their start fills them
	Files   []FileEdit
	Renames []FileRename
}

// IsEmpty reports whether there is nothing to do.
func (e *WorkspaceEdit) IsEmpty() bool {
	return e == nil || len(e.Create) == 0 && len(e.Files) == 0 && len(e.Renames) == 0
}

// SortEdits brings the edits of one file in order and checks that they do not overlap. Two that
// insert at one place keep their order.
func SortEdits(edits []TextEdit) error {
	slices.SortStableFunc(edits, func(a, b TextEdit) int {
		return cmp.Or(a.Span.Start-b.Span.Start, a.Span.End-b.Span.End)
	})
	for i := 1; i < len(edits); i++ {
		if a, b := edits[i-1].Span, edits[i].Span; b.Start < a.End {
			return fmt.Errorf("lsp: edits of [%d,%d) and [%d,%d) overlap", a.Start, a.End, b.Start, b.End)
		}
	}
	return nil
}

// Apply makes the edits of one file in its text. It fails if they overlap or lie outside of it.
func Apply(text []byte, edits []TextEdit) ([]byte, error) {
	edits = slices.Clone(edits)
	if err := SortEdits(edits); err != nil {
		return nil, err
	}
	var out []byte
	at := 0
	for _, e := range edits {
		if e.Span.Start < 0 || e.Span.End < e.Span.Start || e.Span.End > len(text) {
			return nil, fmt.Errorf("%w: [%d,%d) in a text of %d bytes", ErrOutOfRange, e.Span.Start, e.Span.End, len(text))
		}
		out = append(append(out, text[at:e.Span.Start]...), e.NewText...)
		at = e.Span.End
	}
	return append(out, text[at:]...), nil
}

// Then are the edits that do at once what some edits of a text of n bytes do, and others do then in
// the text that comes out. Both are sorted, and do not overlap.
func Then(n int, first, then []TextEdit) (edits []TextEdit) {
	// A piece of the text in the middle is kept from the first one, or put in the place of some of
	// it.
	type piece struct {
		from Span
		text string
		kept bool
	}
	var middle []piece
	at := 0
	for _, e := range first {
		middle = append(middle, piece{from: Span{Start: at, End: e.Span.Start}, kept: true}, piece{from: e.Span, text: e.NewText})
		at = e.Span.End
	}
	middle = append(middle, piece{from: Span{Start: at, End: n}, kept: true})
	joined := false // the last edit may grow
	add := func(p piece) {
		switch {
		case p.kept:
			joined = joined && p.from.Start == p.from.End
		case joined:
			last := &edits[len(edits)-1]
			last.Span.End = p.from.End
			last.NewText += p.text
		default:
			edits = append(edits, TextEdit{Span: p.from, NewText: p.text})
			joined = true
		}
	}
	// upTo passes on what lies before an offset of the middle text, or drops it.
	offset := 0
	upTo := func(end int, drop bool) {
		for len(middle) > 0 && offset < end {
			p := middle[0]
			size := len(p.text)
			if p.kept {
				size = p.from.End - p.from.Start
			}
			switch {
			case offset+size <= end:
				middle = middle[1:]
			case p.kept:
				size = end - offset
				p.from.End = p.from.Start + size
				middle[0].from.Start = p.from.End
			default:
				size = end - offset
				middle[0].text, p.text = p.text[size:], p.text[:size]
				middle[0].from.Start = p.from.End
			}
			if offset += size; drop {
				p.text, p.kept = "", false
			}
			add(p)
		}
	}
	for _, e := range then {
		upTo(e.Span.Start, false)
		here := n
		if len(middle) > 0 {
			here = middle[0].from.Start
		}
		add(piece{from: Span{Start: here, End: here}, text: e.NewText})
		upTo(e.Span.End, true)
	}
	for _, p := range middle {
		add(p)
	}
	return edits
}
