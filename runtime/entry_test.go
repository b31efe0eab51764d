package runtime_test

import (
	"errors"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A task that a query function has left behind reads nothing for a query that runs later, although
// the engine uses what is behind it again: what was read would be recorded as a read of that query.
func TestATaskThatAQueryLeftBehindReadsNothing(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "text")
	var left *runtime.Task
	leaves := runtime.NewQuery("leaves its task", 1, func(t *runtime.Task, key string) (string, error) {
		left = t
		return inputs.Get(t, key)
	})
	finds := runtime.NewQuery("finds a task", 1, func(t *runtime.Task, key string) (string, error) {
		if left == t {
			return "", errors.New("two functions were given one task")
		}
		if _, err := inputs.Get(left, key); !errors.Is(err, runtime.ErrInQuery) {
			return "", errors.Join(errors.New("the task that was left is of use"), err)
		}
		return inputs.Get(t, key)
	})
	err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
		if _, err := leaves.Get(t, "k"); err != nil {
			return err
		}
		_, err := finds.Get(t, "k")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
