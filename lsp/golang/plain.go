package golang

import "github.com/cytisus/cytisus/lsp/files"

// lookBelow finds out what lies below the folder.
func (w *workspace) lookBelow() belowFolder {
	below := w.limits.look(w.root)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.below = &below
	return below
}

// definePlain finds the build of a directory that lies in no module. That is the folder's, as far
// as the folder is read; a directory elsewhere is a build without those below it, which no
// question is about.
func (w *workspace) definePlain(dir string) buildDef {
	if files.Inside(w.root, dir) {
		w.mu.Lock()
		below := w.below
		w.mu.Unlock()
		if below == nil {
			now := w.lookBelow()
			below = &now
		}
		if reaches(w.root, below.levels, dir) {
			return buildDef{root: w.root, dir: w.root, plain: true, own: []string{w.root}, levels: below.levels}
		}
	}
	return buildDef{root: dir, dir: dir, plain: true, own: []string{dir}}
}
