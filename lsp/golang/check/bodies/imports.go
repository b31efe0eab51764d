package bodies

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"strconv"
)

// A set of small numbers.
type set []uint64

func (s *set) add(n int) {
	for n/64 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s *set) union(t set) {
	for i, w := range t {
		for i >= len(*s) {
			*s = append(*s, 0)
		}
		(*s)[i] |= w
	}
}

func (s set) has(n int) bool { return n/64 < len(s) && s[n/64]&(1<<(n%64)) != 0 }

// An importUser finds which imports of a file the nodes of a unit use, as go/types does: by
// selectors of a package's name, and by names that a dot import brings.
type importUser struct {
	info *types.Info
	dots map[*types.Package]int // imported with a dot, by number of the import
	at   map[token.Pos]int      // number of an import by the position of its package name's object
}

// newImportUser is for a file whose imports info has.
func newImportUser(file *ast.File, info *types.Info) *importUser {
	u := &importUser{info: info, dots: map[*types.Package]int{}, at: map[token.Pos]int{}}
	for i, spec := range file.Imports {
		name := info.PkgNameOf(spec)
		if name == nil {
			continue
		}
		u.at[name.Pos()] = i
		if name.Name() == "." {
			u.dots[name.Imported()] = i
		}
	}
	return u
}

// used adds the imports that a node uses.
func (u *importUser) used(n ast.Node, to *set) {
	selected := map[*ast.Ident]bool{} // right-hand sides of selectors, if there are dot imports
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if len(u.dots) > 0 {
				selected[n.Sel] = true
			}
			x, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			if name, ok := u.info.Uses[x].(*types.PkgName); ok {
				if i, ok := u.at[name.Pos()]; ok {
					to.add(i)
				}
			}
		case *ast.Ident:
			if len(u.dots) == 0 || selected[n] {
				return true
			}
			obj := u.info.Uses[n]
			if obj != nil && obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
				if i, ok := u.dots[obj.Pkg()]; ok {
					to.add(i)
				}
			}
		}
		return true
	})
}

// An UnusedImport is an import that its file does not use.
type UnusedImport struct {
	Spec    *ast.ImportSpec
	Message string // as go/types has it
}

// importNames are the imports of a file as a check of its face found them.
type importNames []struct{ name, path string }

func importNamesOf(file *ast.File, info *types.Info) importNames {
	out := make(importNames, len(file.Imports))
	for i, spec := range file.Imports {
		if name := info.PkgNameOf(spec); name != nil {
			out[i].name, out[i].path = name.Name(), name.Imported().Path()
		}
	}
	return out
}

// unused lists the imports of a file that are not used.
func (names importNames) unused(file *ast.File, used set) (list []UnusedImport) {
	for i, spec := range file.Imports {
		// Those without a name were refused by go/types.
		if n := names[i]; n.name != "" && n.name != "_" && !used.has(i) {
			list = append(list, UnusedImport{spec, unusedMessage(n.name, n.path)})
		}
	}
	return list
}

func unusedMessage(name, imported string) string {
	if name == "." || name == path.Base(imported) {
		return fmt.Sprintf("%q imported and not used", imported)
	}
	return fmt.Sprintf("%q imported as %s and not used", imported, name)
}

// writtenPath is the path of an import.
func writtenPath(s *ast.ImportSpec) string {
	if s.Path == nil {
		return ""
	}
	p, err := strconv.Unquote(s.Path.Value)
	if err != nil {
		return s.Path.Value
	}
	return p
}
