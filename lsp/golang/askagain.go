package golang

import (
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// askAgain has the go command asked about a build, whose packages it could not list for a reason
// that may pass, until it can or is asked on another occasion. The network comes back without an
// event that would tell of it. The caller holds w.mu.
func (w *workspace) askAgain(root, why string) {
	if w.closed || w.asking[root] {
		return
	}
	w.asking[root] = true
	failed := errors.New(why)
	begun := false
	w.asks.Go(func() {
		r, err := w.eng.GoRestartable(w.background, lane.Default, func(t *runtime.Task) error {
			if !begun {
				begun = true
				return t.Retry(w.askAfter, failed)
			}
			why, err := w.listAgain(t, root)
			if err == nil && why != "" {
				return t.Retry(w.askAfter, errors.New(why))
			}
			return err
		}, runtime.Named("golang go command again"), runtime.Client(w.o.Client))
		if err == nil {
			<-r.Ended().Done()
			err = r.Err()
		}
		if err != nil && w.background.Err() == nil {
			w.log.Warn("golang: the go command is not asked again", "root", root, "err", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.asking, root)
		if _, why := w.failing(root); why != "" && err == nil {
			w.askAgain(root, why) // it failed on another occasion, while this was at its end
		}
	})
}

// listAgain prepares a build whose packages could not be listed, and tells why they still cannot.
// Diagnostics follow if they can.
func (w *workspace) listAgain(t *runtime.Task, root string) (why string, err error) {
	w.mu.Lock()
	b, why := w.failing(root)
	if why != "" {
		b.stale = true
	}
	w.mu.Unlock()
	if why == "" {
		return "", nil // it was prepared on another occasion, or has gone
	}
	err = t.Blocking(func() error { return w.prepareOnce(w.background, b) })
	if errors.Is(err, lsp.ErrClosed) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, why = w.failing(root); why == "" && !w.closed {
		w.refreshLocked(nil)
	}
	return why, nil
}

// failing returns a build and, if its packages could not be listed for a reason that may pass, why.
// The caller holds w.mu.
func (w *workspace) failing(root string) (b *buildUnit, why string) {
	for _, b := range w.builds {
		if b.Root == root && b.prepared != nil {
			return b, b.prepared.Failed
		}
	}
	return nil, ""
}
