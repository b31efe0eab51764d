package document

import (
	"errors"
	"fmt"
)

var (
	// ErrNotOpen: the client changes, saves or closes a document it has not opened.
	ErrNotOpen = errors.New("document: not open")

	// ErrOutOfSync: the text held for a document is not the client's (D2).
	ErrOutOfSync = errors.New("document: out of sync")

	// ErrTooLarge: a text is over the store's limit (D3).
	ErrTooLarge = errors.New("document: too large")

	// ErrBadEdit: the parameters of a change, or of an opening, are not what the protocol says.
	ErrBadEdit = errors.New("document: malformed change")
)

func notOpen(verb, uri string) error {
	return fmt.Errorf("%w: the client asks to %s %s, which it has not opened", ErrNotOpen, verb, uri)
}

// A SyncError says why a document's text is not the client's any more. It matches
// [ErrOutOfSync], and whatever its cause matches.
type SyncError struct {
	URI     string
	Version int32 // version the failed change was to make
	Held    int32 // version of the last good text, which is kept
	Err     error // what could not be applied
}

func (e *SyncError) Error() string {
	return fmt.Sprintf("document %s is out of sync: version %d could not be made from version %d: %v; "+
		"send the whole text, or close and open it again", e.URI, e.Version, e.Held, e.Err)
}

// Is reports whether target is ErrOutOfSync.
func (e *SyncError) Is(target error) bool { return target == ErrOutOfSync }

// Unwrap returns the cause.
func (e *SyncError) Unwrap() error { return e.Err }

// unwrapSync returns the first cause, so that a run of failing changes does not nest
// their messages.
func unwrapSync(err error) error {
	if e, ok := errors.AsType[*SyncError](err); ok {
		return e.Err
	}
	return err
}

// A SizeError names a text over a limit of the store. It matches [ErrTooLarge].
type SizeError struct {
	URI        string
	Bytes, Max int
	Sum        int // of the texts of all open documents if that is what is over the limit, else 0
}

func (e *SizeError) Error() string {
	if e.Sum > 0 {
		return fmt.Sprintf("document %s is too large: with its %d bytes the open documents have %d, more than the limit of %d", e.URI, e.Bytes, e.Sum, e.Max)
	}
	return fmt.Sprintf("document %s is too large: it has %d bytes, more than the limit of %d", e.URI, e.Bytes, e.Max)
}

// Is reports whether target is ErrTooLarge.
func (e *SizeError) Is(target error) bool { return target == ErrTooLarge }
