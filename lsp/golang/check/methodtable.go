package check

import (
	"go/token"
	"go/types"
	"slices"

	"github.com/cytisus/cytisus/lsp/golang/check/methods"
)

// A methodTable is the table of methods of a package, which is made once for each that go/types
// made of its files: an edit of bodies makes none.
type methodTable struct{ data []byte }

// methods is the table of methods of the package that is checked, which numbers files as the
// package does. It is the one that Surface gives.
func (m *partMaker) methods() []byte {
	if m.pkg == nil || m.filesOf == nil {
		return nil // there are no files
	}
	if m.table == nil {
		m.table = &methodTable{methods.Of(m.pkg, methods.Namer{Path: m.pathOf, File: m.fileOf})}
	}
	return m.table.data
}

// pathOf is what an object is called in its package, or "".
func (m *partMaker) pathOf(obj types.Object) string {
	if obj = declared(obj); packageOf(obj) == m.pkg {
		return m.own[obj]
	}
	return m.world.objectPath(obj)
}

// fileOf is the number of the file that a position of an object is in, or -1.
func (m *partMaker) fileOf(pos token.Pos) int {
	i, ok := m.filesOf(pos)
	if !ok || i >= len(m.trees) {
		return -1
	}
	return slices.Index(m.meta.Files, m.trees[i].URI)
}
