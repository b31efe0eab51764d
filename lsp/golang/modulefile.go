package golang

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/describe"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/gomod"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A moduleQuestion is one about a place of a go.mod or go.work file.
type moduleQuestion struct {
	src    source
	env    *disk.Environment
	meta   *metadata.Build
	uri    string
	file   *gomod.File
	offset int
}

func newModuleQuestion(src source, uri string, offset int) (*moduleQuestion, error) {
	text, err := src.text(uri)
	if err != nil {
		return nil, err
	}
	if offset < 0 || offset > len(text) {
		return nil, &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrOutOfRange}
	}
	q := &moduleQuestion{src: src, uri: uri, file: gomod.Parse(uri, text), offset: offset}
	if q.env, err = src.environment(); err != nil {
		return nil, err
	}
	q.meta, err = src.metadata()
	return q, err
}

func (q *moduleQuestion) nothing() error {
	return &lsp.FileError{URI: q.uri, Offset: q.offset, Err: lsp.ErrNoSymbol}
}

// dir is the directory that a path in the file means.
func (q *moduleQuestion) dir(path string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(files.PathOf(q.uri)), path)
	}
	return path
}

// modules are the paths of all modules that packages of the build may come from.
func (q *moduleQuestion) modules() (list []string, err error) {
	add := func(f *gomod.File) {
		list = append(list, f.Module.Path)
		for _, r := range f.Requires {
			list = append(list, r.Path)
		}
	}
	add(q.file)
	for _, dir := range q.env.Own {
		f, err := q.parsed(dir)
		if err != nil {
			return nil, err
		}
		if f != nil {
			add(f)
		}
	}
	return list, nil
}

// parsed is the go.mod file of a directory; nil if there is none.
func (q *moduleQuestion) parsed(dir string) (*gomod.File, error) {
	uri := files.URI(filepath.Join(dir, "go.mod"))
	text, err := q.src.text(uri)
	if err != nil {
		return nil, ignoreUnknown(err)
	}
	return gomod.Parse(uri, text), nil
}

// replacement is what takes the place of a required module, and the file that says so: this one, or
// the go.work file.
func (q *moduleQuestion) replacement(of module.Version) (*gomod.Replacement, error) {
	if q.env.GoWork != "" {
		uri := files.URI(q.env.GoWork)
		text, err := q.src.text(uri)
		if ignoreUnknown(err) != nil {
			return nil, err
		}
		if r, ok := gomod.Parse(uri, text).ReplacementOf(of); ok {
			if r.IsDirectory() && !filepath.IsAbs(r.To) {
				r.To = filepath.Join(filepath.Dir(q.env.GoWork), filepath.FromSlash(r.To))
			}
			return r, nil
		}
	}
	r, _ := q.file.ReplacementOf(of)
	return r, nil
}

// home is the go.mod file of a required module: of one of the build's own, of the directory that
// replaces it, or of the module cache.
func (q *moduleQuestion) home(r *gomod.Requirement) (at lsp.Location, ok bool, err error) {
	for _, dir := range q.env.Own {
		f, err := q.parsed(dir)
		if err != nil {
			return at, false, err
		}
		if f != nil && f.Module.Path == r.Path && r.Path != "" {
			return lsp.Location{URI: files.URI(filepath.Join(dir, "go.mod")), Span: f.Module.Span}, true, nil
		}
	}
	replaced, err := q.replacement(module.Version{Path: r.Path, Version: r.Version})
	if err != nil {
		return at, false, err
	}
	dir := ""
	if replaced != nil && replaced.IsDirectory() {
		dir = q.dir(replaced.To)
	} else if p, err := q.package0(r.Path); err != nil || p == nil {
		return at, false, err
	} else if dir, ok = q.env.ModuleDir(files.PathOf(p.Files[0])); !ok {
		return at, false, nil
	}
	f, err := q.parsed(dir)
	if err != nil || f == nil {
		return at, false, err
	}
	return lsp.Location{URI: files.URI(filepath.Join(dir, "go.mod")), Span: f.Module.Span}, true, nil
}

// package0 is the package of a module that has the shortest path of those that the build knows; nil
// if it knows none.
func (q *moduleQuestion) package0(path string) (best *metadata.Package, err error) {
	modules, err := q.modules()
	if err != nil {
		return nil, err
	}
	for i := range q.meta.Packages {
		p := &q.meta.Packages[i]
		if len(p.Files) == 0 || p.ForTest != "" || best != nil && len(best.Path) <= len(p.Path) || gomod.Provider(modules, p.Path) != path {
			continue
		}
		best = p
	}
	return best, nil
}

// definition is where what a line names is: the module that it requires, or the directory.
func (q *moduleQuestion) definition() ([]lsp.Location, error) {
	if dir, _, ok := q.file.DirectoryAt(q.offset); ok {
		f, err := q.parsed(q.dir(dir))
		if err != nil || f == nil {
			return nil, err
		}
		return []lsp.Location{{URI: files.URI(filepath.Join(q.dir(dir), "go.mod")), Span: f.Module.Span}}, nil
	}
	r, ok := q.file.RequirementAt(q.offset)
	if !ok {
		return nil, q.nothing()
	}
	at, ok, err := q.home(r)
	if err != nil {
		return nil, err
	}
	if ok {
		return []lsp.Location{at}, nil
	}
	p, err := q.package0(r.Path)
	if err != nil || p == nil {
		return nil, err
	}
	return clausesOf(q.src, p)
}

// importers are the places where packages of the file's own module import those of a module, by the
// path of the package that does.
func (q *moduleQuestion) importers(path string) (map[string][]lsp.Location, error) {
	modules, err := q.modules()
	if err != nil {
		return nil, err
	}
	own := filepath.Dir(files.PathOf(q.uri))
	found := map[string][]lsp.Location{}
	seen := map[string]bool{}
	for i := range q.meta.Packages {
		p := &q.meta.Packages[i]
		if !p.Workspace || !slices.ContainsFunc(p.Imports, func(e metadata.Edge) bool { return gomod.Provider(modules, e.Import) == path }) {
			continue
		}
		for _, uri := range p.Files {
			if seen[uri] || files.Innermost(q.env.Own, files.PathOf(uri)) != own {
				continue
			}
			seen[uri] = true
			t, err := treeOf(q.src, uri)
			if err != nil {
				return nil, err
			}
			for _, spec := range t.AST.Imports {
				if gomod.Provider(modules, syntax.ImportPath(spec)) == path {
					found[p.Path] = append(found[p.Path], lsp.Location{URI: uri, Span: t.Span(spec.Path.Pos(), spec.Path.End())})
				}
			}
		}
	}
	return found, nil
}

// references are the imports of a required module in the file's own, and the module itself.
func (q *moduleQuestion) references(declaration bool) (list []lsp.Location, err error) {
	r, ok := q.file.RequirementAt(q.offset)
	path := q.file.Module.Path
	switch {
	case ok:
		path = r.Path
	case path == "" || q.offset < q.file.Module.Span.Start || q.offset > q.file.Module.Span.End:
		return nil, q.nothing()
	}
	found, err := q.importers(path)
	if err != nil {
		return nil, err
	}
	for _, at := range found {
		list = append(list, at...)
	}
	switch {
	case !declaration:
	case !ok:
		list = append(list, lsp.Location{URI: q.uri, Span: q.file.Module.Span})
	default:
		at, known, err := q.home(r)
		if err != nil {
			return nil, err
		}
		if known {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, lsp.Location.Compare)
	return list, nil
}

// importersTold is how many packages a hover names that import a module.
const importersTold = 5

// hover tells what a required module is, and why it is.
func (q *moduleQuestion) hover() (*lsp.Hover, error) {
	if dir, at, ok := q.file.DirectoryAt(q.offset); ok {
		f, err := q.parsed(q.dir(dir))
		if err != nil {
			return nil, err
		}
		h := &lsp.Hover{Span: at, Doc: "there is no go.mod file in " + q.dir(dir)}
		if f != nil {
			h.Doc, h.Signature, h.Language = "", "module "+f.Module.Path, "go.mod"
		}
		return h, nil
	}
	r, ok := q.file.RequirementAt(q.offset)
	if !ok {
		return nil, q.nothing()
	}
	h := &lsp.Hover{Span: r.Span, Language: "go.mod", Signature: "require " + r.Path + " " + r.Version}
	replaced, err := q.replacement(module.Version{Path: r.Path, Version: r.Version})
	if err != nil {
		return nil, err
	}
	if replaced != nil {
		h.Notes = append(h.Notes, " - Replaced by: "+strings.TrimSpace(replaced.To+" "+replaced.At))
	}
	if p, err := q.package0(r.Path); err != nil {
		return nil, err
	} else if p != nil {
		if mod, version, ok := q.env.CachedModule(files.PathOf(p.Files[0])); ok && mod == r.Path && version != r.Version {
			h.Notes = append(h.Notes, " - Version in the build: "+version)
		}
	}
	found, err := q.importers(r.Path)
	if err != nil {
		return nil, err
	}
	var by []string
	for path := range found {
		by = append(by, path)
	}
	slices.Sort(by)
	switch n := len(by); {
	case n == 0:
		h.Notes = append(h.Notes, " - Imported by no package of this module")
	case n > importersTold:
		by = append(by[:importersTold], fmt.Sprintf("and %d more", n-importersTold))
		fallthrough
	default:
		h.Notes = append(h.Notes, " - Imported by: "+strings.Join(by, ", "))
	}
	if newest := gomod.Newer(r.Version, q.env.CachedVersions(r.Path)); newest != "" {
		h.Notes = append(h.Notes, " - Newest version in the module cache: "+newest)
	}
	if !q.env.IsPrivate(r.Path) && (replaced == nil || !replaced.IsDirectory()) {
		h.Reference = lsp.Reference{Name: r.Path, URL: describe.PackageSite + "mod/" + r.Path + "@" + r.Version}
	}
	return h, nil
}
