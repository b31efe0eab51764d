package lsp

// An Occurrence is a place in a text that names something.
type Occurrence struct {
	Span Span

	// Symbol is what it names: the same for all occurrences of one thing in a workspace, and for
	// those of nothing else. The URI of a file stands for the file.
	Symbol string

	Declares bool // the thing is declared here; several places may declare one thing
}
