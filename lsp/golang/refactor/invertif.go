package refactor

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// invertIf exchanges the branches of an if statement and negates its condition.
func invertIf(r *Request) []Change {
	s, _, ok := enclosing[*ast.IfStmt](r)
	if !ok || r.Pos(r.Start) > s.Body.Lbrace {
		return nil
	}
	other, ok := s.Else.(*ast.BlockStmt)
	if !ok {
		return nil // without another branch, or with a further condition
	}
	return []Change{{Title: "Invert 'if' condition", Make: func() (*lsp.WorkspaceEdit, error) {
		condition := r.replace(s.Cond.Pos(), s.Cond.End(), r.negated(s.Cond))
		then, otherwise := r.textOf(s.Body), r.textOf(other)
		if leaves(other) && !leaves(s.Body) && !r.declaresMore(s) {
			// What would be the other branch needs none.
			inner := r.text(s.Body.Lbrace+1, s.Body.Rbrace)
			inner = strings.TrimSpace(r.outdented(inner, r.indent(s.If)))
			return r.edit(condition, r.replace(s.Body.Pos(), other.End(), otherwise+"\n\n"+r.indent(s.If)+inner))
		}
		// The comment behind a brace stays with the branch that it opens.
		return r.edit(condition, r.replace(s.Body.Pos(), other.End(), otherwise+" else "+then))
	}}}
}

// leaves reports whether the end of a block is not reached.
func leaves(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	switch s := b.List[len(b.List)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok != token.FALLTHROUGH
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		id, ok := call.Fun.(*ast.Ident)
		return ok && id.Name == "panic"
	}
	return false
}

// declaresMore reports whether the branch of an if statement needs a scope of its own.
func (r *Request) declaresMore(s *ast.IfStmt) bool {
	if s.Init != nil {
		return true
	}
	for _, stmt := range s.Body.List {
		switch stmt := stmt.(type) {
		case *ast.DeclStmt, *ast.LabeledStmt:
			return true
		case *ast.AssignStmt:
			if stmt.Tok == token.DEFINE {
				return true
			}
		}
	}
	return false
}

// outdented takes a level of indentation from lines that are indented more than indent.
func (r *Request) outdented(text, indent string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, indent+"\t"); ok {
			lines[i] = indent + rest
		}
	}
	return strings.Join(lines, "\n")
}

var opposite = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.GEQ, token.GEQ: token.LSS,
	token.GTR: token.LEQ, token.LEQ: token.GTR,
}

// negated is the text of the negation of a condition.
func (r *Request) negated(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		if obj := r.Info.Uses[x]; obj != nil && obj.Pkg() == nil {
			switch x.Name {
			case "true":
				return "false"
			case "false":
				return "true"
			}
		}
		return "!" + x.Name
	case *ast.ParenExpr:
		return "!" + r.textOf(x)
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			if p, ok := x.X.(*ast.ParenExpr); ok {
				switch p.X.(type) {
				case *ast.BinaryExpr:
				default:
					return r.textOf(p.X)
				}
			}
			return r.textOf(x.X)
		}
	case *ast.BinaryExpr:
		if op, ok := opposite[x.Op]; ok && !(op != token.EQL && op != token.NEQ && r.isFloat(x.X)) {
			return r.text(x.Pos(), x.OpPos) + op.String() + r.text(x.OpPos+token.Pos(len(x.Op.String())), x.End())
		}
		switch x.Op {
		case token.LAND:
			return r.negated(x.X) + r.gap(x, token.LOR) + r.negated(x.Y)
		case token.LOR:
			return r.grouped(x.X) + r.gap(x, token.LAND) + r.grouped(x.Y)
		}
		return "!(" + r.textOf(x) + ")"
	}
	return "!" + r.textOf(x)
}

// grouped is the negation of an operand of &&, which binds closer than what it may be.
func (r *Request) grouped(x ast.Expr) string {
	if b, ok := x.(*ast.BinaryExpr); ok && b.Op == token.LAND {
		return "(" + r.negated(x) + ")"
	}
	return r.negated(x)
}

// gap is an operator with the space that is around the one of a binary expression.
func (r *Request) gap(x *ast.BinaryExpr, op token.Token) string {
	return r.text(x.X.End(), x.OpPos) + op.String() + r.text(x.OpPos+token.Pos(len(x.Op.String())), x.Y.Pos())
}

// isFloat reports whether an expression may be no number: then "not less" is not "greater or
// equal".
func (r *Request) isFloat(x ast.Expr) bool {
	t := r.Info.TypeOf(x)
	if t == nil {
		return true
	}
	if _, ok := t.(*types.TypeParam); ok {
		return true
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsFloat != 0
}
