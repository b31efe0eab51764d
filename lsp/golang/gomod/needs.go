package gomod

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// Provider is the module of some that provides a package: that with the longest path which is a
// beginning of the package's; "" if there is none.
func Provider(modules []string, path string) string {
	best := ""
	for _, m := range modules {
		if len(m) > len(best) && (path == m || strings.HasPrefix(path, m) && path[len(m)] == '/') {
			best = m
		}
	}
	return best
}

// Codes of diagnostics about requirements.
const (
	CodeUnused   = "unused-require"
	CodeIndirect = "indirect-require"
	CodeDirect   = "direct-require"
)

// Needs are what a set of imports says about the requirements of a file.
type Needs struct {
	Modules []string // all paths of modules that packages may come from, those required among them
	Beside  []string // those of them that a workspace has beside this module, in place of any version
	Imports []string // by the packages of the module itself, on any platform
	Reached []string // paths of packages that these come to, directly or not, as far as is known
}

// Check finds requirements that the imports do not need, and those that are not said to be needed
// directly or indirectly as they are. What go mod tidy knows beyond that is left to it, as what a
// version imports of a module that the workspace has another state of.
func (f *File) Check(n Needs) (list []lsp.Diagnostic) {
	direct, reached := map[string]bool{}, map[string]bool{}
	for _, path := range append(n.Imports, f.Tools...) {
		direct[Provider(n.Modules, path)] = true
	}
	for _, path := range n.Reached {
		reached[Provider(n.Modules, path)] = true
	}
	for i := range f.Requires {
		r := &f.Requires[i]
		d := lsp.Diagnostic{Span: r.Span, Severity: lsp.SeverityWarning, Source: "go mod tidy"}
		switch {
		case direct[r.Path] && r.Indirect:
			d.Code, d.Message = CodeDirect, fmt.Sprintf("%s should be direct: packages of this module import it", r.Path)
		case direct[r.Path] || r.Indirect || slices.Contains(n.Beside, r.Path):
			continue
		case reached[r.Path]:
			d.Code, d.Message = CodeIndirect, fmt.Sprintf("%s should be indirect: no package of this module imports it", r.Path)
		default:
			d.Code, d.Message, d.Unnecessary = CodeUnused, r.Path+" is not used in this module", true
		}
		list = append(list, d)
	}
	return list
}
