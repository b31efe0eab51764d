package memo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrCorruptTrace is returned for a trace record that does not decode; the trace is dropped and the query runs again.
var ErrCorruptTrace = errors.New("memo: corrupt trace record")

// errAbandoned ends a flight whose evaluation gave no answer that others could use: the function panicked, or the task
// that ran it was cancelled or ended by Goexit. Whoever waited for it tries again, on its own account.
var errAbandoned = errors.New("memo: computation abandoned")

// ErrCycle is matched by every CycleError.
var ErrCycle = errors.New("memo: query cycle")

// A CycleError says that a query needs its own result. Path lists the queries from the one that was asked for down to
// the one that closed the cycle, as name(key). The text leaves out the middle of a long path.
type CycleError struct{ Path []string }

// pathShown is how many queries the text of a CycleError names at each end of a long path.
const pathShown = 16

func (e *CycleError) Error() string {
	path := e.Path
	if left := len(path) - 2*pathShown; left > 1 {
		path = slices.Concat(path[:pathShown], []string{fmt.Sprintf("(%d more)", left)}, path[len(path)-pathShown:])
	}
	return "memo: query cycle: " + strings.Join(path, " -> ")
}

// Is reports whether target is ErrCycle.
func (e *CycleError) Is(target error) bool { return target == ErrCycle }
