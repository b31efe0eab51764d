package lsp

import "github.com/cytisus/cytisus/runtime"

// A Renamer is a Workspace that can give things other names.
type Renamer interface {
	// RenameTarget is the name that a rename at an offset would change, and where it stands there.
	// It fails like Workspace.Definition, and with a *RefusedError where there is something that
	// cannot be renamed.
	RenameTarget(t *runtime.Task, uri string, offset int) (Span, string, error)

	// Rename is all that has to change for what stands at the offset to be called otherwise. It
	// fails like RenameTarget, and with a *RefusedError if the program would not be what it was.
	Rename(t *runtime.Task, uri string, offset int, name string) (*WorkspaceEdit, error)
}

// A RefusedError says why something that a user asked for is not done, in words for the user.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }
