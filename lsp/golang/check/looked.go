package check

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/check/names"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
)

// Names is the table of a package, made of its export data as importers see it.
func Names(path string, export []byte) (t names.Table) {
	w := newWorld()
	pkg, err := readExport(export, w.packages, path)
	if err != nil {
		return names.Missing(err.Error())
	}
	defer func() {
		if e := recover(); e != nil {
			t = names.Missing(newInternalError("names of "+path, e).Error())
		}
	}()
	return names.Of(pkg, w.objectPath)
}

// Looks are the rows of imported packages that a check depends on (package names), by the path of
// the package, each list in order. Nil: what it looked at is not known, so that it depends on all
// of each.
type Looks map[string][]string

// looks collects what a check has looked at: what its parts name of other packages, and what those
// that failed looked for in vain.
func (m *partMaker) looks(imports []Import, found bodies.Result[*part]) Looks {
	rows := map[string]map[string]bool{}
	paths := map[string]string{} // by what is written
	for _, f := range imports {
		paths[f.Written] = f.Path
		rows[f.Path] = map[string]bool{names.Package: true}
	}
	for _, t := range m.trees {
		for _, spec := range t.AST.Imports {
			if spec.Name == nil || spec.Name.Name != "." || spec.Path == nil {
				continue
			}
			written, _ := strconv.Unquote(spec.Path.Value)
			if of := rows[paths[written]]; of != nil {
				of[names.Exported] = true
			}
		}
	}
	parts := partsOf(found)
	for _, e := range m.named(parts) {
		if isMember(e) || e.Package == "unsafe" || e.Package == metadata.Builtin {
			continue
		}
		of := rows[e.Package]
		if of == nil {
			return nil
		}
		of[names.Name(e.Path)] = true
	}
	for _, p := range parts {
		if !p.failed {
			continue
		}
		for _, of := range rows {
			of[names.Mentioned] = true
		}
		for _, e := range p.vain {
			if of := rows[e.Package]; of != nil {
				of[names.Like(e.Path)] = true
			}
		}
	}
	looks := make(Looks, len(rows))
	for path, of := range rows {
		looks[path] = slices.Sorted(maps.Keys(of))
	}
	return looks
}

// partsOf are the parts of a package.
func partsOf(found bodies.Result[*part]) (list []*part) {
	for _, f := range found.Files {
		list = append(list, f.Face)
		for _, b := range f.Bodies {
			list = append(list, b.Part)
		}
	}
	return list
}

// named is what parts name of other packages, each once.
func (m *partMaker) named(parts []*part) (list []index.External) {
	seen := make([]bool, len(m.externals))
	for _, p := range parts {
		for _, n := range p.foreign {
			if !seen[n] {
				seen[n] = true
				list = append(list, m.externals[n])
			}
		}
	}
	return list
}

// isMember reports whether something is no declaration at package level: it is reached through one,
// or is the package itself, or nothing declares it.
func isMember(e index.External) bool {
	return e.Path == index.PackagePath || strings.HasPrefix(e.Path, "?") || strings.Contains(e.Path, ".")
}

// inVain are the selectors on names of packages that name nothing there.
func (b *partBuilder) inVain() (list []index.External) {
	uses := b.unit.Facts.Info.Uses
	b.unit.Inspect(func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := s.X.(*ast.Ident)
		if !ok {
			return true
		}
		if name, ok := uses[id].(*types.PkgName); ok {
			if uses[s.Sel] == nil {
				list = append(list, index.External{Package: name.Imported().Path(), Path: s.Sel.Name})
			}
		}
		return true
	})
	return list
}
