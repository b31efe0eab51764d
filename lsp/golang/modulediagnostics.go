package golang

import (
	"errors"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
)

// moduleFiles takes the text of a module file apart, the unsaved one if there is one.
var moduleFiles = runtime.NewQuery("golang/module-file", 1, func(t *runtime.Task, uri string) ([]lsp.Diagnostic, error) {
	text, err := textOf(t, uri)
	if err != nil {
		return nil, ignoreUnknown(err)
	}
	return disk.ParseModuleFile(files.PathOf(uri), text).Errors, nil
})

// moved finds the line of a text that a line of another text has become; 0 if it is gone.
func moved(from, to []byte, line int) int {
	was, now := strings.Split(string(from), "\n"), strings.Split(string(to), "\n")
	if line < 1 || line > len(was) {
		return 0
	}
	best := 0
	for i, text := range now {
		if text == was[line-1] && (best == 0 || abs(i+1-line) < abs(best-line)) {
			best = i + 1
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// moduleDiagnostics is what is wrong with the module files of a build: what can be told of their
// current texts, and what the go command says of those on disk.
func moduleDiagnostics(t *runtime.Task, env *disk.Environment, m *metadata.Build) ([]check.FileDiagnostic, error) {
	var out []check.FileDiagnostic
	for _, path := range env.ModuleFiles() {
		if !disk.IsModuleFile(path) {
			continue
		}
		list, err := moduleFiles.Get(t, files.URI(path))
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			out = append(out, check.FileDiagnostic{URI: files.URI(path), Diag: d})
		}
	}
	own := len(out)
	for _, p := range m.Problems {
		text, err := textOf(t, p.URI)
		if ignoreUnknown(err) != nil {
			return nil, err
		}
		saved, err := savedTexts.Get(t, p.URI)
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
		line := p.Line
		if line > 0 {
			if line = moved(saved, text, line); line == 0 {
				continue // about a line that is not there any more
			}
		}
		d := disk.ModuleError(text, line, p.Message)
		d.Code = "workspace"
		known := slices.ContainsFunc(out[:own], func(o check.FileDiagnostic) bool {
			return o.URI == p.URI && disk.LineSpan(text, line).Contains(o.Diag.Span.Start) && o.Diag.Severity == lsp.SeverityError
		})
		if !known {
			out = append(out, check.FileDiagnostic{URI: p.URI, Diag: d})
		}
	}
	return out, nil
}
