package golang

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A packageMove is a change of the name of a package, and of the directory that it lies in: its
// files move, and all who import it import the new path.
type packageMove struct {
	w             *workspace
	src           taskSource
	from          *metadata.Package // as it is without tests, if there is one such
	path          string            // of the package under test, for an external test package
	dir           string
	module        string // path of the module
	root          string // directory of the module
	name          string // the new one
	newPath       string
	newDir        string
	edits         map[string][]lsp.TextEdit
	importersSeen map[pkgKey]bool
}

// newPackageMove looks at the package of a file, and says why it may not be renamed.
func newPackageMove(w *workspace, src taskSource, uri string) (*packageMove, error) {
	owners, err := ownersOf(src, uri)
	if err != nil {
		return nil, err
	}
	if len(owners) == 0 || !owners[0].Workspace {
		return nil, refuse("can't rename package: the file is not part of one of the workspace")
	}
	p := owners[0]
	name, ok := files.Path(uri)
	if !ok {
		return nil, &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	m := &packageMove{w: w, src: src, from: p, path: p.Path, dir: filepath.Dir(name), edits: map[string][]lsp.TextEdit{}, importersSeen: map[pkgKey]bool{}}
	switch {
	case p.Name == "main":
		return nil, refuse("can't rename package \"main\"")
	case strings.HasSuffix(p.Name, "_test"):
		return nil, refuse("can't rename x_test packages")
	}
	for d := m.dir; ; d = filepath.Dir(d) {
		text, err := src.text(files.URI(filepath.Join(d, "go.mod")))
		if err == nil {
			m.module, m.root = modfile.ModulePath(text), d
			break
		}
		if !errors.Is(err, lsp.ErrUnknownFile) {
			return nil, err
		}
		if d == filepath.Dir(d) {
			return nil, refuse("can't rename package: missing module information for package %q", p.Path)
		}
	}
	if m.module == p.Path {
		return nil, refuse("can't rename package: package path %q is the same as module path %q", p.Path, m.module)
	}
	return m, nil
}

// packageTarget is the name in the package clause of a file, for which a whole path may be given.
func packageTarget(w *workspace, src taskSource, uri string, text []byte) (at lsp.Span, name string, err error) {
	m, err := newPackageMove(w, src, uri)
	if err != nil {
		return at, "", err
	}
	t := syntax.Trees.Get(uri, text)
	return t.Span(t.AST.Name.Pos(), t.AST.Name.End()), m.path, nil
}

// renamePackage gives the package of a file another name, or another path.
func (w *workspace) renamePackage(src taskSource, uri, name string) (*lsp.WorkspaceEdit, error) {
	m, err := newPackageMove(w, src, uri)
	if err != nil {
		return nil, err
	}
	if name == m.path || name == m.from.Name {
		return &lsp.WorkspaceEdit{}, nil
	}
	if err := m.to(name); err != nil {
		return nil, err
	}
	if err := m.clauses(); err != nil {
		return nil, err
	}
	for _, b := range w.viewedBuilds() {
		if b.meta != nil {
			if err := m.importers(taskSource{src.t, b.Root}, b.meta); err != nil {
				return nil, err
			}
		}
	}
	r := renaming{edits: m.edits}
	for uri, edits := range m.edits {
		slices.SortFunc(edits, func(a, b lsp.TextEdit) int { return cmp.Or(a.Span.Start-b.Span.Start, a.Span.End-b.Span.End) })
		m.edits[uri] = slices.Compact(edits)
	}
	e := r.workspaceEdit()
	if m.newDir != m.dir {
		if err := m.replacements(); err != nil {
			return nil, err
		}
		e = r.workspaceEdit()
		if e.Renames, err = m.moves(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// to says what the package becomes, or why it may not.
func (m *packageMove) to(name string) error {
	base := path.Base(m.path)
	switch {
	case strings.HasPrefix(name, "./"), strings.HasPrefix(name, "../"), name == ".", name == "..":
		return refuse("specifying relative paths in package rename not yet supported")
	case token.IsIdentifier(name) && base != m.from.Name:
		m.name, m.newPath, m.newDir = name, m.path, m.dir // the directory never told the name
	case token.IsIdentifier(name):
		m.name, m.newPath = name, path.Join(path.Dir(m.path), name)
	case base != m.from.Name:
		return refuse("can't move package: its name %q does not match directory base name %q", m.from.Name, base)
	default:
		m.name, m.newPath = path.Base(name), name
	}
	if !token.IsIdentifier(m.name) || m.name == "_" || path.Clean(m.newPath) != m.newPath {
		return refuse("invalid package name: %q", m.name)
	}
	if m.name == "main" || strings.HasSuffix(m.name, "_test") {
		return refuse("invalid package name: %q says what the package is for", m.name)
	}
	rest, ok := strings.CutPrefix(m.newPath, m.module+"/")
	if !ok {
		return refuse("cannot move package across module boundary: the path has to begin with %q", m.module)
	}
	if m.newDir != "" {
		return nil
	}
	m.newDir = filepath.Join(m.root, filepath.FromSlash(rest))
	for d := m.newDir; d != m.root; d = filepath.Dir(d) {
		if _, err := m.src.text(files.URI(filepath.Join(d, "go.mod"))); err == nil {
			return refuse("cannot move package across module boundary: %s is a module of its own", filepath.ToSlash(d))
		}
	}
	return m.room()
}

// room refuses a directory that has files, and a package of which the build leaves files out.
func (m *packageMove) room() error {
	all, err := fileLists.Get(m.src.t, m.src.root)
	if err != nil {
		return err
	}
	meta, err := m.src.metadata()
	if err != nil {
		return err
	}
	from, to := files.URIPrefix(m.dir), files.URIPrefix(m.newDir)
	for _, uri := range all.Files {
		switch files.DirURI(uri) {
		case to:
			return refuse("invalid package path: directory %q is not empty", filepath.ToSlash(m.newDir))
		case from:
			if len(meta.Owners(uri)) == 0 {
				e := refuse("moving a package with ignored files is not supported")
				e.Places = []lsp.RefusedPlace{{At: lsp.Location{URI: uri}, What: "the build leaves this file out"}}
				return e
			}
		}
	}
	return nil
}

// clauses makes the edits of package clauses.
func (m *packageMove) clauses() error {
	if m.name == m.from.Name {
		return nil
	}
	meta, err := m.src.metadata()
	if err != nil {
		return err
	}
	for _, p := range slices.Concat(meta.Named(m.path, nil), meta.Named(m.path+"_test", nil)) {
		if !p.Workspace {
			continue
		}
		for _, uri := range p.Files {
			t, err := m.tree(uri)
			if err != nil {
				return err
			}
			name := m.name
			if t.AST.Name.Name == m.from.Name+"_test" {
				name += "_test"
			}
			m.edits[uri] = append(m.edits[uri], lsp.TextEdit{Span: t.Span(t.AST.Name.Pos(), t.AST.Name.End()), NewText: name})
		}
	}
	return nil
}

func (m *packageMove) tree(uri string) (*syntax.Tree, error) {
	text, err := m.src.text(uri)
	if err != nil {
		return nil, err
	}
	return syntax.Trees.Get(uri, text), nil
}

// importers makes the edits of the packages of a build that import the package.
func (m *packageMove) importers(src taskSource, meta *metadata.Build) error {
	for i := range meta.Packages {
		p := &meta.Packages[i]
		if !p.Workspace || m.importersSeen[pkgKey{src.root, p.ID}] {
			continue
		}
		for _, e := range p.Imports {
			if metadata.PathOf(e.Checked()) != m.path {
				continue
			}
			m.importersSeen[pkgKey{src.root, p.ID}] = true
			if !mayImport(p.Path, m.newPath) {
				return refuse("invalid: package move would result in illegal internal import of %q by %q", m.newPath, p.Path)
			}
			for _, uri := range p.Files {
				if err := m.importer(src, p, uri, e.Import); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// mayImport reports whether internal directories let a package import another one.
func mayImport(from, of string) bool {
	from = strings.TrimSuffix(from, "_test")
	parts := strings.Split(of, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] == "internal" {
			above := strings.Join(parts[:i], "/")
			return from == above || strings.HasPrefix(from, above+"/")
		}
	}
	return true
}

// importer makes the edits of a file for the imports of a path.
func (m *packageMove) importer(src taskSource, p *metadata.Package, uri, written string) error {
	t, err := m.tree(uri)
	if err != nil {
		return err
	}
	for _, spec := range t.AST.Imports {
		if value, err := strconv.Unquote(spec.Path.Value); err != nil || value != written {
			continue
		}
		at := t.Span(spec.Path.Pos(), spec.Path.End())
		edit := lsp.TextEdit{Span: at, NewText: strconv.Quote(m.newPath)}
		if spec.Name == nil && m.name != m.from.Name {
			x, err := src.checked(p)
			if err != nil {
				return err
			}
			file := x.File(uri)
			local := m.freeName(t, x)
			if local != m.name {
				edit.NewText = local + " " + edit.NewText
			}
			if i := x.DeclarationAt(file, at.Start); i >= 0 {
				x.Occurrences(file, func(o index.Occurrence) bool {
					if !o.IsExternal && o.Target == i && !o.Declares {
						m.edits[uri] = append(m.edits[uri], lsp.TextEdit{Span: o.Span, NewText: local})
					}
					return true
				})
			}
			m.links(t, local)
		}
		if edit.NewText != string(t.Text[at.Start:at.End]) {
			m.edits[uri] = append(m.edits[uri], edit)
		}
	}
	return nil
}

// freeName is the new name, with a number if something in a file or its package has it.
func (m *packageMove) freeName(t *syntax.Tree, x *index.Index) string {
	taken := map[string]bool{}
	ast.Inspect(t.AST, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id != t.AST.Name {
			taken[id.Name] = true
		}
		return true
	})
	for _, spec := range t.AST.Imports {
		if value, err := strconv.Unquote(spec.Path.Value); err == nil && spec.Name == nil && value != m.path {
			taken[path.Base(value)] = true
		}
	}
	for i := range x.DeclarationCount() {
		if d, ok := x.Declaration(i); ok && d.Flags&index.Local == 0 && d.Kind != lsp.KindField && d.Kind != lsp.KindMethod {
			taken[d.Name] = true
		}
	}
	name := m.name
	for n := 1; taken[name]; n++ {
		name = fmt.Sprint(m.name, n)
	}
	return name
}

// links makes the edits of links in the comments of a file.
func (m *packageMove) links(t *syntax.Tree, to string) {
	link := regexp.MustCompile(`\[\*?(` + regexp.QuoteMeta(m.from.Name) + `)(?:\.[\pL_][\pL\pN_]*)+\]`)
	for _, group := range t.AST.Comments {
		for _, c := range group.List {
			for _, at := range link.FindAllStringSubmatchIndex(c.Text, -1) {
				base := t.Offset(c.Pos())
				m.edits[t.URI] = append(m.edits[t.URI], lsp.TextEdit{Span: lsp.Span{Start: base + at[2], End: base + at[3]}, NewText: to})
			}
		}
	}
}

// replacements makes the edits of the module file where it puts the directory in the place of a
// module.
func (m *packageMove) replacements() error {
	uri := files.URI(filepath.Join(m.root, "go.mod"))
	text, err := m.src.text(uri)
	if err != nil {
		return err
	}
	file, err := modfile.ParseLax(uri, text, nil)
	if err != nil {
		return nil // the go command says what is wrong with it
	}
	for _, r := range file.Replace {
		if !modfile.IsDirectoryPath(r.New.Path) || r.New.Version != "" || filepath.Join(m.root, filepath.FromSlash(r.New.Path)) != m.dir {
			continue
		}
		rel, err := filepath.Rel(m.root, m.newDir)
		if err != nil {
			return fmt.Errorf("golang: %s from %s: %w", m.newDir, m.root, err)
		}
		line := string(text[r.Syntax.Start.Byte:r.Syntax.End.Byte])
		if at := strings.LastIndex(line, r.New.Path); at >= 0 {
			start := r.Syntax.Start.Byte + at
			m.edits[uri] = append(m.edits[uri], lsp.TextEdit{
				Span: lsp.Span{Start: start, End: start + len(r.New.Path)}, NewText: "./" + filepath.ToSlash(rel),
			})
		}
	}
	return nil
}

// moves are the files of the directory, and the data of its tests. What else lies below it are
// other packages, which stay.
func (m *packageMove) moves() (list []lsp.FileRename, err error) {
	names := map[string]bool{}
	meta, err := m.src.metadata()
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Concat(meta.Named(m.path, nil), meta.Named(m.path+"_test", nil)) {
		for _, uri := range p.Files {
			if files.DirURI(uri) == files.URIPrefix(m.dir) {
				names[files.BaseName(uri)] = true
			}
		}
	}
	var entries []os.DirEntry
	if err := m.src.t.Blocking(func() error {
		entries, err = os.ReadDir(m.dir)
		return err
	}); err != nil {
		return nil, fmt.Errorf("golang: looking for what moves: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "testdata" {
			names[e.Name()] = true
		}
	}
	for name := range names {
		list = append(list, lsp.FileRename{Old: files.URI(filepath.Join(m.dir, name)), New: files.URI(filepath.Join(m.newDir, name))})
	}
	slices.SortFunc(list, func(a, b lsp.FileRename) int { return strings.Compare(a.Old, b.Old) })
	return list, nil
}
