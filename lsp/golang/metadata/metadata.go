package metadata

import (
	"cmp"
	"slices"
	"strings"
	"weak"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A Build is what the go command knows about a workspace: which packages there are, of which
// files, and what they import. It holds no content of files and no positions that an edit inside a
// file would move, except in errors. It is passed by pointer and immutable once normalised.
type Build struct {
	Packages []Package // sorted by ID
	Problems []Problem // what concerns no single package
	Failed   string    // why the go command gave no answer, or not a whole one for a reason that may pass: the next index asks again
	Nearby   []string  // directories that packages come from and which may change, but are not the build's own; sorted
	Replaced []string  // directories that module files put in the place of modules, which need not exist; sorted
	Foreign  []string  // directories of code that never changes: the Go tree and the module cache
	Unseen   []string  // URIs of files that the go command saw in another state than the inputs have; sorted

	Looked graph // what follows from the above, for those who look things up; not stored
}

// Weak returns a function that gives the build for as long as somebody holds it: workspaces do,
// longer than the engine keeps it decoded.
func (m *Build) Weak() func() any {
	held := weak.Make(m)
	return func() any {
		if m := held.Value(); m != nil {
			return m
		}
		return nil
	}
}

// A Package is one package as it is compiled. A package with tests in it is another package than
// the one without, under the same path; the ID tells them apart, as in "fmt [fmt.test]".
type Package struct {
	ID        string
	Path      string
	Name      string
	ForTest   string   // the path of the package under test, for what is compiled for its tests only
	Files     []string // URIs; order matters to initialisation only, so they are sorted
	Cgo       bool     // some file imports "C"
	Arch      string   // GOARCH: it decides the sizes of types
	GoVersion string   // language version of the module, as "go1.26"; "" for the newest
	Workspace bool     // indexed and diagnosed; other packages are only imported
	Standard  bool
	Imports   []Edge // sorted by Import
	Forbidden []ForbiddenImport
	Errors    []Error
}

// An Edge says what an import path in the source of a package means.
type Edge struct {
	Import  string // as written
	ID      string // the package meant; "" if it cannot be had, or not by a face
	Problem string // why it cannot be had
	Cut     string // the package meant, if the edge lies on a cycle: a check reads its face, a face does not
}

// Faced is the package that the face of the importer reads the face of; "" if there is none.
func (e *Edge) Faced() string { return e.ID }

// Checked is the package that a check reads the face of; "" if there is none.
func (e *Edge) Checked() string { return cmp.Or(e.ID, e.Cut) }

// An Error is what the go command has against a package.
type Error struct {
	File         string // URI; "" for the package as a whole
	Line, Column int    // from 1; Column counts bytes; 0 unknown
	Import       string // the import that it is about, of a file whose lines the go command does not know
	Message      string
}

// A Problem concerns a build as a whole and is shown at the file that it has most to do with.
type Problem struct {
	URI          string
	Line, Column int // from 1; 0 unknown
	Message      string
}

// IsForeign reports whether a file is part of code that never changes.
func (m *Build) IsForeign(path string) bool {
	return slices.ContainsFunc(m.Foreign, func(dir string) bool { return files.Inside(dir, path) })
}

// Find returns the package of an ID, or nil.
func (m *Build) Find(id string) *Package {
	i, ok := slices.BinarySearchFunc(m.Packages, id, func(p Package, id string) int { return cmp.Compare(p.ID, id) })
	if !ok {
		return nil
	}
	return &m.Packages[i]
}

// Edge returns what an import path means in the package.
func (p *Package) Edge(path string) (Edge, bool) {
	i, ok := slices.BinarySearchFunc(p.Imports, path, func(e Edge, path string) int { return cmp.Compare(e.Import, path) })
	if !ok {
		return Edge{}, false
	}
	return p.Imports[i], true
}

// Dependencies are the IDs of the packages imported, sorted and without repeats.
func (p *Package) Dependencies() []string {
	var ids []string
	for _, e := range p.Imports {
		if e.ID != "" {
			ids = append(ids, e.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Checked are the IDs of the packages that a check of the package reads, sorted and without
// repeats.
func (p *Package) Checked() []string {
	var ids []string
	for i := range p.Imports {
		if id := p.Imports[i].Checked(); id != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// PathOf is the import path of an ID.
func PathOf(id string) string {
	path, _, _ := strings.Cut(id, " ")
	return path
}

// Normalise sorts everything and cuts import cycles, so that the graph of the IDs in Imports is
// acyclic (G1) and equal workspaces have equal metadata.
func (m *Build) Normalise() {
	for i := range m.Packages {
		p := &m.Packages[i]
		slices.Sort(p.Files)
		p.Files = slices.Compact(p.Files)
		slices.SortFunc(p.Imports, func(a, b Edge) int { return cmp.Compare(a.Import, b.Import) })
		p.Imports = slices.CompactFunc(p.Imports, func(a, b Edge) bool { return a.Import == b.Import })
		slices.SortFunc(p.Errors, compareListErrors)
		p.Errors = slices.Compact(p.Errors)
	}
	slices.SortFunc(m.Packages, func(a, b Package) int { return cmp.Compare(a.ID, b.ID) })
	m.Packages = slices.CompactFunc(m.Packages, func(a, b Package) bool { return a.ID == b.ID })
	slices.SortFunc(m.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.URI, b.URI), a.Line-b.Line, a.Column-b.Column, cmp.Compare(a.Message, b.Message))
	})
	m.Problems = slices.Compact(m.Problems)
	m.forbid()
	m.cutCycles()
}

func compareListErrors(a, b Error) int {
	return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, cmp.Compare(a.Message, b.Message))
}

// cutCycles cuts the imports that lie on a cycle. Each is forbidden, with the cycle as the reason.
// The package meant is known to a check all the same, as it is without what it imports from the
// cycle: a check reads faces, and no face reads a check, so that what a check follows makes no
// cycle.
func (m *Build) cutCycles() {
	group := components(m)
	for i := range m.Packages {
		p := &m.Packages[i]
		for j := range p.Imports {
			e := &p.Imports[j]
			if e.ID == "" {
				continue
			}
			if m.Find(e.ID) == nil {
				e.ID, e.Problem = "", "package "+e.Import+" is not known to the go command"
			} else if e.ID == p.ID || group[e.ID] == group[p.ID] {
				e.Problem = "import cycle not allowed: " + strings.Join(m.cycle(p.ID, e.ID), " -> ")
			}
		}
	}
	for i := range m.Packages {
		p := &m.Packages[i]
		for j := range p.Imports {
			e := &p.Imports[j]
			if e.Problem == "" {
				continue
			}
			// Only now: cycle walks these edges.
			if id := PathOf(e.ID); p.ForTest != "" && id != e.ID && m.Find(id) != nil && group[id] != group[p.ID] {
				// What is imported is known as it is without tests.
				text := strings.Replace(e.Problem, "not allowed", "not allowed in test", 1)
				p.Forbidden = append(p.Forbidden, ForbiddenImport{e.Import, text})
				e.ID, e.Problem = id, ""
				continue
			}
			if e.ID != "" {
				p.Forbidden = append(p.Forbidden, ForbiddenImport{e.Import, e.Problem})
				e.ID, e.Problem, e.Cut = "", "", e.ID
			}
		}
	}
}

// cycle is a shortest way from one package through a second back to the first, as paths.
func (m *Build) cycle(from, via string) []string {
	before := map[string]string{via: from}
	queue := []string{via}
	for len(queue) > 0 && queue[0] != from {
		p := m.Find(queue[0])
		queue = queue[1:]
		if p == nil {
			continue
		}
		for _, id := range p.Dependencies() {
			if _, seen := before[id]; !seen {
				before[id] = p.ID
				queue = append(queue, id)
			}
		}
	}
	back := []string{PathOf(from)}
	for at := before[from]; at != from && at != ""; at = before[at] {
		back = append(back, PathOf(at))
	}
	if from != via || len(back) == 1 {
		back = append(back, PathOf(from))
	}
	slices.Reverse(back)
	return back
}

// components numbers the strongly connected components of the import graph (Tarjan). The walk keeps
// its own stack: an import chain may be as long as somebody likes to make it.
func components(m *Build) map[string]int {
	type visit struct {
		id   string
		deps []string
		next int
	}
	var (
		index = map[string]int{}
		low   = map[string]int{}
		group = map[string]int{}
		open  []string
		walk  []visit
	)
	push := func(id string) {
		index[id] = len(index) + 1
		low[id] = index[id]
		open = append(open, id)
		var deps []string
		if p := m.Find(id); p != nil {
			deps = p.Dependencies()
		}
		walk = append(walk, visit{id: id, deps: deps})
	}
	for i := range m.Packages {
		if index[m.Packages[i].ID] != 0 {
			continue
		}
		push(m.Packages[i].ID)
		for len(walk) > 0 {
			v := &walk[len(walk)-1]
			if v.next < len(v.deps) {
				dep := v.deps[v.next]
				v.next++
				switch {
				case index[dep] == 0:
					push(dep)
				case group[dep] == 0:
					low[v.id] = min(low[v.id], index[dep])
				}
				continue
			}
			id := v.id
			walk = walk[:len(walk)-1]
			if len(walk) > 0 {
				parent := walk[len(walk)-1].id
				low[parent] = min(low[parent], low[id])
			}
			if low[id] != index[id] {
				continue
			}
			for {
				last := open[len(open)-1]
				open = open[:len(open)-1]
				group[last] = index[id]
				if last == id {
					break
				}
			}
		}
	}
	return group
}

// Diagnostic turns an error of the go command into one of a file, whose text gives the offset of
// its line and column.
func (e *Error) Diagnostic(text []byte) lsp.Diagnostic {
	start := syntax.OffsetOf(text, e.Line, e.Column)
	return lsp.Diagnostic{
		Span:     lsp.Span{Start: start, End: syntax.QuotedEnd(text, start)},
		Severity: lsp.SeverityError,
		Code:     "list",
		Source:   SourceList,
		Message:  e.Message,
	}
}

// SourceList is the source of diagnostics that come from the go command, as editors show it.
const SourceList = "go list"
