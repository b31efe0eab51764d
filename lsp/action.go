package lsp

import (
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

// An ActionRequest says what changes of a file are asked for.
type ActionRequest struct {
	URI  string
	Span Span // what is selected, or where the caret is

	// Only are the kinds that are wanted: each stands for itself and for those below it, as
	// "refactor" does for "refactor.extract". Empty means all.
	Only []string

	// Automatic says that nobody asked: the caret has moved, or a file is being saved. What fits
	// nearly everywhere is not offered then.
	Automatic bool
}

// An Action is a change that a user may choose.
type Action struct {
	Title string // one line, in the imperative; unique among those of a kind
	Kind  string // as in the protocol: "quickfix", "refactor.extract.function", …

	Preferred bool         // the obvious choice among those that mend the same
	Mends     []Diagnostic // that go away with it

	// Edit makes the change. It reads the snapshot that the action was found in, and is called
	// while the task runs that asked.
	Edit func(t *runtime.Task) (*WorkspaceEdit, error)
}

// An Actor is a Workspace that can change code.
type Actor interface {
	// ActionKinds are the kinds of the actions that there are. It is asked of the prototype.
	ActionKinds() []string

	// Actions are the changes that fit, those that mend something first. It fails with
	// ErrUnknownFile or ErrOutOfRange.
	Actions(t *runtime.Task, r ActionRequest) ([]Action, error)
}

// WantsKind reports whether actions of a kind are asked for by a list of kinds; an empty one asks
// for all.
func WantsKind(only []string, kind string) bool {
	for _, k := range only {
		if within(kind, k) {
			return true
		}
	}
	return len(only) == 0
}

func within(kind, above string) bool {
	rest, ok := strings.CutPrefix(kind, above)
	return ok && (rest == "" || rest[0] == '.')
}
