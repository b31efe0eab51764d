package server

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/watch"
)

// A root is an open workspace with what the host does for it in the background.
type root struct {
	host   *Host
	ws     lsp.Workspace
	prefix string // URI of the workspace's root, with a slash
	given  string // the same as the first client named it; differs if there are links in it
	users  int    // guarded by host.mu
	index  indexer
	ready  atomic.Bool // an index has succeeded: the workspace's inputs are complete

	end     context.Context // ends with the root
	endWith context.CancelFunc
	tasks   sync.WaitGroup

	configuring sync.Mutex // held while the workspace is given its settings; taken before Host.mu
	settings    []byte     // guarded by configuring: what it was given last; nil: nothing

	mu      sync.Mutex
	changed map[string]struct{} // guarded by mu: files to be looked at, changedMax at most
	rescan  bool                // guarded by mu: everything is to be looked at, instead of changed
	reports uint64              // guarded by mu: calls of filesChanged
	looked  chan struct{}       // guarded by mu: closed when all of them have been; nil while none is looked at
	closing bool                // guarded by mu
	disk    *watch.Watcher      // guarded by mu; see watchDisk
}

func newRoot(h *Host, dir string, ws lsp.Workspace) *root {
	r := &root{host: h, ws: ws, prefix: dirURI(ws.Root()), given: dirURI(dir), changed: make(map[string]struct{})}
	r.end, r.endWith = context.WithCancel(context.Background())
	r.index.init(r)
	return r
}

// begin runs fn on a goroutine that close waits for; it reports false if the root closes.
func (r *root) begin(fn func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing {
		return false
	}
	r.tasks.Go(fn)
	return true
}

// A reader is what a workspace may be besides a lsp.Workspace: it says which files outside of
// its root it reads.
type reader interface{ Reads(uri string) bool }

func (r *root) reads(name string) bool {
	ws, ok := r.ws.(reader)
	return ok && ws.Reads(name)
}

// An includer is what a workspace may be besides a lsp.Workspace: it leaves some directories
// in its root out unless they are folders themselves.
type includer interface {
	Include(dir string)
	Exclude(dir string)
}

// include tells the workspace of a folder in the root, or that it has been closed.
func (r *root) include(f *folder, open bool) {
	ws, ok := r.ws.(includer)
	if !ok || f.within == r.prefix {
		return
	}
	dir := uri.URI(strings.TrimSuffix(f.within, "/")).FsPath()
	if open {
		ws.Include(dir)
	} else {
		ws.Exclude(dir)
	}
}

func (r *root) close() error {
	r.mu.Lock()
	r.closing = true
	disk := r.disk
	r.mu.Unlock()
	if disk != nil {
		disk.Close() // while a report may still take mu
	}
	r.endWith()
	err := r.ws.Close()
	r.tasks.Wait()
	return err
}

// changedMax is how many files are looked at by name. That more of them change at once, when a
// whole tree is replaced, is told as a change of the root, which costs what the workspace has in
// files and not what is said of it.
const changedMax = 16 << 10

// filesChanged has the workspace look at files again, one batch at a time: what comes while
// one is looked at makes the next. It does not wait.
func (r *root) filesChanged(uris []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports++
	for _, u := range uris {
		if r.rescan {
			break
		}
		if r.changed[u] = struct{}{}; len(r.changed) > changedMax {
			r.changed, r.rescan = make(map[string]struct{}), true
		}
	}
	if r.looked == nil && (r.rescan || len(r.changed) > 0) && !r.closing {
		r.looked = make(chan struct{})
		r.tasks.Go(r.look)
	}
}

func (r *root) look() {
	for {
		r.mu.Lock()
		batch := slices.Sorted(maps.Keys(r.changed))
		if r.rescan {
			batch = []string{string(uri.File(r.ws.Root()))}
		}
		r.changed, r.rescan = make(map[string]struct{}), false
		if len(batch) == 0 || r.closing {
			close(r.looked)
			r.looked = nil
			r.mu.Unlock()
			r.host.refreshDerived(r)
			return
		}
		r.mu.Unlock()
		if err := r.ws.FilesChanged(r.end, batch); err != nil && !r.host.storeFailed(err) && r.end.Err() == nil {
			r.host.o.Logger.Warn("server: looking at changed files", "root", r.ws.Root(), "files", len(batch), "first", batch[0], "err", err)
		}
	}
}
