package disk

import (
	"fmt"
	"os"
	"path/filepath"
)

// FolderLimits bound what is read of a folder that lies in no module. It may be the home of a user
// or the root of a disk, of which next to nothing is source that the user wants to see.
type FolderLimits struct {
	Levels      int // of directories below the folder
	Directories int
	Files       int // that have the name of an input
}

// DefaultFolderLimits let a folder of common size be read whole.
var DefaultFolderLimits = FolderLimits{Levels: 32, Directories: 50_000, Files: 10_000}

// modulesMax bounds how many modules below a folder that is in none of them are read before a file
// of theirs is opened.
const modulesMax = 64

// A Below is what lies below a folder that is in no module.
type Below struct {
	Levels  int      // how many levels of directories are read; AllLevels if that is the whole
	Modules []string // directories that hold a go.mod file, the nearest first, as many as are read unasked
}

// Look walks a folder level by level, until it has seen it all or the next level goes beyond a
// limit. So what is read is told by the depth of a file alone, and the folder itself is always
// read.
func (l *FolderLimits) Look(folder string) Below {
	below := Below{Levels: AllLevels}
	level := []string{folder}
	directories, files := 0, 0
	for depth := 0; len(level) > 0; depth++ {
		directories += len(level)
		if depth > 0 && (depth > l.Levels || directories > l.Directories) {
			below.Levels = depth - 1
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
					if IsInput(e.Name()) {
						files++
					}
				case skipDir(e.Name()):
				case IsRegular(filepath.Join(sub, "go.mod")):
					modules = append(modules, sub)
				default:
					next = append(next, sub)
				}
			}
			if depth > 0 && files > l.Files {
				break
			}
		}
		if depth > 0 && files > l.Files {
			below.Levels = depth - 1
			break
		}
		below.Modules = append(below.Modules, modules...)
		level = next
	}
	below.Modules = below.Modules[:min(len(below.Modules), modulesMax)]
	return below
}

// UnreadLevels tells that a folder is not read as a whole.
func (l *FolderLimits) UnreadLevels(d *Definition) Problem {
	return Problem{
		Path: d.Dir,
		Message: fmt.Sprintf("this folder is in no module and has more than %d directories, %d Go files or %d levels of directories: "+
			"what is more than %d levels down is read when it is opened; a folder with less in it is read whole",
			l.Directories, l.Files, l.Levels, d.Levels),
		Unread: true,
	}
}
