package watch

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/fsnotify/fsnotify"
)

// A Tree is a directory and which files in it, or below it, matter.
type Tree struct {
	// Dir is an absolute path. It need not exist.
	Dir string
	// Globs are patterns as doublestar has them, of paths below Dir with slashes. With one that
	// begins with "**/" all directories below Dir are watched, else Dir alone.
	Globs []string
}

func (t *Tree) deep() bool {
	return slices.ContainsFunc(t.Globs, func(glob string) bool { return strings.HasPrefix(glob, "**/") })
}

// matches reports whether a path is one of the tree's files.
func (t *Tree) matches(path string) bool {
	below, ok := under(t.Dir, path)
	if !ok {
		return false
	}
	below = filepath.ToSlash(below)
	return slices.ContainsFunc(t.Globs, func(glob string) bool { return doublestar.MatchUnvalidated(glob, below) })
}

// under returns where a path lies below a directory, "" for the directory itself.
func under(dir, path string) (below string, ok bool) {
	if path == dir {
		return "", true
	}
	if !strings.HasSuffix(dir, string(filepath.Separator)) {
		dir += string(filepath.Separator)
	}
	return strings.CutPrefix(path, dir)
}

// Options tell New how to watch. Changed is needed.
type Options struct {
	// Changed hears of paths that were written, made, removed or renamed, sorted, each once: files
	// that a tree asks for, and directories that came, went, or of which anything may have changed.
	// It must be quick, and must not call the Watcher's methods.
	Changed func(paths []string)

	// Quiet is for how long nothing has changed when a report is made. Zero means 100 ms.
	Quiet time.Duration
	// Longest is after what time a report is made although things go on changing. Zero means 1 s.
	Longest time.Duration
	// Poll has the Watcher look for itself without asking the system. It does so anyway where the
	// system refuses.
	Poll bool
	// PollEvery is the least time between two looks. Zero means 500 ms.
	PollEvery time.Duration
	// Logger hears what keeps the system from telling. Nil discards.
	Logger *slog.Logger

	// notify makes what tells of events; tests replace it.
	notify func() (notifier, error)
}

func (o Options) withDefaults() Options {
	if o.Quiet == 0 {
		o.Quiet = 100 * time.Millisecond
	}
	if o.Longest == 0 {
		o.Longest = time.Second
	}
	if o.PollEvery == 0 {
		o.PollEvery = 500 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.notify == nil {
		o.notify = newNotifier
	}
	return o
}

// pendingMax bounds the names of one report. With more of them all trees are reported.
const pendingMax = 16 << 10

// A Watcher reports changes below trees until it is closed. Its methods may be called from any
// goroutine.
type Watcher struct {
	opts Options

	mu    sync.Mutex
	trees []Tree        // guarded by mu: what is to be watched
	woken chan struct{} // holds one token when trees has changed
	done  chan struct{} // closed to end the loop
	once  sync.Once
	ended sync.WaitGroup
}

// New starts a watcher without trees.
func New(o Options) *Watcher {
	w := &Watcher{opts: o.withDefaults(), woken: make(chan struct{}, 1), done: make(chan struct{})}
	w.ended.Go(func() {
		l := newLoop(w)
		defer l.close()
		l.run()
	})
	return w
}

// Watch says which trees are watched from now on, in place of those before. New ones are reported
// once they are (W2).
func (w *Watcher) Watch(trees []Tree) {
	w.mu.Lock()
	w.trees = slices.Clone(trees)
	w.mu.Unlock()
	select {
	case w.woken <- struct{}{}:
	default: // the loop has yet to take the token of the call before
	}
}

// Close ends the watching and waits for a report under way.
func (w *Watcher) Close() {
	w.once.Do(func() { close(w.done) })
	w.ended.Wait()
}

func (w *Watcher) wanted() []Tree {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trees
}

// A loop is what the watcher's goroutine owns.
type loop struct {
	*Watcher
	trees   []Tree
	pending map[string]struct{} // to be reported
	every   bool                // all trees are to be reported
	first   time.Time           // of what is pending
	quiet   *time.Timer         // when to report

	told  *told // nil while it polls
	polls *poller
}

func newLoop(w *Watcher) *loop {
	l := &loop{Watcher: w, pending: make(map[string]struct{}), quiet: time.NewTimer(0)}
	l.quiet.Stop()
	if w.opts.Poll {
		l.poll()
		return l
	}
	n, err := w.opts.notify()
	if err != nil {
		l.refused(err)
		return l
	}
	l.told = newTold(n, l.note)
	return l
}

func (l *loop) close() {
	l.quiet.Stop()
	if l.told != nil {
		l.told.close()
	}
	if l.polls != nil {
		l.polls.next.Stop()
	}
}

func (l *loop) run() {
	for {
		var (
			events <-chan fsnotify.Event
			errs   <-chan error
			look   <-chan time.Time
		)
		if l.told != nil {
			events, errs = l.told.n.events(), l.told.n.errors()
		} else {
			look = l.polls.next.C
		}
		select {
		case <-l.done:
			return
		case <-l.woken:
			l.retree(l.wanted())
		case e, ok := <-events:
			if ok {
				l.check(l.told.event(e))
			}
		case err, ok := <-errs:
			if ok {
				l.lost(err)
			}
		case <-look:
			l.polls.look(l.trees)
		case <-l.quiet.C:
			l.report()
		}
	}
}

// retree watches other trees.
func (l *loop) retree(trees []Tree) {
	old := l.trees
	l.trees = trees
	if l.told != nil {
		l.check(l.told.retree(trees))
	} else {
		l.polls.look(trees)
	}
	for _, t := range trees {
		if !slices.ContainsFunc(old, func(o Tree) bool { return o.Dir == t.Dir && slices.Equal(o.Globs, t.Globs) }) {
			l.note(t.Dir) // W2
		}
	}
}

// lost is told that the system has dropped events, or something as bad.
func (l *loop) lost(err error) {
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		l.opts.Logger.Warn("watch: the system's notice failed", "err", err)
	}
	l.check(l.told.retree(l.trees))
	l.all()
}

// check goes on by polling if the system has refused to watch a directory.
func (l *loop) check(err error) {
	if err == nil {
		return
	}
	l.told.close()
	l.told = nil
	l.refused(err)
	l.polls.look(l.trees)
	l.all()
}

func (l *loop) refused(err error) {
	l.opts.Logger.Warn("watch: the system does not tell of changes, files are looked at instead", "every", l.opts.PollEvery, "err", err)
	l.poll()
}

func (l *loop) poll() { l.polls = newPoller(l.opts.PollEvery, l.note) }

// note has a path reported.
func (l *loop) note(path string) {
	if len(l.pending) == 0 && !l.every {
		l.first = time.Now()
	}
	if !l.every {
		if l.pending[path] = struct{}{}; len(l.pending) > pendingMax {
			l.pending, l.every = make(map[string]struct{}), true
		}
	}
	l.quiet.Reset(max(0, min(l.opts.Quiet, l.opts.Longest-time.Since(l.first)))) // W4
}

// all has all trees reported.
func (l *loop) all() {
	for _, t := range l.trees {
		l.note(t.Dir)
	}
	l.every = len(l.trees) > 0
}

func (l *loop) report() {
	paths := slices.Sorted(maps.Keys(l.pending))
	if l.every {
		paths = nil
		for _, t := range l.trees {
			paths = append(paths, t.Dir)
		}
		slices.Sort(paths)
		paths = slices.Compact(paths)
	}
	l.pending, l.every = make(map[string]struct{}), false
	if len(paths) > 0 {
		l.opts.Changed(paths)
	}
}

// skipped reports whether a directory is left out with all below it, unless a tree begins there:
// those of version control and of tools have names that begin with a dot, and change all the time.
func skipped(d fs.DirEntry) bool {
	return strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"
}

// matches reports whether a path is a file that one of trees asks for.
func matches(trees []Tree, path string) bool {
	return slices.ContainsFunc(trees, func(t Tree) bool { return t.matches(path) })
}
