package golang

import (
	"fmt"
	"go/ast"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A name is given in four steps: what goes by the name together (rename.go, renamecoupled.go), the
// edits of all places (renameedits.go), and a check of every package that can see the difference,
// with the edits made, in memory (renamecheck.go). The last step decides: what names what must be
// the same as before, and nothing may be wrong that was not.

func refuse(reason string, args ...any) *lsp.RefusedError {
	return &lsp.RefusedError{Reason: fmt.Sprintf(reason, args...)}
}

// A renaming is a change of one name, while it is found out what that means.
type renaming struct {
	w        *workspace
	sources  []taskSource // the builds that know what is renamed, that of the question first
	from, to string
	what     string // is done, if it is no renaming: for refusals

	atDeclaration bool                      // first was asked for where it is declared
	first         found                     // what was asked for
	declared      []found                   // all that is renamed, each once
	known         map[lsp.Location]bool     // of declared
	at            map[lsp.Location]bool     // all places that name it
	packages      map[pkgKey]bool           // in which they are
	imports       map[lsp.Location]bool     // of places: declarations of an import without a name of its own
	indexes       map[pkgKey]*index.Index   // that were read
	edits         map[string][]lsp.TextEdit // by URI
}

func (w *workspace) newRenaming(src taskSource) *renaming {
	return &renaming{
		w: w, sources: []taskSource{src},
		known: map[lsp.Location]bool{}, at: map[lsp.Location]bool{}, packages: map[pkgKey]bool{}, imports: map[lsp.Location]bool{},
		indexes: map[pkgKey]*index.Index{}, edits: map[string][]lsp.TextEdit{},
	}
}

func lastElement(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// ours says why a declaration is not one to be changed.
func (r *renaming) ours(f found) error {
	if !f.pkg.Workspace && !isStray(f.pkg.ID) {
		return refuse("%s is declared in package %s, which is not part of the workspace", f.Name, f.pkg.Path)
	}
	text, err := r.sources[0].text(f.location().URI)
	if err != nil {
		return err
	}
	if ast.IsGenerated(syntax.Trees.Get(f.location().URI, text).AST) {
		return &lsp.RefusedError{
			Reason: fmt.Sprintf("%s is declared in a generated file, which would lose the new name when it is generated again", f.Name),
			At:     f.location(),
		}
	}
	return nil
}

func (r *renaming) isPackageLevel(f found) bool {
	return f.Path == f.Name || f.Path == "" && f.Kind != lsp.KindField && f.Kind != lsp.KindMethod && f.Kind != lsp.KindPackage
}

// otherBuilds adds the builds that read what is renamed, too.
func (r *renaming) otherBuilds() {
	at := r.first.location().URI
	for _, b := range r.w.viewedBuilds() {
		if b.Root != r.sources[0].root && b.meta != nil && len(b.meta.Owners(at)) > 0 && !b.meta.IsForeign(files.PathOf(at)) {
			r.sources = append(r.sources, taskSource{r.sources[0].t, b.Root})
		}
	}
}

// checked is the index of a package.
func (r *renaming) checked(src taskSource, p *metadata.Package) (*index.Index, error) {
	k := pkgKey{src.root, p.ID}
	if x := r.indexes[k]; x != nil {
		return x, nil
	}
	x, err := src.checked(p)
	if err == nil {
		r.indexes[k] = x
	}
	return x, err
}

// add renames a declaration, with all places that name it, and what is named there with it: the
// field of an embedded type, and the type of an embedded field.
func (r *renaming) add(first found) error {
	for queue := []found{first}; len(queue) > 0; queue = queue[1:] {
		f := queue[0]
		if r.known[f.location()] {
			continue
		}
		r.known[f.location()] = true
		r.declared = append(r.declared, f)
		for _, src := range r.sources {
			more, err := r.places(src, f)
			if err != nil {
				return err
			}
			queue = append(queue, more...)
		}
	}
	return nil
}

// places finds all that names a declaration in a build, and what else is named there.
func (r *renaming) places(src taskSource, f found) (more []found, err error) {
	m, err := src.metadata()
	if err != nil {
		return nil, err
	}
	at := f.location()
	owners := m.Owners(at.URI)
	if src == r.sources[0] && isStray(f.pkg.ID) {
		owners = append(owners, f.pkg)
	}
	for _, p := range owners {
		if !p.Workspace && !isStray(p.ID) {
			continue
		}
		x, err := r.checked(src, p)
		if err != nil {
			return nil, err
		}
		if i := x.DeclarationAt(x.File(at.URI), at.Span.Start); i >= 0 {
			if more, err = r.collect(src, p, x, i, false, more); err != nil {
				return nil, err
			}
		}
	}
	if f.Path == "" {
		return more, nil
	}
	name := index.External{Package: f.pkg.Path, Path: f.Path}
	for _, p := range m.Reaching(f.pkg.Path) {
		x, err := r.checked(src, p)
		if err != nil {
			return nil, err
		}
		if i := x.FindExternal(name); i >= 0 {
			if more, err = r.collect(src, p, x, i, true, more); err != nil {
				return nil, err
			}
		}
	}
	return more, nil
}

// collect notes the places of one target in one package, and appends what else is named there.
func (r *renaming) collect(src taskSource, p *metadata.Package, x *index.Index, target int, external bool, more []found) ([]found, error) {
	for file := range x.FileCount() {
		uri := x.URI(file)
		var group, others []index.Occurrence // at one place; of all places with the target
		named := false
		end := func() {
			if named {
				others = append(others, group...)
			}
			group, named = group[:0], false
		}
		x.Occurrences(file, func(o index.Occurrence) bool {
			if len(group) > 0 && group[0].Span != o.Span {
				end()
			}
			group = append(group, o)
			if o.Target == target && o.IsExternal == external {
				named = true
				at := lsp.Location{URI: uri, Span: o.Span}
				r.at[at] = true
				r.packages[pkgKey{src.root, p.ID}] = true
			}
			return true
		})
		end()
		for _, o := range others {
			if o.Target == target && o.IsExternal == external {
				continue
			}
			if name, ok := x.ExternalAt(o.Target); ok && o.IsExternal && name.Path == index.PackagePath {
				r.imports[lsp.Location{URI: uri, Span: o.Span}] = true
				continue
			}
			f, ok, err := resolve(src, place{p, x, nil}, o)
			if err != nil {
				return nil, err
			}
			if ok && f.Name == r.from {
				more = append(more, f)
			}
		}
	}
	return more, nil
}
