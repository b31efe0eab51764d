package complete

import (
	"bytes"
	"go/ast"
	"go/types"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Scores of what a comment may be about.
const (
	ofComment     = 10.0 // what it stands above or behind
	typeOfComment = 1.1  // the type that it stands in
	nearComment   = 1.0
	farOfComment  = 0.01 // fields of a receiver
)

// inComment adds the names of what a comment is about: the declaration below it or around it. That
// may be in another section of the text, so it is looked for in the tree of the file.
func (c *completer) inComment() {
	if at := c.d.Word.Start; at > 0 && c.d.Source[at-1] == '.' {
		return
	}
	t := syntax.Trees.Get(c.d.URI, c.d.Source)
	at := c.d.Cursor.Token
	end := at.End // of the group
	for _, g := range t.AST.Comments {
		if t.Offset(g.Pos()) <= at.Start && at.Start < t.Offset(g.End()) {
			end = t.Offset(g.End())
		}
	}
	// apart is how many lines end between two places; -1 if they are in another order.
	apart := func(from, to int) int {
		if from > to || to > len(t.Text) {
			return -1
		}
		return bytes.Count(t.Text[from:to], []byte("\n"))
	}
	for _, d := range t.AST.Decls {
		from, to := t.Offset(d.Pos()), t.Offset(d.End())
		below := apart(end, from) == 1
		inside := from <= at.Start && end <= to
		behind := apart(from, at.Start) == 0
		if !below && !inside && !behind {
			continue
		}
		switch d := d.(type) {
		case *ast.FuncDecl:
			c.commentOfFunc(d)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				c.commentOfSpec(t, s, below)
			}
		}
	}
}

func (c *completer) commentOfFunc(d *ast.FuncDecl) {
	if d.Recv == nil {
		fn, ok := c.v.Package.Scope().Lookup(d.Name.Name).(*types.Func)
		if ok {
			c.paramWords(fn.Signature())
			c.word(fn, ofComment)
		}
		return
	}
	if d.Recv.NumFields() == 0 {
		return
	}
	named, ok := c.v.Package.Scope().Lookup(receiverName(d)).(*types.TypeName)
	if !ok {
		return
	}
	obj, _, _ := types.LookupFieldOrMethod(named.Type(), true, c.v.Package, d.Name.Name)
	fn, ok := obj.(*types.Func)
	if !ok {
		return
	}
	if recv := fn.Signature().Recv(); recv != nil {
		c.word(recv, nearComment)
	}
	c.paramWords(fn.Signature())
	if s, ok := named.Type().Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			c.word(f, farOfComment)
		}
	}
	c.word(fn, ofComment)
}

func (c *completer) paramWords(sig *types.Signature) {
	for _, list := range []*types.Tuple{sig.Params(), sig.Results()} {
		for v := range list.Variables() {
			c.word(v, nearComment)
		}
	}
}

// receiverName is the name of the type of a receiver.
func receiverName(d *ast.FuncDecl) string {
	e := d.Recv.List[0].Type
	for {
		switch n := e.(type) {
		case *ast.StarExpr:
			e = n.X
		case *ast.ParenExpr:
			e = n.X
		case *ast.IndexExpr:
			e = n.X
		case *ast.IndexListExpr:
			e = n.X
		case *ast.Ident:
			return n.Name
		default:
			return ""
		}
	}
}

func (c *completer) commentOfSpec(t *syntax.Tree, s ast.Spec, below bool) {
	scope := c.v.Package.Scope()
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, id := range s.Names {
			if obj := scope.Lookup(id.Name); obj != nil {
				c.word(obj, nearComment)
			}
		}
	case *ast.TypeSpec:
		obj := scope.Lookup(s.Name.Name)
		if obj == nil {
			return
		}
		c.fieldWords(t, s.Type, obj)
		score := typeOfComment
		if below {
			score = ofComment
		}
		c.word(obj, score)
	}
}

// fieldWords adds the fields or methods that a type declares.
func (c *completer) fieldWords(t *syntax.Tree, e ast.Expr, of types.Object) {
	var list *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		list = e.Fields
	case *ast.InterfaceType:
		list = e.Methods
	}
	if list == nil {
		return
	}
	place := c.d.Word.End
	holds := func(g *ast.CommentGroup) bool {
		return g != nil && t.Offset(g.Pos()) <= place && place <= t.Offset(g.End())
	}
	for _, f := range list.List {
		score := nearComment
		if holds(f.Doc) || holds(f.Comment) {
			score = ofComment
		}
		for _, id := range f.Names {
			if obj, _, _ := types.LookupFieldOrMethod(of.Type(), true, c.v.Package, id.Name); obj != nil {
				c.word(obj, score)
			}
		}
	}
}

// word adds the name of something that a comment may be about.
func (c *completer) word(obj types.Object, worth float64) {
	name := obj.Name()
	score, ok := c.match.score(name)
	if !ok || name == "_" || name == "" {
		return
	}
	if !obj.Exported() {
		worth *= notExported
	}
	item := Item{Completion: lsp.Completion{Label: name, Text: name}, Object: obj, score: score * worth}
	if c.d.Word.Start == c.d.Cursor.Token.Start+len("//") {
		item.Text = " " + name
	}
	item.Kind, item.Detail = c.describe(obj)
	c.items = append(c.items, item)
}
