package memo

import (
	"errors"
	"fmt"
	"strings"
)

// ErrCorruptTrace is returned for a trace record that does not decode; the trace is dropped and the
// query runs again.
var ErrCorruptTrace = errors.New("memo: corrupt trace record")

// errAbandoned ends a flight whose evaluation gave no answer that others could use: the function
// panicked, or the task that ran it was cancelled or ended by Goexit. Whoever waited for it tries
// again, on its own account.
var errAbandoned = errors.New("memo: computation abandoned")

// ErrMustRun is the cause with which a strand that hydrates cancels its task, when a query function
// would have to run.
var ErrMustRun = errors.New("memo: a query has to run")

// ErrCycle is matched by every CycleError.
var ErrCycle = errors.New("memo: query cycle")

// A CycleError says that a query needs its own result. Path leads from a query down to itself: each
// reads the next. The text leaves out the middle of a long path.
type CycleError struct {
	Path []CycleStep

	text string // that Error returns, once for all queries of the path; "": it is to be made
}

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

func newCycleError(path []CycleStep) *CycleError {
	e := &CycleError{Path: path}
	e.text = e.Error()
	return e
}

func (e *CycleError) Error() string {
	if e.text != "" {
		return e.text
	}
	shown := make([]string, 0, 2*pathShown+1)
	show := func(steps []CycleStep) {
		for _, s := range steps {
			text := s.String()
			if s.Where != "" {
				text += " [" + s.Where + "]"
			}
			shown = append(shown, text)
		}
	}
	if left := len(e.Path) - 2*pathShown; left <= 1 {
		show(e.Path)
	} else {
		show(e.Path[:pathShown])
		shown = append(shown, fmt.Sprintf("(%d more)", left))
		show(e.Path[pathShown+left:])
	}
	return "memo: query cycle: " + strings.Join(shown, " -> ")
}

// Is reports whether target is ErrCycle.
func (e *CycleError) Is(target error) bool { return target == ErrCycle }
