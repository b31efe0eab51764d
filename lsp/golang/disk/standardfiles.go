package disk

import (
	"go/build"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/lsp/files"
)

// StandardFiles are the URIs of the files that a package of the standard library is made of.
func (e *Environment) StandardFiles(importPath string) (uris []string) {
	ctx := e.buildContext()
	dir := filepath.Join(e.GoRoot, "src", filepath.FromSlash(importPath))
	p, err := ctx.ImportDir(dir, build.IgnoreVendor)
	if err != nil {
		return nil // there is none for this machine
	}
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		uris = append(uris, files.URI(filepath.Join(dir, name)))
	}
	return uris
}
