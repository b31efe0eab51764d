package disk

import (
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

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
