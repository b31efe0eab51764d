package lsp

import "github.com/cytisus/cytisus/runtime"

// A HighlightKind says how a place uses what is highlighted. The numbers are those of the Language
// Server Protocol.
type HighlightKind uint8

// The highlight kinds of the Language Server Protocol.
const (
	HighlightText  HighlightKind = 1
	HighlightRead  HighlightKind = 2
	HighlightWrite HighlightKind = 3
)

// A Highlight is a place in the file that was asked about.
type Highlight struct {
	Span Span
	Kind HighlightKind
}

// A Highlighter is a Workspace that shows what belongs together in a file.
type Highlighter interface {
	// Highlight lists the places of a file that belong to what stands at the offset, which is one
	// of them, sorted by place. It fails like Workspace.Definition.
	Highlight(t *runtime.Task, uri string, offset int) ([]Highlight, error)
}
