package golang

import (
	"errors"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
)

// moduleFiles takes the text of a module file apart, the unsaved one if there is one.
var moduleFiles = runtime.NewQuery("golang/module-file", 1, func(t *runtime.Task, uri string) ([]lsp.Diagnostic, error) {
	text, err := textOf(t, uri)
	if err != nil {
		return nil, ignoreUnknown(err)
	}
	return parseModuleFile(files.PathOf(uri), text).errors, nil
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
func moduleDiagnostics(t *runtime.Task, env *environment, m *metadata) ([]fileDiagnostic, error) {
	var out []fileDiagnostic
	for _, path := range env.moduleFiles() {
		if !isParsedModuleFile(path) {
			continue
		}
		list, err := moduleFiles.Get(t, files.URI(path))
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			out = append(out, fileDiagnostic{files.URI(path), d})
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
		d := moduleError(text, line, p.Message)
		d.Code = "workspace"
		known := slices.ContainsFunc(out[:own], func(o fileDiagnostic) bool {
			return o.URI == p.URI && lineSpan(text, line).Contains(o.Diag.Span.Start) && o.Diag.Severity == lsp.SeverityError
		})
		if !known {
			out = append(out, fileDiagnostic{p.URI, d})
		}
	}
	return out, nil
}
