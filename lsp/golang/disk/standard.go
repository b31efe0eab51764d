package disk

import (
	"fmt"
	"go/build"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var standards sync.Map // of func() ([]string, error), by what decides about the list

// StandardPackages are the paths of the packages of the standard library that anybody may import in
// an environment, in order. Most of them are no part of a build. The disk is read when an
// environment of the kind asks first: the tree of a release does not change. Any number of
// goroutines may call it.
func (e *Environment) StandardPackages() ([]string, error) {
	key := strings.Join(slices.Concat([]string{e.GoRoot, e.GoOS, e.GoArch, e.CgoEnabled, e.Experiment}, e.Tags), "\x00")
	list, _ := standards.LoadOrStore(key, sync.OnceValues(func() ([]string, error) {
		return walkStandard(e.buildContext())
	}))
	return list.(func() ([]string, error))()
}

// walkStandard finds the directories below a Go tree that have a file of a build.
func walkStandard(ctx build.Context) (all []string, err error) {
	src := filepath.Join(ctx.GOROOT, "src")
	found := map[string]bool{"builtin": true, ".": true}
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
		p := filepath.ToSlash(rel)
		if found[p] {
			return nil
		}
		if ok, err := ctx.MatchFile(filepath.Split(name)); ok && err == nil {
			found[p], all = true, append(all, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("golang: the standard library: %w", err)
	}
	slices.Sort(all)
	return all, nil
}
