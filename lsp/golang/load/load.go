package load

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
)

// A Config is what a build depends on beside its files. Fields are named as the go command's
// variables where there is one.
type Config struct {
	GoRoot    string
	GoVersion string // of the toolchain, as "go1.26.8"
	GoOS      string
	GoArch    string
	Cgo       bool
	Tags      []string
	ToolTags  []string // nil: those of the toolchain that this program was built with
	ModCache  string
	GoMod     string // the go.mod file in force
	GoWork    string // the go.work file in force; "" for none
	Mod       string // the flag -mod; "" if it is not given
	Tests     bool

	// Overlay has the texts of files that differ from the disk, by path, to their imports at least;
	// nil is a file that does not exist.
	Overlay map[string][]byte
}

// A Package is what go list -json says of one, as far as it is asked of it.
type Package struct {
	ImportPath, Dir, Name, ForTest string
	Standard, DepOnly              bool
	GoFiles, CgoFiles              []string
	Imports                        []string
	ImportMap                      map[string]string
	Module                         *Module
}

// A Module is where a package comes from.
type Module struct {
	Path, Dir, GoVersion string
	Main                 bool
}

// ErrDoubt is the error for a build that the go command has to be asked about: something of it is
// missing, is made differently, or is wrong.
var ErrDoubt = errors.New("load: ask the go command")

func doubtf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDoubt, fmt.Sprintf(format, args...))
}

// Packages finds the packages in directories and below, and all that they import, as go list -deps
// lists them, in the order of their import paths. Extra are import paths that are asked about, too.
func Packages(ctx context.Context, c Config, below []string, extra []string) ([]Package, error) {
	return newLoader(ctx, c).packages(below, extra, true)
}

// Directory is Packages for what lies in one directory itself.
func Directory(ctx context.Context, c Config, dir string) ([]Package, error) {
	return newLoader(ctx, c).packages([]string{dir}, nil, false)
}

func (l *loader) packages(dirs, extra []string, below bool) ([]Package, error) {
	list, err := l.moduleList()
	if err != nil {
		return nil, doubtf("%v", err)
	}
	l.build = list
	var roots []*unit
	for _, dir := range dirs {
		found, err := l.enumerate(dir, below)
		if err != nil {
			return nil, err
		}
		roots = append(roots, found...)
	}
	for _, p := range extra {
		t, err := l.resolve(p, &unit{})
		if err != nil {
			return nil, err
		}
		u := l.unitAt(t)
		u.extra = true
		roots = append(roots, u)
	}
	for _, u := range roots {
		u.root = true
	}
	if err := l.follow(roots); err != nil {
		return nil, err
	}
	return l.list(roots)
}

// A unit is a package as it is compiled for others.
type unit struct {
	path     string
	dir      string
	module   *moduleInfo // nil: standard
	root     bool        // asked for
	extra    bool
	contents *directory

	// Imports are by path as written, of all files, without C and unsafe; nil until it was
	// followed.
	imports map[string]*unit
}

func (u *unit) standard() bool { return u.module == nil }

// A target is what an import path means.
type target struct {
	path   string
	dir    string
	module *moduleInfo
}

type loader struct {
	ctx     context.Context
	config  Config
	matcher *matcher
	build   *buildList

	dirs   sync.Map // directory -> *onceDirectory
	mu     sync.Mutex
	units  map[string]*unit // guarded by mu; by import path
	hidden map[string][]string
}

type onceDirectory struct {
	once sync.Once
	*directory
}

func newLoader(ctx context.Context, c Config) *loader {
	l := &loader{
		ctx: ctx, config: c, matcher: newMatcher(&c),
		units: map[string]*unit{}, hidden: map[string][]string{},
	}
	for name := range c.Overlay {
		dir := filepath.Dir(name)
		l.hidden[dir] = append(l.hidden[dir], filepath.Base(name))
	}
	return l
}

// text reads a file as the overlay has it.
func (l *loader) text(name string) ([]byte, error) {
	if text, ok := l.config.Overlay[name]; ok {
		if text == nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return text, nil
	}
	return files.Read(name, lsp.MaxFileBytes)
}

// overlaid are the names of Go files in a directory as the overlay has them, sorted.
func (l *loader) overlaid(dir string, names []string) []string {
	for _, name := range l.hidden[dir] {
		text := l.config.Overlay[filepath.Join(dir, name)]
		if text == nil {
			names = slices.DeleteFunc(names, func(n string) bool { return n == name })
		} else if isGoName(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// header reads the head of a file.
func (l *loader) header(name string) (header, error) {
	text, err := l.text(name)
	if err != nil {
		return header{}, err
	}
	h := readHeader(text)
	h.constraints = slices.Clone(h.constraints) // the text need not stay
	return h, nil
}

// at is what a directory has.
func (l *loader) at(dir string) *directory {
	v, ok := l.dirs.Load(dir)
	if !ok {
		v, _ = l.dirs.LoadOrStore(dir, new(onceDirectory))
	}
	d := v.(*onceDirectory)
	d.once.Do(func() { d.directory = l.directory(dir) })
	return d.directory
}

// unitAt is the package that a target means.
func (l *loader) unitAt(t target) *unit {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.units[t.path]
	if u == nil {
		u = &unit{path: t.path, dir: t.dir, module: t.module}
		l.units[t.path] = u
	}
	return u
}

// resolve finds what an import path means in a package.
func (l *loader) resolve(p string, from *unit) (target, error) {
	src := filepath.Join(l.config.GoRoot, "src")
	if from.dir != "" && from.standard() {
		vendor := "vendor/" + p
		if from.path == "cmd" || strings.HasPrefix(from.path, "cmd/") {
			vendor = "cmd/vendor/" + p
		}
		if dir := filepath.Join(src, filepath.FromSlash(vendor)); l.at(dir).anyGo {
			return target{vendor, dir, nil}, nil
		}
	}
	first, _, _ := strings.Cut(p, "/")
	if !strings.Contains(first, ".") {
		if dir := filepath.Join(src, filepath.FromSlash(p)); l.at(dir).anyGo {
			return target{p, dir, nil}, nil
		}
	}
	if from.standard() && from.dir != "" {
		return target{}, doubtf("%s: no package %s in the standard library", from.path, p)
	}
	var found []target
	for prefix := p; prefix != "." && prefix != "/"; prefix = path.Dir(prefix) {
		m := l.build.byPath[prefix]
		if m == nil {
			continue
		}
		if m.dir == "" {
			return target{}, doubtf("module %s %s is not in the module cache", m.path, m.version)
		}
		if m.vendored {
			continue // below
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(p, prefix), "/")
		dir := filepath.Join(m.dir, filepath.FromSlash(rel))
		if m.local && nested(m.dir, dir) || !l.at(dir).anyGo {
			continue
		}
		if m.sum != "" && !l.build.sums[m.sum] {
			return target{}, doubtf("go.sum has no line for %s", m.sum)
		}
		found = append(found, target{p, dir, m})
	}
	if l.build.vendor {
		main := l.build.modules[0]
		dir := filepath.Join(main.dir, "vendor", filepath.FromSlash(p))
		if l.at(dir).anyGo {
			found = append(found, target{p, dir, l.vendorModule(p)})
		}
	}
	switch len(found) {
	case 0:
		return target{}, doubtf("no module provides package %s", p)
	case 1:
		return found[0], nil
	}
	return target{}, doubtf("package %s is in several modules", p)
}

// vendorModule is the vendored module that a package comes from.
func (l *loader) vendorModule(p string) *moduleInfo {
	for prefix := p; prefix != "." && prefix != "/"; prefix = path.Dir(prefix) {
		if m := l.build.byPath[prefix]; m != nil && m.vendored {
			return m
		}
	}
	return &moduleInfo{path: p}
}

// nested reports whether a module of its own lies between a module's directory and one below.
func nested(module, dir string) bool {
	for dir != module && len(dir) > len(module) {
		if exists(filepath.Join(dir, "go.mod")) {
			return true
		}
		dir = filepath.Dir(dir)
	}
	return false
}

// enumerate finds the packages in a directory of a main module, and below it if that is asked for.
func (l *loader) enumerate(at string, below bool) ([]*unit, error) {
	main := l.mainOf(at)
	if main == nil {
		return nil, doubtf("%s is in no main module", at)
	}
	for dir := at; dir != main.dir && len(dir) > len(main.dir); dir = filepath.Dir(dir) {
		if skipped(filepath.Base(dir)) || main.ignores(dir) || exists(filepath.Join(dir, "go.mod")) {
			return nil, doubtf("%s is no part of the module around it", at)
		}
	}
	var dirs []string
	var walk func(dir string) error
	walk = func(dir string) error {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		dirs = append(dirs, dir)
		entries, err := os.ReadDir(dir)
		if err != nil {
			return doubtf("%v", err)
		}
		for _, e := range entries {
			name := e.Name()
			if !below || !e.IsDir() || skipped(name) {
				continue
			}
			sub := filepath.Join(dir, name)
			if exists(filepath.Join(sub, "go.mod")) || main.ignores(sub) {
				continue
			}
			if err := walk(sub); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(at); err != nil {
		return nil, err
	}
	l.parallel(len(dirs), func(i int) { l.at(dirs[i]) })
	var out []*unit
	for _, dir := range dirs {
		d := l.at(dir)
		if d.unread != nil {
			return nil, doubtf("%v", d.unread)
		}
		built := d.files
		if !l.config.Tests {
			built = slices.DeleteFunc(slices.Clone(built), func(f file) bool { return f.test })
		}
		if len(built) == 0 {
			continue
		}
		t := l.targetOf(main, dir)
		if t.path == "builtin" && t.module == nil {
			continue // documentation, and no package
		}
		out = append(out, l.unitAt(t))
	}
	return out, nil
}

// skipped reports whether directories of a name hold no packages of the module they lie in.
func skipped(name string) bool {
	return name[0] == '.' || name[0] == '_' || name == "testdata" || name == "vendor"
}

// targetOf is the package in a directory of a main module.
func (l *loader) targetOf(main *moduleInfo, dir string) target {
	rel, err := filepath.Rel(main.dir, dir)
	if err != nil {
		rel = "."
	}
	p := path.Join(main.path, filepath.ToSlash(rel))
	if l.isStandard(main) {
		if p = filepath.ToSlash(rel); main.path == "cmd" {
			p = path.Join("cmd", p)
		}
		return target{p, dir, nil}
	}
	return target{p, dir, main}
}

// isStandard reports whether a main module is part of the Go tree.
func (l *loader) isStandard(m *moduleInfo) bool {
	src := filepath.Join(l.config.GoRoot, "src")
	return m.path == "std" && m.dir == src || m.path == "cmd" && m.dir == filepath.Join(src, "cmd")
}

// mainOf is the main module that a directory belongs to; nil if it is none.
func (l *loader) mainOf(dir string) (main *moduleInfo) {
	for _, m := range l.build.modules {
		if m.main && inside(m.dir, dir) && (main == nil || len(m.dir) > len(main.dir)) {
			main = m
		}
	}
	return main
}

// inside reports whether a directory is another one or lies in it.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// ignores reports whether the module file has the go command pass over a directory.
func (m *moduleInfo) ignores(dir string) bool {
	rel, err := filepath.Rel(m.dir, dir)
	if err != nil {
		return false
	}
	rel = filepath.ToSlash(rel)
	for _, i := range m.ignore {
		if at, ok := strings.CutPrefix(i, "./"); ok {
			if rel == path.Clean(at) {
				return true
			}
		} else if i = path.Clean(i); rel == i || strings.HasSuffix(rel, "/"+i) {
			return true
		}
	}
	return false
}

// parallel calls f with 0 to n-1, on all processors.
func (l *loader) parallel(n int, f func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || l.ctx.Err() != nil {
					return
				}
				f(i)
			}
		})
	}
	wg.Wait()
}

// follow reads units and all that they import. Of roots the tests count, too.
func (l *loader) follow(roots []*unit) error {
	wave := slices.Clone(roots)
	if l.config.Tests {
		extra, err := l.testRoots(roots)
		if err != nil {
			return err
		}
		wave = append(wave, extra...)
	}
	for len(wave) > 0 {
		errs := make([]error, len(wave))
		l.parallel(len(wave), func(i int) { errs[i] = l.read(wave[i]) })
		if err := cmpErrors(l.ctx, errs); err != nil {
			return err
		}
		seen := map[*unit]bool{}
		var next []*unit
		for _, u := range wave {
			for _, to := range u.imports {
				if to.imports == nil && !seen[to] {
					seen[to] = true
					next = append(next, to)
				}
			}
		}
		wave = next
	}
	return nil
}

func cmpErrors(ctx context.Context, errs []error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// read finds what a unit imports.
func (l *loader) read(u *unit) error {
	if u.imports != nil {
		return nil
	}
	u.contents = l.at(u.dir)
	imports := map[string]*unit{}
	d := u.contents
	switch {
	case d.unread != nil:
		return doubtf("%v", d.unread)
	case d.broken:
		return doubtf("%s: a file has a syntax error in its head", u.path)
	case d.twoNames:
		return doubtf("%s has files of several packages", u.path)
	}
	compiled := 0
	for _, f := range d.files {
		if f.test {
			if !u.root || u.extra || !l.config.Tests {
				continue
			}
		} else {
			compiled++
		}
		for _, p := range f.imports {
			if p == "C" || p == "unsafe" || imports[p] != nil {
				continue
			}
			if !plainPath(p) {
				return doubtf("%s imports %q", u.path, p)
			}
			t, err := l.resolve(p, u)
			if err != nil {
				return err
			}
			imports[p] = l.unitAt(t)
		}
	}
	if compiled == 0 && !u.root {
		return doubtf("no file of %s is part of the build", u.path)
	}
	u.imports = imports
	return nil
}

// plainPath reports whether an import path is one that only names a package.
func plainPath(p string) bool {
	return p != "" && p[0] != '.' && p[0] != '/' && path.Clean(p) == p &&
		!strings.ContainsAny(p, `\ @:*?"'<>|`)
}

// testRoots are the packages that the binary of any test has in it.
func (l *loader) testRoots(roots []*unit) ([]*unit, error) {
	var out []*unit
	for _, p := range testImports {
		t, err := l.resolve(p, &unit{})
		if err != nil {
			return nil, err
		}
		out = append(out, l.unitAt(t))
	}
	return out, nil
}

// testImports are what the generated main function of a test binary imports.
var testImports = []string{"os", "reflect", "testing", "testing/internal/testdeps"}

// list makes the packages of go list of what was read.
func (l *loader) list(roots []*unit) ([]Package, error) {
	var out []Package
	asked := map[*unit]bool{}
	for _, u := range roots {
		asked[u] = true
	}
	for _, p := range slices.Sorted(maps.Keys(l.units)) {
		u := l.units[p]
		if u.imports == nil {
			continue
		}
		pkg := l.packageOf(u, u.path, func(f *file) bool { return !f.test }, nil)
		if len(pkg.GoFiles)+len(pkg.CgoFiles) == 0 && l.config.Tests && asked[u] {
			continue // its tests alone
		}
		pkg.DepOnly = !asked[u]
		out = append(out, pkg)
	}
	if l.config.Tests {
		for _, u := range roots {
			if !u.extra {
				more, err := l.variants(u)
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
			}
		}
	}
	if err := l.acyclic(); err != nil {
		return nil, err
	}
	return out, l.ctx.Err()
}

// acyclic is an error if packages import each other.
func (l *loader) acyclic() error {
	state := map[*unit]int{} // 1: on the way, 2: done
	var visit func(u *unit) error
	visit = func(u *unit) error {
		switch state[u] {
		case 1:
			return doubtf("%s imports itself in the end", u.path)
		case 2:
			return nil
		}
		state[u] = 1
		for _, f := range u.contents.files {
			if f.test {
				continue
			}
			for _, p := range f.imports {
				if to := u.imports[p]; to != nil {
					if err := visit(to); err != nil {
						return err
					}
				}
			}
		}
		state[u] = 2
		return nil
	}
	for _, u := range l.units {
		if u.imports != nil {
			if err := visit(u); err != nil {
				return err
			}
		}
	}
	return nil
}

// packageOf makes a package of those files of a unit that take says. As gives imports that are
// compiled anew.
func (l *loader) packageOf(u *unit, id string, take func(*file) bool, as map[*unit]string) Package {
	p := Package{
		ImportPath: id, Dir: u.dir, Name: u.contents.name, Standard: u.standard(),
		ImportMap: map[string]string{},
	}
	if m := u.module; m != nil {
		p.Module = &Module{Path: m.path, Dir: m.dir, GoVersion: m.goVersion, Main: m.main}
		if m.vendored {
			p.Module.Dir = ""
		}
	}
	ids := map[string]bool{}
	for i := range u.contents.files {
		f := &u.contents.files[i]
		if !take(f) {
			continue
		}
		if f.cgo {
			p.CgoFiles = append(p.CgoFiles, f.name)
		} else {
			p.GoFiles = append(p.GoFiles, f.name)
		}
		for _, written := range f.imports {
			to := u.imports[written]
			if to == nil {
				ids[written] = true // C and unsafe
				continue
			}
			id := to.path
			if other, ok := as[to]; ok {
				id = other
			}
			ids[id] = true
			if id != written {
				p.ImportMap[written] = id
			}
		}
	}
	p.Imports = slices.Sorted(maps.Keys(ids))
	return p
}
