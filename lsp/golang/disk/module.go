package disk

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/cytisus/cytisus/lsp/files"
)

// CachedModule is the module and the version that a file in the module cache belongs to; it is not
// ok for other files.
func (e *Environment) CachedModule(path string) (mod, version string, ok bool) {
	if e.GoModCache == "" || !files.Inside(e.GoModCache, path) {
		return "", "", false
	}
	rel, err := filepath.Rel(e.GoModCache, path)
	if err != nil {
		return "", "", false
	}
	mod, rest, ok := strings.Cut(filepath.ToSlash(rel), "@")
	if !ok {
		return "", "", false
	}
	version, _, _ = strings.Cut(rest, "/")
	if mod, err = module.UnescapePath(mod); err != nil {
		return "", "", false
	}
	if version, err = module.UnescapeVersion(version); err != nil {
		return "", "", false
	}
	return mod, version, true
}

// ModulePath is the path that the text of a go.mod file declares; "" if it declares none.
func ModulePath(text []byte) string { return modfile.ModulePath(text) }

// IsPrivate reports whether a package is one that no public service is told of.
func (e *Environment) IsPrivate(path string) bool {
	return module.MatchPrefixPatterns(e.GoPrivate, path)
}

// ModuleDir is the directory of the module in the module cache that a file belongs to.
func (e *Environment) ModuleDir(path string) (dir string, ok bool) {
	if e.GoModCache == "" || !files.Inside(e.GoModCache, path) {
		return "", false
	}
	for dir = filepath.Dir(path); dir != e.GoModCache; dir = filepath.Dir(dir) {
		if strings.Contains(filepath.Base(dir), "@") {
			return dir, true
		}
	}
	return "", false
}

// CachedVersions are the versions of a module that the module cache has something of, the newest
// first. It reads a directory.
func (e *Environment) CachedVersions(path string) (versions []string) {
	escaped, err := module.EscapePath(path)
	if err != nil || e.GoModCache == "" {
		return nil
	}
	entries, err := os.ReadDir(filepath.Join(e.GoModCache, "cache", "download", filepath.FromSlash(escaped), "@v"))
	if err != nil {
		return nil // it has nothing of the module
	}
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".mod")
		if !ok {
			continue
		}
		if v, err := module.UnescapeVersion(name); err == nil && semver.IsValid(v) {
			versions = append(versions, v)
		}
	}
	semver.Sort(versions)
	slices.Reverse(versions)
	return versions
}

// CachedModules are the paths of the modules below a beginning of a path that the module cache has
// something of, at most so many. It reads directories.
func (e *Environment) CachedModules(begin string, most int) (paths []string) {
	if e.GoModCache == "" {
		return nil
	}
	root := filepath.Join(e.GoModCache, "cache", "download")
	var walk func(dir string, depth int)
	walk = func(dir string, depth int) {
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
		if err != nil || depth > cachedDepth {
			return
		}
		for _, entry := range entries {
			if len(paths) >= most {
				return
			}
			if entry.Name() == "@v" {
				if p, err := module.UnescapePath(dir); err == nil && strings.HasPrefix(p, begin) {
					paths = append(paths, p)
				}
				continue
			}
			below := strings.TrimPrefix(dir+"/"+entry.Name(), "/")
			p, err := module.UnescapePath(below)
			if err != nil && strings.Contains(below, "/") || !entry.IsDir() {
				continue
			}
			if p == "" {
				p = below // the first element alone is no path of a module
			}
			if strings.HasPrefix(p, begin) || strings.HasPrefix(begin, p+"/") {
				walk(below, depth+1)
			}
		}
	}
	walk("", 0)
	return paths
}

// cachedDepth is how many elements paths of modules have at most that are found.
const cachedDepth = 8
