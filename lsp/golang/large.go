package golang

import (
	"fmt"
	"go/ast"
	"slices"

	"github.com/cytisus/cytisus/lsp"
)

// What go/types makes of a file takes up to some 250 times the bytes of its code, and cannot be
// interrupted. A file over the limit is parsed, which takes 15 to 60 times its text, and not
// checked: it says so in a diagnostic, and no error follows elsewhere from what it declares. Limits
// are of code: generated files of several megabytes are comments for the most part.
const (
	// maxCode is how much code of one file is checked, without its comments, and how long its face
	// text may be.
	maxCode = 4 << 20

	// maxPackageText bounds the texts of a package, comments included; files beyond are not parsed.
	// maxPackageFace bounds its face texts.
	maxPackageText = 32 << 20
	maxPackageFace = 16 << 20
)

// large reports whether the code of a file is too large to be checked.
func (t *tree) large() bool {
	code := len(t.text)
	if code <= maxCode {
		return false
	}
	for _, group := range t.file.Comments {
		for _, c := range group.List {
			code -= len(c.Text)
		}
	}
	return code > maxCode
}

// largeFile says why a file is not checked.
func largeFile(t *tree) fileDiagnostic {
	end := t.span(t.file.Name.Pos(), t.file.Name.End())
	return fileDiagnostic{t.uri, lsp.Diagnostic{
		Span: end, Severity: lsp.SeverityWarning, Code: "too-large", Source: sourceTypes,
		Message: fmt.Sprintf("the file is not type-checked: it has more than %d MiB of code", maxCode>>20),
	}}
}

// largePackage says why a file is not even parsed.
const largePackage = "the file is not read: with it, the package has more than %d MiB of text"

// declaredNames are the names of all that a file declares for others, methods included, sorted.
func declaredNames(t *tree) (names []string) {
	for _, decl := range t.file.Decls {
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

// shownFace is what importers see of a file, and what is doubtful of it. A file that declares too
// much shows nothing, and importers do not say that what it declares is not there.
func shownFace(t *tree) (face []byte, d doubt) {
	face, d = faceText(t), t.doubt
	if len(face) > maxCode {
		return []byte("package " + t.file.Name.Name + "\n"), doubt{Names: d.Names, Open: true}
	}
	return face, d
}
