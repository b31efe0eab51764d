package sched

import (
	"fmt"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// A Spec says what a task is and where it runs.
type Spec struct {
	// Lane is the task's priority. A spawned task inherits it when it is zero; elsewhere it is
	// required.
	Lane lane.Lane
	// Name is for people: logs, statistics, profiles. Tasks of one kind share a name.
	Name string
	// Client is on whose behalf the task runs; zero is the engine itself. A spawned task inherits
	// it when it is zero. [Pool.CancelClient] cancels by it.
	Client uint64
	// Key, if not empty, makes the task supersede older ones of the same key and client: they are
	// cancelled with [ErrSuperseded]. Not inherited.
	Key string
	// Deadline, if not zero, is when the task is cancelled with context.DeadlineExceeded. Not
	// inherited, but children are cancelled with their parent.
	Deadline time.Time
}

// plain reports whether nobody but a handle, an ancestor or the client can cancel the task.
func (s *Spec) plain() bool { return s.Key == "" && s.Deadline.IsZero() }

func (s *Spec) validate(fn func(*Task) error) error {
	if !s.Lane.Valid() {
		return fmt.Errorf("%w: task %q on %v", ErrLane, s.Name, s.Lane)
	}
	if fn == nil {
		return fmt.Errorf("%w: %q", ErrNilFunc, s.Name)
	}
	return nil
}
