package golang

import (
	"go/build"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// strayOf is the ID of the package that is made for a file which no package of the workspace is
// compiled from.
func strayOf(t *runtime.Task, root, uri string) (string, error) {
	path, ok := files.Path(uri)
	if !ok || !syntax.IsGoFile(uri) {
		return "", nil
	}
	env, m, err := strayWorld(t, root)
	if err != nil {
		return "", err
	}
	text, err := headers.Get(t, uri)
	if err != nil || text == "" {
		return "", err
	}
	h := syntax.ParseHeader(text)
	s := stray{kind: strayAlone, at: uri, name: h.Name}
	dir := filepath.Dir(path)
	if s.build, ok = disk.NearestTarget(env, path, &h); ok {
		s.kind, s.at = strayPlain, files.URI(dir)
		if syntax.IsTestFile(uri) {
			s.kind = strayTests
			if strings.HasSuffix(h.Name, "_test") {
				s.kind = strayExternal
			}
		}
	}
	return s.id(m.PathOfDir(dir, h.Name)), nil
}

// strays gives the ID of the stray package of a file.
var strays = runtime.NewQuery("golang/stray", version(1), func(t *runtime.Task, k pkgKey) (string, error) { return strayOf(t, k.Root, k.ID) })

// strayWorld is what strays are made from.
func strayWorld(t *runtime.Task, root string) (*disk.Environment, *metadata.Build, error) {
	env, err := environments.Get(t, root)
	if err != nil {
		return nil, nil, err
	}
	m, err := metadatas.Get(t, root)
	return &env, m, err
}

// strayPackage makes a stray package from its ID. The edges that lie on a cycle are cut, as in
// metadata.
func strayPackage(t *runtime.Task, root, id string) (*metadata.Package, error) {
	whole, err := wholeStrays.Get(t, pkgKey{root, id})
	if err != nil || whole == nil {
		return nil, err
	}
	p := *whole
	p.Imports = slices.Clone(whole.Imports)
	for i := range p.Imports {
		e := &p.Imports[i]
		back, err := strayReaches(t, root, e.ID, id)
		if err != nil {
			return nil, err
		}
		if back {
			e.ID, e.Cut = "", e.ID
		}
	}
	return &p, nil
}

// strayReaches reports whether a stray package imports another, directly or not, or is the same. A
// package that is none reaches none.
func strayReaches(t *runtime.Task, root, from, to string) (bool, error) {
	queue, seen := []string{from}, map[string]bool{}
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		if id == to {
			return true, nil
		}
		if seen[id] || !isStray(id) {
			continue
		}
		seen[id] = true
		p, err := wholeStrays.Get(t, pkgKey{root, id})
		if err != nil {
			return false, err
		}
		if p != nil {
			queue = append(queue, p.Dependencies()...)
		}
	}
	return false, nil
}

// wholeStrays are the stray packages with all that they import.
var wholeStrays = runtime.NewQuery("golang/whole-stray", version(1), func(t *runtime.Task, k pkgKey) (*metadata.Package, error) {
	return wholeStray(t, k.Root, k.ID)
})

func wholeStray(t *runtime.Task, root, id string) (*metadata.Package, error) {
	path, s, ok := parseStray(id)
	if !ok {
		return nil, nil
	}
	env, m, err := strayWorld(t, root)
	if err != nil {
		return nil, err
	}
	uris := []string{s.at}
	if s.kind != strayAlone {
		if uris, err = goFilesIn(t, s.at); err != nil {
			return nil, err
		}
	}
	heads, err := headers.All(t, uris)
	if err != nil {
		return nil, err
	}
	ctx := s.build.Context(env)
	p := &metadata.Package{ID: id, Path: path, Name: s.name, Arch: s.build.Arch}
	var imports []string
	for i, uri := range uris {
		h := syntax.ParseHeader(heads[i])
		file, ok := files.Path(uri)
		if !ok || !s.takes(ctx, file, &h, p.Name) {
			continue
		}
		p.Name = h.Name
		p.Files = append(p.Files, uri)
		imports = append(imports, h.Imports...)
	}
	slices.Sort(imports)
	for _, path := range slices.Compact(imports) {
		switch path {
		case "C":
			p.Cgo = true
		case "unsafe":
		default:
			e, err := s.edge(t, env, m, p, path)
			if err != nil {
				return nil, err
			}
			p.Imports = append(p.Imports, e)
		}
	}
	if twin := m.InDir(filepath.Dir(s.file())); twin != nil {
		p.GoVersion, p.Standard = twin.GoVersion, twin.Standard
	}
	return p, nil
}

// file is the path of a file, which need not exist, in the directory of the package.
func (s *stray) file() string {
	path, _ := files.Path(s.at)
	if s.kind != strayAlone {
		path = filepath.Join(path, "x.go")
	}
	return path
}

// takes reports whether a file is part of the package, whose name is known once it has a file.
func (s *stray) takes(ctx build.Context, path string, h *syntax.Header, name string) bool {
	if s.kind == strayAlone {
		return true
	}
	switch test := syntax.IsTestFile(path); {
	case test != (s.kind == strayExternal) && s.kind != strayTests, h.Name == "", h.Name == "documentation":
		return false
	case name != "" && h.Name != name:
		return false
	case name == "" && strings.HasSuffix(h.Name, "_test"):
		return false
	}
	return disk.Matches(ctx, path, h)
}

// edge says what an import of a stray package means: under the workspace's own build what it means
// to others, else the stray package of the same build, if the workspace has its files.
func (s *stray) edge(t *runtime.Task, env *disk.Environment, m *metadata.Build, p *metadata.Package, path string) (metadata.Edge, error) {
	dir := filepath.Dir(s.file())
	own := disk.OwnTarget(env)
	if s.kind == strayExternal && path == strings.TrimSuffix(p.Path, "_test") && !s.build.Equal(&own) {
		under := stray{build: s.build, kind: strayTests, at: s.at, name: strings.TrimSuffix(s.name, "_test")}
		return metadata.Edge{Import: path, ID: under.id(path)}, nil
	}
	if !s.build.Equal(&own) {
		if at := m.DirOfPath(path); at != "" && at != dir {
			uris, err := goFilesIn(t, files.URI(at))
			if err != nil {
				return metadata.Edge{}, err
			}
			if len(uris) > 0 {
				of := stray{build: s.build, kind: strayPlain, at: files.URI(at)}
				return metadata.Edge{Import: path, ID: of.id(path)}, nil
			}
		}
	}
	if twin := m.InDir(dir); twin != nil {
		if e, ok := twin.Edge(path); ok && e.Checked() != "" {
			return metadata.Edge{Import: path, ID: e.Checked()}, nil
		}
	}
	for _, as := range []string{path, "vendor/" + path} {
		if q := m.Find(as); q != nil {
			return metadata.Edge{Import: path, ID: q.ID}, nil
		}
	}
	return metadata.Edge{Import: path, Problem: "package " + path + " is not part of the workspace's build"}, nil
}

// goFilesIn lists the known Go files of a directory, itself only, unsaved ones included.
func goFilesIn(t *runtime.Task, dir string) ([]string, error) {
	prefix := strings.TrimSuffix(dir, "/") + "/"
	saved, err := savedTexts.Keys(t, runtime.Prefix(prefix))
	if err != nil {
		return nil, err
	}
	unsaved, err := overlays.Keys(t, runtime.Prefix(prefix))
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(append(saved, unsaved...), func(uri string) bool {
		name := uri[len(prefix):]
		return strings.Contains(name, "/") || !syntax.IsGoFile(name) || !disk.IsInput(name)
	})
	slices.Sort(all)
	return slices.Compact(all), nil
}

var strayPackages = runtime.NewQuery("golang/stray-package", version(1), func(t *runtime.Task, k pkgKey) (*metadata.Package, error) {
	return strayPackage(t, k.Root, k.ID)
})

// packageOf returns a package, stray or not; nil if there is none.
func packageOf(t *runtime.Task, k pkgKey) (*metadata.Package, error) {
	if isStray(k.ID) {
		return strayPackages.Get(t, k)
	}
	p, _, err := packages.Get(t, k.Root, k.ID)
	return p, err
}
