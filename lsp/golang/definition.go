package golang

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// A buildDef says what one question to the go command is about: the packages of one module, those
// of all the modules that a go.work file uses, or what lies outside of modules.
type buildDef struct {
	root  string   // names the build; nearly always the same as dir
	dir   string   // where the go command runs
	work  string   // the go.work file in force; "" none
	off   bool     // there is a go.work file, which does not use the module
	plain bool     // outside of modules
	own   []string // directories whose packages are the build's own, those of its modules; sorted
	uses  []string // directories that the go.work file names, whether they are modules or not; sorted

	levels int // how many levels of directories below each of own are the build's; allLevels but outside of modules
}

// allLevels says that a build has everything below its directories.
const allLevels = -1

func (d *buildDef) equal(e *buildDef) bool {
	return d.root == e.root && d.dir == e.dir && d.work == e.work && d.off == e.off && d.plain == e.plain && d.levels == e.levels &&
		slices.Equal(d.own, e.own) && slices.Equal(d.uses, e.uses)
}

// upTo is the nearest directory at or above another that holds a regular file of a name; "" if
// there is none.
func upTo(dir, name string) string {
	for {
		if isRegular(filepath.Join(dir, name)) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// workBuild is the build of a go.work file; ok is false if it cannot be read.
func workBuild(work string) (d buildDef, ok bool) {
	at := filepath.Dir(work)
	d = buildDef{root: at, dir: at, work: work, levels: allLevels}
	text, err := readInput(work)
	if err != nil {
		return d, false
	}
	f, err := modfile.ParseWork(work, text, nil)
	if err != nil {
		return d, false
	}
	for _, use := range f.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(at, dir)
		}
		d.uses = append(d.uses, filepath.Clean(dir))
	}
	slices.Sort(d.uses)
	d.uses = slices.Compact(d.uses)
	d.own = slices.DeleteFunc(slices.Clone(d.uses), func(dir string) bool { return !isRegular(filepath.Join(dir, "go.mod")) })
	return d, true
}

// decidesBuild reports whether a file of this name decides what a build is.
func decidesBuild(name string) bool {
	switch name {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt":
		return true
	}
	return false
}

// covers reports whether a file lies in one of the build's own directories, no deeper than the
// build goes.
func (d *buildDef) covers(path string) bool {
	return slices.ContainsFunc(d.own, func(own string) bool { return reaches(own, d.levels, filepath.Dir(path)) })
}

// reaches reports whether a directory lies at most some levels below another, or is the same.
func reaches(own string, levels int, dir string) bool {
	depth, ok := depthBelow(own, dir)
	return ok && (levels == allLevels || depth <= levels)
}

// depthBelow is how many levels a directory lies below another; ok is false if it does not.
func depthBelow(own, dir string) (depth int, ok bool) {
	rel, err := filepath.Rel(own, dir)
	switch {
	case err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)):
		return 0, false
	case rel == ".":
		return 0, true
	}
	return 1 + strings.Count(rel, string(filepath.Separator)), true
}

// owner is the directory of the build's own that a file belongs to, as the go command walks them;
// "" if it belongs to none.
func (d *buildDef) owner(path string) string {
	for _, own := range slices.Backward(d.own) { // what lies inside comes later
		if owns(own, d.levels, path) {
			return own
		}
	}
	return ""
}

// owns reports whether a scan of some levels of a directory finds a file.
func owns(root string, levels int, path string) bool {
	if !isInput(filepath.Base(path)) || !reaches(root, levels, filepath.Dir(path)) {
		return false
	}
	rel, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return false
	}
	dir := root
	for part := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
		if part == "." {
			continue
		}
		dir = filepath.Join(dir, part)
		if skipDir(part) || isRegular(filepath.Join(dir, "go.mod")) {
			return false
		}
	}
	return true
}
