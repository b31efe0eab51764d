package inspect

import (
	"context"
	"errors"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/internal/inside"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A VerifyReport is what Verify found: what lies in the segments, and what can be reached from the
// engine's roots.
type VerifyReport struct {
	Store     mmapcas.VerifyReport
	Reachable gc.WalkReport
}

// Clean reports whether nothing is damaged and nothing that is referred to is missing.
func (r VerifyReport) Clean() bool {
	return r.Store.DamagedAll == 0 && r.Store.Dangling == 0 && r.Reachable.Missing == 0
}

// Verify reads the whole store back and checks every record's hash, then follows every reference.
// progress may be nil; it is called with bytes done and in total. What Verify finds wrong is in the
// report, not an error.
func Verify(ctx context.Context, e *runtime.Engine, progress func(done, total int64)) (rep VerifyReport, err error) {
	in := inside.Of(e)
	if err := in.Admit(ctx, "inspect.Verify"); err != nil {
		return rep, err
	}
	in.Flush(ctx)
	if rep.Store, err = in.Store.Verify(ctx, progress); err != nil {
		return rep, inside.Public(err)
	}
	rep.Reachable, err = in.Collector.Walk(ctx)
	return rep, inside.Public(err)
}

// A RepairReport is what Repair found and did, and what was left to find after it.
type RepairReport struct {
	Repair mmapcas.RepairReport
	After  mmapcas.VerifyReport
}

// repairAgain is how long Repair waits before it looks again whether a collection has ended.
const repairAgain = 20 * time.Millisecond

// Repair takes out of the store what is damaged, while everything else goes on: what was lost is
// computed or read again when it is needed. It waits for a collection that is under way.
func Repair(ctx context.Context, e *runtime.Engine) (rep RepairReport, err error) {
	in := inside.Of(e)
	if err := errors.Join(in.Admit(ctx, "inspect.Repair"), in.NotInCommit("inspect.Repair")); err != nil {
		return rep, err
	}
	if t := sched.Current(); t != nil { // the collection may need the task's worker
		err = t.Blocking(func() (err error) { rep, err = repair(ctx, in); return err })
		return rep, err
	}
	return repair(ctx, in)
}

func repair(ctx context.Context, in *inside.Engine) (rep RepairReport, err error) {
	in.Flush(ctx)
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		rep.Repair, err = in.Store.Repair(ctx, nil)
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
		return rep, inside.Public(err)
	}
	rep.After, err = in.Store.Verify(ctx, nil)
	return rep, inside.Public(err)
}
