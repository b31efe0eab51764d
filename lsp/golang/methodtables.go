package golang

import (
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/check/methods"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
)

// packageMethods is the table of methods of one package, zero if there are none. A package of the
// workspace is checked anyway, and its check has the table; of another one the surface has it.
var packageMethods = runtime.NewQuery("golang/methods", version(1), func(t *runtime.Task, k pkgKey) (runtime.Blob, error) {
	p, err := packageOf(t, k)
	if err != nil || p == nil {
		return runtime.Blob{}, err
	}
	if p.Workspace {
		c, err := checks.Get(t, k)
		return c.Methods, err
	}
	s, err := surfaces.Get(t, k)
	return s.Methods, err
})

// methodTables are the tables of methods of all packages that a build reads, those of others
// included.
var methodTables = newGathering("golang/method-tables", 2, func(t *runtime.Task, root string) ([]gatheringItem, error) {
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, err
	}
	var items []gatheringItem
	for i := range m.Packages {
		if p := &m.Packages[i]; declaresAnew(p) {
			items = append(items, gatheringItem{p.ID, p.ID})
		}
	}
	return items, nil
}, func(t *runtime.Task, root string, ids []string) (out []byte, err error) {
	keys := make([]pkgKey, len(ids))
	for i, id := range ids {
		keys[i] = pkgKey{root, id}
	}
	all, err := packageMethods.All(t, keys)
	if err != nil {
		return nil, err
	}
	for i, b := range all {
		if b.IsZero() {
			continue
		}
		table, err := runtime.ReadBlob(t, b)
		if err != nil {
			return nil, err
		}
		out = appendText(appendText(out, ids[i]), string(table))
	}
	return out, nil
})

// declaresAnew reports whether a package is more than another one that is compiled again for the
// tests of a third.
func declaresAnew(p *metadata.Package) bool {
	return p.ForTest == "" || p.Path == p.ForTest || strings.TrimSuffix(p.Path, "_test") == p.ForTest
}

// eachMethodTable calls fn for the table of each package of a build that declares types with
// methods.
func eachMethodTable(t *runtime.Task, root string, fn func(id string, table *methods.Table) error) error {
	groups, err := methodTables.all(t, root)
	if err != nil {
		return err
	}
	for _, g := range groups {
		data, err := blobs.read(t, g.Of)
		if err != nil {
			return err
		}
		for len(data) > 0 {
			var (
				id   string
				rows []byte
			)
			if id, data, err = takeText(data); err != nil {
				return err
			}
			if rows, data, err = takePart(data); err != nil {
				return err
			}
			table, err := methods.Open(metadata.PathOf(id), rows)
			if err != nil {
				return err
			}
			if err := fn(id, table); err != nil {
				return err
			}
		}
	}
	return nil
}

// methodTable is the table of one package.
func methodTable(t *runtime.Task, k pkgKey) (*methods.Table, error) {
	b, err := packageMethods.Get(t, k)
	if err != nil || b.IsZero() {
		return &methods.Table{}, err
	}
	data, err := blobs.read(t, b)
	if err != nil {
		return nil, err
	}
	return methods.Open(metadata.PathOf(k.ID), data)
}
