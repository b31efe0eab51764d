package lsp

import "github.com/cytisus/cytisus/runtime"

// A FileRenamer is a Workspace whose texts name files.
type FileRenamer interface {
	// RenameFiles is what has to change in texts when files or directories get other names, before
	// they do; nil if nothing has to. The renames themselves are not part of it. It reads the files
	// under their old names.
	RenameFiles(t *runtime.Task, renames []FileRename) (*WorkspaceEdit, error)
}
