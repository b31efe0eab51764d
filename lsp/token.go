package lsp

import "github.com/cytisus/cytisus/runtime"

// A Token says what a part of a text is, for an editor that colours it.
type Token struct {
	Span      Span
	Type      uint8  // a number in the legend
	Modifiers uint32 // bits by number in the legend
}

// A TokenLegend names types of tokens and their modifiers, as the Language Server Protocol does
// where it has a word.
type TokenLegend struct {
	Types, Modifiers []string
}

// A Tokenizer is a Workspace that says what the parts of a text are.
type Tokenizer interface {
	// TokenLegend is asked of the prototype.
	TokenLegend() TokenLegend

	// Tokens lists what touches a span of a file, sorted, without overlaps. It fails with
	// ErrUnknownFile.
	Tokens(t *runtime.Task, uri string, within Span) ([]Token, error)

	// PlainTokens is Tokens as far as a text alone tells. It may be called from any goroutine, also
	// while the workspace is read for the first time, and keeps the text, which does not change.
	PlainTokens(uri string, text []byte, within Span) []Token
}
