package runtime

import (
	"context"
	"errors"
	"testing"
)

// Repair waits for a collection that is under way, no longer than its caller wants.
func TestRepairWaitsForACollection(t *testing.T) {
	e, err := Open(t.TempDir(), Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	c, err := e.store.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := e.Repair(impatient); !errors.Is(err, enough) {
		t.Error(err)
	}
	done := make(chan error, 1)
	go func() {
		rep, err := e.Repair(t.Context())
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
