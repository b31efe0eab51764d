package golang

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// Reads reports whether a build reads a file that need not be in the folder.
func (w *workspace) Reads(uri string) bool {
	path, ok := files.Path(uri)
	own := func(b viewedBuild) bool { return b.Covers(path) }
	return ok && (w.knows([]string{uri}) || slices.ContainsFunc(w.viewedBuilds(), own))
}

// watches lists what matters outside of the folder: the builds' own directories and those of
// modules nearby, and the module files that the go command would find above the folder.
func (w *workspace) watches() []partition.Watch {
	var dirs, single []string // single are those without what lies below them
	for _, b := range w.viewedBuilds() {
		if b.Levels == 0 {
			single = append(single, b.Own...)
			continue
		}
		dirs = append(append(append(dirs, b.Own...), b.Uses...), b.replaced...)
		for _, near := range b.near {
			if mod := disk.UpTo(near, "go.mod"); mod != "" {
				near = mod
			}
			dirs = append(dirs, near)
		}
	}
	slices.Sort(dirs)
	var deep []partition.Watch
	for _, dir := range slices.Compact(dirs) {
		above := slices.ContainsFunc(deep, func(o partition.Watch) bool { return files.Inside(o.Dir, dir) })
		if !files.Inside(w.root, dir) && !above {
			deep = append(deep, partition.Watch{Dir: dir, Globs: Language{}.WatchGlobs()})
		}
	}
	out := slices.Clip(deep)
	for _, dir := range single {
		above := slices.ContainsFunc(deep, func(o partition.Watch) bool { return files.Inside(o.Dir, dir) })
		if !files.Inside(w.root, dir) && !above {
			out = append(out, partition.Watch{Dir: dir, Globs: []string{"*.go", "go.mod", "go.sum", "go.work", "go.work.sum"}})
		}
	}
	for dir := filepath.Dir(w.root); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		out = append(out, partition.Watch{Dir: dir, Globs: []string{"go.mod", "go.work", "go.work.sum"}})
	}
	return out
}

// publishWatches makes known what matters outside of the folder.
func (w *workspace) publishWatches(ctx context.Context) error {
	list := w.watches()
	snap := w.eng.Snapshot()
	defer snap.Release()
	embedded, err := w.embedWatches(snap)
	if err != nil {
		return fmt.Errorf("golang: %s: %w", w.root, err)
	}
	list = append(list, embedded...)
	old, err := partition.Watches.Get(snap, w.root)
	if err != nil && !errors.Is(err, runtime.ErrNotFound) && !errors.Is(err, runtime.ErrDamaged) {
		return fmt.Errorf("golang: %s: %w", w.root, err)
	}
	same := slices.EqualFunc(old, list, func(a, b partition.Watch) bool { return a.Dir == b.Dir && slices.Equal(a.Globs, b.Globs) })
	if same {
		return nil
	}
	err = w.eng.Commit(ctx, func(c *runtime.Writer) error { return partition.Watches.Put(c, w.root, list) })
	if err != nil {
		return fmt.Errorf("golang: %s: %w", w.root, err)
	}
	return nil
}

// embedWatches asks to hear of what the known patterns can match.
func (w *workspace) embedWatches(snap *runtime.Snapshot) (out []partition.Watch, err error) {
	keys, err := knownEmbeds(snap, w.root)
	for _, key := range keys {
		at, ok := files.Path(key.Dir)
		if !ok {
			continue
		}
		glob := strings.TrimPrefix(key.Pattern, "all:")
		if _, err := path.Match(glob, ""); err != nil || !fs.ValidPath(glob) || strings.ContainsAny(glob, "{}") {
			continue // what a client may take for something else
		}
		at = filepath.Clean(at)
		if n := len(out); n == 0 || out[n-1].Dir != at {
			out = append(out, partition.Watch{Dir: at})
		}
		last := &out[len(out)-1]
		last.Globs = append(last.Globs, glob, glob+"/**")
	}
	return out, err
}
