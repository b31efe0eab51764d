package metadata

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/cytisus/cytisus/lsp/files"
)

// A ForbiddenImport is an import of a package that there is, which the go command refuses. It tells
// of one per package, at most; here each is told.
type ForbiddenImport struct {
	Import  string // as written
	Message string
}

// forbid finds the imports that are refused, of all packages of the workspace.
func (m *Build) forbid() {
	for i := range m.Packages {
		p := &m.Packages[i]
		if !p.Workspace {
			continue
		}
		folded := map[string][]string{} // imports that differ by case, at most
		for _, e := range p.Imports {
			key := fold(e.Import)
			folded[key] = append(folded[key], e.Import)
		}
		for _, e := range p.Imports {
			q := m.Find(e.ID)
			if q == nil {
				continue
			}
			if why := forbidden(p, q, e.Import, folded[fold(e.Import)]); why != "" {
				p.Forbidden = append(p.Forbidden, ForbiddenImport{e.Import, why})
			}
		}
	}
}

// forbidden says why a package must not import another, written as it is; "" if it may. Alike are
// the imports that are written like it but for case. The rules and the words are the go command's
// (load.Package).
func forbidden(p, q *Package, written string, alike []string) string {
	for _, other := range alike {
		if other != written {
			return fmt.Sprintf("case-insensitive import collision: %q and %q", written, other)
		}
	}
	if q.Name == "main" && dirOf(p) != dirOf(q) {
		return fmt.Sprintf("import %q is a program, not an importable package", q.Path)
	}
	if !mayUseInternal(p, q) {
		return "use of internal package " + q.Path + " not allowed"
	}
	return ""
}

// mayUseInternal reports whether no element "internal" of q's path keeps p out: p must lie in the
// tree of what is above the last of them.
func mayUseInternal(p, q *Package) bool {
	slashed := "/" + q.Path + "/"
	i := strings.LastIndex(slashed, "/internal/")
	if i < 0 {
		return true
	}
	if q.Standard { // whose tests are not said to be standard
		above, ok := strings.CutSuffix(dirOf(q), filepath.FromSlash(q.Path[i:]))
		return !ok || files.Inside(above, dirOf(p))
	}
	above := slashed[1:max(i, 1)]
	own := strings.TrimSuffix(p.Path, "_test")
	return own == above || strings.HasPrefix(own, above+"/") || above == ""
}

// fold makes paths equal that differ by case only.
func fold(path string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, path)
}

func dirOf(p *Package) string {
	path, _ := files.Path(firstFile(p))
	return filepath.Dir(path)
}
