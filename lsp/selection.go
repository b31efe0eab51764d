package lsp

// A Selector is a Workspace that knows what belongs together in a text. It looks at the text alone,
// may be called from any goroutine, also while the workspace is read for the first time, and keeps
// the text, which does not change.
type Selector interface {
	// Enclosing lists what is around an offset, from the smallest to the whole text: each one lies
	// in the next and is smaller.
	Enclosing(uri string, text []byte, offset int) []Span
}
