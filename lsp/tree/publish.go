package tree

import (
	"context"
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// publish has what is wrong with files brought up to date, in the background.
func (w *Tree) publish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	if w.publishing != nil {
		w.again = true
		return
	}
	done := make(chan struct{})
	w.publishing = done
	w.tasks.Go(func() {
		for more := true; more; {
			err := w.eng.Submit(w.end, 0, w.publishAll, runtime.Named("tree publish"))
			if err != nil && w.end.Err() == nil {
				w.o.Logger.Warn("tree: publishing", "root", w.root, "err", err)
			}
			w.mu.Lock()
			if more = w.again && !w.closed; !more {
				w.publishing = nil
				close(done)
			}
			w.again = false
			w.mu.Unlock()
		}
	})
}

// Settle implements lsp.Workspace.
func (w *Tree) Settle(ctx context.Context) error {
	w.mu.Lock()
	going := w.publishing
	w.mu.Unlock()
	if going == nil {
		return nil
	}
	select {
	case <-going:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// publishAll writes what differs: of open files first, because somebody looks at them.
func (w *Tree) publishAll(t *runtime.Task) error {
	return w.Ask(t, func(t *runtime.Task) error {
		all, err := w.Files(t)
		if err != nil {
			return err
		}
		open, err := unsaved.Keys(t, runtime.Prefix(w.prefix))
		if err != nil {
			return err
		}
		isOpen := map[string]bool{}
		for _, uri := range open {
			if w.o.Handles(uri) {
				isOpen[uri] = true
				if err := w.publishFiles(t, []string{uri}, true); err != nil {
					return err
				}
			}
		}
		there := map[string]bool{}
		var rest []string
		for _, uri := range all {
			if there[uri] = true; !isOpen[uri] {
				rest = append(rest, uri)
			}
		}
		if err := w.publishFiles(t, rest, false); err != nil {
			return err
		}
		return w.retract(t, there)
	})
}

// publishFiles writes what is wrong with files, in one commit, and which texts have been judged.
func (w *Tree) publishFiles(t *runtime.Task, uris []string, open bool) error {
	found := map[string][]lsp.Diagnostic{}
	judged := map[string]partition.Judgement{}
	for _, uri := range uris {
		list, err := w.diagnose(t, uri)
		if err != nil {
			return err
		}
		was, err := partition.FileDiagnostics(t, uri)
		if err != nil {
			return err
		}
		if partition.DigestOf(was) != partition.DigestOf(list) {
			found[uri] = list
		}
		if open {
			text, err := Text(t, uri)
			if err != nil {
				return err
			}
			judged[uri] = partition.Judgement{Text: lsp.DigestOf(text), Said: partition.DigestOf(list)}
		}
	}
	if len(found)+len(judged) == 0 {
		return nil
	}
	return t.Commit(func(c *runtime.Writer) error {
		for uri, list := range found {
			if err := partition.ReplaceDiagnostics(c, uri, list); err != nil {
				return err
			}
		}
		for uri, j := range judged {
			if err := partition.Judgements.Put(c, uri, j); err != nil {
				return err
			}
		}
		return nil
	})
}

// retract takes back what was said of files that have gone.
func (w *Tree) retract(t *runtime.Task, there map[string]bool) error {
	said, err := partition.Files(t, w.prefix)
	if err != nil {
		return err
	}
	return t.Commit(func(c *runtime.Writer) error {
		var problems []error
		for _, uri := range said {
			if !there[uri] && w.o.Handles(uri) {
				problems = append(problems, partition.ReplaceDiagnostics(c, uri, nil))
			}
		}
		return errors.Join(problems...)
	})
}
