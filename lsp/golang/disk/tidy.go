package disk

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tidied is what go mod tidy makes of a text of a go.mod file, which need not be the one that lies
// there. It works on a copy: the file and its go.sum file stay as they are.
func Tidied(ctx context.Context, file string, text []byte, extra []string) (to []byte, err error) {
	dir, err := os.MkdirTemp("", "cytisus-tidy-")
	if err != nil {
		return nil, fmt.Errorf("a place for go mod tidy: %w", err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "go.mod")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		return nil, fmt.Errorf("a copy for go mod tidy: %w", err)
	}
	own := filepath.Dir(file)
	if sum, err := ReadInput(filepath.Join(own, "go.sum")); err == nil {
		if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600); err != nil {
			return nil, fmt.Errorf("a copy for go mod tidy: %w", err)
		}
	}
	if _, err := runGo(ctx, own, append(slices.Clip(extra), "GOWORK=off"), "mod", "tidy", "-modfile="+name); err != nil {
		return nil, err
	}
	return ReadInput(name)
}

// modulesDepth is how many levels of directories ModulesBelow looks at.
const modulesDepth = 4

// ModulesBelow are the directories with a go.mod file that a beginning of a path may mean, as it is
// written in a file of a directory: "./a", "../b". There are at most so many.
func ModulesBelow(dir, begin string, most int) (list []string) {
	from := "."
	if i := strings.LastIndexByte(begin, '/'); i >= 0 {
		from = begin[:i]
	}
	var walk func(written string, depth int)
	walk = func(written string, depth int) {
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(written)))
		if err != nil || depth > modulesDepth {
			return
		}
		for _, entry := range entries {
			below := written + "/" + entry.Name()
			switch {
			case len(list) >= most:
				return
			case entry.Name() == "go.mod" && entry.Type()&fs.ModeDir == 0:
				list = append(list, written)
			case entry.IsDir() && !skipDir(entry.Name()) && (strings.HasPrefix(below, begin) || begin == "" || begin == "."):
				walk(below, depth+1)
			}
		}
	}
	walk(from, 0)
	return list
}
