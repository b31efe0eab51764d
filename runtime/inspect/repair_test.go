package inspect_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
	"github.com/cytisus/cytisus/runtime/internal/inside"
)

// Repair waits for a collection that is under way, no longer than its caller wants.
func TestRepairWaitsForACollection(t *testing.T) {
	e, err := runtime.Open(t.TempDir(), runtime.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	c, err := inside.Of(e).Store.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := inspect.Repair(impatient, e); !errors.Is(err, enough) {
		t.Error(err)
	}
	done := make(chan error, 1)
	go func() {
		rep, err := inspect.Repair(t.Context(), e)
		if err == nil && (!rep.Repair.Found.OK() || !rep.After.OK()) {
			err = errors.New("a store that is whole was mended")
		}
		done <- err
	}()
	c.Abort()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
