package golang

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A buildUnit is one of the builds of a workspace. Its inputs are there once it is ready. One that
// is defined anew is another build of the same root.
type buildUnit struct {
	disk.Definition // immutable

	asked    bool            // guarded by workspace.mu: it is there for questions alone, see buildOf
	ready    uint64          // guarded by workspace.mu: the generation from which on inputs are complete; 0: not yet
	stale    bool            // guarded by workspace.mu: a file that decides what the build is has changed
	prepared *metadata.Build // guarded by workspace.mu: whose files were brought in last
	near     []string        // guarded by workspace.mu: see metadata.Nearby
	replaced []string        // guarded by workspace.mu: see metadata.Replaced
	nested   []string        // guarded by workspace.mu: see environment.Nested

	// problems are what the last scan could not take, by path: whether the go command must not see
	// it.
	problems map[string]bool // guarded by workspace.mu; replaced, never changed
}

// setting is an environment variable as the go command will see it.
func (w *workspace) setting(key string) string {
	for _, e := range slices.Backward(w.o.Env) {
		if v, ok := strings.CutPrefix(e, key+"="); ok {
			return v
		}
	}
	return os.Getenv(key)
}

// workFile is the go.work file that the go command finds in a directory; "" if it finds none.
func (w *workspace) workFile(dir string) string {
	switch s := w.setting("GOWORK"); {
	case s == "off":
		return ""
	case filepath.IsAbs(s):
		return filepath.Clean(s)
	}
	if at := disk.UpTo(dir, "go.work"); at != "" {
		return filepath.Join(at, "go.work")
	}
	return ""
}

// define finds the build that the files of a directory belong to.
func (w *workspace) define(dir string) disk.Definition {
	if d, ok := w.defineModule(dir); ok {
		return d
	}
	return w.definePlain(dir)
}

// defineModule is define for a directory that lies in a module, or below a go.work file; ok is
// false if it does not.
func (w *workspace) defineModule(dir string) (d disk.Definition, ok bool) {
	if w.setting("GO111MODULE") == "off" {
		return disk.Definition{Root: w.root, Dir: w.root, Own: []string{w.root}, Levels: disk.AllLevels}, true
	}
	mod, work := disk.UpTo(dir, "go.mod"), w.workFile(dir)
	switch {
	case work != "":
		at := filepath.Dir(work)
		d, ok := disk.WorkDefinition(work)
		if !ok && mod != "" {
			d.Own = []string{mod}
		}
		if mod == "" || slices.ContainsFunc(d.Own, func(use string) bool { return use == mod || disk.SameDir(use, mod) }) {
			return d, true
		}
		root := mod
		if mod == at {
			root = filepath.Join(mod, "go.mod") // the directory names the build of the go.work file
		}
		return disk.Definition{Root: root, Dir: mod, Off: true, Own: []string{mod}, Levels: disk.AllLevels}, true
	case mod != "":
		return disk.Definition{Root: mod, Dir: mod, Own: []string{mod}, Levels: disk.AllLevels}, true
	}
	return d, false
}

// currentBuilds lists the builds that there are.
func (w *workspace) currentBuilds() []*buildUnit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.builds)
}

// workspaceBuilds lists those that are there for more than questions.
func (w *workspace) workspaceBuilds() []*buildUnit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.builds), func(b *buildUnit) bool { return b.asked })
}

// addBuild returns the build of a definition, which is made if there is none.
func (w *workspace) addBuild(d disk.Definition) *buildUnit {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.builds {
		if b.Root == d.Root {
			return b
		}
	}
	b := &buildUnit{Definition: d, asked: w.defined}
	w.builds = append(w.builds, b)
	slices.SortFunc(w.builds, func(a, b *buildUnit) int { return cmp.Compare(a.Root, b.Root) })
	return b
}

// buildOf finds the build that answers for a file. For one outside of the folder that is a build
// that reads it, if there is such. A question about a file of a module that is none of the
// workspace's makes a build for that: it answers, until it is found out anew which builds there
// are, and what is wrong with its files is told to those who ask.
func (w *workspace) buildOf(path string) *buildUnit {
	dir := filepath.Dir(path)
	w.mu.Lock()
	b, seen := w.byDir[dir], w.changes
	if b == nil && !files.Inside(w.root, path) {
		b = w.readerOf(path)
	}
	w.mu.Unlock()
	if b != nil {
		return b
	}
	b = w.addBuild(w.define(dir))
	w.mu.Lock()
	defer w.mu.Unlock()
	if seen == w.changes && slices.Contains(w.builds, b) {
		if w.byDir == nil {
			w.byDir = map[string]*buildUnit{}
		}
		w.byDir[dir] = b
	}
	return b
}

// readerOf finds a build that reads a file which is not in the folder: one that compiles it, or
// that reads its directory. What belongs to the Go tree or to the module cache is everybody's, and
// no reason for a build of its own. mu is held.
func (w *workspace) readerOf(path string) *buildUnit {
	uri := files.URI(path)
	var any *buildUnit
	for _, b := range w.builds {
		if b.prepared == nil {
			continue
		}
		if owners := b.prepared.Owners(uri); len(owners) > 0 && (any == nil || owners[0].Workspace) {
			any = b
		}
	}
	for _, b := range w.builds {
		if any == nil && b.prepared != nil && (slices.Contains(b.near, filepath.Dir(path)) || b.prepared.IsForeign(path)) {
			any = b
		}
	}
	return any
}

// redefine finds out which builds there are: after files have changed that decide it. Those that
// are new are not ready.
func (w *workspace) redefine() {
	w.mu.Lock()
	w.undefined = false // what changes from now on has it done again
	w.mu.Unlock()
	base, module := w.defineModule(w.root)
	var modules []string
	if !module {
		modules = w.lookBelow().Modules
		base = w.definePlain(w.root)
	}
	want := map[string]disk.Definition{base.Root: base}
	add := func(dir string) {
		if d := w.define(dir); d.Root != "" {
			want[d.Root] = d
		}
	}
	if base.Off && files.Inside(w.root, w.workFile(w.root)) { // the folder is a module that its own go.work file does not use
		d, _ := disk.WorkDefinition(w.workFile(w.root))
		want[d.Root] = d
	}
	for _, dir := range modules {
		add(dir)
	}
	w.mu.Lock()
	w.plain = base.Plain
	clear(w.byDir)
	folders := slices.Collect(maps.Keys(w.folders))
	var opened, elsewhere []string
	for uri := range w.opened {
		if path, ok := files.Path(uri); !ok {
			continue
		} else if files.Inside(w.root, path) {
			opened = append(opened, path)
		} else {
			elsewhere = append(elsewhere, path)
		}
	}
	w.mu.Unlock()
	for _, dir := range folders {
		add(dir)
	}
	for _, path := range opened {
		add(filepath.Dir(path))
	}
	others := map[string]disk.Definition{} // kept if they are there
	for _, path := range elsewhere {
		d := w.define(filepath.Dir(path))
		others[d.Root] = d
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.builds[:0:0]
	for _, b := range w.builds {
		d, ok := want[b.Root]
		if !ok {
			if d, ok = others[b.Root]; !ok {
				continue
			}
		}
		if delete(want, b.Root); !d.Equal(&b.Definition) {
			b = &buildUnit{Definition: d, ready: b.ready, stale: true, prepared: b.prepared, near: b.near, replaced: b.replaced, nested: b.nested, problems: b.problems}
		}
		b.asked = false
		kept = append(kept, b)
	}
	for _, d := range want {
		kept = append(kept, &buildUnit{Definition: d})
	}
	slices.SortFunc(kept, func(a, b *buildUnit) int { return cmp.Compare(a.Root, b.Root) })
	w.builds, w.defined = kept, true
}

// admit has a build be one of the workspace: a file of it is open.
func (w *workspace) admit(b *buildUnit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b.asked = false
}

// markStale has builds looked at anew for which files that decide what a build is have changed:
// module files, or directories that may hold or have held some. The root is that of all builds. It
// reports whether there are any.
func (w *workspace) markStale(uris []string) (marked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, uri := range uris {
		path, ok := files.Path(uri)
		if !ok {
			continue
		}
		if syntax.IsGoFile(uri) {
			marked = w.markOdd(path) || marked
			continue
		}
		decides := disk.DecidesBuild(files.BaseName(uri))
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			decides = true
		}
		for _, b := range w.builds {
			if decides && (path == w.root || b.reads(path)) || slices.ContainsFunc(b.nested, func(dir string) bool { return files.Inside(path, dir) }) {
				decides, b.stale = true, true
			}
		}
		if decides {
			clear(w.byDir)
			w.undefined, marked = true, true
			w.changes++
		}
	}
	return marked
}

// markOdd has builds scanned anew if a file of theirs has become one that cannot be read, or is
// none any more: the go command is told by the scan what it must not open. w.mu is held.
func (w *workspace) markOdd(path string) (marked bool) {
	looked, problem, hide := false, false, false
	for _, b := range w.builds {
		if b.Owner(path) == "" || !w.o.Tests && syntax.IsTestFile(path) {
			continue
		}
		if !looked {
			p, bad := disk.ProblemAt(path)
			looked, problem, hide = true, bad, p.Hide
		}
		if hid, was := b.problems[path]; was != problem || hid != hide {
			b.stale, marked = true, true
		}
	}
	return marked
}

// reads reports whether a file lies where it may matter to the build.
func (b *buildUnit) reads(path string) bool {
	dir := filepath.Dir(path)
	if files.Inside(dir, b.Dir) { // at or above
		return true
	}
	above := func(own string) bool { return files.Inside(dir, own) }
	return b.Covers(path) || files.Innermost(b.Uses, path) != "" || files.Innermost(b.replaced, path) != "" ||
		slices.ContainsFunc(b.Own, above) || slices.ContainsFunc(b.Uses, above) ||
		slices.ContainsFunc(b.replaced, above) || slices.ContainsFunc(b.near, above)
}

// lookBelow finds out what lies below the folder.
func (w *workspace) lookBelow() disk.Below {
	below := w.limits.Look(w.root)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.below = &below
	return below
}

// definePlain finds the build of a directory that lies in no module. That is the folder's, as far
// as the folder is read; a directory elsewhere is a build without those below it, which no
// question is about.
func (w *workspace) definePlain(dir string) disk.Definition {
	if files.Inside(w.root, dir) {
		w.mu.Lock()
		below := w.below
		w.mu.Unlock()
		if below == nil {
			now := w.lookBelow()
			below = &now
		}
		if disk.Reaches(w.root, below.Levels, dir) {
			return disk.Definition{Root: w.root, Dir: w.root, Plain: true, Own: []string{w.root}, Levels: below.Levels}
		}
	}
	return disk.Definition{Root: dir, Dir: dir, Plain: true, Own: []string{dir}}
}
