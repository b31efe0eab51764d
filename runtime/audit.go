package runtime

import (
	"context"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/memo"
)

// An Impurity is a query's answer that came out differently when it was computed again.
type Impurity = memo.Impurity

// A TraceEvent is something that happened to a query's answer.
type TraceEvent = memo.Event

// What audits are by default: one of a hundred reused answers, and a hundredth of one CPU.
const (
	auditShareDefault = 0.01
	auditCPUDefault   = 0.01
)

// An auditor has reused answers computed again by a task on the idle lane, while its budget lasts.
type auditor struct {
	budget budget
	task   *Handle // nil: none was submitted yet; the keeper's
}

// look submits a task if there is something to audit and none that audits. The keeper calls it, and
// touches the budget only while no task does.
func (a *auditor) look(e *Engine) {
	if a.task != nil {
		select {
		case <-a.task.Done():
		default:
			return
		}
	}
	expected, waits := e.memo.NextAudit()
	if !waits || !a.budget.allows(time.Now(), expected) {
		return
	}
	a.task, _ = e.Go(context.Background(), lane.Idle, a.work, Named("audit")) // refused: the engine is closing
}

func (a *auditor) work(t *Task) error {
	for {
		expected, waits := t.eng.memo.NextAudit()
		if !waits || !a.budget.allows(time.Now(), expected) {
			return nil
		}
		if err := t.task().Err(); err != nil {
			return err
		}
		t.root.advance(t.eng.snapshot())
		took, _ := t.eng.memo.Audit(&t.root.strand)
		a.budget.spend(took)
		t.Yield()
	}
}

// stop has the task end early: an engine that closes waits for tasks.
func (a *auditor) stop() {
	if a.task != nil {
		a.task.Cancel(ErrClosed)
	}
}

// A budget is a share of the time that has passed. It may be overdrawn by what was begun last, and
// is paid back before anything else is begun.
type budget struct {
	share  float64 // 1 or more: all
	credit time.Duration
	asOf   time.Time // of credit
}

// creditMost is how much of a budget that was not used is kept.
const creditMost = time.Second

// allows reports whether something may be begun that is expected to take so long. What is expected
// to take more than can be saved may be begun with all that can.
func (b *budget) allows(now time.Time, expected time.Duration) bool {
	if b.share >= 1 {
		return true
	}
	if passed := now.Sub(b.asOf); passed > 0 {
		earned := float64(passed) * b.share
		b.credit += time.Duration(min(earned, float64(creditMost-b.credit)))
		b.asOf = now
	}
	return b.credit > 0 && b.credit >= min(expected, creditMost)
}

// spend takes down what was used.
func (b *budget) spend(took time.Duration) { b.credit -= took }
