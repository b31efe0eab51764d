package lsp

import "github.com/cytisus/cytisus/runtime"

// A Link is a place in a text that leads to a document.
type Link struct {
	Span   Span
	Target string // an absolute URI
}

// A Linker is a Workspace that finds links in a file.
type Linker interface {
	// Links lists them. It fails with ErrUnknownFile.
	Links(t *runtime.Task, uri string) ([]Link, error)
}
