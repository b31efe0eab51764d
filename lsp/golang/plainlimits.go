package golang

import (
	"fmt"
	"os"
	"path/filepath"
)

// plainLimits bound what is read of a folder that lies in no module. It may be the home of a user
// or the root of a disk, of which next to nothing is source that the user wants to see.
type plainLimits struct {
	levels      int // of directories below the folder
	directories int
	files       int // that have the name of an input
}

var defaultPlainLimits = plainLimits{levels: 32, directories: 50_000, files: 10_000}

// modulesMax bounds how many modules below a folder that is in none of them are read before a file
// of theirs is opened.
const modulesMax = 64

// A belowFolder is what lies below a folder that is in no module.
type belowFolder struct {
	levels  int      // how many levels of directories are read; allLevels if that is the whole
	modules []string // directories that hold a go.mod file, the nearest first, as many as are read unasked
}

// look walks a folder level by level, until it has seen it all or the next level goes beyond a
// limit. So what is read is told by the depth of a file alone, and the folder itself is always
// read.
func (l *plainLimits) look(folder string) belowFolder {
	below := belowFolder{levels: allLevels}
	level := []string{folder}
	directories, files := 0, 0
	for depth := 0; len(level) > 0; depth++ {
		directories += len(level)
		if depth > 0 && (depth > l.levels || directories > l.directories) {
			below.levels = depth - 1
			break
		}
		var next, modules []string
		for _, dir := range level {
			entries, err := os.ReadDir(dir)
			if err != nil {
				continue // the scan tells
			}
			for _, e := range entries {
				switch sub := filepath.Join(dir, e.Name()); {
				case !e.IsDir():
					if isInput(e.Name()) {
						files++
					}
				case skipDir(e.Name()):
				case isRegular(filepath.Join(sub, "go.mod")):
					modules = append(modules, sub)
				default:
					next = append(next, sub)
				}
			}
			if depth > 0 && files > l.files {
				break
			}
		}
		if depth > 0 && files > l.files {
			below.levels = depth - 1
			break
		}
		below.modules = append(below.modules, modules...)
		level = next
	}
	below.modules = below.modules[:min(len(below.modules), modulesMax)]
	return below
}

// unreadLevels tells that a folder is not read as a whole.
func (l *plainLimits) unreadLevels(d *buildDef) scanProblem {
	return scanProblem{
		Path: d.dir,
		Message: fmt.Sprintf("this folder is in no module and has more than %d directories, %d Go files or %d levels of directories: "+
			"what is more than %d levels down is read when it is opened; a folder with less in it is read whole",
			l.directories, l.files, l.levels, d.levels),
		Unread: true,
	}
}
