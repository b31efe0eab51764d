package golang

import (
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
)

// lookBelow finds out what lies below the folder.
func (w *workspace) lookBelow() disk.Below {
	below := w.limits.Look(w.root)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.below = &below
	return below
}

// definePlain finds the build of a directory that lies in no module. That is the folder's, as far
// as the folder is read; a directory elsewhere is a build without those below it, which no
// question is about.
func (w *workspace) definePlain(dir string) disk.Definition {
	if files.Inside(w.root, dir) {
		w.mu.Lock()
		below := w.below
		w.mu.Unlock()
		if below == nil {
			now := w.lookBelow()
			below = &now
		}
		if disk.Reaches(w.root, below.Levels, dir) {
			return disk.Definition{Root: w.root, Dir: w.root, Plain: true, Own: []string{w.root}, Levels: below.Levels}
		}
	}
	return disk.Definition{Root: dir, Dir: dir, Plain: true, Own: []string{dir}}
}
