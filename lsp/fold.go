package lsp

// A FoldKind says what a fold hides.
type FoldKind uint8

// The kinds of folds.
const (
	FoldCode FoldKind = iota
	FoldComment
	FoldImports
)

// A Fold is a part of a text that a reader may hide.
type Fold struct {
	Span   Span
	Kind   FoldKind
	Closed bool // a closing bracket follows, which stays in sight
}

// A Folder is a Workspace that knows what may be hidden in a text. It looks at the text alone, may
// be called from any goroutine, also while the workspace is read for the first time, and keeps the
// text, which does not change.
type Folder interface {
	// Folds lists what may be hidden, sorted by start, larger ones first.
	Folds(uri string, text []byte) []Fold
}
