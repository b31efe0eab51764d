package lsp

import (
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

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
type RefusedError struct {
	At     Location // what the reason is about; zero: nothing that has a place
	Reason string
	Places []RefusedPlace // that stand in the way
}

// A RefusedPlace is a place that stands in the way.
type RefusedPlace struct {
	At   Location
	What string
}

// Error has no places: for those a text is needed.
func (e *RefusedError) Error() string {
	return e.Text(func(Location) string { return "" })
}

// Text is the reason and what stands in the way, one in each line, each behind its place as people
// are to read it; "" shows none.
func (e *RefusedError) Text(show func(Location) string) string {
	var b strings.Builder
	if e.At != (Location{}) {
		if at := show(e.At); at != "" {
			b.WriteString(at + ": ")
		}
	}
	b.WriteString(e.Reason)
	for _, p := range e.Places {
		b.WriteString("\n")
		if at := show(p.At); at != "" {
			b.WriteString(at + ":")
		}
		b.WriteString("\t" + p.What)
	}
	return b.String()
}
