package golang

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// Language is the Go front end.
type Language struct{}

var _ lsp.Language = Language{}

// ID implements lsp.Language.
func (Language) ID() string { return "go" }

// Handles implements lsp.Language.
func (Language) Handles(uri string) bool {
	return strings.HasPrefix(uri, "file://") && disk.IsInput(files.BaseName(uri))
}

// Open implements lsp.Language. Unsaved texts that an earlier process left in the engine's store
// are forgotten.
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
	// The root stays as it was given, symbolic links and all: a client that opened it by one path
	// wants answers in that path, and the go command gives them.
	root = filepath.Clean(root)
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("golang: workspace root: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("golang: workspace root %s is not a directory", root)
	}
	w := &workspace{
		eng: eng, root: root, o: o, log: o.Logger, limits: disk.DefaultFolderLimits, askAfter: askAgainAfter,
		turn: make(chan struct{}, 1), asking: map[string]bool{}, unread: map[string]string{}, opened: map[string][]byte{}, folders: map[string]int{},
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.background, w.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, c := range caches {
		context.AfterFunc(w.background, eng.AddCache(c))
	}
	err = sessions.begin(w, func() error {
		// A workspace over root that was closed may have left some.
		return eng.Commit(ctx, func(c *runtime.Writer) error {
			return errors.Join(overlays.ClearPrefix(c, files.URIPrefix(root)), partition.Judgements.ClearPrefix(c, files.URIPrefix(root)))
		})
	})
	if err != nil {
		return nil, fmt.Errorf("golang: opening workspace %s: %w", root, err)
	}
	// What an earlier process found is still the best guess; else what is above the folder is
	// known.
	snap := eng.Snapshot()
	defer snap.Release()
	if has, err := partition.Watches.Has(snap, root); err != nil && !errors.Is(err, runtime.ErrDamaged) || has {
		return w, err
	}
	return w, w.publishWatches(ctx)
}

// sessions are the open workspaces of each engine.
var sessions = sessionList{open: map[*runtime.Engine][]*workspace{}}

type sessionList struct {
	mu   sync.Mutex
	open map[*runtime.Engine][]*workspace // guarded by mu; the slices are immutable
}

// begin adds a workspace if fn succeeds.
func (s *sessionList) begin(w *workspace, fn func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := fn(); err != nil {
		return err
	}
	s.open[w.eng] = append(slices.Clip(s.open[w.eng]), w)
	return nil
}

func (s *sessionList) end(w *workspace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(s.open[w.eng]), func(o *workspace) bool { return o == w })
	if s.open[w.eng] = rest; len(rest) == 0 {
		delete(s.open, w.eng)
	}
}

// all are the workspaces of an engine.
func (s *sessionList) all(eng *runtime.Engine) []*workspace {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[eng]
}

// others are the workspaces that share an engine with one.
func (s *sessionList) others(w *workspace) []*workspace {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.open[w.eng]), func(o *workspace) bool { return o == w })
}

// A workspace is one folder with the engine that knows about it.
//
// It consists of builds (build.go), each with a root of its own in the engine: that of the module
// or go.work file around the folder, those of modules below a folder that is in none, and those of
// other files that are open. Questions about a file go to the build that it belongs to.
//
// Inputs are brought in by prepare, a build at a time, under the turn; questions that come before
// wait for it. Background refreshes follow every change of inputs after that.
type workspace struct {
	eng  *runtime.Engine
	root string
	o    lsp.WorkspaceOptions
	log  *slog.Logger

	limits   disk.FolderLimits // immutable: of the folder, if it is in no module
	askAfter time.Duration     // immutable: see askAgainAfter

	background context.Context // ends with Close
	stop       context.CancelCauseFunc
	tasks      sync.WaitGroup // background refreshes
	asks       sync.WaitGroup // askAgain
	refreshes  activity       // the same, for those who wait while others begin

	turn     chan struct{} // holds a token while a task brings inputs in
	overlaid sync.Mutex    // held while overlays are committed; taken after disk
	disk     sync.Mutex    // held from a look at the disk to the commit of what was seen; taken after turn

	mu        sync.Mutex
	asking    map[string]bool       // guarded by mu: roots of builds that askAgain is at work for
	builds    []*buildUnit          // guarded by mu: sorted by root
	byDir     map[string]*buildUnit // guarded by mu: what buildOf found
	folders   map[string]int        // guarded by mu: directories in the root that are folders themselves, with how often
	changes   uint64                // guarded by mu: of files that decide which builds there are
	undefined bool                  // guarded by mu: which builds there are has to be found out anew
	plain     bool                  // guarded by mu: the folder is in no module
	below     *disk.Below           // guarded by mu: what was found below it last; nil: not looked for yet
	opened    map[string][]byte     // guarded by mu: the overlays by URI, as they are set; a text is not changed
	touched   map[string]uint64     // guarded by mu: files changed since diagnostics were last published, and when, by refreshed
	refreshed uint64                // guarded by mu: how many refreshes have begun
	whole     bool                  // guarded by mu: refreshes look at all files, not only at those that are open
	preparing bool                  // guarded by mu: a refresh prepares builds, and has another one follow
	unread    map[string]string     // guarded by mu: by path, why files could not be read since all inputs were brought in last
	closed    bool                  // guarded by mu

	mends      atomic.Int32 // refreshes that met damage since the last that published all
	publishing sync.Mutex   // held from a look at published diagnostics to their replacement
	saying     *saying      // guarded by publishing: what all published diagnostics follow from; nil: not known
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
		sessions.end(w)
	}
	w.tasks.Wait()
	w.asks.Wait()
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
	path, ok := files.Path(uri)
	if !ok || !filepath.IsAbs(path) {
		return "", &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	return files.URI(filepath.Clean(path)), nil
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
	w.mu.Lock()
	w.opened[uri] = slices.Clone(text)
	w.mu.Unlock()
	return w.change(ctx, []string{uri}, func(c *runtime.Writer) error { return overlays.Put(c, uri, text) })
}

// ClearOverlay implements lsp.Workspace.
func (w *workspace) ClearOverlay(ctx context.Context, uri string) error {
	uri, err := w.canonical(uri)
	if err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.opened, uri)
	// A build that was there for this file may go. Below a folder that is in no module all are
	// there anyway.
	w.undefined = w.undefined || len(w.builds) > 1 && !w.plain
	w.mu.Unlock()
	return w.changeDisk(ctx, []string{uri}, func(c *runtime.Writer) error {
		return errors.Join(overlays.Delete(c, uri), partition.Judgements.Delete(c, uri))
	})
}

// Include has a directory in the root read although it may be a module of its own: a client has
// opened it, too.
func (w *workspace) Include(dir string) { w.folder(dir, 1) }

// Exclude takes an Include back.
func (w *workspace) Exclude(dir string) { w.folder(dir, -1) }

func (w *workspace) folder(dir string, by int) {
	w.mu.Lock()
	if w.folders[dir] += by; w.folders[dir] <= 0 {
		delete(w.folders, dir)
	}
	w.undefined = true
	w.mu.Unlock()
	w.refresh(nil)
}

// FilesChanged implements lsp.Workspace.
func (w *workspace) FilesChanged(ctx context.Context, uris []string) error {
	var known []string
	for _, uri := range uris {
		if uri, err := w.canonical(uri); err == nil { // others are of no concern to a workspace of files
			known = append(known, uri)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	known, err := w.concerning(known)
	if err != nil || len(known) == 0 {
		return err
	}
	return w.changeDisk(ctx, known, nil)
}

// concerning drops names of which no build has or wants anything: neither that of an input, nor of
// a directory, nor in one that files are embedded from.
func (w *workspace) concerning(uris []string) ([]string, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	keys, err := knownEmbeds(snap, w.root)
	if err != nil {
		return nil, fmt.Errorf("golang: %s: what is embedded: %w", w.root, err)
	}
	embedding := map[string]bool{} // directories, with a slash
	for _, key := range keys {
		embedding[key.Dir] = true
	}
	var nested []string
	w.mu.Lock()
	for _, b := range w.builds {
		nested = append(nested, b.nested...)
	}
	w.mu.Unlock()
	var out []string
	for _, uri := range uris {
		if name := files.BaseName(uri); !disk.IsInput(name) && !disk.DecidesBuild(name) && !embeddedBelow(embedding, uri) {
			path, ok := files.Path(uri)
			if info, err := os.Stat(path); !ok || err == nil && !info.IsDir() {
				continue
			} else if err != nil && !slices.ContainsFunc(nested, func(dir string) bool { return files.Inside(path, dir) }) {
				below, err := stats.Keys(snap, runtime.Prefix(uri+"/"), runtime.Limit(1))
				if err != nil {
					return nil, fmt.Errorf("golang: %s: %w", uri, err)
				}
				if len(below) == 0 {
					continue
				}
			}
		}
		out = append(out, uri)
	}
	return out, nil
}

// embeddedBelow reports whether a file lies below one of some directories.
func embeddedBelow(dirs map[string]bool, uri string) bool {
	for i := len(uri) - 1; i > 0 && len(dirs) > 0; i-- {
		if uri[i] == '/' && dirs[uri[:i+1]] {
			return true
		}
	}
	return false
}

// changeDisk looks at files, or whole directories, and commits what has become of them, together
// with what fn writes about them, if it is set.
func (w *workspace) changeDisk(ctx context.Context, uris []string, fn func(*runtime.Writer) error) error {
	ctx, end := w.while(ctx)
	defer end()
	err := w.changeDiskOnce(ctx, uris, fn)
	for n := 0; n < mendMax && errors.Is(err, runtime.ErrDamaged); n++ {
		if err = w.giveUpLost(ctx, err); err == nil {
			err = w.changeDiskOnce(ctx, uris, fn)
		}
	}
	return err
}

func (w *workspace) changeDiskOnce(ctx context.Context, uris []string, fn func(*runtime.Writer) error) error {
	w.disk.Lock()
	defer w.disk.Unlock()
	changes, err := w.look(ctx, uris)
	if err != nil {
		return err
	}
	all := append(slices.Clip(uris), changes.uris()...)
	stale := w.markStale(all)
	if fn == nil {
		// Of a Go file that is as it was there is nothing new to say.
		_, others := splitGoFiles(uris)
		if all = append(others, changes.uris()...); len(all) == 0 && !stale {
			return nil
		}
		return w.change(ctx, all, changes.write)
	}
	return w.change(ctx, all, func(c *runtime.Writer) error { return errors.Join(fn(c), changes.write(c)) })
}

// change commits changed inputs and has diagnostics follow.
func (w *workspace) change(ctx context.Context, uris []string, fn func(*runtime.Writer) error) error {
	if w.isClosed() {
		return lsp.ErrClosed
	}
	w.overlaid.Lock()
	err := w.eng.Commit(ctx, fn)
	w.overlaid.Unlock()
	if err != nil {
		return fmt.Errorf("golang: %s: %w", w.root, err)
	}
	w.refresh(uris)
	for _, o := range sessions.others(w) {
		if o.knows(uris) {
			o.refresh(nil)
		}
	}
	return nil
}

// knows reports whether a build reads one of some files.
func (w *workspace) knows(uris []string) bool {
	for _, b := range w.viewedBuilds() {
		if b.meta != nil && slices.ContainsFunc(uris, func(uri string) bool { return len(b.meta.Owners(uri)) > 0 }) {
			return true
		}
	}
	return false
}

// ask runs a question on a task's snapshot, once the inputs of the builds that it is about are
// complete: of all that there are if none is named. A task that began before they were asks in a
// newer one.
func (w *workspace) ask(t *runtime.Task, fn func(t *runtime.Task) error, builds ...*buildUnit) error {
	return w.mending(t, func(t *runtime.Task) error { return w.askReady(t, fn, builds...) })
}

// askReady is ask without a look at what is damaged.
func (w *workspace) askReady(t *runtime.Task, fn func(t *runtime.Task) error, builds ...*buildUnit) error {
	w.mu.Lock()
	closed, ready, generation := w.closed, len(w.builds) > 0, uint64(0)
	about := builds
	if len(about) == 0 {
		about = w.builds
	}
	for _, b := range about {
		ready = ready && b.ready != 0
		generation = max(generation, b.ready)
	}
	w.mu.Unlock()
	switch {
	case closed:
		return lsp.ErrClosed
	case ready && t.Generation() >= generation:
		return fn(t)
	}
	if !ready {
		err := t.Blocking(func() error { return w.prepareOnce(t.Context(), builds...) })
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
	if errors.Is(err, lsp.ErrUnknownFile) || errors.Is(err, runtime.ErrDamaged) {
		err = w.askAbout(t, uri, func(t *runtime.Task, _ string) (err error) {
			text, err = textOf(t, uri)
			return err
		})
	}
	return text, err
}

// Digest implements lsp.Workspace.
func (w *workspace) Digest(t *runtime.Task, uri string) (d lsp.Digest, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return d, err
	}
	if open, err := overlays.Has(t, uri); err == nil && open {
		return digests.Get(t, uri)
	}
	text, err := w.Text(t, uri)
	return lsp.DigestOf(text), err
}

// Diagnostics implements lsp.Workspace.
func (w *workspace) Diagnostics(t *runtime.Task, uri string) (list []lsp.Diagnostic, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		list, err = reports.Get(t, fileKey{root, uri})
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
	err = w.askAbout(t, uri, func(t *runtime.Task, _ string) error {
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
		list, err = findSymbols(t, w.currentBuilds(), query, limit)
		return err
	})
	return list, err
}

func findSymbols(t *runtime.Task, builds []*buildUnit, query string, limit int) ([]lsp.SymbolMatch, error) {
	var all []*metadata.Build
	for _, b := range builds {
		m, err := metadatas.Get(t, b.Root)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	uris, containers := workspaceFiles(all...)
	lists, err := symbolLists.All(t, uris)
	if err != nil {
		return nil, err
	}
	match, best := index.NewMatcher(query), index.NewBest(limit)
	for i, list := range lists {
		if i%256 == 0 && t.Context().Err() != nil {
			return nil, context.Cause(t.Context())
		}
		index.EachSymbol(list, func(s index.Symbol) bool {
			if score, ok := match.Score(containers[i], string(s.Name)); ok && best.Wants(score) {
				best.Add(lsp.SymbolMatch{
					Name: string(s.Name), Container: containers[i], Kind: s.Kind, Score: score,
					Location: lsp.Location{URI: uris[i], Span: s.Span},
				})
			}
			return true
		})
	}
	return best.Sorted(), nil
}

// workspaceFiles lists the files of a workspace's packages, each once, with the path of the package
// that it belongs to.
func workspaceFiles(all ...*metadata.Build) (uris, containers []string) {
	owner := map[string]string{}
	for _, m := range all {
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
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		if text, err := textOf(t, uri); err == nil {
			if found, ok, err := embedded(t, uri, text, offset); ok || err != nil {
				list = found
				return err
			}
		}
		list, err = definition(taskSource{t, root}, uri, offset)
		return err
	})
	return list, err
}

// References implements lsp.Workspace. Other builds that read the declaration are searched, too.
func (w *workspace) References(t *runtime.Task, uri string, offset int, declaration bool) (list []lsp.Location, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		if list, err = references(taskSource{t, root}, uri, offset, declaration); err != nil {
			return err
		}
		more, err := w.referencesElsewhere(t, root, uri, offset, declaration)
		if err == nil && len(more) > 0 {
			list = append(list, more...)
			slices.SortFunc(list, lsp.Location.Compare)
			list = slices.Compact(list)
		}
		return err
	})
	return list, err
}

// referencesElsewhere looks for references in the builds that read what is named in a file of
// another one.
func (w *workspace) referencesElsewhere(t *runtime.Task, root, uri string, offset int, declaration bool) (list []lsp.Location, err error) {
	builds := w.viewedBuilds()
	if len(builds) < 2 {
		return nil, nil
	}
	declared, err := definition(taskSource{t, root}, uri, offset)
	if err != nil {
		return nil, err
	}
	for _, b := range builds {
		for _, at := range declared {
			if b.Root == root || b.meta == nil || len(b.meta.Owners(at.URI)) == 0 || b.meta.IsForeign(files.PathOf(at.URI)) {
				continue
			}
			more, err := references(taskSource{t, b.Root}, at.URI, at.Span.Start, declaration)
			if err != nil && !errors.Is(err, lsp.ErrNoSymbol) && !errors.Is(err, lsp.ErrUnknownFile) {
				return nil, err
			}
			list = append(list, more...)
		}
	}
	return list, nil
}

// Hover implements lsp.Workspace.
func (w *workspace) Hover(t *runtime.Task, uri string, offset int) (h *lsp.Hover, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		h, err = hover(taskSource{t, root}, uri, offset)
		return err
	})
	return h, err
}

// A taskSource answers from a task's snapshot.
type taskSource struct {
	t    *runtime.Task
	root string
}

func (s taskSource) metadata() (*metadata.Build, error) { return metadatas.Get(s.t, s.root) }
func (s taskSource) text(uri string) ([]byte, error)    { return textOf(s.t, uri) }

func (s taskSource) checked(p *metadata.Package) (*index.Index, error) {
	c, err := checks.Get(s.t, pkgKey{s.root, p.ID})
	if err != nil {
		return nil, err
	}
	return s.open(c.Index)
}

func (s taskSource) declared(p *metadata.Package) (*index.Index, error) {
	if p.Workspace {
		return s.checked(p)
	}
	blob, err := declarations.Get(s.t, pkgKey{s.root, p.ID})
	if err != nil {
		return nil, err
	}
	return s.open(blob)
}

func (s taskSource) open(b runtime.Blob) (*index.Index, error) {
	data, err := runtime.ReadBlob(s.t, b)
	if err != nil {
		return nil, err
	}
	return index.Open(data)
}
