package partition

import "github.com/cytisus/cytisus/runtime"

// A Watch is what a workspace wants to hear of outside of its root: changes of the files
// that a pattern below a directory matches.
type Watch struct {
	Dir   string // absolute path
	Globs []string
}

// Watches holds, by the path of a root, what its workspace wants to hear of elsewhere. The
// language writes it; the server asks clients to report these files.
var Watches = runtime.NewPartition[[]Watch]("lsp/watches")
