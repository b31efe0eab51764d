package memo

import (
	"errors"
	"fmt"
	"strings"
)

// ErrCorruptTrace is returned for a trace record that does not decode; the trace is dropped and the query runs again.
var ErrCorruptTrace = errors.New("memo: corrupt trace record")

// errAbandoned ends a flight whose evaluation gave no answer that others could use: the function panicked, or the task
// that ran it was cancelled or ended by Goexit. Whoever waited for it tries again, on its own account.
var errAbandoned = errors.New("memo: computation abandoned")

// ErrMustRun is the cause with which a strand that hydrates cancels its task, when a query function
// would have to run.
var ErrMustRun = errors.New("memo: a query has to run")

// ErrCycle is matched by every CycleError.
var ErrCycle = errors.New("memo: query cycle")

// A CycleError says that a query needs its own result. Path leads from a query down to itself: each
// reads the next. The text leaves out the middle of a long path.
type CycleError struct{ Path []CycleStep }

// A CycleStep is a query on the path of a cycle.
type CycleStep struct {
	Query string // its name
	Key   string // as people write it
	Where string // the file and line where the query is made; "" if that is not known
}

// String returns the step as name(key).
func (s CycleStep) String() string { return s.Query + "(" + s.Key + ")" }

// pathShown is how many queries the text of a CycleError names at each end of a long path.
const pathShown = 16

func (e *CycleError) Error() string {
	shown := make([]string, 0, 2*pathShown+1)
	left := len(e.Path) - 2*pathShown
	for i, s := range e.Path {
		switch {
		case left <= 1 || i < pathShown || i >= pathShown+left:
			text := s.String()
			if s.Where != "" {
				text += " [" + s.Where + "]"
			}
			shown = append(shown, text)
		case i == pathShown:
			shown = append(shown, fmt.Sprintf("(%d more)", left))
		}
	}
	return "memo: query cycle: " + strings.Join(shown, " -> ")
}

// Is reports whether target is ErrCycle.
func (e *CycleError) Is(target error) bool { return target == ErrCycle }
