package position

import (
	"errors"
	"fmt"

	"go.lsp.dev/protocol"
)

// ErrOutOfRange is what every error of this package matches: a position, range
// or offset that the text does not have.
var ErrOutOfRange = errors.New("position: out of range")

// A RangeError names a position that a text does not have. Lines and characters
// are given as the protocol counts them, from 0. It matches [ErrOutOfRange].
type RangeError struct {
	Position protocol.Position
	Start    *protocol.Position // set when Position is the end of a range that starts later
	Lines    int                // lines the text has
	Bytes    int                // bytes the text has
}

func (e *RangeError) Error() string {
	if e.Start != nil {
		return fmt.Sprintf("range ends at line %d, character %d, before its start at line %d, character %d",
			e.Position.Line, e.Position.Character, e.Start.Line, e.Start.Character)
	}
	return fmt.Sprintf("line %d, character %d (counted from 0) is outside the document, which has %d lines and %d bytes",
		e.Position.Line, e.Position.Character, e.Lines, e.Bytes)
}

// Is reports whether target is ErrOutOfRange.
func (e *RangeError) Is(target error) bool { return target == ErrOutOfRange }

// An OffsetError names a byte offset that a text does not have, or the end of a
// span that lies before its Start. It matches [ErrOutOfRange].
type OffsetError struct {
	Offset, Start int
	Bytes         int // bytes the text has
}

func (e *OffsetError) Error() string {
	if e.Offset >= 0 && e.Offset < e.Start {
		return fmt.Sprintf("span ends at byte %d, before its start at byte %d", e.Offset, e.Start)
	}
	return fmt.Sprintf("byte offset %d is outside the document, which has %d bytes", e.Offset, e.Bytes)
}

// Is reports whether target is ErrOutOfRange.
func (e *OffsetError) Is(target error) bool { return target == ErrOutOfRange }
