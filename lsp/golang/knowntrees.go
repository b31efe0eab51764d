package golang

import (
	"maps"
	"sync"
	"weak"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// knownTrees are those of the files of packages that are edited or that questions look at. A
// keystroke changes one file: the texts of the others are neither read nor parsed nor compared
// again.
var knownTrees treeMemory

// A treeMemory knows trees by their text for as long as somebody holds them, as sessions and
// views do.
type treeMemory struct {
	mu sync.Mutex
	of map[string]knownTree // by URI; guarded by mu
}

type knownTree struct {
	text runtime.Blob
	tree weak.Pointer[syntax.Tree]
}

// knownTreesMost is how many files are known before those are forgotten that nobody holds.
const knownTreesMost = 4096

// get returns the tree of a text of a file, nil if it is not known.
func (m *treeMemory) get(uri string, text runtime.Blob) *syntax.Tree {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.of[uri]; k.text == text {
		return k.tree.Value()
	}
	return nil
}

func (m *treeMemory) put(uri string, text runtime.Blob, tree *syntax.Tree) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.of) >= knownTreesMost {
		maps.DeleteFunc(m.of, func(_ string, k knownTree) bool { return k.tree.Value() == nil })
	}
	if m.of == nil || len(m.of) >= knownTreesMost {
		m.of = map[string]knownTree{}
	}
	m.of[uri] = knownTree{text, weak.Make(tree)}
}
