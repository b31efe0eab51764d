package queries

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A trial is a history being played to an engine and to a plain interpreter.
type trial struct {
	*subject
	judge
	step int
	seen int // looks, when runs were judged last

	held    [slots]*held
	watches [slots]watching
	exposed bool    // a checkpoint may have been made since then that nothing has synced
	since   []state // what was committed since the disk was last known to have everything, the state then first
}

// A held is a snapshot that is held.
type held struct {
	*runtime.Snapshot
	gen uint64
}

// A Fault is what an engine did that it must not.
type Fault struct {
	Step int    // of the history
	Kind string // which rule it breaks
	What string
}

func (f *Fault) Error() string { return fmt.Sprintf("step %d: %s: %s", f.Step, f.Kind, f.What) }

// during says in whose doing a fault showed.
func during(what any, err error) error {
	if f, ok := errors.AsType[*Fault](err); ok {
		f.What = fmt.Sprintf("%v: %s", what, f.What)
		return f
	}
	return fmt.Errorf("%v: %w", what, err)
}

func faultf(kind, format string, args ...any) error {
	return &Fault{Kind: kind, What: fmt.Sprintf(format, args...)}
}

// Play plays a history. It returns a *Fault if the engine has one.
func Play(host Host, h *History) (err error) {
	t := &trial{subject: &subject{host: host, h: h, mem: vfs.NewMem(), prog: h.Builds[0]}, judge: newJudge(h), since: []state{{}}}
	at := 0
	defer func() {
		if err != nil {
			f := &Fault{Kind: engineFails, What: err.Error()}
			errors.As(err, &f)
			f.Step = at
			err = f
		}
	}()
	if err := t.begin(Close); err != nil {
		return err
	}
	defer func() {
		if t.eng != nil {
			err = errors.Join(err, t.end(Close))
		}
	}()
	for at = range h.Steps {
		t.step = at
		t.begun()
		if err := t.play(&h.Steps[at]); err != nil {
			return err
		}
	}
	rep, err := inspect.Verify(context.Background(), t.eng, nil)
	if err == nil && !rep.Clean() && !t.torn {
		err = faultf(wrongStore, "the store is not clean: %+v", rep)
	}
	return err
}

// begin opens the engine, after one that has ended in this way.
func (t *trial) begin(how Ending) error {
	if err := t.open(); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	s := t.eng.Snapshot()
	defer s.Release()
	now, err := stateOf(s)
	if err != nil {
		return err
	}
	t.seen = 0
	left := t.since
	if how != Power || t.setting.Durable {
		left = left[len(left)-1:]
	}
	if !slices.ContainsFunc(left, func(s state) bool { return s.equal(now, volatile) }) || len(now[volatile]) > 0 {
		return faultf(wrongState, "opened with %v, and what may be left is one of %v", now, left)
	}
	if how == Power { // what has survived it once is on the disk
		t.since = nil
	}
	t.since = append(t.since, now)
	t.reopened(t.subject.prog, s.Generation(), now)
	return nil
}

// end closes the engine.
func (t *trial) end(how Ending) error {
	for i := range slots {
		t.release(i)
		t.unwatch(i)
	}
	t.settle()
	err := t.counted(t.eng.Stats().Queries, t.calls)
	t.ended(how)
	if e := t.close(how, t.h.Seed+uint64(t.opened)); e != nil {
		err = errors.Join(err, fmt.Errorf("close: %w", e))
	}
	return err
}

func (t *trial) play(s *Step) error {
	ctx := context.Background()
	switch s.Kind {
	case Commit:
		if err := t.commit(ctx, func(fn func(*runtime.Writer) error) error { return t.eng.Commit(ctx, fn) }, s); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		if err := t.committed(apply(t.now, s)); err != nil {
			return err
		}
		if s.Form == Bulk {
			t.coarse, t.vague = true, true
			clear(t.fresh)
		}
		if err := t.looked(); err != nil || !t.h.Setting.Peeks { // half of them, as a Peek has changes marked
			return err
		}
		return t.peekFresh()
	case Batches:
		return t.batch(s)
	case Hold:
		t.release(s.Slot)
		snap := t.eng.Snapshot()
		t.held[s.Slot] = &held{snap, snap.Generation()}
	case Release:
		t.release(s.Slot)
	case Watch, WatchQuery:
		t.unwatch(s.Slot)
		w, err := t.watch(s)
		if err != nil {
			return err
		}
		t.watches[s.Slot] = w
		return t.looked()
	case Unwatch:
		t.unwatch(s.Slot)
	case Weather:
		t.air.Store(int64(s.Sky))
		t.weather(s.Sky)
	case Checkpoint:
		return t.checkpoint(ctx)
	case Forget:
		t.host.WriteTraces(t.eng, ctx)
	case Collect:
		if _, err := t.eng.Collect(ctx); err != nil {
			return fmt.Errorf("collect: %w", err)
		}
		if n := t.eng.Stats().Collector.Missing; n != 0 && !t.torn {
			return faultf(wrongStore, "the collector met %d references to nothing", n)
		}
		t.exposed = true
		t.collected()
	case Warm:
		return t.warm(ctx, s)
	case Reopen:
		// With a second checkpoint that is not on the disk either, what the one before still had
		// may be lost by key instead of by commit.
		if s.Ending == Power && t.exposed && !t.setting.Durable {
			if err := t.checkpoint(ctx); err != nil {
				return err
			}
		}
		t.exposed = true
		if err := t.end(s.Ending); err != nil {
			return err
		}
		t.subject.prog = t.h.Builds[s.Build]
		return t.begin(s.Ending)
	}
	return nil
}

func (t *trial) checkpoint(ctx context.Context) error {
	if err := t.eng.Checkpoint(ctx); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	t.since = t.since[len(t.since)-1:]
	t.exposed = false
	t.durable()
	return nil
}

func (t *trial) release(slot int) {
	if h := t.held[slot]; h != nil {
		h.Release()
		t.held[slot] = nil
	}
}

func (t *trial) unwatch(slot int) {
	if w := t.watches[slot]; w != nil {
		t.settle() // stop waits for a run, which would never come
		w.stop()
		t.watches[slot] = nil
	}
}

// committed takes down what there is after a commit.
func (t *trial) committed(now state) error {
	s := t.eng.Snapshot()
	defer s.Release()
	is, err := stateOf(s)
	if err != nil {
		return err
	}
	if !is.equal(now, -1) {
		return faultf(wrongState, "after a commit there is %v, and not %v", is, now)
	}
	t.since = append(t.since, now)
	return t.changed(s.Generation(), now)
}

// looked judges what watches did.
func (t *trial) looked() error {
	t.settle()
	var watched []Cell
	for _, w := range t.watches {
		if q, ok := w.(*queryWatch); ok {
			watched = append(watched, q.cell)
		}
	}
	err := t.ran(asking{gens: []uint64{t.gen}, questions: len(watched), alone: true, looked: t.looksSince()}, t.taken())
	for _, w := range t.watches {
		if w != nil && err == nil {
			err = w.judge(t, len(t.recent()) > 1)
		}
	}
	return err
}

// peekFresh peeks at all that must be known after a commit.
func (t *trial) peekFresh() error {
	for i := range queryMax {
		for _, arg := range args {
			if t.fresh[Cell{i, arg}] == nil {
				continue
			}
			a := &saying{Actor: &Actor{Kind: Peek, Cell: Cell{i, arg}}}
			t.speakOutside(context.Background(), a)
			if err := t.answered(a, true); err != nil {
				return during(a.Actor, err)
			}
		}
	}
	return nil
}

// batch has actors do what they do at the same time, and judges it.
func (t *trial) batch(s *Step) error {
	alone := len(s.Actors) == 1
	all := make([]*saying, len(s.Actors))
	next := t.now
	var wg sync.WaitGroup
	for i := range s.Actors {
		a := &saying{Actor: &s.Actors[i], at: t.held[s.Actors[i].Slot]}
		all[i] = a
		if a.Kind == Change1 {
			next = apply(next, &Step{Changes: a.Changes})
		}
		var before *saying
		if i > 0 {
			before = all[i-1]
		}
		switch {
		case alone && (a.Kind == AskOut || a.Kind == Peek):
			t.speakOutside(context.Background(), a)
		case t.h.Setting.Threads && (a.Kind == AskOut || a.Kind == Peek):
			wg.Go(func() { t.speakOutside(context.Background(), a) })
		default:
			var opts []runtime.TaskOption
			if a.at != nil && (a.Kind == AskOne || a.Kind == AskAll) {
				opts = append(opts, runtime.At(a.at.Snapshot))
			}
			h, err := t.eng.Go(context.Background(), lane.Default, func(task *runtime.Task) error {
				return t.speak(task, a, before)
			}, opts...)
			if err != nil {
				return err
			}
			a.handle = h
		}
	}
	t.settle()
	wg.Wait()
	cancels := false
	for _, a := range all {
		if a.Kind == Cancel {
			cancels = true
		}
		if a.handle == nil {
			continue
		}
		if err := a.handle.Wait(context.Background()); err != nil && !a.gone.Load() {
			return fmt.Errorf("%v: %w", a.Actor, err)
		}
	}
	if !next.equal(t.now, -1) {
		if err := t.committed(next); err != nil {
			return err
		}
	}
	t.settle()
	if t.h.Setting.Threads {
		for _, w := range t.watches {
			if w != nil {
				w.await(t)
			}
		}
	}
	asked := asking{alone: alone, cancels: cancels, looked: t.looksSince()}
	if alone && !slices.ContainsFunc(t.watches[:], func(w watching) bool { return w != nil }) {
		asked.of = all[0].cells()
	}
	for _, a := range all {
		if a.Kind > Peek {
			continue
		}
		if a.Kind < Peek {
			asked.questions++
		}
		if a.gens == nil {
			a.gens = t.recent() // which of them cannot be told
		}
		asked.gens = append(asked.gens, a.gens...)
	}
	for _, w := range t.watches {
		if _, ok := w.(*queryWatch); ok && len(t.recent()) > 1 {
			asked.questions += 2
			asked.gens = append(asked.gens, t.recent()...)
			asked.alone = false
		}
	}
	if err := t.ran(asked, t.taken()); err != nil {
		return err
	}
	for _, a := range all {
		if err := t.answered(a, alone); err != nil {
			return during(a.Actor, err)
		}
	}
	for _, w := range t.watches {
		if w != nil {
			if err := w.judge(t, len(t.recent()) > 1); err != nil {
				return err
			}
		}
	}
	return nil
}
