package golang

import (
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Language is the Go front end.
type Language struct{}

// ID implements lsp.Language.
func (Language) ID() string { return "go" }

// Handles implements lsp.Language.
func (Language) Handles(uri string) bool {
	return strings.HasPrefix(uri, "file://") && (disk.IsInput(files.BaseName(uri)) || syntax.IsAssembly(uri))
}

// WatchGlobs says which files matter: a client is asked to report these only.
func (Language) WatchGlobs() []string {
	return []string{"**/*.go", "**/go.mod", "**/go.sum", "**/go.work", "**/go.work.sum", "**/vendor/modules.txt"}
}
