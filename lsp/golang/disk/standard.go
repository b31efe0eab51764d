package disk

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var standards sync.Map // of func() ([]string, error), by GOROOT

// StandardPackages are the paths of the packages of the standard library that anybody may import,
// in order. Most of them are no part of a build. The disk is read when a Go tree is asked about
// first: the tree of a release does not change. Any number of goroutines may call it.
func StandardPackages(goroot string) ([]string, error) {
	list, _ := standards.LoadOrStore(goroot, sync.OnceValues(func() ([]string, error) {
		return walkStandard(filepath.Join(goroot, "src"))
	}))
	return list.(func() ([]string, error))()
}

func walkStandard(src string) (all []string, err error) {
	err = filepath.WalkDir(src, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			base := d.Name()
			if name != src && (base == "internal" || base == "vendor" || base == "testdata" || base == "cmd" || base[0] == '.' || base[0] == '_') {
				return fs.SkipDir
			}
			return nil
		case !syntax.IsGoFile(d.Name()) || syntax.IsTestFile(d.Name()):
			return nil
		}
		rel, err := filepath.Rel(src, filepath.Dir(name))
		if err != nil {
			return err
		}
		if p := filepath.ToSlash(rel); len(all) == 0 || all[len(all)-1] != p {
			all = append(all, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("golang: the standard library: %w", err)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(p string) bool { return p == "builtin" || p == "." }), nil
}
