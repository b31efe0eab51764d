package lsp

import "github.com/cytisus/cytisus/runtime"

// An Implementer is a Workspace that knows which types implement which interfaces.
type Implementer interface {
	// Implementation says what implements the interface or the method at the offset, or which
	// interfaces or methods of interfaces the type or method there implements, sorted by place. It
	// fails like Workspace.Definition, or with a RefusedError.
	Implementation(t *runtime.Task, uri string, offset int) ([]Location, error)
}
