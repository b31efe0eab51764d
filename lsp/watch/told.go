package watch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// A notifier tells of changes in single directories: fsnotify, or a test.
type notifier interface {
	add(dir string) error
	remove(dir string)
	events() <-chan fsnotify.Event
	errors() <-chan error
	close()
}

type system struct{ w *fsnotify.Watcher }

func newNotifier() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	return system{w}, err
}

func (s system) add(dir string) error          { return s.w.Add(dir) }
func (s system) remove(dir string)             { _ = s.w.Remove(dir) } // it may have gone by itself
func (s system) events() <-chan fsnotify.Event { return s.w.Events }
func (s system) errors() <-chan error          { return s.w.Errors }
func (s system) close()                        { _ = s.w.Close() }

// A told knows what changes from a notifier.
type told struct {
	n     notifier
	note  func(path string)
	trees []Tree
	dirs  map[string]struct{} // that are watched
	// waits are directories of trees that are not there, and the parent that is watched for each.
	waits map[string]string
}

func newTold(n notifier, note func(string)) *told {
	return &told{n: n, note: note, dirs: make(map[string]struct{}), waits: make(map[string]string)}
}

func (t *told) close() { t.n.close() }

// retree watches all directories of trees, and no others. An error says that the system refuses.
func (t *told) retree(trees []Tree) error {
	before := t.dirs
	t.trees, t.dirs, t.waits = trees, make(map[string]struct{}, len(before)), make(map[string]string)
	for i := range trees {
		if err := t.plant(&trees[i], trees[i].Dir, nil); err != nil {
			return err
		}
	}
	for dir := range before {
		if _, still := t.dirs[dir]; !still {
			t.n.remove(dir)
		}
	}
	return nil
}

// plant watches a directory of a tree and, in a deep tree, all below it. found hears of what is in
// them; nil where the listener looks anyway.
func (t *told) plant(tree *Tree, dir string, found func(path string)) error {
	walk := func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // gone, or not ours to read: what cannot be listed has no files
		case !d.IsDir():
			if found != nil {
				found(path)
			}
			return nil
		case path != dir && (!tree.deep() || skipped(d)):
			return fs.SkipDir
		}
		// WalkDir lists a directory after this: W1.
		return t.add(path)
	}
	info, err := os.Stat(dir) // a root may be a link
	if err != nil || !info.IsDir() {
		if dir == tree.Dir {
			return t.wait(tree, found)
		}
		return nil // it has gone again
	}
	if info, err := os.Lstat(dir); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return t.plantLinked(tree, dir, found)
	}
	return filepath.WalkDir(dir, walk)
}

// plantLinked is plant for a root that is a link to a directory: WalkDir does not follow one. Its
// entries are walked each by itself, under the name of the link.
func (t *told) plantLinked(tree *Tree, dir string, found func(path string)) error {
	if err := t.add(dir); err != nil {
		return err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil // as in plant
	}
	for _, d := range list {
		path := filepath.Join(dir, d.Name())
		switch {
		case d.IsDir() && tree.deep() && !skipped(d):
			if err := t.plant(tree, path, found); err != nil {
				return err
			}
		case !d.IsDir() && found != nil:
			found(path)
		}
	}
	return nil
}

// add watches a directory. The system is asked also where dirs says that it is watched: another
// directory may have come in its place, with the event of that still to be read.
func (t *told) add(dir string) error {
	err := t.n.add(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOTDIR):
		delete(t.dirs, dir)
		return nil // it has gone, or its files are not ours to read
	case err != nil:
		return err
	}
	t.dirs[dir] = struct{}{}
	return nil
}

// wait watches the nearest parent of a tree that is not there. What was made between the look and
// the watch is told by no event, so wait looks again after it (W1). It ends when nothing has come
// or gone meanwhile.
func (t *told) wait(tree *Tree, found func(path string)) error {
	delete(t.waits, tree.Dir)
	for {
		if isDir(tree.Dir) {
			t.note(tree.Dir)
			return t.plant(tree, tree.Dir, found)
		}
		parent := filepath.Dir(tree.Dir)
		for !isDir(parent) && parent != filepath.Dir(parent) {
			parent = filepath.Dir(parent)
		}
		if err := t.add(parent); err != nil {
			return err
		}
		_, watched := t.dirs[parent]
		switch missing, here := firstBelow(parent, tree.Dir), isDir(parent); {
		case watched && !isDir(missing):
			t.waits[tree.Dir] = parent
			return nil
		case !watched && (here || parent == filepath.Dir(parent)):
			return nil // not ours to read, or a drive that is not there
		}
	}
}

// firstBelow returns the directory on the way from parent to dir that lies in parent.
func firstBelow(parent, dir string) string {
	for up := filepath.Dir(dir); up != parent && up != dir; up = filepath.Dir(dir) {
		dir = up
	}
	return dir
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// event sees to one event. An error says that the system refuses to go on.
func (t *told) event(e fsnotify.Event) error {
	path := filepath.Clean(e.Name)
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		if err := t.gone(path); err != nil {
			return err
		}
	}
	if err := t.appeared(path, e); err != nil {
		return err
	}
	if matches(t.trees, path) {
		t.note(path)
	}
	return nil
}

// gone forgets a directory that is not under its name any more, and reports it.
func (t *told) gone(path string) error {
	_, watched := t.dirs[path]
	if !watched && !slices.ContainsFunc(t.trees, func(tree Tree) bool {
		_, below := under(path, tree.Dir)
		return below
	}) {
		return nil
	}
	for dir := range t.dirs {
		if _, below := under(path, dir); below {
			delete(t.dirs, dir)
			// A directory that was renamed is still watched, and would tell under its old name.
			t.n.remove(dir)
		}
	}
	t.note(path)
	for i := range t.trees { // a root that goes may come back
		if _, below := under(path, t.trees[i].Dir); below {
			if err := t.wait(&t.trees[i], t.found); err != nil {
				return err
			}
		}
	}
	return nil
}

// appeared watches a directory that has come, and reports what is in it.
func (t *told) appeared(path string, e fsnotify.Event) error {
	if !e.Has(fsnotify.Create) {
		return nil
	}
	var came []*Tree
	for i := range t.trees {
		dir := t.trees[i].Dir
		if parent := filepath.Dir(path); t.waits[dir] == parent && firstBelow(parent, dir) == path {
			came = append(came, &t.trees[i])
		}
	}
	for _, tree := range came {
		if err := t.wait(tree, t.found); err != nil {
			return err
		}
	}
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || skipped(fs.FileInfoToDirEntry(info)) {
		return nil
	}
	for i := range t.trees {
		tree := &t.trees[i]
		if _, below := under(tree.Dir, path); !below || !tree.deep() || t.hidden(tree, path) {
			continue
		}
		t.note(path)
		if err := t.plant(tree, path, t.found); err != nil {
			return err
		}
	}
	return nil
}

func (t *told) found(path string) {
	if matches(t.trees, path) {
		t.note(path)
	}
}

// hidden reports whether a path lies in a directory that the tree leaves out. No watch of the tree
// is there; the event came by another's.
func (t *told) hidden(tree *Tree, path string) bool {
	for dir := filepath.Dir(path); dir != tree.Dir && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, watched := t.dirs[dir]; !watched {
			return true
		}
	}
	return false
}
