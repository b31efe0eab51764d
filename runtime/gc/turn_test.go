package gc

import (
	"context"
	"errors"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// A collection waits while the store has another cycle, which is a repair's, and then runs.
func TestCollectWaitsForARepair(t *testing.T) {
	w := newWorld(t, 1)
	defer w.close(t)
	repair, err := w.st.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	err = w.c.Collect(t.Context(), Pace{Wait: func() {
		if waits++; waits == 3 {
			repair.Abort()
		}
		if waits < 3 && w.c.Stats().Phase != Idle {
			t.Errorf("%v beside another cycle", w.c.Stats().Phase)
		}
	}})
	if st := w.c.Stats(); err != nil || st.Cycles != 1 {
		t.Errorf("%+v, %v", st, err)
	}
}

// A collection that waits for a repair ends with its context, and with the store.
func TestCollectGivesUpWaitingForARepair(t *testing.T) {
	w := newWorld(t, 1)
	if _, err := w.st.BeginCycle(); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := w.c.Collect(ctx, Pace{Wait: func() { cancel(enough) }}); !errors.Is(err, enough) {
		t.Errorf("Collect: %v", err)
	}
	err := w.c.Collect(t.Context(), Pace{Wait: func() {
		w.c.o.Store.Close() // as often as asked: the second says that it is closed
	}})
	if !errors.Is(err, mmapcas.ErrClosed) {
		t.Errorf("Collect: %v", err)
	}
}
