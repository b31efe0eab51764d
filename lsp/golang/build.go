package golang

import (
	"cmp"
	"context"
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
}

func (d *buildDef) equal(e *buildDef) bool {
	return d.root == e.root && d.dir == e.dir && d.work == e.work && d.off == e.off && d.plain == e.plain && slices.Equal(d.own, e.own) && slices.Equal(d.uses, e.uses)
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

	// problems are what the last scan could not take, by path: whether the go command must not see it.
	problems map[string]bool // guarded by workspace.mu; replaced, never changed
}

// modulesMax bounds how many modules below a folder that is in none of them are read before a file
// of theirs is opened.
const modulesMax = 64

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

// define finds the build that the files of a directory belong to. The root of a build outside of
// modules is plain.
func (w *workspace) define(dir, plain string) buildDef {
	if w.setting("GO111MODULE") == "off" {
		return buildDef{root: w.root, dir: w.root, own: []string{w.root}}
	}
	mod, work := upTo(dir, "go.mod"), w.workFile(dir)
	if work != "" {
		at := filepath.Dir(work)
		d, ok := workBuild(work)
		if !ok && mod != "" {
			d.own = []string{mod}
		}
		if mod == "" || slices.ContainsFunc(d.own, func(use string) bool { return use == mod || sameDir(use, mod) }) {
			return d
		}
		root := mod
		if mod == at {
			root = filepath.Join(mod, "go.mod") // the directory names the build of the go.work file
		}
		return buildDef{root: root, dir: mod, off: true, own: []string{mod}}
	}
	if mod != "" {
		return buildDef{root: mod, dir: mod, own: []string{mod}}
	}
	return buildDef{root: plain, dir: plain, plain: true, own: []string{plain}}
}

// workBuild is the build of a go.work file; ok is false if it cannot be read.
func workBuild(work string) (d buildDef, ok bool) {
	at := filepath.Dir(work)
	d = buildDef{root: at, dir: at, work: work}
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

// modulesBelow lists directories below a folder that hold a go.mod file, the nearest first, as many
// as are read unasked.
func modulesBelow(ctx context.Context, folder string) ([]string, error) {
	level, found := []string{folder}, []string(nil)
	for len(level) > 0 && len(found) < modulesMax {
		var next []string
		for _, dir := range level {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				continue // the scan tells
			}
			for _, e := range entries {
				if !e.IsDir() || skipDir(e.Name()) {
					continue
				}
				sub := filepath.Join(dir, e.Name())
				if isRegular(filepath.Join(sub, "go.mod")) {
					found = append(found, sub)
				} else {
					next = append(next, sub)
				}
			}
		}
		level = next
	}
	return found[:min(len(found), modulesMax)], nil
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
	plain := dir
	if inside(w.root, path) {
		plain = w.root
	}
	b = w.addBuild(w.define(dir, plain))
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
func (w *workspace) redefine(ctx context.Context) error {
	w.mu.Lock()
	w.undefined = false // what changes from now on has it done again
	w.mu.Unlock()
	base := w.define(w.root, w.root)
	want := map[string]buildDef{base.root: base}
	add := func(dir, plain string) {
		if d := w.define(dir, plain); d.root != "" {
			want[d.root] = d
		}
	}
	if base.off && inside(w.root, w.workFile(w.root)) { // the folder is a module that its own go.work file does not use
		d, _ := workBuild(w.workFile(w.root))
		want[d.root] = d
	}
	if base.plain {
		below, err := modulesBelow(ctx, w.root)
		if err != nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.undefined = true
			return err
		}
		for _, dir := range below {
			add(dir, w.root)
		}
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
		add(dir, w.root)
	}
	for _, path := range opened {
		add(filepath.Dir(path), w.root)
	}
	others := map[string]buildDef{} // kept if they are there
	for _, path := range elsewhere {
		d := w.define(filepath.Dir(path), filepath.Dir(path))
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
	return nil
}

// markStale has builds looked at anew for which files that decide what a build is have changed:
// module files, or directories that may hold or have held some.
func (w *workspace) markStale(uris []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, uri := range uris {
		path, ok := filePath(uri)
		if !ok {
			continue
		}
		if isGoFile(uri) {
			w.markOdd(path)
			continue
		}
		decides := decidesBuild(baseName(uri))
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			decides = true
		}
		for _, b := range w.builds {
			if decides && b.reads(path) || slices.ContainsFunc(b.nested, func(dir string) bool { return inside(path, dir) }) {
				decides, b.stale = true, true
			}
		}
		if decides {
			clear(w.byDir)
			w.undefined = true
			w.changes++
		}
	}
}

// markOdd has builds scanned anew if a file of theirs has become one that cannot be read, or is none
// any more: the go command is told by the scan what it must not open. w.mu is held.
func (w *workspace) markOdd(path string) {
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
			b.stale = true
		}
	}
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
	for _, list := range [][]string{b.own, b.uses, b.replaced} {
		for _, own := range list {
			if inside(own, path) || inside(dir, own) {
				return true
			}
		}
	}
	return slices.ContainsFunc(b.near, func(near string) bool { return inside(dir, near) })
}

// owner is the directory of the build's own that a file belongs to, as the go command walks them;
// "" if it belongs to none.
func (d *buildDef) owner(path string) string {
	for _, own := range slices.Backward(d.own) { // what lies inside comes later
		if !inside(own, path) {
			continue
		}
		if owns(own, path) {
			return own
		}
	}
	return ""
}

// owns reports whether a scan of a directory finds a file.
func owns(root, path string) bool {
	if !isInput(filepath.Base(path)) {
		return false
	}
	rel, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
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
