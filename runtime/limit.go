package runtime

import (
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/runtime/account"
)

// ErrLimit is matched by the error of what Options.MemoryLimit or Options.DiskLimit does not leave
// room for. A *LimitError says who holds it.
var ErrLimit = errors.New("runtime: over the limit")

// A LimitError says which limit was met and who holds what. It matches ErrLimit.
type LimitError struct {
	What    string // "memory" or "disk"
	Limit   int64
	Held    int64
	Holders []account.Holder

	err error // of the store; nil: it was not asked
}

func (e *LimitError) Error() string {
	who := account.Account{Holders: e.Holders}
	text := fmt.Sprintf("runtime: over the limit on %s: %s of %s held: %v", e.What, mib(e.Held), mib(e.Limit), &who)
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

// Unwrap returns what the store said, if it was asked: it matches ErrNoSpace.
func (e *LimitError) Unwrap() error { return e.err }

// Is reports whether target is ErrLimit.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// errRefused is for a task that was refused at the gate, in a moment that has passed.
var errRefused = fmt.Errorf("%w: refused while there was no room; it may be tried again", ErrLimit)
