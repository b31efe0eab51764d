package lsp

import "github.com/cytisus/cytisus/runtime"

// A Signature is what a call takes and gives.
type Signature struct {
	Label  string
	Params []Span // of the parameters, in Label
	Doc    string // plain text; "" if there is none

	// Active is the parameter that the argument at the place is for; -1 if there is none.
	Active int
}

// A SignatureHelper is a Workspace that says what the call takes that somebody types.
type SignatureHelper interface {
	// SignatureHelp is about the innermost call around an offset, which may be half typed. If it is
	// unasked, the client asks since somebody types there. It fails like Workspace.Definition.
	SignatureHelp(t *runtime.Task, uri string, offset int, unasked bool) (*Signature, error)

	// SignatureTriggers are the characters behind which a client asks by itself, and those behind
	// which it asks again while it shows a signature. It is asked of the prototype.
	SignatureTriggers() (first, again []string)
}
