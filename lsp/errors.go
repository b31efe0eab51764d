package lsp

import (
	"errors"
	"fmt"
)

var (
	// ErrNoSymbol means that a position holds nothing that can be named: white space, a comment, a
	// keyword, a literal.
	ErrNoSymbol = errors.New("lsp: no symbol at this position")

	// ErrUnknownFile means that a file is not part of the workspace: never seen, gone, or of
	// another language.
	ErrUnknownFile = errors.New("lsp: unknown file")

	// ErrOutOfRange means that an offset lies outside the text of its file.
	ErrOutOfRange = errors.New("lsp: position out of range")

	// ErrTooLarge means that a file exceeds MaxFileBytes and was refused.
	ErrTooLarge = errors.New("lsp: file too large")

	// ErrBehind means that what is asked for has not been worked out for this text yet. It will
	// have been once Settle returns.
	ErrBehind = errors.New("lsp: not worked out yet")

	// ErrClosed means that the workspace was closed.
	ErrClosed = errors.New("lsp: workspace is closed")
)

// MaxFileBytes is the size above which a file is refused, with a diagnostic that says so. While a
// file is parsed and checked it costs up to 200 times its size; the largest Go files that people
// build with, generated ones, have about 10 MB.
const MaxFileBytes = 16 << 20

// A FileError says which file, and where known which offset, an error is about.
type FileError struct {
	URI    string
	Offset int // -1: the whole file
	Err    error
}

// Error names the file before the cause.
func (e *FileError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%s: %v", e.URI, e.Err)
	}
	return fmt.Sprintf("%s: offset %d: %v", e.URI, e.Offset, e.Err)
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *FileError) Unwrap() error { return e.Err }
