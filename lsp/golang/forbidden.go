package golang

import (
	"fmt"
	"go/ast"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/cytisus/cytisus/lsp"
)

// A forbiddenImport is an import of a package that there is, which the go command refuses. It tells
// of one per package, at most; here each is told.
type forbiddenImport struct {
	Import  string // as written
	Message string
}

// forbid finds the imports that are refused, of all packages of the workspace.
func (m *metadata) forbid() {
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
			q := m.find(e.ID)
			if q == nil {
				continue
			}
			if why := forbidden(p, q, e.Import, folded[fold(e.Import)]); why != "" {
				p.Forbidden = append(p.Forbidden, forbiddenImport{e.Import, why})
			}
		}
	}
}

// forbidden says why a package must not import another, written as it is; "" if it may. Alike are
// the imports that are written like it but for case. The rules and the words are the go command's
// (load.Package).
func forbidden(p, q *pkgMeta, written string, alike []string) string {
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
func mayUseInternal(p, q *pkgMeta) bool {
	slashed := "/" + q.Path + "/"
	i := strings.LastIndex(slashed, "/internal/")
	if i < 0 {
		return true
	}
	if q.Standard { // whose tests are not said to be standard
		above, ok := strings.CutSuffix(dirOf(q), filepath.FromSlash(q.Path[i:]))
		return !ok || inside(above, dirOf(p))
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

func dirOf(p *pkgMeta) string {
	path, _ := filePath(firstFile(p))
	return filepath.Dir(path)
}

// importPath is the path that an import names; "" if it is malformed.
func importPath(spec *ast.ImportSpec) string {
	if spec.Path == nil {
		return ""
	}
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	return path
}

// importAround is the place of the import, with its name if it has one, around an offset; it is
// empty if there is none. The go command tells of an import where its name stands.
func importAround(uri string, text []byte, offset int) lsp.Span {
	t := trees.get(uri, text)
	for _, spec := range t.file.Imports {
		if s := t.span(spec.Pos(), spec.End()); s.Start <= offset && offset < s.End {
			return s
		}
	}
	return lsp.Span{}
}

// importOf is the place of the path in an import of a file.
func importOf(uri string, text []byte, path string) (lsp.Span, bool) {
	t := trees.get(uri, text)
	for _, spec := range t.file.Imports {
		if path != "" && importPath(spec) == path {
			return t.span(spec.Path.Pos(), spec.Path.End()), true
		}
	}
	return lsp.Span{}, false
}

// forbiddenIn are the diagnostics of a file for the imports that are refused.
func forbiddenIn(p *pkgMeta, t *tree) (out []lsp.Diagnostic) {
	for _, spec := range t.file.Imports {
		path := importPath(spec)
		for _, f := range p.Forbidden {
			if f.Import == path {
				out = append(out, lsp.Diagnostic{
					Span: t.span(spec.Path.Pos(), spec.Path.End()), Severity: lsp.SeverityError,
					Code: "import", Source: sourceList, Message: f.Message,
				})
			}
		}
	}
	return out
}
