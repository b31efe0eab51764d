package flow

import (
	"go/ast"
	"go/token"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// marks collects places of a file, each once.
type marks struct {
	tree *syntax.Tree
	list []lsp.Span
	seen map[lsp.Span]bool
}

func (m *marks) add(start, end token.Pos) {
	s := m.tree.Span(start, end)
	if !m.seen[s] {
		m.seen[s] = true
		m.list = append(m.list, s)
	}
}

func (m *marks) node(n ast.Node) { m.add(n.Pos(), n.End()) }

// Related lists the places that belong to what stands at an offset by the flow of control: of a
// keyword the other keywords and statements of its function, loop or choice, of a result the same
// result elsewhere. The list may be empty.
func Related(t *syntax.Tree, offset int) []lsp.Span {
	p := path(Path(t, offset))
	if len(p) == 0 {
		return nil
	}
	m := &marks{tree: t, seen: map[lsp.Span]bool{}}
	i := len(p) - 1
	switch n := p.last().(type) {
	case *ast.Ident, *ast.ReturnStmt, *ast.FuncDecl, *ast.FuncType:
		m.exits(p)
	case *ast.BasicLit:
		if _, ok := p.up(1).(*ast.ImportSpec); !ok {
			m.exits(p)
		}
	case *ast.BranchStmt:
		label := ""
		if n.Label != nil {
			label = n.Label.Name
		}
		if i = p.left(n.Tok, label); i >= 0 && (n.Tok == token.BREAK || n.Tok == token.CONTINUE) {
			m.statement(p[i], p.labelOf(i))
		}
	default:
		m.statement(n, p.labelOf(i))
	}
	return m.list
}

// statement marks what belongs to a loop or a choice; of others it marks nothing.
func (m *marks) statement(n ast.Node, label string) {
	switch n.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		m.loop(n, label)
	case *ast.SwitchStmt, *ast.TypeSwitchStmt:
		m.choice(n, "switch", label)
	case *ast.SelectStmt:
		m.choice(n, "select", label)
	}
}
