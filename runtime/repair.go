package runtime

import (
	"context"
	"errors"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A RepairReport is what Repair found and did, and what was left to find after it.
type RepairReport struct {
	Repair mmapcas.RepairReport
	After  mmapcas.VerifyReport
}

// repairAgain is how long Repair waits before it looks again whether a collection has ended.
const repairAgain = 20 * time.Millisecond

// Repair takes out of the store what is damaged, while everything else goes on: what was lost is
// computed or read again when it is needed. It waits for a collection that is under way.
func (e *Engine) Repair(ctx context.Context) (rep RepairReport, err error) {
	if err := errors.Join(e.admitBy(ctx, "Repair"), e.notInCommit("Repair")); err != nil {
		return rep, err
	}
	if t := sched.Current(); t != nil { // the collection may need the task's worker
		err = t.Blocking(func() (err error) { rep, err = e.repair(ctx); return err })
		return rep, err
	}
	return e.repair(ctx)
}

func (e *Engine) repair(ctx context.Context) (rep RepairReport, err error) {
	e.flushTraces(ctx)
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		rep.Repair, err = e.store.Repair(ctx, nil)
		if !errors.Is(err, mmapcas.ErrCycle) {
			break
		}
		again.Reset(repairAgain)
		select {
		case <-again.C:
		case <-ctx.Done():
			return rep, context.Cause(ctx)
		}
	}
	if err != nil {
		return rep, public(err)
	}
	rep.After, err = e.store.Verify(ctx, nil)
	return rep, public(err)
}
