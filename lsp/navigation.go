package lsp

import "github.com/cytisus/cytisus/runtime"

// A TypeDefiner is a Workspace that knows the types of what stands in a file.
type TypeDefiner interface {
	// TypeDefinition says where the type of what stands at the offset is declared. It fails like
	// Workspace.Definition.
	TypeDefinition(t *runtime.Task, uri string, offset int) ([]Location, error)
}

// A Declarer is a Workspace whose language promises some things in one place and does them in
// another one.
type Declarer interface {
	// Declaration says where what stands at the offset is promised, sorted by place. What is
	// promised nowhere else is declared where it is defined. It fails like Workspace.Definition.
	Declaration(t *runtime.Task, uri string, offset int) ([]Location, error)
}
