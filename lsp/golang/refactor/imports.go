package refactor

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/tools/go/ast/astutil"
	"golang.org/x/tools/imports"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// An importSpec is an import; its name is "" if none is written.
type importSpec struct{ name, path string }

// editImports adds imports to the file, and removes others, grouped and sorted as goimports does.
func (r *Request) editImports(add, remove []importSpec) ([]lsp.TextEdit, error) {
	if len(add) == 0 && len(remove) == 0 {
		return nil, nil
	}
	head := r.header()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", head, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("refactor: the imports cannot be read: %w", err)
	}
	if len(file.Decls) == 0 && bytes.HasSuffix(head, []byte("\n")) {
		return r.putHeader(head, append(slices.Clip(head), written(add)...)) // a comment of its line stays with the clause
	}
	for _, spec := range remove {
		astutil.DeleteNamedImport(fset, file, spec.name, spec.path)
	}
	for _, spec := range add {
		astutil.AddNamedImport(fset, file, spec.name, spec.path)
	}
	var out bytes.Buffer
	if err := format.Node(&out, fset, file); err != nil {
		return nil, fmt.Errorf("refactor: writing imports: %w", err)
	}
	return r.putHeader(head, out.Bytes())
}

// written are imports as the first declaration of a file.
func written(list []importSpec) []byte {
	if len(list) == 1 {
		return fmt.Appendf(nil, "\nimport %s %s\n", list[0].name, strconv.Quote(list[0].path))
	}
	b := []byte("\nimport (\n")
	for _, spec := range list {
		b = fmt.Appendf(b, "\t%s %s\n", spec.name, strconv.Quote(spec.path))
	}
	return append(b, ")\n"...)
}

// sortedImports are the edits that group and sort the imports of the file.
func (r *Request) sortedImports() ([]lsp.TextEdit, error) {
	head := r.header()
	return r.putHeader(head, head)
}

// header is the text of the file down to the end of the line of its last import.
func (r *Request) header() []byte {
	end := r.File.AST.Name.End()
	for _, d := range r.File.AST.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			end = max(end, g.End())
		}
	}
	text := r.File.Text[:r.File.Offset(r.lineEnd(end))]
	if rest := r.File.Text[r.File.Offset(end):len(text)]; bytes.ContainsAny(rest, ";") || bytes.Contains(rest, []byte("/*")) {
		return r.File.Text[:r.File.Offset(end)] // something else stands in the line
	}
	return text
}

// putHeader puts another text in the place of a header, with its imports grouped and sorted. What
// is before the first line that differs stays, and what is behind the last one.
func (r *Request) putHeader(head, text []byte) ([]lsp.TextEdit, error) {
	sorted, err := groupImports(text, r.Local)
	if err != nil {
		return nil, fmt.Errorf("refactor: sorting imports: %w", err)
	}
	if !bytes.HasSuffix(head, []byte("\n")) {
		sorted = bytes.TrimRight(sorted, "\n")
	}
	if bytes.Contains(head, []byte("\r\n")) {
		sorted = bytes.ReplaceAll(sorted, []byte("\n"), []byte("\r\n"))
	}
	before, after := bytes.SplitAfter(head, []byte("\n")), bytes.SplitAfter(sorted, []byte("\n"))
	start, from := 0, 0
	for from < len(before) && from < len(after) && bytes.Equal(before[from], after[from]) {
		start += len(before[from])
		from++
	}
	end, to := len(head), len(before)
	last := len(after)
	for to > from && last > from && bytes.Equal(before[to-1], after[last-1]) {
		to--
		last--
		end -= len(before[to])
	}
	if start == end && from == last {
		return nil, nil
	}
	return []lsp.TextEdit{{Span: lsp.Span{Start: start, End: end}, NewText: string(bytes.Join(after[from:last], nil))}}, nil
}

// localPrefix is held while imports.LocalPrefix is one's own: the package has one for all.
var localPrefix sync.Mutex

// groupImports groups and sorts the imports of a text. Those that begin like one of the prefixes in
// local, which commas part, come last.
func groupImports(text []byte, local string) ([]byte, error) {
	localPrefix.Lock()
	defer localPrefix.Unlock()
	imports.LocalPrefix = local
	return imports.Process("", text, &imports.Options{FormatOnly: true, Comments: true, TabIndent: true, TabWidth: 8})
}

// A missing is a name before a dot that means nothing, with what stands behind the dot.
type missing struct {
	name  string
	names []string
	at    []*ast.Ident
}

// missingImports are what the file uses like packages without having imported them.
func (r *Request) missingImports() []missing {
	found := map[string]*missing{}
	ast.Inspect(r.File.AST, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok || id.Name == "_" || r.Info.ObjectOf(id) != nil {
			return true
		}
		if _, obj := r.scopeAt(id.Pos()).LookupParent(id.Name, id.Pos()); obj != nil {
			return true // in code that was not looked at
		}
		m := found[id.Name]
		if m == nil {
			m = &missing{name: id.Name}
			found[id.Name] = m
		}
		m.at = append(m.at, id)
		if sel.Sel.Name != "_" && !slices.Contains(m.names, sel.Sel.Name) {
			m.names = append(m.names, sel.Sel.Name)
		}
		return true
	})
	var all []missing
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, *found[name])
	}
	return all
}

// candidates are the packages that could be meant, the likeliest first.
func (r *Request) candidates(m missing) ([]Package, error) {
	if r.Importable == nil {
		return nil, nil
	}
	list, err := r.Importable(m.name)
	if err != nil {
		return nil, err
	}
	imported := r.importedNearby()
	var fit []Package
	for _, p := range list {
		if p.Path == r.Meta.Path || !r.mayImport(p.Path) {
			continue
		}
		ok, err := p.Declares(m.names)
		if err != nil {
			return nil, err
		}
		if ok {
			fit = append(fit, p)
		}
	}
	rank := func(p Package) int {
		first, _, _ := strings.Cut(p.Path, "/")
		switch {
		case imported[p.Path]:
			return 0
		case !strings.Contains(first, "."):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(fit, func(a, b Package) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		if d := strings.Count(a.Path, "/") - strings.Count(b.Path, "/"); d != 0 {
			return d
		}
		return strings.Compare(a.Path, b.Path)
	})
	return slices.CompactFunc(fit, func(a, b Package) bool { return a.Path == b.Path }), nil
}

// importedNearby are the paths that other files of the package import.
func (r *Request) importedNearby() map[string]bool {
	all := map[string]bool{}
	for _, t := range r.Files {
		for _, spec := range t.AST.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil {
				all[path] = true
			}
		}
	}
	return all
}

// mayImport reports whether the rule of internal directories lets the package import another.
func (r *Request) mayImport(path string) bool {
	parts := strings.Split(path, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] != "internal" {
			continue
		}
		above, own := strings.Join(parts[:i], "/"), strings.TrimSuffix(r.Meta.Path, "_test")
		if above == "" {
			first, _, _ := strings.Cut(own, "/")
			return !strings.Contains(first, ".")
		}
		return own == above || strings.HasPrefix(own, above+"/")
	}
	return parts[0] != "vendor"
}

// unusedImports are the imports of the file that nothing of it uses. What could not be imported is
// taken to be used.
func (r *Request) unusedImports() []importSpec {
	used := map[types.Object]bool{}
	dotted := map[*types.Package]bool{}
	ast.Inspect(r.File.AST, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				if pkg, ok := r.Info.Uses[id].(*types.PkgName); ok {
					used[pkg] = true
					return false
				}
			}
		}
		if id, ok := n.(*ast.Ident); ok {
			switch obj := r.Info.Uses[id].(type) {
			case *types.PkgName:
				used[obj] = true
			case nil:
			default:
				if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
					dotted[obj.Pkg()] = true
				}
			}
		}
		return true
	})
	var unused []importSpec
	for _, spec := range r.File.AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		name := r.Info.PkgNameOf(spec)
		if err != nil || path == "C" || path == "embed" && spec.Name != nil || name == nil || r.importFailed(spec) {
			continue
		}
		written := ""
		if spec.Name != nil {
			written = spec.Name.Name
		}
		switch written {
		case "_":
		case ".":
			if !dotted[name.Imported()] {
				unused = append(unused, importSpec{written, path})
			}
		default:
			if !used[name] {
				unused = append(unused, importSpec{written, path})
			}
		}
	}
	return unused
}

func (r *Request) importFailed(spec *ast.ImportSpec) bool {
	return slices.ContainsFunc(r.Errors, func(e types.Error) bool { return spec.Pos() <= e.Pos && e.Pos < spec.End() })
}

// organizeImports adds what is missing and can be only one thing, removes what is not used, and
// sorts.
func organizeImports(r *Request) []Change {
	missing, remove := r.missingImports(), r.unusedImports()
	if len(missing) == 0 && len(remove) == 0 && len(r.File.Errors) == 0 {
		if edits, err := r.sortedImports(); err == nil && len(edits) == 0 {
			return nil // all is as it should be
		}
	}
	return []Change{{Title: "Organize Imports", Make: func() (*lsp.WorkspaceEdit, error) {
		if len(r.File.Errors) > 0 {
			return nil, fmt.Errorf("%s has syntax errors: what it uses is not known", r.File.URI)
		}
		var add []importSpec
		for _, m := range missing {
			found, err := r.candidates(m)
			if err != nil {
				return nil, err
			}
			if len(found) > 0 {
				add = append(add, specOf(m.name, found[0]))
			}
		}
		edits, err := r.sortedImports()
		if len(add) > 0 || len(remove) > 0 {
			edits, err = r.editImports(add, remove)
		}
		if err != nil {
			return nil, err
		}
		return r.edit(edits...)
	}}}
}

// wholeImport is what an import consists of: with the keyword if it stands alone.
func (r *Request) wholeImport(spec *ast.ImportSpec) ast.Node {
	for _, d := range r.File.AST.Decls {
		if g, ok := d.(*ast.GenDecl); ok && len(g.Specs) == 1 && g.Specs[0] == ast.Spec(spec) {
			return g
		}
	}
	return spec
}

// RemoveImport takes the import at a span of a file away, with its line. It is not ok if there is
// none.
func RemoveImport(t *syntax.Tree, at lsp.Span) (edit lsp.TextEdit, ok bool) {
	r := &Request{View: &check.View{File: t}}
	for _, spec := range t.AST.Imports {
		if s := t.Span(spec.Pos(), spec.End()); s.Start <= at.Start && at.End <= s.End {
			return r.removeStatement(r.wholeImport(spec)), true
		}
	}
	return edit, false
}

// specOf imports a package under a name; a path whose last element does not say it has it written
// down.
func specOf(name string, p Package) importSpec {
	if p.Name == name && LikelyName(p.Path) == name {
		return importSpec{"", p.Path}
	}
	return importSpec{name, p.Path}
}

// LikelyName is what a reader takes a package for by its path: the last element, without a version.
func LikelyName(path string) string {
	parts := strings.Split(path, "/")
	last := parts[len(parts)-1]
	if len(parts) > 1 && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		last = parts[len(parts)-2]
	}
	if i := strings.Index(last, ".v"); i > 0 {
		last = last[:i]
	}
	return last
}

// addImport are the changes that bring in what an undefined name could mean.
func addImport(r *Request, e types.Error) (list []Change) {
	for _, m := range r.missingImports() {
		if !slices.ContainsFunc(m.at, func(id *ast.Ident) bool { return id.Pos() == e.Pos }) {
			continue
		}
		found, err := r.candidates(m)
		if err != nil {
			return nil
		}
		for i, p := range found[:min(len(found), importsOffered)] {
			spec := specOf(m.name, p)
			written := strconv.Quote(p.Path)
			if spec.name != "" {
				written = spec.name + " " + written
			}
			list = append(list, Change{Title: "Add import: " + written, Preferred: i == 0, Make: func() (*lsp.WorkspaceEdit, error) {
				edits, err := r.editImports([]importSpec{spec}, nil)
				if err != nil {
					return nil, err
				}
				return r.edit(edits...)
			}})
		}
	}
	return list
}

// importsOffered is how many packages are offered for one name.
const importsOffered = 8

// eliminateDotImport names the package in front of everything that a dot import brought in.
func eliminateDotImport(r *Request) []Change {
	spec, _, ok := enclosing[*ast.ImportSpec](r)
	if !ok || spec.Name == nil || spec.Name.Name != "." {
		return nil
	}
	name := r.Info.PkgNameOf(spec)
	if name == nil || r.importFailed(spec) {
		return nil
	}
	pkg := name.Imported()
	var edits []lsp.TextEdit
	ast.Inspect(r.File.AST, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			ast.Inspect(sel.X, func(n ast.Node) bool {
				return r.qualifyDotted(n, pkg, &edits)
			})
			return false
		}
		return r.qualifyDotted(n, pkg, &edits)
	})
	for _, e := range edits {
		pos := r.Pos(e.Span.Start)
		if _, obj := r.scopeAt(pos).LookupParent(pkg.Name(), pos); obj != nil {
			return nil // the name means something else there
		}
	}
	return []Change{{Title: "Eliminate dot import", Make: func() (*lsp.WorkspaceEdit, error) {
		return r.edit(append(edits, r.replace(spec.Name.Pos(), spec.Path.Pos(), ""))...)
	}}}
}

// qualifyDotted puts the name of a package before an identifier that a dot import brought in.
func (r *Request) qualifyDotted(n ast.Node, pkg *types.Package, edits *[]lsp.TextEdit) bool {
	if sel, ok := n.(*ast.SelectorExpr); ok {
		ast.Inspect(sel.X, func(n ast.Node) bool { return r.qualifyDotted(n, pkg, edits) })
		return false
	}
	if id, ok := n.(*ast.Ident); ok {
		if obj := r.Info.Uses[id]; obj != nil && obj.Pkg() == pkg && obj.Parent() == pkg.Scope() {
			*edits = append(*edits, r.replace(id.Pos(), id.Pos(), pkg.Name()+"."))
		}
	}
	return true
}
