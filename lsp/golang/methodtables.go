package golang

import (
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/check/methods"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
)

// methodTables are the tables of methods of all packages that a build reads, those of others
// included.
var methodTables = newGathering("golang/method-tables", 1, func(t *runtime.Task, root string) ([]gatheringItem, error) {
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
	all, err := surfaces.All(t, keys)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Methods.IsZero() {
			continue
		}
		table, err := runtime.ReadBlob(t, all[i].Methods)
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
	s, err := surfaces.Get(t, k)
	if err != nil || s.Methods.IsZero() {
		return &methods.Table{}, err
	}
	data, err := blobs.read(t, s.Methods)
	if err != nil {
		return nil, err
	}
	return methods.Open(metadata.PathOf(k.ID), data)
}
