package golang

import (
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
)

// packages are those of a build by ID: what reads one does not run again for another's sake.
var packages = runtime.NewTable("golang/packages", version(1), func(t *runtime.Task, root string) (map[string]*metadata.Package, error) {
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*metadata.Package, len(m.Packages))
	for i := range m.Packages {
		byID[m.Packages[i].ID] = &m.Packages[i]
	}
	return byID, nil
})

// A pkgKey names a package of a workspace. A package that is no longer there has empty results.
type pkgKey struct{ Root, ID string }
