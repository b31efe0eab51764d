package syntax

import (
	"go/ast"
	"slices"
)

// What go/types makes of a file takes up to some 250 times the bytes of its code, and cannot be
// interrupted. A file over the limit is parsed, which takes 15 to 60 times its text, and not
// checked: it says so in a diagnostic, and no error follows elsewhere from what it declares. Limits
// are of code: generated files of several megabytes are comments for the most part.
const (
	// MaxCode is how much code of one file is checked, without its comments, and how long its face
	// text may be.
	MaxCode = 4 << 20
)

// TooLarge reports whether the code of a file is too large to be checked.
func (t *Tree) TooLarge() bool {
	code := len(t.Text)
	if code <= MaxCode {
		return false
	}
	for _, group := range t.AST.Comments {
		for _, c := range group.List {
			code -= len(c.Text)
		}
	}
	return code > MaxCode
}

// DeclaredNames are the names of all that a file declares for others, methods included, sorted.
func DeclaredNames(t *Tree) (names []string) {
	for _, decl := range t.AST.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, decl.Name.Name)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						names = append(names, id.Name)
					}
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ShownFace is what importers see of a file, and what is doubtful of it. A file that declares too
// much shows nothing, and importers do not say that what it declares is not there.
func ShownFace(t *Tree) (face []byte, d Doubt) {
	face, d = FaceText(t), t.Doubt
	if len(face) > MaxCode {
		return []byte("package " + t.AST.Name.Name + "\n"), Doubt{Names: d.Names, Open: true}
	}
	return face, d
}
