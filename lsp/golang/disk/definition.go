package disk

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// A Definition says what one question to the go command is about: the packages of one module, those
// of all the modules that a go.work file uses, or what lies outside of modules.
type Definition struct {
	Root  string   // names the build; nearly always the same as dir
	Dir   string   // where the go command runs
	Work  string   // the go.work file in force; "" none
	Off   bool     // there is a go.work file, which does not use the module
	Plain bool     // outside of modules
	Own   []string // directories whose packages are the build's own, those of its modules; sorted
	Uses  []string // directories that the go.work file names, whether they are modules or not; sorted

	Levels int // how many levels of directories below each of own are the build's; AllLevels but outside of modules
}

// AllLevels says that a build has everything below its directories.
const AllLevels = -1

// Equal reports whether two builds are defined alike.
func (d *Definition) Equal(e *Definition) bool {
	return d.Root == e.Root && d.Dir == e.Dir && d.Work == e.Work && d.Off == e.Off && d.Plain == e.Plain && d.Levels == e.Levels &&
		slices.Equal(d.Own, e.Own) && slices.Equal(d.Uses, e.Uses)
}

// UpTo is the nearest directory at or above another that holds a regular file of a name; "" if
// there is none.
func UpTo(dir, name string) string {
	for {
		if IsRegular(filepath.Join(dir, name)) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// IsRegular reports whether a path leads to a regular file.
func IsRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// WorkDefinition is the build of a go.work file; ok is false if it cannot be read. Of one that the
// go command does not accept it is what can be understood: so the build is one thing, whoever asks.
func WorkDefinition(work string) (d Definition, ok bool) {
	at := filepath.Dir(work)
	d = Definition{Root: at, Dir: at, Work: work, Levels: AllLevels}
	text, err := ReadInput(work)
	if err != nil {
		return d, false
	}
	for _, use := range usesOf(work, text) {
		dir := filepath.FromSlash(use)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(at, dir)
		}
		d.Uses = append(d.Uses, filepath.Clean(dir))
	}
	slices.Sort(d.Uses)
	d.Uses = slices.Compact(d.Uses)
	d.Own = slices.DeleteFunc(slices.Clone(d.Uses), func(dir string) bool { return !IsRegular(filepath.Join(dir, "go.mod")) })
	return d, true
}

// usesOf are the directories that a go.work file names.
func usesOf(work string, text []byte) (uses []string) {
	if f, err := modfile.ParseWork(work, text, nil); err == nil {
		for _, use := range f.Use {
			uses = append(uses, use.Path)
		}
		return uses
	}
	block := false
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case words[0] == ")":
			block = false
			continue
		case words[0] == "use":
			words = words[1:]
			if block = len(words) == 1 && words[0] == "("; block {
				continue
			}
		case !block:
			continue
		}
		if len(words) != 1 {
			continue
		}
		use := words[0]
		if s, err := strconv.Unquote(use); err == nil {
			use = s
		}
		uses = append(uses, use)
	}
	return uses
}

// DecidesBuild reports whether a file of this name decides what a build is.
func DecidesBuild(name string) bool {
	switch name {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt":
		return true
	}
	return false
}

// Covers reports whether a file lies in one of the build's own directories, no deeper than the
// build goes.
func (d *Definition) Covers(path string) bool {
	return slices.ContainsFunc(d.Own, func(own string) bool { return Reaches(own, d.Levels, filepath.Dir(path)) })
}

// Reaches reports whether a directory lies at most some levels below another, or is the same.
func Reaches(own string, levels int, dir string) bool {
	depth, ok := DepthBelow(own, dir)
	return ok && (levels == AllLevels || depth <= levels)
}

// DepthBelow is how many levels a directory lies below another; ok is false if it does not.
func DepthBelow(own, dir string) (depth int, ok bool) {
	rel, err := filepath.Rel(own, dir)
	switch {
	case err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)):
		return 0, false
	case rel == ".":
		return 0, true
	}
	return 1 + strings.Count(rel, string(filepath.Separator)), true
}

// Owner is the directory of the build's own that a file belongs to, as the go command walks them;
// "" if it belongs to none.
func (d *Definition) Owner(path string) string {
	for _, own := range slices.Backward(d.Own) { // what lies inside comes later
		if ScanFinds(own, d.Levels, path) {
			return own
		}
	}
	return ""
}

// ScanFinds reports whether a scan of some levels of a directory finds a file.
func ScanFinds(root string, levels int, path string) bool {
	if !IsInput(filepath.Base(path)) || !Reaches(root, levels, filepath.Dir(path)) {
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
		if skipDir(part) || IsRegular(filepath.Join(dir, "go.mod")) {
			return false
		}
	}
	return true
}
