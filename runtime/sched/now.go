package sched

import "context"

// SubmitNow is [Pool.Submit] without waiting for room, for work that the engine itself owes somebody and that is bounded otherwise,
// such as at most one queued task for each watcher. It may be called by tasks and by code that must not wait. The context never ends.
func (p *Pool) SubmitNow(s Spec, fn func(*Task) error) (*Handle, error) {
	if err := s.validate(fn); err != nil {
		return nil, err
	}
	t := p.newTask(&s, context.Background(), fn)
	t.family = p.scope(s.Client)
	p.outside.lanes[t.lane].submitted.Add(1) // before the look at phase: see checkOver
	if p.phase.Load() != open {
		p.refuse(t)
		return nil, ErrClosed
	}
	p.prepare(t)
	p.push(t)
	return t.Handle(), nil
}
