package refactor

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/format"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// extractToFile moves whole declarations of a file to a new one beside it, with the imports that
// they need. Imports that only they needed go away.
func extractToFile(r *Request) []Change {
	from, to, name, ok := r.declarations()
	if !ok || r.Text == nil || r.usesCgo() {
		return nil
	}
	return []Change{{Title: "Extract declarations to new file", Make: func() (*lsp.WorkspaceEdit, error) {
		if len(r.File.Errors) > 0 {
			return nil, fmt.Errorf("%s has syntax errors: what its declarations use is not known", r.File.URI)
		}
		uri, err := r.newFile(name)
		if err != nil {
			return nil, err
		}
		add, remove := r.importsMoved(from, to)
		var text strings.Builder
		text.WriteString(r.preamble())
		fmt.Fprintf(&text, "package %s\n\n", r.File.AST.Name.Name)
		if len(add) > 0 {
			text.WriteString("import (\n")
			for _, spec := range add {
				fmt.Fprintln(&text, r.textOf(spec))
			}
			text.WriteString(")\n\n")
		}
		text.WriteString(r.text(from, to))
		formatted, err := format.Source([]byte(strings.ReplaceAll(text.String(), "\r\n", "\n")))
		if err != nil {
			return nil, fmt.Errorf("refactor: the new file: %w", err)
		}
		end := r.File.Offset(to)
		rest := r.File.Text[end:]
		end += len(rest) - len(strings.TrimLeft(string(rest), " \t\r\n"))
		edits := []lsp.TextEdit{r.replace(from, r.Pos(end), "")}
		for _, spec := range remove {
			edits = append(edits, r.dropImport(spec))
		}
		e, err := r.edit(edits...)
		if err != nil {
			return nil, err
		}
		e.Create = []string{uri}
		e.Files = append(e.Files, lsp.FileEdit{URI: uri, Edits: []lsp.TextEdit{{NewText: string(formatted)}}})
		return e, nil
	}}}
}

// declarations are the whole top-level declarations that the selection means, with their comments:
// those that it covers, or the one whose keyword or name it lies on. Name is that of the first. It
// is not ok if the selection cuts one in two, or touches the package clause or an import.
func (r *Request) declarations() (from, to token.Pos, name string, ok bool) {
	from, to = r.Pos(r.Start), r.Pos(r.End)
	if from <= r.File.AST.Name.End() {
		return from, to, "", false
	}
	for _, d := range r.File.AST.Decls {
		head, doc, first := headOf(d)
		if head.IsValid() && d.Pos() <= from && to <= head {
			from, to = d.Pos(), d.End()
		}
		if from == to || to <= d.Pos() || d.End() <= from {
			continue
		}
		if !head.IsValid() || d.Pos() < from || to < d.End() {
			return from, to, "", false
		}
		if doc != nil {
			from = min(from, doc.Pos())
		}
		if name == "" {
			name = first
		}
	}
	for _, c := range r.File.AST.Comments {
		if from < c.End() && c.Pos() < to && (c.Pos() < from || to < c.End()) {
			return from, to, "", false
		}
	}
	return from, to, name, name != ""
}

// headOf is where the part of a declaration ends that stands for the whole, with its comment and
// the first name that it declares. A declaration that cannot be moved has none.
func headOf(d ast.Decl) (head token.Pos, doc *ast.CommentGroup, name string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name.End(), d.Doc, d.Name.Name
	case *ast.GenDecl:
		if d.Tok == token.IMPORT {
			return token.NoPos, nil, ""
		}
		if len(d.Specs) > 0 {
			switch s := d.Specs[0].(type) {
			case *ast.TypeSpec:
				name = s.Name.Name
			case *ast.ValueSpec:
				name = s.Names[0].Name
			}
		}
		return d.Pos() + token.Pos(len(d.Tok.String())), d.Doc, name
	}
	return token.NoPos, nil, ""
}

// usesCgo reports whether the file is one of cgo: the preamble of one means nothing in another.
func (r *Request) usesCgo() bool {
	return slices.ContainsFunc(r.File.AST.Imports, func(s *ast.ImportSpec) bool { return s.Path != nil && s.Path.Value == `"C"` })
}

// newFile is the URI of a file beside the one asked about that is not there yet, called after what
// it declares. A name that go build would read as a condition gets an end that it does not.
func (r *Request) newFile(name string) (string, error) {
	base := strings.ToLower(name)
	if i := strings.LastIndexByte(base, '_'); i >= 0 || strings.HasPrefix(base, "_") {
		base = strings.Trim(strings.ReplaceAll(base, "_", ""), "_")
	}
	if base == "" {
		base = "new"
	}
	for n := range maxFiles {
		file := base + ".go"
		if n > 0 {
			file = fmt.Sprintf("%s.%d.go", base, n)
		}
		uri := r.sibling(file)
		if _, err := r.Text(uri); errors.Is(err, lsp.ErrUnknownFile) {
			return uri, nil
		} else if err != nil && n+1 == maxFiles {
			return "", err
		}
	}
	return "", fmt.Errorf("%s.go and %d like it exist", base, maxFiles-1)
}

// maxFiles bounds how many names are tried for a new file.
const maxFiles = 100

// preamble is what has to stand before the package clause of a file that is split off: the
// copyright notice and the build constraint.
func (r *Request) preamble() string {
	var out strings.Builder
	for i, c := range r.File.AST.Comments {
		if c.Pos() >= r.File.AST.Package {
			break
		}
		text := r.textOf(c)
		switch {
		case slices.ContainsFunc(c.List, func(c *ast.Comment) bool { return constraint.IsGoBuild(c.Text) }):
		case i == 0 && c != r.File.AST.Doc && strings.Contains(strings.ToLower(text), "copyright"):
		default:
			continue
		}
		out.WriteString(text + "\n\n")
	}
	return out.String()
}

// importsMoved are the imports that some declarations of the file need, and those of them that
// nothing else of the file does.
func (r *Request) importsMoved(from, to token.Pos) (needed, only []*ast.ImportSpec) {
	type use struct{ in, out bool }
	used := map[any]*use{} // by name, or by package for dot imports
	note := func(what any, pos token.Pos) {
		u := used[what]
		if u == nil {
			u = &use{}
			used[what] = u
		}
		if from <= pos && pos < to {
			u.in = true
		} else {
			u.out = true
		}
	}
	ast.Inspect(r.File.AST, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		switch obj := r.Info.Uses[id].(type) {
		case nil:
		case *types.PkgName:
			note(obj, id.Pos())
		default:
			if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
				note(obj.Pkg(), id.Pos())
			}
		}
		return true
	})
	for _, spec := range r.File.AST.Imports {
		name := r.Info.PkgNameOf(spec)
		if name == nil {
			continue
		}
		var u *use
		if spec.Name != nil && spec.Name.Name == "." {
			u = used[name.Imported()]
		} else {
			u = used[name]
		}
		if u == nil || !u.in {
			continue
		}
		needed = append(needed, spec)
		if !u.out {
			only = append(only, spec)
		}
	}
	return needed, only
}

// dropImport takes an import out. Its line stays, as a comment may be about it or stand in it.
func (r *Request) dropImport(spec *ast.ImportSpec) lsp.TextEdit {
	n := r.wholeImport(spec)
	return r.replace(n.Pos(), n.End(), "")
}
