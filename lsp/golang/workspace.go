package golang

import (
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/runtime"
)

var _ lsp.Language = Language{}

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

	settings atomic.Pointer[settings] // replaced, never changed; nil: the defaults

	limits   disk.FolderLimits // immutable: of the folder, if it is in no module
	askAfter time.Duration     // immutable: see askAgainAfter

	background context.Context // ends with Close
	stop       context.CancelCauseFunc
	tasks      sync.WaitGroup // background refreshes
	asks       sync.WaitGroup // askAgain
	refreshes  activity       // the same, for those who wait while others begin
	chores     chores         // what questions wait for

	turn     chan struct{} // holds a token while a task brings inputs in
	overlaid sync.Mutex    // held while overlays are committed; taken after disk
	disk     sync.Mutex    // held from a look at the disk to the commit of what was seen; taken after turn

	mu        sync.Mutex
	asking    map[string]bool       // guarded by mu: roots of builds that askAgain is at work for
	builds    []*buildUnit          // guarded by mu: sorted by root
	byDir     map[string]*buildUnit // guarded by mu: what buildOf found
	folders   map[string]int        // guarded by mu: directories in the root that are folders themselves, with how often
	changes   uint64                // guarded by mu: of files that decide which builds there are
	defined   bool                  // guarded by mu: which builds there are has been found out
	undefined bool                  // guarded by mu: which builds there are has to be found out anew
	plain     bool                  // guarded by mu: the folder is in no module
	below     *disk.Below           // guarded by mu: what was found below it last; nil: not looked for yet
	opened    map[string][]byte     // guarded by mu: the overlays by URI, as they are set; a text is not changed
	touched   map[string]uint64     // guarded by mu: files changed since diagnostics were last published, and when, by refreshed
	refreshed uint64                // guarded by mu: how many refreshes have begun
	whole     bool                  // guarded by mu: refreshes look at all files, not only at those that are open
	preparing bool                  // guarded by mu: a refresh prepares builds, and has another one follow
	unread    map[string]string     // guarded by mu: by path, why files could not be read since all inputs were brought in last
	linted    map[string]linted     // guarded by mu: by URI, of open files
	beside    map[string]bool       // guarded by mu: by URI, open files of which not only the own package tells
	failed    map[string]bool       // guarded by mu: analyzers that were said to fail
	first     *firstAnswers         // guarded by mu; nil: questions wait until inputs are there
	closed    bool                  // guarded by mu

	mends      atomic.Int32 // refreshes that met damage since the last that published all
	publishing sync.Mutex   // held from a look at published diagnostics to their replacement
	saying     *saying      // guarded by publishing: what all published diagnostics follow from; nil: not known
}

// set are the settings that count now.
func (w *workspace) set() settings {
	if s := w.settings.Load(); s != nil {
		return *s
	}
	return settings{}
}

// Root implements lsp.Workspace.
func (w *workspace) Root() string { return w.root }

// Close implements lsp.Workspace.
func (w *workspace) Close() error {
	w.mu.Lock()
	closed := w.closed
	w.closed = true
	if !closed {
		for uri := range w.opened {
			check.Sessions.Close(uri)
		}
	}
	w.mu.Unlock()
	if !closed {
		w.stop(lsp.ErrClosed)
		sessions.end(w)
	}
	w.tasks.Wait()
	w.chores.end()
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

// askAgainAfter is how long after the go command failed for a reason that may pass it is asked
// again for the first time; see runtime.Task.Retry for the times after that.
const askAgainAfter = 2 * time.Second

// isOpen reports whether a file has an unsaved text.
func (w *workspace) isOpen(uri string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, open := w.opened[uri]
	return open
}

// openFiles lists the files that have unsaved texts, in order.
func (w *workspace) openFiles() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.opened))
}
