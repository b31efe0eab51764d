package golang

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// A buildDef says what one question to the go command is about: the packages of one module, those
// of all the modules that a go.work file uses, or what lies outside of modules.
type buildDef struct {
	root  string   // names the build; nearly always the same as dir
	dir   string   // where the go command runs
	work  string   // the go.work file in force; "" none
	off   bool     // there is a go.work file, which does not use the module
	plain bool     // outside of modules
	own   []string // directories whose packages are the build's own, those of its modules; sorted
	uses  []string // directories that the go.work file names, whether they are modules or not; sorted

	levels int // how many levels of directories below each of own are the build's; allLevels but outside of modules
}

// allLevels says that a build has everything below its directories.
const allLevels = -1

func (d *buildDef) equal(e *buildDef) bool {
	return d.root == e.root && d.dir == e.dir && d.work == e.work && d.off == e.off && d.plain == e.plain && d.levels == e.levels &&
		slices.Equal(d.own, e.own) && slices.Equal(d.uses, e.uses)
}

// A buildUnit is one of the builds of a workspace. Its inputs are there once it is ready. One that
// is defined anew is another build of the same root.
type buildUnit struct {
	buildDef // immutable

	ready    uint64    // guarded by workspace.mu: the generation from which on inputs are complete; 0: not yet
	stale    bool      // guarded by workspace.mu: a file that decides what the build is has changed
	prepared *metadata // guarded by workspace.mu: whose files were brought in last
	near     []string  // guarded by workspace.mu: see metadata.Nearby
	replaced []string  // guarded by workspace.mu: see metadata.Replaced
	nested   []string  // guarded by workspace.mu: see environment.Nested

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

// upTo is the nearest directory at or above another that holds a regular file of a name; "" if
// there is none.
func upTo(dir, name string) string {
	for {
		if isRegular(filepath.Join(dir, name)) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// workFile is the go.work file that the go command finds in a directory; "" if it finds none.
func (w *workspace) workFile(dir string) string {
	switch s := w.setting("GOWORK"); {
	case s == "off":
		return ""
	case filepath.IsAbs(s):
		return filepath.Clean(s)
	}
	if at := upTo(dir, "go.work"); at != "" {
		return filepath.Join(at, "go.work")
	}
	return ""
}

// define finds the build that the files of a directory belong to.
func (w *workspace) define(dir string) buildDef {
	if d, ok := w.defineModule(dir); ok {
		return d
	}
	return w.definePlain(dir)
}

// defineModule is define for a directory that lies in a module, or below a go.work file; ok is
// false if it does not.
func (w *workspace) defineModule(dir string) (d buildDef, ok bool) {
	if w.setting("GO111MODULE") == "off" {
		return buildDef{root: w.root, dir: w.root, own: []string{w.root}, levels: allLevels}, true
	}
	mod, work := upTo(dir, "go.mod"), w.workFile(dir)
	switch {
	case work != "":
		at := filepath.Dir(work)
		d, ok := workBuild(work)
		if !ok && mod != "" {
			d.own = []string{mod}
		}
		if mod == "" || slices.ContainsFunc(d.own, func(use string) bool { return use == mod || sameDir(use, mod) }) {
			return d, true
		}
		root := mod
		if mod == at {
			root = filepath.Join(mod, "go.mod") // the directory names the build of the go.work file
		}
		return buildDef{root: root, dir: mod, off: true, own: []string{mod}, levels: allLevels}, true
	case mod != "":
		return buildDef{root: mod, dir: mod, own: []string{mod}, levels: allLevels}, true
	}
	return d, false
}

// workBuild is the build of a go.work file; ok is false if it cannot be read.
func workBuild(work string) (d buildDef, ok bool) {
	at := filepath.Dir(work)
	d = buildDef{root: at, dir: at, work: work, levels: allLevels}
	text, err := readInput(work)
	if err != nil {
		return d, false
	}
	f, err := modfile.ParseWork(work, text, nil)
	if err != nil {
		return d, false
	}
	for _, use := range f.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(at, dir)
		}
		d.uses = append(d.uses, filepath.Clean(dir))
	}
	slices.Sort(d.uses)
	d.uses = slices.Compact(d.uses)
	d.own = slices.DeleteFunc(slices.Clone(d.uses), func(dir string) bool { return !isRegular(filepath.Join(dir, "go.mod")) })
	return d, true
}

// currentBuilds lists the builds that there are.
func (w *workspace) currentBuilds() []*buildUnit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.builds)
}

// addBuild returns the build of a definition, which is made if there is none.
func (w *workspace) addBuild(d buildDef) *buildUnit {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.builds {
		if b.root == d.root {
			return b
		}
	}
	b := &buildUnit{buildDef: d}
	w.builds = append(w.builds, b)
	slices.SortFunc(w.builds, func(a, b *buildUnit) int { return cmp.Compare(a.root, b.root) })
	return b
}

// buildOf finds the build that answers for a file. For one outside of the folder that is a build
// that reads it, if there is such.
func (w *workspace) buildOf(path string) *buildUnit {
	dir := filepath.Dir(path)
	w.mu.Lock()
	b, seen := w.byDir[dir], w.changes
	if b == nil && !inside(w.root, path) {
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
	uri := fileURI(path)
	var any *buildUnit
	for _, b := range w.builds {
		if b.prepared == nil {
			continue
		}
		if owners := b.prepared.owners(uri); len(owners) > 0 && (any == nil || owners[0].Workspace) {
			any = b
		}
	}
	for _, b := range w.builds {
		if any == nil && b.prepared != nil && (slices.Contains(b.near, filepath.Dir(path)) || b.prepared.foreign(path)) {
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
		modules = w.lookBelow().modules
		base = w.definePlain(w.root)
	}
	want := map[string]buildDef{base.root: base}
	add := func(dir string) {
		if d := w.define(dir); d.root != "" {
			want[d.root] = d
		}
	}
	if base.off && inside(w.root, w.workFile(w.root)) { // the folder is a module that its own go.work file does not use
		d, _ := workBuild(w.workFile(w.root))
		want[d.root] = d
	}
	for _, dir := range modules {
		add(dir)
	}
	w.mu.Lock()
	w.plain = base.plain
	clear(w.byDir)
	folders := slices.Collect(maps.Keys(w.folders))
	var opened, elsewhere []string
	for uri := range w.opened {
		if path, ok := filePath(uri); !ok {
			continue
		} else if inside(w.root, path) {
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
	others := map[string]buildDef{} // kept if they are there
	for _, path := range elsewhere {
		d := w.define(filepath.Dir(path))
		others[d.root] = d
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.builds[:0:0]
	for _, b := range w.builds {
		d, ok := want[b.root]
		if !ok {
			if d, ok = others[b.root]; !ok {
				continue
			}
		}
		if delete(want, b.root); !d.equal(&b.buildDef) {
			b = &buildUnit{buildDef: d, ready: b.ready, stale: true, prepared: b.prepared, near: b.near, replaced: b.replaced, nested: b.nested, problems: b.problems}
		}
		kept = append(kept, b)
	}
	for _, d := range want {
		kept = append(kept, &buildUnit{buildDef: d})
	}
	slices.SortFunc(kept, func(a, b *buildUnit) int { return cmp.Compare(a.root, b.root) })
	w.builds = kept
}

// markStale has builds looked at anew for which files that decide what a build is have changed:
// module files, or directories that may hold or have held some. The root is that of all builds. It
// reports whether there are any.
func (w *workspace) markStale(uris []string) (marked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, uri := range uris {
		path, ok := filePath(uri)
		if !ok {
			continue
		}
		if isGoFile(uri) {
			marked = w.markOdd(path) || marked
			continue
		}
		decides := decidesBuild(baseName(uri))
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			decides = true
		}
		for _, b := range w.builds {
			if decides && (path == w.root || b.reads(path)) || slices.ContainsFunc(b.nested, func(dir string) bool { return inside(path, dir) }) {
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
		if b.owner(path) == "" || !w.o.Tests && isTestFile(path) {
			continue
		}
		if !looked {
			p, bad := problemAt(path)
			looked, problem, hide = true, bad, p.Hide
		}
		if hid, was := b.problems[path]; was != problem || hid != hide {
			b.stale, marked = true, true
		}
	}
	return marked
}

// decidesBuild reports whether a file of this name decides what a build is.
func decidesBuild(name string) bool {
	switch name {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt":
		return true
	}
	return false
}

// reads reports whether a file lies where it may matter to the build.
func (b *buildUnit) reads(path string) bool {
	dir := filepath.Dir(path)
	if inside(dir, b.dir) { // at or above
		return true
	}
	above := func(own string) bool { return inside(dir, own) }
	return b.covers(path) || longestAbove(b.uses, path) != "" || longestAbove(b.replaced, path) != "" ||
		slices.ContainsFunc(b.own, above) || slices.ContainsFunc(b.uses, above) ||
		slices.ContainsFunc(b.replaced, above) || slices.ContainsFunc(b.near, above)
}

// covers reports whether a file lies in one of the build's own directories, no deeper than the
// build goes.
func (d *buildDef) covers(path string) bool {
	return slices.ContainsFunc(d.own, func(own string) bool { return reaches(own, d.levels, filepath.Dir(path)) })
}

// reaches reports whether a directory lies at most some levels below another, or is the same.
func reaches(own string, levels int, dir string) bool {
	depth, ok := depthBelow(own, dir)
	return ok && (levels == allLevels || depth <= levels)
}

// depthBelow is how many levels a directory lies below another; ok is false if it does not.
func depthBelow(own, dir string) (depth int, ok bool) {
	rel, err := filepath.Rel(own, dir)
	switch {
	case err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)):
		return 0, false
	case rel == ".":
		return 0, true
	}
	return 1 + strings.Count(rel, string(filepath.Separator)), true
}

// owner is the directory of the build's own that a file belongs to, as the go command walks them;
// "" if it belongs to none.
func (d *buildDef) owner(path string) string {
	for _, own := range slices.Backward(d.own) { // what lies inside comes later
		if owns(own, d.levels, path) {
			return own
		}
	}
	return ""
}

// owns reports whether a scan of some levels of a directory finds a file.
func owns(root string, levels int, path string) bool {
	if !isInput(filepath.Base(path)) || !reaches(root, levels, filepath.Dir(path)) {
		return false
	}
	rel, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return false
	}
	dir := root
	for part := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
		if part == "." {
			continue
		}
		dir = filepath.Join(dir, part)
		if skipDir(part) || isRegular(filepath.Join(dir, "go.mod")) {
			return false
		}
	}
	return true
}
