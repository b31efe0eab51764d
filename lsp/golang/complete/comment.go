package complete

import (
	"go/ast"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// inComment adds the names of what a doc comment is about. It may stand in the section before the
// declaration, so it is looked for in the tree of the file.
func (c *completer) inComment() {
	t := syntax.Trees.Get(c.d.URI, c.d.Source)
	at := c.d.Cursor.Token
	about := func(doc *ast.CommentGroup, end int, names ...*ast.Ident) bool {
		if doc != nil && t.Offset(doc.Pos()) <= at.Start && at.End <= t.Offset(doc.End()) ||
			end > 0 && end <= at.Start && !strings.Contains(string(t.Text[end:at.Start]), "\n") {
			for _, id := range names {
				c.word(id.Name)
			}
			return true
		}
		return false
	}
	for _, d := range t.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names := []*ast.Ident{d.Name}
			fields := func(list *ast.FieldList) {
				if list != nil {
					for _, f := range list.List {
						names = append(names, f.Names...)
					}
				}
			}
			fields(d.Recv)
			fields(d.Type.Params)
			fields(d.Type.Results)
			about(d.Doc, 0, names...)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if !about(s.Doc, t.Offset(s.End()), s.Name) && len(d.Specs) == 1 {
						about(d.Doc, 0, s.Name)
					}
					ast.Inspect(s.Type, func(n ast.Node) bool {
						if f, ok := n.(*ast.Field); ok && len(f.Names) > 0 {
							about(f.Doc, t.Offset(f.End()), f.Names...)
						}
						return true
					})
				case *ast.ValueSpec:
					if !about(s.Doc, t.Offset(s.End()), s.Names...) && len(d.Specs) == 1 {
						about(d.Doc, 0, s.Names...)
					}
				}
			}
		}
	}
}

func (c *completer) word(name string) {
	if score, ok := c.match.score(name); ok && name != "_" {
		obj := c.v.Package.Scope().Lookup(name)
		item := Item{Completion: lsp.Completion{Label: name, Kind: lsp.CompletionText, Text: name}, score: score}
		if obj != nil {
			item.Object = obj
			item.Kind, item.Detail = c.describe(obj)
		}
		c.items = append(c.items, item)
	}
}
