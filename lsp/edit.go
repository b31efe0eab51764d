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
