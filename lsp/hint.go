package lsp

import "github.com/cytisus/cytisus/runtime"

// A HintKind says what a hint is about. The numbers are those of the Language Server Protocol.
type HintKind uint8

// The hint kinds of the Language Server Protocol.
const (
	HintOther     HintKind = 0
	HintType      HintKind = 1
	HintParameter HintKind = 2
)

// A Hint is a short text that an editor shows at a place of a file, as if it stood there.
type Hint struct {
	Offset            int
	Label             string
	Tooltip           string // what the label has been cut from; "" if it is whole
	Kind              HintKind
	PadLeft, PadRight bool       // there is to be a blank
	Edits             []TextEdit // make the text say what the hint says; nil: nothing does
}

// A Hinter is a Workspace with hints.
type Hinter interface {
	// Hints lists those of a part of a file, sorted by place. It fails with ErrUnknownFile.
	Hints(t *runtime.Task, uri string, within Span) ([]Hint, error)
}
