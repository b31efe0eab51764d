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
}

func (e *LimitError) Error() string {
	who := account.Account{Holders: e.Holders}
	return fmt.Sprintf("runtime: %s: %s held, the limit is %s: %v", e.What, mib(e.Held), mib(e.Limit), &who)
}

// Is reports whether target is ErrLimit.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// errRefused is for a task that was refused at the gate, in a moment that has passed.
var errRefused = fmt.Errorf("%w: refused while there was no room; it may be tried again", ErrLimit)

// limitLeast is the smallest memory limit: beside what the program and Go's runtime take, something
// has to be left to work with.
const limitLeast = 32 << 20
