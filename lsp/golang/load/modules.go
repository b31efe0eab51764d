package load

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// A moduleInfo is a module of the build list.
type moduleInfo struct {
	path      string
	version   string // "" for main modules
	dir       string // "" if it is not there
	goVersion string // language version, as "1.26"
	main      bool
	vendored  bool     // dir is the vendor directory of a main module
	local     bool     // of a directory, which may hold further modules
	sum       string   // the go.sum line it needs, as "path version"; "" for none
	ignore    []string // of a main module: its ignore lines
}

// A buildList is the modules that packages of a build come from.
type buildList struct {
	modules []*moduleInfo // main modules first
	byPath  map[string]*moduleInfo
	vendor  bool            // packages come from vendor directories
	sums    map[string]bool // lines of go.sum and go.work.sum, as "path version"
}

// moduleList finds the build list of a build.
func (l *loader) moduleList() (*buildList, error) {
	b := &buildList{byPath: map[string]*moduleInfo{}, sums: map[string]bool{}}
	var mains []*mainModule
	var work *modfile.WorkFile
	var replaces []*replacement
	if l.config.GoWork != "" {
		text, err := l.text(l.config.GoWork)
		if err != nil {
			return nil, err
		}
		if work, err = modfile.ParseWork(l.config.GoWork, text, nil); err != nil {
			return nil, err
		}
		at := filepath.Dir(l.config.GoWork)
		for _, use := range work.Use {
			m, err := l.mainModule(absolute(at, use.Path))
			if err != nil {
				return nil, err
			}
			mains = append(mains, m)
		}
		for _, r := range work.Replace {
			replaces = append(replaces, &replacement{r, at})
		}
		if err := l.readSums(b, l.config.GoWork+".sum"); err != nil {
			return nil, err
		}
		if err := l.tooNew(work.Go, work.Toolchain); err != nil {
			return nil, err
		}
	} else {
		m, err := l.mainModule(filepath.Dir(l.config.GoMod))
		if err != nil {
			return nil, err
		}
		mains = append(mains, m)
	}
	for _, m := range mains {
		b.add(m.info)
		for _, r := range m.file.Replace {
			replaces = append(replaces, &replacement{r, m.info.dir})
		}
		if err := l.readSums(b, filepath.Join(m.info.dir, "go.sum")); err != nil {
			return nil, err
		}
		if len(m.file.Exclude) > 0 && (work != nil || !m.pruned()) {
			return nil, fmt.Errorf("%s has exclude lines", m.file.Syntax.Name)
		}
	}
	if vendor, err := l.vendored(b, mains, work); vendor || err != nil {
		return b, err
	}
	list, err := l.requirements(mains, replaces, work != nil)
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		if b.byPath[v.Path] == nil {
			b.add(l.moduleOf(v, replaces))
		}
	}
	return b, nil
}

func (b *buildList) add(m *moduleInfo) {
	b.modules = append(b.modules, m)
	b.byPath[m.path] = m
}

// A mainModule is one that packages are asked of.
type mainModule struct {
	info *moduleInfo
	file *modfile.File
}

// pruned reports whether the module lists all that it depends on.
func (m *mainModule) pruned() bool { return prunes(m.file) }

// prunes reports whether a module file has the form of go 1.17 and later.
func prunes(f *modfile.File) bool {
	return f.Go != nil && semver.Compare("v"+language(f.Go.Version), "v1.17") >= 0
}

// language is the language version of a Go version.
func language(v string) string {
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 {
		return v
	}
	minor := parts[1]
	end := 0
	for end < len(minor) && '0' <= minor[end] && minor[end] <= '9' {
		end++
	}
	return parts[0] + "." + minor[:end]
}

func (l *loader) mainModule(dir string) (*mainModule, error) {
	name := filepath.Join(dir, "go.mod")
	text, err := l.text(name)
	if err != nil {
		return nil, err
	}
	file, err := modfile.Parse(name, text, nil)
	if err != nil {
		return nil, err
	}
	if file.Module == nil {
		return nil, fmt.Errorf("%s names no module", name)
	}
	if err := l.tooNew(file.Go, file.Toolchain); err != nil {
		return nil, err
	}
	info := &moduleInfo{
		path: file.Module.Mod.Path, dir: dir, main: true, local: true,
		goVersion: cmp.Or(goLine(file), "1.16"), // as the go command takes it
	}
	for _, i := range file.Ignore {
		info.ignore = append(info.ignore, i.Path)
	}
	return &mainModule{info, file}, nil
}

// tooNew is the error for a file that asks for another toolchain than the one at hand.
func (l *loader) tooNew(line *modfile.Go, chain *modfile.Toolchain) error {
	have := l.config.GoVersion
	for _, want := range []string{goOf(line), toolchainOf(chain)} {
		if want != "" && version.Compare(want, have) > 0 {
			return fmt.Errorf("%s is asked for, %s is there", want, have)
		}
	}
	return nil
}

func goOf(line *modfile.Go) string {
	if line == nil {
		return ""
	}
	return "go" + line.Version
}

func toolchainOf(chain *modfile.Toolchain) string {
	if chain == nil || chain.Name == "default" {
		return ""
	}
	return chain.Name
}

// goLine is the go version that a module file states; "" if it states none.
func goLine(f *modfile.File) string {
	if f.Go == nil {
		return ""
	}
	return f.Go.Version
}

// A replacement is a replace line and the directory of the file that has it.
type replacement struct {
	*modfile.Replace
	dir string
}

// replaced finds what is put in the place of a module: an exact version goes before any version.
func replaced(v module.Version, replaces []*replacement) *replacement {
	for _, exact := range []bool{true, false} {
		for _, r := range replaces {
			version := ""
			if exact {
				version = v.Version
			}
			if r.Old.Path == v.Path && r.Old.Version == version {
				return r
			}
		}
	}
	return nil
}

func absolute(dir, path string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path)
}

// moduleOf finds a module of the build list on the disk.
func (l *loader) moduleOf(v module.Version, replaces []*replacement) *moduleInfo {
	m := &moduleInfo{path: v.Path, version: v.Version}
	from := v
	if r := replaced(v, replaces); r != nil {
		if r.New.Version == "" {
			m.dir, m.local = absolute(r.dir, r.New.Path), true
			if f := l.moduleFile(filepath.Join(m.dir, "go.mod")); f != nil {
				m.goVersion = goLine(f)
			} else {
				m.dir = ""
			}
			return m
		}
		from = r.New
	}
	m.sum = from.Path + " " + from.Version
	if f := l.cachedModuleFile(from); f != nil {
		m.goVersion = goLine(f)
	}
	m.dir = l.cachedDir(from)
	return m
}

// cachedDir is the directory of a version in the module cache; "" if it is not wholly there.
func (l *loader) cachedDir(v module.Version) string {
	path, err := module.EscapePath(v.Path)
	if err != nil {
		return ""
	}
	number, err := module.EscapeVersion(v.Version)
	if err != nil {
		return ""
	}
	cache := filepath.Join(l.config.ModCache, "cache", "download")
	download := filepath.Join(cache, filepath.FromSlash(path), "@v", number)
	if !exists(download+".ziphash") || exists(download+".partial") {
		return ""
	}
	dir := filepath.Join(l.config.ModCache, filepath.FromSlash(path)+"@"+number)
	if !exists(dir) {
		return ""
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// cachedModuleFile is the module file of a version; nil if the module cache does not have it.
func (l *loader) cachedModuleFile(v module.Version) *modfile.File {
	path, err := module.EscapePath(v.Path)
	if err != nil {
		return nil
	}
	number, err := module.EscapeVersion(v.Version)
	if err != nil {
		return nil
	}
	at := filepath.Join(l.config.ModCache, "cache", "download", filepath.FromSlash(path), "@v")
	return l.moduleFile(filepath.Join(at, number+".mod"))
}

// moduleFile reads a module file of a dependency; nil if it cannot be read.
func (l *loader) moduleFile(name string) *modfile.File {
	text, err := l.text(name)
	if err != nil {
		return nil
	}
	f, err := modfile.ParseLax(name, text, nil)
	if err != nil {
		return nil
	}
	return f
}

// readSums adds the lines of a go.sum file.
func (l *loader) readSums(b *buildList, name string) error {
	text, err := l.text(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 3 {
			b.sums[f[0]+" "+f[1]] = true
		}
	}
	return lines.Err()
}

// requirements is the build list without main modules. A main module of go 1.17 and later lists
// all that its packages come from; otherwise versions are selected from the module graph.
func (l *loader) requirements(
	mains []*mainModule, replaces []*replacement, work bool,
) ([]module.Version, error) {
	if len(mains) == 1 && !work && mains[0].pruned() {
		var list []module.Version
		for _, r := range mains[0].file.Require {
			list = append(list, r.Mod)
		}
		slices.SortStableFunc(list, func(a, b module.Version) int {
			return cmp.Compare(a.Path, b.Path)
		})
		return list, nil
	}
	return l.selectVersions(mains, replaces)
}

// selectVersions is minimal version selection over the module graph as cmd/go prunes it: what a
// module of go 1.17 and later requires counts, but not what that requires in turn, unless a module
// of an older form leads there.
func (l *loader) selectVersions(
	mains []*mainModule, replaces []*replacement,
) ([]module.Version, error) {
	type node struct {
		module.Version
		pruned bool // reached by modules that list all that they depend on
	}
	isMain := map[string]bool{}
	for _, m := range mains {
		isMain[m.info.path] = true
	}
	chosen := map[string]string{}
	choose := func(v module.Version) {
		if was := chosen[v.Path]; was == "" || semver.Compare(was, v.Version) < 0 {
			chosen[v.Path] = v.Version
		}
	}
	seen := map[node]bool{}
	var queue []node
	require := func(f *modfile.File, pruned bool) {
		for _, r := range f.Require {
			if isMain[r.Mod.Path] {
				continue
			}
			choose(r.Mod)
			if n := (node{r.Mod, pruned}); !seen[n] && !seen[node{r.Mod, false}] {
				seen[n] = true
				queue = append(queue, n)
			}
		}
	}
	for _, m := range mains {
		require(m.file, m.pruned())
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		f := l.requiredFile(n.Version, replaces)
		if f == nil {
			return nil, fmt.Errorf("the module cache has no go.mod of %s", n.Version)
		}
		switch {
		case !prunes(f):
			require(f, false)
		case n.pruned:
			// Its requirements count; those are not followed.
			for _, r := range f.Require {
				if !isMain[r.Mod.Path] {
					choose(r.Mod)
				}
			}
		default:
			require(f, false)
		}
	}
	var list []module.Version
	for _, path := range slices.Sorted(maps.Keys(chosen)) {
		list = append(list, module.Version{Path: path, Version: chosen[path]})
	}
	return list, nil
}

// requiredFile is the module file of a version as replace lines have it.
func (l *loader) requiredFile(v module.Version, replaces []*replacement) *modfile.File {
	r := replaced(v, replaces)
	switch {
	case r == nil:
		return l.cachedModuleFile(v)
	case r.New.Version == "":
		return l.moduleFile(filepath.Join(absolute(r.dir, r.New.Path), "go.mod"))
	}
	return l.cachedModuleFile(r.New)
}

// vendored finds out whether the build takes packages from vendor directories, and makes the list
// of those. It is an error if the directory does not fit the module files.
func (l *loader) vendored(b *buildList, mains []*mainModule, work *modfile.WorkFile) (bool, error) {
	if l.config.Mod != "" && l.config.Mod != "vendor" {
		return false, nil
	}
	dir, line := mains[0].info.dir, goLine(mains[0].file)
	if work != nil {
		dir, line = filepath.Dir(l.config.GoWork), "1.17"
		if work.Go != nil {
			line = work.Go.Version
		}
		if l.config.Mod == "" && version.Compare("go"+line, "go1.22") < 0 {
			return false, nil
		}
	}
	text, err := l.text(filepath.Join(dir, "vendor", "modules.txt"))
	old := version.Compare("go"+cmp.Or(line, "1.16"), "go1.14") < 0
	if l.config.Mod == "" && (errors.Is(err, fs.ErrNotExist) || old) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if work != nil {
		return false, errors.New("a workspace of several modules has a vendor directory")
	}
	b.vendor = true
	var at *moduleInfo
	explicit := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch f := strings.Fields(line); {
		case len(f) >= 3 && f[0] == "#":
			at = &moduleInfo{path: f[1], version: f[2], vendored: true}
			at.dir = filepath.Join(dir, "vendor", filepath.FromSlash(f[1]))
			if f[2] == "=>" {
				at.version = ""
			}
			if b.byPath[at.path] == nil {
				b.add(at)
			}
		case strings.HasPrefix(line, "## ") && at != nil:
			for _, word := range strings.Split(line[3:], ";") {
				word = strings.TrimSpace(word)
				if v, ok := strings.CutPrefix(word, "go "); ok {
					at.goVersion = v
				}
				if word == "explicit" {
					explicit[at.path+" "+at.version] = true
				}
			}
		}
	}
	for _, r := range mains[0].file.Require {
		if !explicit[r.Mod.Path+" "+r.Mod.Version] && prunes(mains[0].file) {
			return false, fmt.Errorf("vendor/modules.txt does not have %s", r.Mod)
		}
	}
	return true, nil
}
