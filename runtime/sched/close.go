package sched

import (
	"context"
	"fmt"
)

// Phases of a pool.
const (
	open     uint32 = iota // takes tasks
	draining               // takes no more from outside
)

// Close stops admission and waits until all tasks have ended; tasks may still spawn others. If ctx
// ends first, all tasks are cancelled with [ErrClosed], and Close waits a short while more
// ([Options.CloseGrace]) for them to end. A ctx that has ended already means to shut down at once.
// Nil means that every task ended by itself and all workers are gone; a [CloseError] tells
// otherwise, with names if some tasks do not end. Close may be called again, and by several
// goroutines. A task that calls it, or anybody with its context, gets [ErrInTask] and nothing
// happens, as it would wait for itself.
func (p *Pool) Close(ctx context.Context) error {
	if err := p.NotInTask(ctx); err != nil {
		return err
	}
	p.phase.CompareAndSwap(open, draining)
	p.stopAdmitted()
	p.pending.wake(func(*Restartable) bool { return true })
	p.checkOver()
	p.awaitOver(ctx)
	if !p.over.Fired() {
		p.killed.CompareAndSwap(nil, &cause{ErrClosed})
		p.sweep()
		p.idle.Notify()
		grace, cancel := context.WithTimeout(context.Background(), p.closeGrace)
		defer cancel()
		p.awaitOver(grace)
		if !p.over.Fired() {
			return &CloseError{Cause: hurry(ctx), Stuck: p.unended()}
		}
	}
	p.alive.Wait()
	p.watching.Wait()
	if p.killed.Load() != nil {
		return &CloseError{Cause: hurry(ctx)}
	}
	return nil
}

// NotInTask returns ErrInTask if a task of the pool calls, or a goroutine of Blocking, or anybody
// with a task's context.
func (p *Pool) NotInTask(ctx context.Context) error {
	for _, t := range []*Task{Caller(), within(ctx)} {
		if t != nil && t.pool == p {
			return fmt.Errorf("%w: task %d %q", ErrInTask, t.id, t.name)
		}
	}
	return nil
}

// awaitOver waits until the pool is over or the context has ended.
func (p *Pool) awaitOver(ctx context.Context) {
	if p.sim != nil {
		p.sim.wait(ctx, &p.over)
		if p.over.Fired() {
			p.Simulate(nil) // which ends the workers
		}
		return
	}
	select {
	case <-p.over.Done():
	case <-ctx.Done():
	}
}

// hurry returns why the tasks were not waited for, which may be another Close's doing.
func hurry(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrClosed
}

// checkOver ends the pool if it is draining and every task has ended. Whoever ends a task after the
// phase has changed calls it, and whoever changes the phase: the last of them sees all counts.
//
// The counts are read one after the other while they grow: first the ended, then the submitted
// ones. If the sums are equal, then everything that had been submitted when the first sum was
// complete had ended by then (S7); tasks are submitted only by tasks that have not ended, and from
// outside only before the phase changed.
func (p *Pool) checkOver() {
	if p.phase.Load() == open {
		return
	}
	var ended, submitted uint64
	for c := range p.allCounters {
		ended += c.totalEnded()
	}
	for c := range p.allCounters {
		submitted += c.totalSubmitted()
	}
	if ended == submitted && p.over.Fire() {
		p.idle.WakeAll()
		if p.sim != nil {
			p.sim.nudge()
		}
	}
}

// unended names the tasks that run or wait.
func (p *Pool) unended() (names []string) {
	st := p.Stats()
	for _, list := range [][]TaskStatus{st.Running, st.Waiting} {
		for _, t := range list {
			names = append(names, fmt.Sprintf("task %d %q (%s)", t.ID, t.Name, t.state()))
		}
	}
	return names
}
