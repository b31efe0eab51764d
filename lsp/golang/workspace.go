package golang

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// Language is the Go front end.
type Language struct{}

var _ lsp.Language = Language{}

// ID implements lsp.Language.
func (Language) ID() string { return "go" }

// Handles implements lsp.Language.
func (Language) Handles(uri string) bool { return isInput(baseName(uri)) }

// Open implements lsp.Language. Unsaved texts that an earlier process left in the engine's store are forgotten.
func (Language) Open(ctx context.Context, eng *runtime.Engine, root string, o lsp.WorkspaceOptions) (lsp.Workspace, error) {
	w, err := open(ctx, eng, root, o)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func open(ctx context.Context, eng *runtime.Engine, root string, o lsp.WorkspaceOptions) (*workspace, error) {
	if !filepath.IsAbs(root) || !utf8.ValidString(root) {
		return nil, fmt.Errorf("golang: workspace root %q: not an absolute path in UTF-8", root)
	}
	// The root stays as it was given, symbolic links and all: a client that opened it by one path wants answers in that path, and the
	// go command gives them.
	root = filepath.Clean(root)
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("golang: workspace root: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("golang: workspace root %s is not a directory", root)
	}
	w := &workspace{eng: eng, root: root, o: o, log: o.Logger, turn: make(chan struct{}, 1)}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.background, w.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	err = sessions.begin(eng, func(first bool) error {
		stale := dirPrefix(root)
		if first {
			stale = "" // of whatever files a process before this one left
		}
		return eng.Commit(ctx, func(c *runtime.Writer) error { return overlays.ClearPrefix(c, stale) })
	})
	if err != nil {
		return nil, fmt.Errorf("golang: opening workspace %s: %w", root, err)
	}
	return w, nil
}

// sessions counts the open workspaces of each engine.
var sessions = sessionCount{open: map[*runtime.Engine]int{}}

type sessionCount struct {
	mu   sync.Mutex
	open map[*runtime.Engine]int // guarded by mu
}

// begin counts a workspace if fn, which learns whether it is the engine's first in this process, succeeds.
func (s *sessionCount) begin(eng *runtime.Engine, fn func(first bool) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := fn(s.open[eng] == 0); err != nil {
		return err
	}
	s.open[eng]++
	return nil
}

func (s *sessionCount) end(eng *runtime.Engine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[eng]--; s.open[eng] == 0 {
		delete(s.open, eng)
	}
}

// A workspace is one root with the engine that knows about it.
//
// Inputs are brought in by prepare, under the turn; questions that come before the first prepare wait for it. Background refreshes
// follow every change of inputs after that.
type workspace struct {
	eng  *runtime.Engine
	root string
	o    lsp.WorkspaceOptions
	log  *slog.Logger

	background context.Context // ends with Close
	stop       context.CancelCauseFunc
	tasks      sync.WaitGroup // background refreshes
	refreshes  activity       // the same, for those who wait while others begin

	turn chan struct{} // holds a token while somebody brings inputs in
	disk sync.Mutex    // held from a look at the disk to the commit of what was seen; taken after turn

	mu       sync.Mutex
	ready    uint64          // guarded by mu: the generation from which on inputs are complete; 0: not yet
	prepared *metadata       // guarded by mu: whose files were brought in last
	touched  map[string]bool // guarded by mu: files changed since diagnostics were last published
	closed   bool            // guarded by mu
}

// Root implements lsp.Workspace.
func (w *workspace) Root() string { return w.root }

// Close implements lsp.Workspace.
func (w *workspace) Close() error {
	w.mu.Lock()
	closed := w.closed
	w.closed = true
	w.mu.Unlock()
	if !closed {
		w.stop(lsp.ErrClosed)
		sessions.end(w.eng)
	}
	w.tasks.Wait()
	return nil
}

// while returns a context that ends with the workspace, too.
func (w *workspace) while(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	forget := context.AfterFunc(w.background, func() { cancel(lsp.ErrClosed) })
	return ctx, func() {
		forget()
		cancel(nil)
	}
}

func (w *workspace) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// canonical gives the one spelling of a URI.
func (w *workspace) canonical(uri string) (string, error) {
	path, ok := filePath(uri)
	if !ok || !filepath.IsAbs(path) {
		return "", &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	return fileURI(filepath.Clean(path)), nil
}

// SetOverlay implements lsp.Workspace.
func (w *workspace) SetOverlay(ctx context.Context, uri string, text []byte) error {
	uri, err := w.canonical(uri)
	if err != nil {
		return err
	}
	if len(text) > lsp.MaxFileBytes {
		return &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrTooLarge}
	}
	return w.change(ctx, []string{uri}, func(c *runtime.Writer) error { return overlays.Put(c, uri, text) })
}

// ClearOverlay implements lsp.Workspace.
func (w *workspace) ClearOverlay(ctx context.Context, uri string) error {
	uri, err := w.canonical(uri)
	if err != nil {
		return err
	}
	return w.changeDisk(ctx, []string{uri}, func(c *runtime.Writer) error { return overlays.Delete(c, uri) })
}

// FilesChanged implements lsp.Workspace.
func (w *workspace) FilesChanged(ctx context.Context, uris []string) error {
	var known []string
	for _, uri := range uris {
		if uri, err := w.canonical(uri); err == nil { // others are of no concern to a workspace of files
			known = append(known, uri)
		}
	}
	return w.changeDisk(ctx, known, func(*runtime.Writer) error { return nil })
}

// changeDisk looks at files, or whole directories, and commits what has become of them, together with what fn writes.
func (w *workspace) changeDisk(ctx context.Context, uris []string, fn func(*runtime.Writer) error) error {
	ctx, end := w.while(ctx)
	defer end()
	w.disk.Lock()
	defer w.disk.Unlock()
	changes, err := w.look(ctx, uris)
	if err != nil {
		return err
	}
	var env *environment
	if slices.ContainsFunc(changes.list, func(d diskChange) bool { return !isGoFile(d.uri) }) {
		// Module files decide the environment, too.
		e, err := readEnvironment(ctx, w.root, w.o.Tests, w.o.BuildTags, w.o.Env)
		if err != nil {
			return err
		}
		if e.Attempt, err = w.attempt(); err != nil {
			return err
		}
		env = &e
	}
	return w.change(ctx, append(uris, changes.uris()...), func(c *runtime.Writer) error {
		if env != nil {
			if err := environments.Put(c, w.root, *env); err != nil {
				return err
			}
		}
		return errors.Join(fn(c), changes.write(c))
	})
}

// change commits changed inputs and has diagnostics follow.
func (w *workspace) change(ctx context.Context, uris []string, fn func(*runtime.Writer) error) error {
	if w.isClosed() {
		return lsp.ErrClosed
	}
	if err := w.eng.Commit(ctx, fn); err != nil {
		return fmt.Errorf("golang: %s: %w", w.root, err)
	}
	w.refresh(uris)
	return nil
}

// ask runs a question on a task's snapshot, once the inputs are complete. A task that began before they were asks in a newer one.
func (w *workspace) ask(t *runtime.Task, fn func(t *runtime.Task) error) error {
	w.mu.Lock()
	ready, closed := w.ready, w.closed
	w.mu.Unlock()
	switch {
	case closed:
		return lsp.ErrClosed
	case ready != 0 && t.Generation() >= ready:
		return fn(t)
	}
	if ready == 0 {
		err := t.Blocking(func() error { return w.prepareOnce(t.Context()) })
		if err != nil {
			return err
		}
	}
	h, err := t.Spawn(0, fn, runtime.Client(w.o.Client), runtime.Named("golang question"))
	if err != nil {
		return err
	}
	return t.Join(h)
}

// Text implements lsp.Workspace.
func (w *workspace) Text(t *runtime.Task, uri string) (text []byte, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	text, err = textOf(t, uri)
	if errors.Is(err, lsp.ErrUnknownFile) {
		err = w.askAbout(t, uri, func(t *runtime.Task) (err error) {
			text, err = textOf(t, uri)
			return err
		})
	}
	return text, err
}

// Diagnostics implements lsp.Workspace.
func (w *workspace) Diagnostics(t *runtime.Task, uri string) (list []lsp.Diagnostic, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task) (err error) {
		list, err = fileDiagnostics(t, w.root, uri)
		return err
	})
	return list, err
}

// Symbols implements lsp.Workspace.
func (w *workspace) Symbols(t *runtime.Task, uri string) ([]lsp.Symbol, error) {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil, err
	}
	if _, err := w.Text(t, uri); err != nil {
		return nil, err
	}
	var list []lsp.Symbol
	err = w.askAbout(t, uri, func(t *runtime.Task) error {
		s, err := shapes.Get(t, uri)
		list = s.Outline
		return err
	})
	return list, err
}

// FindSymbols implements lsp.Workspace.
func (w *workspace) FindSymbols(t *runtime.Task, query string, limit int) (list []lsp.SymbolMatch, err error) {
	if limit <= 0 {
		limit = 100
	}
	err = w.ask(t, func(t *runtime.Task) (err error) {
		list, err = findSymbols(t, w.root, query, limit)
		return err
	})
	return list, err
}

func findSymbols(t *runtime.Task, root, query string, limit int) ([]lsp.SymbolMatch, error) {
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, err
	}
	uris, containers := workspaceFiles(m)
	lists, err := symbolLists.All(t, uris)
	if err != nil {
		return nil, err
	}
	match, best := newMatcher(query), newSymbolHeap(limit)
	for i, list := range lists {
		if i%256 == 0 && t.Context().Err() != nil {
			return nil, context.Cause(t.Context())
		}
		eachSymbol(list, func(s foundSymbol) bool {
			if score, ok := match.score(containers[i], string(s.name)); ok && best.wants(score) {
				best.add(lsp.SymbolMatch{
					Name: string(s.name), Container: containers[i], Kind: s.kind, Score: score,
					Location: lsp.Location{URI: uris[i], Span: s.span},
				})
			}
			return true
		})
	}
	return best.cut(), nil
}

// workspaceFiles lists the files of a workspace's packages, each once, with the path of the package that it belongs to.
func workspaceFiles(m *metadata) (uris, containers []string) {
	owner := map[string]string{}
	for i := range m.Packages {
		p := &m.Packages[i]
		if !p.Workspace {
			continue
		}
		for _, uri := range p.Files {
			if _, ok := owner[uri]; !ok {
				owner[uri] = p.Path
				uris = append(uris, uri)
			}
		}
	}
	slices.Sort(uris)
	for _, uri := range uris {
		containers = append(containers, owner[uri])
	}
	return uris, containers
}

// Definition implements lsp.Workspace.
func (w *workspace) Definition(t *runtime.Task, uri string, offset int) (list []lsp.Location, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task) (err error) {
		list, err = definition(taskSource{t, w.root}, uri, offset)
		return err
	})
	return list, err
}

// References implements lsp.Workspace.
func (w *workspace) References(t *runtime.Task, uri string, offset int, declaration bool) (list []lsp.Location, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task) (err error) {
		list, err = references(taskSource{t, w.root}, uri, offset, declaration)
		return err
	})
	return list, err
}

// Hover implements lsp.Workspace.
func (w *workspace) Hover(t *runtime.Task, uri string, offset int) (h *lsp.Hover, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task) (err error) {
		h, err = hover(taskSource{t, w.root}, uri, offset)
		return err
	})
	return h, err
}

// A taskSource answers from a task's snapshot.
type taskSource struct {
	t    *runtime.Task
	root string
}

func (s taskSource) metadata() (*metadata, error)    { return metadatas.Get(s.t, s.root) }
func (s taskSource) text(uri string) ([]byte, error) { return textOf(s.t, uri) }

func (s taskSource) checked(p *pkgMeta) (*index, error) {
	c, err := checks.Get(s.t, pkgKey{s.root, p.ID})
	if err != nil {
		return nil, err
	}
	return s.open(c.Index)
}

func (s taskSource) declared(p *pkgMeta) (*index, error) {
	if p.Workspace {
		return s.checked(p)
	}
	blob, err := declarations.Get(s.t, pkgKey{s.root, p.ID})
	if err != nil {
		return nil, err
	}
	return s.open(blob)
}

func (s taskSource) open(b runtime.Blob) (*index, error) {
	data, err := runtime.ReadBlob(s.t, b)
	if err != nil {
		return nil, err
	}
	return openIndex(data)
}
