package describe

import (
	"go/ast"
	"go/token"

	"github.com/cytisus/cytisus/lsp/golang/flow"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A site is the syntax that declares something, as far as there is any: a function, a specification
// in a declaration, a field or parameter in one of these, or an assignment.
type site struct {
	decl   ast.Decl
	spec   ast.Spec
	field  *ast.Field
	assign *ast.AssignStmt
}

// siteAt is the syntax around the declared name at an offset.
func siteAt(t *syntax.Tree, offset int) (s site) {
	p := flow.Path(t, offset)
	if n := len(p); n > 1 {
		// Behind a name that is one character long another node may begin.
		if id, ok := p[n-1].(*ast.Ident); !ok || t.Offset(id.Pos()) != offset {
			p = flow.Path(t, offset+1)
		}
	}
	for i := len(p) - 1; i > 0; i-- {
		n, parent := p[i], p[i-1]
		switch parent := parent.(type) {
		case *ast.FuncDecl:
			if parent.Name == n {
				return site{decl: parent}
			}
		case *ast.TypeSpec:
			if parent.Name == n {
				return inDeclaration(p[:i-1], parent)
			}
		case *ast.ValueSpec:
			for _, name := range parent.Names {
				if name == n {
					return inDeclaration(p[:i-1], parent)
				}
			}
		case *ast.ImportSpec:
			return inDeclaration(p[:i-1], parent)
		case *ast.AssignStmt:
			for _, x := range parent.Lhs {
				if x == n {
					return site{assign: parent}
				}
			}
		case *ast.Field:
			if parent.Type == n && len(parent.Names) > 0 {
				continue
			}
			s.field = parent
			for k := i - 2; k >= 0; k-- {
				switch n := p[k].(type) {
				case *ast.TypeSpec:
					s.spec = n
				case *ast.FuncDecl:
					s.decl = n
					return s
				case *ast.GenDecl:
					s.decl = n
					return s
				}
			}
			return s
		}
	}
	return site{}
}

func inDeclaration(above []ast.Node, spec ast.Spec) site {
	s := site{spec: spec}
	if len(above) > 0 {
		s.decl, _ = above[len(above)-1].(*ast.GenDecl)
	}
	return s
}

// doc is the comment that documents what is declared: its own, that of its group, the one behind
// it, or, for what is assigned alone, one that begins a line and ends on the line before.
func (s *site) doc(t *syntax.Tree) *ast.CommentGroup {
	first := func(groups ...*ast.CommentGroup) *ast.CommentGroup {
		for _, g := range groups {
			if g != nil {
				return g
			}
		}
		return nil
	}
	if s.assign != nil && len(s.assign.Lhs) == 1 {
		return above(t, s.assign.Pos())
	}
	if s.field != nil {
		return first(s.field.Doc, s.field.Comment)
	}
	switch decl := s.decl.(type) {
	case *ast.FuncDecl:
		return decl.Doc
	case *ast.GenDecl:
		switch spec := s.spec.(type) {
		case *ast.ValueSpec:
			return first(spec.Doc, decl.Doc, spec.Comment)
		case *ast.TypeSpec:
			return first(spec.Doc, decl.Doc, spec.Comment)
		}
	}
	return nil
}

// above is the comment that ends on the line before a position.
func above(t *syntax.Tree, pos token.Pos) *ast.CommentGroup {
	line := t.Pos.Line(pos)
	for _, g := range t.AST.Comments {
		if t.Pos.Line(g.End()) == line-1 {
			start := t.Offset(g.Pos())
			lineStart := t.Offset(t.Pos.LineStart(t.Pos.Line(g.Pos())))
			for _, b := range t.Text[lineStart:start] {
				if b != ' ' && b != '\t' {
					return nil // it belongs to what stands before it
				}
			}
			return g
		}
	}
	return nil
}
