package disk

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A Standard is the standard library of a Go tree, for those who look for something to import. Most
// of it is no part of a build. It reads the disk when it is asked first, and keeps what it has
// read: the tree of a release does not change. Its methods may be called from any goroutine.
type Standard struct {
	src string

	list func() ([]string, error)

	mu    sync.Mutex
	names map[string][]string // exported, by path; guarded by mu
}

var standards sync.Map // of *Standard, by GOROOT

// StandardOf is the standard library of a GOROOT.
func StandardOf(goroot string) *Standard {
	if s, ok := standards.Load(goroot); ok {
		return s.(*Standard)
	}
	s := &Standard{src: filepath.Join(goroot, "src"), names: map[string][]string{}}
	s.list = sync.OnceValues(s.walk)
	had, _ := standards.LoadOrStore(goroot, s)
	return had.(*Standard)
}

// Packages are the paths of the packages that anybody may import, in order.
func (s *Standard) Packages() ([]string, error) { return s.list() }

func (s *Standard) walk() (all []string, err error) {
	err = filepath.WalkDir(s.src, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			base := d.Name()
			if name != s.src && (base == "internal" || base == "vendor" || base == "testdata" || base == "cmd" || base[0] == '.' || base[0] == '_') {
				return fs.SkipDir
			}
			return nil
		case !syntax.IsGoFile(d.Name()) || syntax.IsTestFile(d.Name()):
			return nil
		}
		rel, err := filepath.Rel(s.src, filepath.Dir(name))
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

// Names are the exported names that some file of a package declares on some system, in order.
func (s *Standard) Names(pkg string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if names, ok := s.names[pkg]; ok {
		return names, nil
	}
	dir := filepath.Join(s.src, filepath.FromSlash(path.Clean(pkg)))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("golang: package %s: %w", pkg, err)
	}
	var names []string
	for _, e := range entries {
		if !syntax.IsGoFile(e.Name()) || syntax.IsTestFile(e.Name()) {
			continue
		}
		text, err := ReadInput(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		names = append(names, syntax.ExportedNames(syntax.Parse(files.URI(filepath.Join(dir, e.Name())), text))...)
	}
	slices.Sort(names)
	s.names[pkg] = slices.Compact(names)
	return s.names[pkg], nil
}
