package lsp

import "errors"

// ErrSyntax means that a text cannot be laid out, since it cannot be parsed. What wraps it says
// where.
var ErrSyntax = errors.New("syntax error")

// A Formatter is a Workspace that lays out texts the way its language is written. It looks at the
// text alone, may be called from any goroutine, also while the workspace is read for the first
// time, and keeps the text, which does not change.
type Formatter interface {
	// Format returns what differs between a text and its layout, sorted: nothing if it is laid out.
	// It fails with ErrSyntax.
	Format(uri string, text []byte) ([]TextEdit, error)

	// FormatSpans is Format of the lines that some spans touch. What cannot be laid out apart from
	// other lines stays as it is.
	FormatSpans(uri string, text []byte, spans []Span) ([]TextEdit, error)

	// FormatTyped is Format of what has been finished by a character, a closing brace or a newline,
	// which ends at the offset. The line of the offset stays as it is after a newline. A text that
	// cannot be parsed, as most are while somebody types, is left alone.
	FormatTyped(uri string, text []byte, offset int, typed string) []TextEdit
}
