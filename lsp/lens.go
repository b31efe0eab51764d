package lsp

// A Lens is a command that an editor offers above a place of a text.
type Lens struct {
	Span      Span
	Title     string
	Command   string // one of Commander.Commands
	Arguments [][]byte
}

// A Lenser is a Workspace with lenses. It looks at the text alone, may be called from any
// goroutine, also while the workspace is read for the first time, and keeps the text, which does
// not change.
type Lenser interface {
	Commander

	// Lenses lists what can be done with a file, sorted by place.
	Lenses(uri string, text []byte) []Lens
}
