package refactor

import (
	"bytes"
	"go/ast"
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// A bracketed is a list between brackets.
type bracketed struct {
	what        string
	open, close token.Pos // of the brackets
	items       []ast.Node
	ellipsis    token.Pos // behind the last item
}

// list is the innermost list around the selection.
func (r *Request) list() (l bracketed, ok bool) {
	for i, n := range r.path {
		switch n := n.(type) {
		case *ast.FieldList:
			if i+1 >= len(r.path) || !n.Opening.IsValid() || !n.Closing.IsValid() {
				continue
			}
			of, ok := r.path[i+1].(*ast.FuncType)
			if !ok || n == of.TypeParams {
				continue
			}
			l = bracketed{what: "parameters", open: n.Opening, close: n.Closing}
			if n == of.Results {
				l.what = "results"
			}
			for _, f := range n.List {
				l.items = append(l.items, f)
			}
		case *ast.CallExpr:
			if at := r.Pos(r.Start); at < n.Lparen || at > n.Rparen {
				continue
			}
			l = bracketed{what: "arguments", open: n.Lparen, close: n.Rparen, ellipsis: n.Ellipsis}
			for _, a := range n.Args {
				l.items = append(l.items, a)
			}
		case *ast.CompositeLit:
			if at := r.Pos(r.Start); at < n.Lbrace || at > n.Rbrace {
				continue
			}
			l = bracketed{what: "elements", open: n.Lbrace, close: n.Rbrace}
			for _, e := range n.Elts {
				l.items = append(l.items, e)
			}
		case *ast.FuncLit, *ast.BlockStmt:
			return l, false // what is around a body is not what somebody in it means
		default:
			continue
		}
		if len(l.items) == 0 || !l.close.IsValid() {
			continue
		}
		return l, true
	}
	return l, false
}

// separators are the texts around the items: before the first, between two, behind the last.
func (r *Request) separators(l bracketed) []lsp.Span {
	var out []lsp.Span
	from := l.open + 1
	for _, n := range l.items {
		out = append(out, r.File.Span(from, n.Pos()))
		from = n.End()
	}
	if l.ellipsis.IsValid() {
		from = l.ellipsis + token.Pos(len("..."))
	}
	return append(out, r.File.Span(from, l.close))
}

// hasLineComment reports whether a line comment stands between the brackets: joining lines would
// make it swallow what follows.
func (r *Request) hasLineComment(l bracketed) bool {
	for _, g := range r.File.AST.Comments {
		for _, c := range g.List {
			if l.open < c.Pos() && c.Pos() < l.close && strings.HasPrefix(c.Text, "//") {
				return true
			}
		}
	}
	return false
}

// splitLines puts every item of a list on a line of its own.
func splitLines(r *Request) []Change {
	l, ok := r.list()
	if !ok || r.hasLineComment(l) {
		return nil
	}
	gaps := r.separators(l)
	split := true
	for _, g := range gaps {
		split = split && bytes.IndexByte(r.File.Text[g.Start:g.End], '\n') >= 0
	}
	if split {
		return nil
	}
	return []Change{{Title: "Split " + l.what + " into separate lines", Make: func() (*lsp.WorkspaceEdit, error) {
		indent := r.indent(l.open)
		var edits []lsp.TextEdit
		for i, g := range gaps {
			before, after, sep := indent+"\t", "", ","
			switch i {
			case 0:
				sep = ""
			case len(gaps) - 1:
				before = indent
			}
			kept := strings.TrimSpace(string(r.File.Text[g.Start:g.End]))
			if head, tail, ok := strings.Cut(kept, ","); ok { // block comments on either side of the comma
				kept, after = strings.TrimSpace(head), strings.TrimSpace(tail)
			} else if i == 0 {
				kept, after = "", kept
			}
			text := sep + "\n" + before
			if kept != "" {
				text = " " + kept + text
			}
			if after != "" {
				text += after + " "
			}
			edits = append(edits, lsp.TextEdit{Span: g, NewText: text})
		}
		return r.edit(edits...)
	}}}
}

// joinLines puts all items of a list on one line.
func joinLines(r *Request) []Change {
	l, ok := r.list()
	if !ok || r.hasLineComment(l) {
		return nil
	}
	gaps := r.separators(l)
	joined := true
	for _, g := range gaps {
		joined = joined && bytes.IndexByte(r.File.Text[g.Start:g.End], '\n') < 0
	}
	if joined {
		return nil
	}
	return []Change{{Title: "Join " + l.what + " into one line", Make: func() (*lsp.WorkspaceEdit, error) {
		var edits []lsp.TextEdit
		for i, g := range gaps {
			kept := strings.Join(strings.Fields(string(r.File.Text[g.Start:g.End])), " ")
			switch i {
			case 0:
				if kept != "" {
					kept += " "
				}
			case len(gaps) - 1:
				kept = strings.TrimSpace(strings.TrimSuffix(kept, ","))
				if kept != "" && kept[0] != ',' {
					kept = " " + kept
				}
			default:
				head, tail, _ := strings.Cut(kept, ",")
				kept = strings.TrimRight(" "+strings.TrimSpace(head), " ") + ", "
				if tail = strings.TrimSpace(tail); tail != "" {
					kept += tail + " "
				}
			}
			edits = append(edits, lsp.TextEdit{Span: g, NewText: kept})
		}
		return r.edit(edits...)
	}}}
}
