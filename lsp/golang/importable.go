package golang

import (
	"sync"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/complete"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/refactor"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// importable are the packages that a file of a build could import: those of the build, and the
// standard library.
type importable struct {
	taskSource
	near   map[string]bool // IDs that the package of the file imports
	tested string          // the path of the package that the one of the file tests from outside
}

func newImportable(src taskSource, from *metadata.Package) importable {
	s := importable{taskSource: src, near: map[string]bool{}}
	if from.ForTest != from.Path {
		s.tested = from.ForTest
	}
	for i := range from.Imports {
		s.near[from.Imports[i].Checked()] = true
	}
	return s
}

// Packages implements complete.Source.
func (s importable) Packages(fn func(p complete.Package) bool) error {
	m, err := s.metadata()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for i := range m.Packages {
		p := &m.Packages[i]
		id := p.ID
		if s.tested != "" && p.Path == s.tested {
			id = testedFrom(m, p) // with what its own tests declare
		}
		if p.ForTest != "" || p.Name == "" || p.Path == metadata.Builtin || known[p.Path] {
			continue
		}
		known[p.Path] = true
		if !fn(complete.Package{Path: p.Path, Name: p.Name, ID: id, Near: p.Workspace || s.near[p.ID]}) {
			return nil
		}
	}
	env, err := environments.Get(s.t, s.root)
	if err != nil {
		return err
	}
	standard, err := env.StandardPackages()
	if err != nil {
		return nil // there is no Go tree
	}
	for _, std := range standard {
		if !known[std] && !fn(complete.Package{Path: std, Name: refactor.LikelyName(std)}) {
			return nil
		}
	}
	return nil
}

// testedFrom is the ID of a package as the tests outside of it see it: with its own test files, if
// it has any.
func testedFrom(m *metadata.Build, of *metadata.Package) string {
	for i := range m.Packages {
		if p := &m.Packages[i]; p.Path == of.Path && p.ForTest == of.Path {
			return p.ID
		}
	}
	return of.ID
}

// exportedByStandard has what packages of the standard library export, by directory.
var exportedByStandard sync.Map

// Exported implements complete.Source.
func (s importable) Exported(p complete.Package) ([]complete.Exported, error) {
	if p.ID == "" {
		env, err := environments.Get(s.t, s.root)
		if err != nil {
			return nil, err
		}
		key := env.GoRoot + "\x00" + p.Path
		if had, ok := exportedByStandard.Load(key); ok {
			return had.([]complete.Exported), nil
		}
		var trees []*syntax.Tree
		for _, uri := range env.StandardFiles(p.Path) {
			text, err := disk.ReadInput(files.PathOf(uri))
			if err != nil {
				continue // it has gone
			}
			trees = append(trees, syntax.Parse(uri, text))
		}
		list := complete.ExportedBy(trees)
		exportedByStandard.Store(key, list)
		return list, nil
	}
	meant, err := s.find(p.ID)
	if err != nil || meant == nil {
		return nil, err
	}
	var trees []*syntax.Tree
	for _, uri := range meant.Files {
		text, err := s.text(uri)
		if err != nil {
			if ignoreUnknown(err) == nil {
				continue
			}
			return nil, err
		}
		trees = append(trees, syntax.Parse(uri, text))
	}
	return complete.ExportedBy(trees), nil
}
