package check

import (
	"fmt"
	"runtime/debug"
)

// An internalError is a panic of go/types or of this package on one package's code, caught where it
// can cost no more than that package (lsp.L2).
type internalError struct {
	what  string
	value any
	stack []byte // the message leaves it out
}

// newInternalError is for deferred functions that have recovered a value.
func newInternalError(what string, value any) *internalError {
	return &internalError{what: what, value: value, stack: debug.Stack()}
}

func (e *internalError) Error() string { return fmt.Sprintf("%s: internal error: %v", e.what, e.value) }

// Stack is where it panicked, for the log of the server.
func (e *internalError) Stack() []byte { return e.stack }
