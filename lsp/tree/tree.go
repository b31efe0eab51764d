package tree

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// Options are what a Tree has to know of its language.
type Options struct {
	// Handles reports whether a file belongs to the language, by its name alone.
	Handles func(uri string) bool

	// Diagnostics says what is wrong with a file. It is a question that sees all files.
	Diagnostics func(t *runtime.Task, uri string) ([]lsp.Diagnostic, error)

	// Symbols is the outline of a file. It is a question that sees all files.
	Symbols func(t *runtime.Task, uri string) ([]lsp.Symbol, error)

	// Occurrences are the names in a file. It is a question that sees all files.
	Occurrences func(t *runtime.Task, uri string) ([]lsp.Occurrence, error)

	// CheckName fails with a *lsp.RefusedError if the name at some places may not become
	// another one. Nil if every name may.
	CheckName func(t *runtime.Task, places []lsp.Location, name string) error

	// Hovers are what is shown of names, for each place where there is something to show. Nil if
	// the language implements Hover itself.
	Hovers func(t *runtime.Task, uri string) ([]lsp.Hover, error)

	// Logger receives what nobody else is told. Nil discards.
	Logger *slog.Logger
}

// A Tree is one root, with its files as inputs of an engine.
type Tree struct {
	eng    *runtime.Engine
	root   string
	prefix string // of the URIs of its files
	o      Options

	end     context.Context // ends with Close
	endWith context.CancelCauseFunc
	tasks   sync.WaitGroup

	scanning chan struct{} // holds a token while the first scan goes on
	looking  sync.Mutex    // held from a look at the disk to the commit of what was seen

	mu         sync.Mutex
	ready      uint64        // guarded by mu: the generation that has all files; 0: they have not been scanned
	publishing chan struct{} // guarded by mu: closed when nothing is left to publish; nil: nothing is
	again      bool          // guarded by mu: something has changed since publishing began
	closed     bool          // guarded by mu
}

// Open makes the tree of a root, an absolute path that exists. It reads nothing.
func Open(eng *runtime.Engine, root string, o Options) (*Tree, error) {
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	w := &Tree{eng: eng, root: root, prefix: files.URIPrefix(root), o: o, scanning: make(chan struct{}, 1)}
	w.end, w.endWith = context.WithCancelCause(context.Background())
	return w, nil
}

// Root implements lsp.Workspace.
func (w *Tree) Root() string { return w.root }

// Close implements lsp.Workspace.
func (w *Tree) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.endWith(lsp.ErrClosed)
	w.tasks.Wait()
	return nil
}

// begin counts something that Close waits for.
func (w *Tree) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return lsp.ErrClosed
	}
	w.tasks.Add(1)
	return nil
}

// while returns a context that ends with the tree, too.
func (w *Tree) while(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	forget := context.AfterFunc(w.end, func() { cancel(lsp.ErrClosed) })
	return ctx, func() { forget(); cancel(nil) }
}

// Index implements lsp.Workspace.
func (w *Tree) Index(ctx context.Context, progress func(lsp.Progress)) (sum lsp.Summary, err error) {
	if err := w.begin(); err != nil {
		return sum, err
	}
	defer w.tasks.Done()
	ctx, done := w.while(ctx)
	defer done()
	start := time.Now()
	tell := func(done, total int) {
		if progress != nil {
			progress(lsp.Progress{Phase: "read", FilesDone: done, FilesTotal: total})
		}
	}
	if sum.Files, sum.FilesRead, sum.Missing, err = w.scan(ctx, tell); err != nil {
		return sum, fmt.Errorf("tree: %s: %w", w.root, err)
	}
	w.publish()
	if err := w.Settle(ctx); err != nil {
		return sum, err
	}
	snap := w.eng.Snapshot()
	defer snap.Release()
	wrong, err := partition.Files(snap, w.prefix)
	for _, uri := range wrong {
		list, err := partition.FileDiagnostics(snap, uri)
		if err != nil {
			return sum, err
		}
		sum.Diagnostics += len(list)
	}
	sum.Wall = time.Since(start)
	slices.Sort(sum.Missing)
	return sum, err
}

// scan looks at the whole root. After the first time the tree is ready.
func (w *Tree) scan(ctx context.Context, tell func(done, total int)) (total, read int, missing []string, err error) {
	select {
	case w.scanning <- struct{}{}:
		defer func() { <-w.scanning }()
	case <-ctx.Done():
		return 0, 0, nil, context.Cause(ctx)
	}
	if total, read, missing, err = w.look(ctx, w.root, tell); err != nil {
		return 0, 0, nil, err
	}
	err = w.eng.Submit(ctx, 0, func(t *runtime.Task) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ready == 0 {
			w.ready = t.Generation()
		}
		return nil
	})
	return total, read, missing, err
}

// isReady reports whether a task of a generation sees all files.
func (w *Tree) isReady(generation uint64) (scanned, sees bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ready != 0, w.ready != 0 && generation >= w.ready
}

// Ask runs a question on a task's snapshot once all files of the root have been read. A task that
// began before they were asks in a newer one.
func (w *Tree) Ask(t *runtime.Task, fn func(t *runtime.Task) error) error {
	if w.end.Err() != nil {
		return lsp.ErrClosed
	}
	scanned, sees := w.isReady(t.Generation())
	if sees {
		return fn(t)
	}
	if !scanned {
		err := t.Blocking(func() error {
			ctx, done := w.while(t.Context())
			defer done()
			_, _, _, err := w.scan(ctx, nil)
			return err
		})
		if err != nil {
			return err
		}
	}
	h, err := t.Spawn(0, fn, runtime.Named("tree question"))
	if err != nil {
		return err
	}
	return t.Join(h)
}

// inside checks that a file is one of the tree's, and gives it its one name.
func (w *Tree) inside(uri string) (string, error) {
	name, ok := files.CanonicalURI(uri)
	if !ok || !strings.HasPrefix(name, w.prefix) || !w.o.Handles(name) {
		return "", &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	return name, nil
}

// SetOverlay implements lsp.Workspace.
func (w *Tree) SetOverlay(ctx context.Context, uri string, text []byte) error {
	uri, err := w.inside(uri)
	if err != nil {
		return err
	}
	if len(text) > lsp.MaxFileBytes {
		return &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrTooLarge}
	}
	err = w.eng.Commit(ctx, func(c *runtime.Writer) error { return unsaved.Put(c, uri, text) })
	w.publish()
	return err
}

// ClearOverlay implements lsp.Workspace.
func (w *Tree) ClearOverlay(ctx context.Context, uri string) error {
	uri, err := w.inside(uri)
	if err != nil {
		return err
	}
	err = w.eng.Commit(ctx, func(c *runtime.Writer) error {
		if err := partition.Judgements.Delete(c, uri); err != nil {
			return err
		}
		return unsaved.Delete(c, uri)
	})
	if err != nil {
		return err
	}
	return w.FilesChanged(ctx, []string{uri})
}

// FilesChanged implements lsp.Workspace.
func (w *Tree) FilesChanged(ctx context.Context, uris []string) error {
	for _, uri := range uris {
		path, ok := files.Path(uri)
		if !ok || !files.Inside(w.root, path) {
			continue
		}
		_, _, missing, err := w.look(ctx, filepath.Clean(path), nil)
		if err != nil {
			return fmt.Errorf("tree: %s: %w", path, err)
		}
		for _, why := range missing {
			w.o.Logger.Warn("tree: a file that cannot be read", "why", why)
		}
	}
	w.publish()
	return nil
}

// Text implements lsp.Workspace.
func (w *Tree) Text(t *runtime.Task, uri string) (text []byte, err error) {
	uri, err = w.inside(uri)
	if err != nil {
		return nil, err
	}
	err = w.Ask(t, func(t *runtime.Task) error { text, err = Text(t, uri); return err })
	return text, err
}

// Digest implements lsp.Workspace.
func (w *Tree) Digest(t *runtime.Task, uri string) (lsp.Digest, error) {
	text, err := w.Text(t, uri)
	return lsp.DigestOf(text), err
}

// Diagnostics implements lsp.Workspace.
func (w *Tree) Diagnostics(t *runtime.Task, uri string) (list []lsp.Diagnostic, err error) {
	uri, err = w.inside(uri)
	if err != nil {
		return nil, err
	}
	err = w.Ask(t, func(t *runtime.Task) error { list, err = w.diagnose(t, uri); return err })
	return list, err
}

func (w *Tree) diagnose(t *runtime.Task, uri string) ([]lsp.Diagnostic, error) {
	list, err := w.o.Diagnostics(t, uri)
	slices.SortStableFunc(list, lsp.CompareDiagnostics)
	return list, err
}

// Symbols implements lsp.Workspace.
func (w *Tree) Symbols(t *runtime.Task, uri string) (list []lsp.Symbol, err error) {
	uri, err = w.inside(uri)
	if err != nil {
		return nil, err
	}
	err = w.Ask(t, func(t *runtime.Task) error { list, err = w.o.Symbols(t, uri); return err })
	return list, err
}
