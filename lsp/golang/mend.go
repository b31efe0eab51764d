package golang

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// Inputs that the store has lost. Each comes from the disk or from an editor and is brought in
// again:
//
//   - A record that cannot be read makes its file one that has changed (statOf); an unsaved text is
//     put again.
//   - A partition of which keys are lost is emptied, and all that belongs there is put by the next
//     preparation. Until then its builds are not ready, so that a question waits instead of missing
//     what is not there yet. All workspaces of an engine lose what they had in the partition, so
//     all their turns are held: a preparation finds all that it put, or is done once more.
//
// A question that met damage is asked again at most mendMax times.

// mendMax bounds how often a question has damaged inputs brought in again: each time may show what
// was behind the last.
const mendMax = 16

// giving is held while partitions are emptied, so that the turns of several workspaces are taken by
// one goroutine at a time.
var giving sync.Mutex

// mending runs a question, again in a newer snapshot as long as it meets damaged inputs.
func (w *workspace) mending(t *runtime.Task, question func(t *runtime.Task) error) error {
	err := question(t)
	for n := 0; n < mendMax && errors.Is(err, runtime.ErrDamaged); n++ {
		err = w.mendAndAsk(t, question, err)
	}
	return err
}

func (w *workspace) mendAndAsk(t *runtime.Task, question func(t *runtime.Task) error, damage error) error {
	err := t.Blocking(func() error {
		return w.chores.await(t.Context(), w.background, "mend", func(ctx context.Context) error {
			if err := w.giveUpLost(ctx, damage); err != nil {
				return err
			}
			return w.prepareOnce(ctx)
		})
	})
	if err != nil {
		return err
	}
	h, err := t.Spawn(0, question, runtime.Client(w.o.Client), runtime.Named("golang question"))
	if err != nil {
		return err
	}
	return t.Join(h)
}

// giveUpLost empties the partitions that have lost keys, puts the unsaved texts again, and has all
// builds prepared when they are asked about next. The caller holds neither the turn nor the lock of
// the disk.
func (w *workspace) giveUpLost(ctx context.Context, damage error) error {
	w.log.Warn("golang: reading again what is damaged in the store", "root", w.root, "err", damage)
	giving.Lock()
	defer giving.Unlock()
	all := sessions.all(w.eng)
	for _, o := range all {
		if err := o.takeTurn(ctx); errors.Is(err, lsp.ErrClosed) && o != w {
			continue
		} else if err != nil {
			return fmt.Errorf("golang: %s: %w", w.root, err)
		}
		defer o.giveTurn()
		o.overlaid.Lock()
		defer o.overlaid.Unlock()
	}
	snap := w.eng.Snapshot()
	defer snap.Release()
	var lost []func(*runtime.Writer) error
	for _, clearLost := range []func(*runtime.Snapshot) (func(*runtime.Writer) error, error){
		lossOf(savedTexts), lossOf(overlays), lossOf(stats), lossOf(members.Untyped()), lossOf(environments), lossOf(nearby.Untyped()), lossOf(scanProblems),
		lossOf(failures), lossOf(settled), lossOf(published.Untyped()), lossOf(embeds.Untyped()), lossOf(partition.Diagnostics.Untyped()), lossOf(partition.Watches),
	} {
		fn, err := clearLost(snap)
		if err != nil {
			return fmt.Errorf("golang: %s: looking for what is lost: %w", w.root, err)
		}
		if fn != nil {
			lost = append(lost, fn)
		}
	}
	for _, o := range all {
		o.distrust(len(lost) > 0)
	}
	err := w.eng.Commit(ctx, func(c *runtime.Writer) error {
		var errs []error
		for _, fn := range lost {
			errs = append(errs, fn(c))
		}
		if len(lost) > 0 {
			errs = append(errs, settled.ClearPrefix(c, ""))
		}
		for _, o := range all {
			errs = append(errs, o.putOverlays(c))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return fmt.Errorf("golang: %s: giving up what is lost: %w", w.root, err)
	}
	for _, o := range all {
		o.sayAgain()
	}
	return nil
}

// lossOf finds out whether a partition has lost keys, and returns what empties it then.
func lossOf[V any](p *runtime.Partition[V]) func(*runtime.Snapshot) (func(*runtime.Writer) error, error) {
	return func(snap *runtime.Snapshot) (func(*runtime.Writer) error, error) {
		_, err := p.Keys(snap, runtime.All())
		if errors.Is(err, runtime.ErrDamaged) {
			return func(c *runtime.Writer) error { return p.ClearPrefix(c, "") }, nil
		}
		return nil, err
	}
}

// distrust has the builds prepared again; if inputs are gone, questions wait for that. A refresh
// follows where one has been before.
func (w *workspace) distrust(gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	published := slices.ContainsFunc(w.builds, func(b *buildUnit) bool { return b.ready != 0 })
	for _, b := range w.builds {
		if b.stale = true; gone {
			b.ready = 0
		}
	}
	if published && !w.closed {
		w.refreshLocked(nil)
	}
}

// putOverlays puts the unsaved texts as they were set last.
func (w *workspace) putOverlays(c *runtime.Writer) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for uri, text := range w.opened {
		errs = append(errs, overlays.Put(c, uri, text))
	}
	return errors.Join(errs...)
}
