package lsp

import "github.com/cytisus/cytisus/runtime"

// A CommandResult is what a command has come to.
type CommandResult struct {
	Value []byte // JSON, for the program that asked; nil is null

	// Edit is a change that the user's editor is to make, under the name Title. The command fails
	// if the editor does not make it.
	Edit  *WorkspaceEdit
	Title string

	Message string // what the user is told; "" is nothing
	Failed  bool   // what the command has run has failed: the message is a warning

	Show *Location // what the user is to be shown; editors that cannot do so leave it
}

// A Commander is a Workspace with commands of its own, which stand in lenses and actions or are
// bound to keys.
type Commander interface {
	// Commands are their names, which begin with the language's: "words.count". It is asked of the
	// prototype.
	Commands() []string

	// Execute runs a command. The arguments are JSON, as whoever wrote the command down gave
	// them; it fails if they are not what the command takes. The workspace is the one that the
	// first argument lies in if that is a URI, or an object with a member "uri", and else the
	// client's first.
	Execute(t *runtime.Task, command string, arguments [][]byte) (CommandResult, error)
}
