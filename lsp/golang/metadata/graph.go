package metadata

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cytisus/cytisus/lsp/files"
)

// A graph is metadata with what can be looked up in it. It is built when first asked for and then
// immutable.
type graph struct {
	once   sync.Once
	byFile map[string][]int // URI -> numbers of packages, those of the workspace first
	blamed map[string][]int // URI -> numbers of packages of the workspace that have an error there and not the file
	byPath map[string][]int // path -> numbers of packages, the one without tests first
	byDir  map[string]int   // directory -> number of a package of the workspace there, the one without tests if there is one
	users  [][]int          // package -> packages that import it

	// Directory of what a path begins with, as the packages of the workspace show it: of "m" if
	// "m/disk" lies in a directory disk.
	roots map[string]string
}

// MarshalBinary gives no bytes: a graph says nothing that its metadata does not say.
func (*graph) MarshalBinary() ([]byte, error) { return nil, nil }

// UnmarshalBinary leaves the graph as one that has not been asked for.
func (*graph) UnmarshalBinary([]byte) error { return nil }

func (m *Build) graph() *graph {
	g := &m.Looked
	g.once.Do(func() {
		g.blamed = map[string][]int{}
		g.byFile, g.byPath, g.byDir = map[string][]int{}, map[string][]int{}, map[string]int{}
		g.roots = map[string]string{}
		g.users = make([][]int, len(m.Packages))
		number := make(map[string]int, len(m.Packages))
		for i := range m.Packages {
			number[m.Packages[i].ID] = i
		}
		for i := range m.Packages {
			p := &m.Packages[i]
			g.byPath[p.Path] = append(g.byPath[p.Path], i)
			for _, uri := range p.Files {
				g.byFile[uri] = append(g.byFile[uri], i)
			}
			for j := range p.Errors {
				if uri, ok := files.CanonicalURI(p.Errors[j].File); ok && p.Workspace && !slices.Contains(p.Files, uri) && !slices.Contains(g.blamed[uri], i) {
					g.blamed[uri] = append(g.blamed[uri], i)
				}
			}
			for _, id := range p.Checked() {
				if d, ok := number[id]; ok {
					g.users[d] = append(g.users[d], i)
				}
			}
		}
		prefer := func(list []int) {
			slices.SortStableFunc(list, func(a, b int) int {
				p, q := &m.Packages[a], &m.Packages[b]
				if p.Workspace != q.Workspace {
					return falseFirst(q.Workspace, p.Workspace)
				}
				// "p" before "p [p.test]" before "p [q.test]".
				if c := falseFirst(p.ForTest != "", q.ForTest != ""); c != 0 {
					return c
				}
				return strings.Compare(p.ID, q.ID)
			})
		}
		for _, list := range g.byFile {
			prefer(list)
		}
		for _, list := range g.byPath {
			prefer(list)
			for _, i := range list {
				p := &m.Packages[i]
				path, ok := files.Path(firstFile(p))
				if !ok || !p.Workspace {
					continue
				}
				dir := filepath.Dir(path)
				if !strings.HasSuffix(p.Name, "_test") {
					g.addRoot(p.Path, dir)
				}
				// A package has precedence over the external tests that lie beside it.
				if j, ok := g.byDir[dir]; !ok || strings.HasSuffix(m.Packages[j].Name, "_test") && !strings.HasSuffix(p.Name, "_test") {
					g.byDir[dir] = i
				}
			}
		}
	})
	return g
}

// addRoot takes the elements off that a path and a directory both end with.
func (g *graph) addRoot(path, dir string) {
	for path != "" {
		cut := strings.LastIndexByte(path, '/')
		if filepath.Base(dir) != path[cut+1:] {
			break
		}
		path, dir = path[:max(cut, 0)], filepath.Dir(dir)
	}
	g.roots[path] = dir
}

// Owners are the packages that a file is compiled in: the workspace's own ones if there are any,
// else one of those that were compiled for others.
func (m *Build) Owners(uri string) []*Package {
	var out []*Package
	for _, i := range m.graph().byFile[uri] {
		p := &m.Packages[i]
		if !p.Workspace && len(out) > 0 {
			break
		}
		out = append(out, p)
	}
	return out
}

// Telling are the packages of the workspace from which something is known to be wrong with a file:
// those that it is compiled in, and those that the go command has an error against which it shows
// in the file.
func (m *Build) Telling(uri string) []*Package {
	var out []*Package
	for _, p := range m.Owners(uri) {
		if p.Workspace {
			out = append(out, p)
		}
	}
	for _, i := range m.graph().blamed[uri] {
		out = append(out, &m.Packages[i])
	}
	return out
}

// Named lists the packages of a path as seen from another package: what it imports itself comes
// first.
func (m *Build) Named(path string, from *Package) []*Package {
	var out []*Package
	seen := map[string]bool{}
	add := func(p *Package) {
		if p != nil && !seen[p.ID] {
			seen[p.ID] = true
			out = append(out, p)
		}
	}
	if from != nil {
		if from.Path == path {
			add(from)
		}
		for _, e := range from.Imports {
			if id := e.Checked(); id != "" && PathOf(id) == path {
				add(m.Find(id))
			}
		}
	}
	for _, i := range m.graph().byPath[path] {
		add(&m.Packages[i])
	}
	return out
}

// Reaching lists the packages of the workspace that import a path, directly or not, and those of
// the path itself.
func (m *Build) Reaching(path string) []*Package {
	g := m.graph()
	seen := map[int]bool{}
	queue := slices.Clone(g.byPath[path])
	if path == Builtin || path == "unsafe" {
		// The language itself needs no import; for unsafe no edge is kept.
		queue = queue[:0]
		for i := range m.Packages {
			queue = append(queue, i)
		}
	}
	var out []*Package
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		if seen[i] {
			continue
		}
		seen[i] = true
		if m.Packages[i].Workspace {
			out = append(out, &m.Packages[i])
		}
		queue = append(queue, g.users[i]...)
	}
	slices.SortFunc(out, func(a, b *Package) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Reached lists the paths of the packages that some packages are or come to by their imports,
// without those of the standard library.
func (m *Build) Reached(from func(*Package) bool) (paths []string) {
	seen := map[string]bool{}
	var todo []*Package
	visit := func(p *Package) {
		if p != nil && !p.Standard && !seen[p.ID] {
			seen[p.ID] = true
			paths, todo = append(paths, p.Path), append(todo, p)
		}
	}
	for i := range m.Packages {
		if from(&m.Packages[i]) {
			visit(&m.Packages[i])
		}
	}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for i := range p.Imports {
			visit(m.Find(p.Imports[i].Checked()))
		}
	}
	return paths
}

// InDir is a package of the workspace that is made of files of a directory, without tests if there
// is one such; nil if none is.
func (m *Build) InDir(dir string) *Package {
	g := m.graph()
	if i, ok := g.byDir[dir]; ok {
		return &m.Packages[i]
	}
	return nil
}

// PathOfDir is the path that a package of this name has in a directory. It is an import path unless
// another package lies there, such as that of a program beside it.
func (m *Build) PathOfDir(dir, name string) string {
	if p := m.InDir(dir); p != nil {
		path := strings.TrimSuffix(p.Path, "_test")
		if tested := strings.TrimSuffix(name, "_test"); tested != "" && tested != strings.TrimSuffix(p.Name, "_test") {
			path += "(" + tested + ")" // no import path has parentheses
		}
		if strings.HasSuffix(name, "_test") && !strings.HasSuffix(p.Name, "_test") {
			return path + "_test"
		}
		return path
	}
	for up, tail := dir, ""; ; {
		if p := m.InDir(up); p != nil {
			return p.Path + tail
		}
		if up == filepath.Dir(up) {
			return "_" + filepath.ToSlash(dir)
		}
		up, tail = filepath.Dir(up), "/"+filepath.Base(up)+tail
	}
}

// DirOfPath is the directory in the workspace in which a package of this path would lie; "" if
// there is no telling.
func (m *Build) DirOfPath(path string) string {
	g := m.graph()
	for head, tail := path, ""; ; {
		for _, i := range g.byPath[head] {
			p := &m.Packages[i]
			if file, ok := files.Path(firstFile(p)); ok && p.Workspace {
				return filepath.Join(filepath.Dir(file), filepath.FromSlash(tail))
			}
		}
		if dir, ok := g.roots[head]; ok {
			return filepath.Join(dir, filepath.FromSlash(tail))
		}
		if head == "" {
			return ""
		}
		cut := max(strings.LastIndexByte(head, '/'), 0)
		head, tail = head[:cut], head[cut:]+tail
	}
}

func firstFile(p *Package) string {
	if len(p.Files) == 0 {
		return ""
	}
	return p.Files[0]
}

// falseFirst compares two answers.
func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
