package disk

import (
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// strayImportsMax bounds the packages that are asked of the go command for the sake of strays.
const strayImportsMax = 1000

// LeftOutImports are the import paths of the files that the build leaves out. The go command is
// asked about them beside the packages of the workspace, so that questions about such files have
// answers.
func LeftOutImports(env *Environment, uris, heads []string) map[string]bool {
	ctx := env.buildContext()
	paths := map[string]bool{}
	for i, uri := range uris {
		h := syntax.ParseHeader(heads[i])
		path, ok := files.Path(uri)
		if !ok || len(h.Imports) == 0 || Matches(ctx, path, &h) {
			continue
		}
		for _, path := range h.Imports {
			if isPlainImport(path) && len(paths) < strayImportsMax {
				paths[path] = true
			}
		}
	}
	return paths
}

// isPlainImport reports whether an import path means one package, whatever stands before it in the
// arguments of a command: it is no pattern, no file, no directory and no flag.
func isPlainImport(path string) bool {
	return path != "" && path != "C" && path != "unsafe" && path != "all" && path != "std" && path != "cmd" && path != "main" &&
		!strings.Contains(path, "...") && !strings.ContainsAny(path, " @\\:\x00") && path[0] != '.' && path[0] != '/' &&
		path[0] != '-' && !strings.HasSuffix(path, ".go")
}
