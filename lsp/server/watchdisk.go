package server

import (
	"errors"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/lsp/watch"
	"github.com/cytisus/cytisus/runtime"
)

// watchDisk has the root find out by itself which of its files change, until it is closed: one of
// its clients does not report them.
func (r *root) watchDisk() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.disk == nil && !r.closing {
		r.disk = watch.New(watch.Options{Changed: r.changedOnDisk, Logger: r.host.o.Logger})
		r.watchTrees(r.disk)
	}
}

// rewatchDisk watches what matters to the root now, if it watches.
func (r *root) rewatchDisk() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.disk != nil && !r.closing {
		r.watchTrees(r.disk)
	}
}

func (r *root) watchTrees(disk *watch.Watcher) {
	trees := []watch.Tree{{Dir: r.ws.Root(), Globs: r.host.watchGlobs()}}
	snap := r.host.eng.Snapshot()
	defer snap.Release()
	elsewhere, err := partition.Watches.Get(snap, r.ws.Root())
	if err != nil && !errors.Is(err, runtime.ErrNotFound) {
		r.host.o.Logger.Warn("server: what is to be watched elsewhere", "root", r.ws.Root(), "err", err)
	}
	for _, w := range elsewhere {
		trees = append(trees, watch.Tree{Dir: w.Dir, Globs: w.Globs})
	}
	disk.Watch(trees)
}

func (r *root) changedOnDisk(paths []string) {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = string(uri.File(path))
	}
	r.filesChanged(names)
}
