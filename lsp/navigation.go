package lsp

import "github.com/cytisus/cytisus/runtime"

// A TypeDefiner is a Workspace that knows the types of what stands in a file.
type TypeDefiner interface {
	// TypeDefinition says where the type of what stands at the offset is declared. It fails like
	// Workspace.Definition.
	TypeDefinition(t *runtime.Task, uri string, offset int) ([]Location, error)
}
