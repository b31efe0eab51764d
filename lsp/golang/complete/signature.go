package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A Call is what is known of the call around a place.
type Call struct {
	lsp.Signature
	Object types.Object // that is called; nil if it has no name
}

// CallAt is the call around the place of a draft (syntax.NewDraftAsIs); nil if there is none. A
// place on the name of a function counts as one in a call of it.
func CallAt(v *check.View, d *syntax.Draft) (*Call, error) {
	if d.Tree == nil || d.Cursor.Inside == token.COMMENT && d.Name == nil {
		return nil, nil
	}
	s, err := v.Check(d)
	if err != nil {
		return nil, err
	}
	c := &completer{v: v, d: d, s: s}
	for i, n := range s.Path {
		switch n := n.(type) {
		case *ast.Ident:
			if n == d.Name || i > 0 {
				continue
			}
			var around []ast.Node
			if i+1 < len(s.Path) {
				around = s.Path[i+1:]
			}
			if sel, ok := nodeAt[*ast.SelectorExpr](around, 0); ok && sel.Sel == n {
				if call := c.call(sel, nil); call != nil {
					return call, nil
				}
			} else if call := c.call(n, nil); call != nil {
				return call, nil
			}
		case *ast.CallExpr:
			if n.Lparen.IsValid() && n.Lparen <= d.At && (d.At <= n.Rparen || !n.Rparen.IsValid() || d.Name != nil) {
				if call := c.call(n.Fun, n); call != nil {
					return call, nil
				}
				return nil, nil
			}
		case *ast.FuncLit:
			if n.Body != nil && n.Body.Lbrace < d.At && d.At <= n.Body.Rbrace {
				return nil, nil
			}
		case *ast.CompositeLit:
			if n.Lbrace < d.At && d.At <= n.Rbrace {
				return nil, nil
			}
		}
	}
	return nil, nil
}

// call describes what is called by an expression; nil if that is nothing, such as a conversion.
func (c *completer) call(fun ast.Expr, at *ast.CallExpr) *Call {
	out := &Call{Signature: lsp.Signature{Active: -1}}
	named := ast.Unparen(fun)
	switch index := named.(type) {
	case *ast.IndexExpr:
		named = index.X
	case *ast.IndexListExpr:
		named = index.X
	}
	if fun == named {
		out.Object = c.objectOf(named)
	} else if _, ok := ast.Unparen(fun).(*ast.ParenExpr); !ok {
		out.Object = c.objectOf(named)
	}
	name := "func"
	if out.Object != nil {
		name = out.Object.Name()
	}
	if b, ok := out.Object.(*types.Builtin); ok {
		text, ok := builtinSignatures[b.Name()]
		if !ok {
			return nil
		}
		out.Label = name + strings.TrimPrefix(text, "func")
		out.Params = parameterSpans(out.Label)
		c.activate(out, at, strings.Contains(out.Label, "..."))
		return out
	}
	tv, ok := c.s.Info.Types[fun]
	if ok && tv.IsType() {
		return nil
	}
	var t types.Type
	switch {
	case ok && tv.Type != nil:
		t = tv.Type
	case out.Object != nil:
		t = out.Object.Type()
	default:
		return nil
	}
	sig, ok := under(t).(*types.Signature)
	if !ok {
		return nil
	}
	if at != nil {
		sig, _ = c.instantiated(at, sig, nil)
	}
	var b strings.Builder
	b.WriteString(name + "(")
	for i := range sig.Params().Len() {
		p := sig.Params().At(i)
		if i > 0 {
			b.WriteString(", ")
		}
		start := b.Len()
		text := types.TypeString(p.Type(), c.qualify)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			if s, ok := p.Type().(*types.Slice); ok {
				text = "..." + types.TypeString(s.Elem(), c.qualify)
			}
		}
		if p.Name() != "" {
			text = p.Name() + " " + text
		}
		b.WriteString(text)
		out.Params = append(out.Params, lsp.Span{Start: start, End: b.Len()})
	}
	b.WriteString(")")
	switch n := sig.Results().Len(); {
	case n == 1 && sig.Results().At(0).Name() == "":
		b.WriteString(" " + types.TypeString(sig.Results().At(0).Type(), c.qualify))
	case n > 0:
		b.WriteString(" (")
		for i := range n {
			r := sig.Results().At(i)
			if i > 0 {
				b.WriteString(", ")
			}
			if r.Name() != "" {
				b.WriteString(r.Name() + " ")
			}
			b.WriteString(types.TypeString(r.Type(), c.qualify))
		}
		b.WriteString(")")
	}
	out.Label = b.String()
	c.activate(out, at, sig.Variadic())
	return out
}

// parameterSpans are the parameters in the signature of a builtin function.
func parameterSpans(label string) (list []lsp.Span) {
	from := strings.IndexByte(label, '(') + 1
	start, depth := from, 0
	for i := from; i < len(label); i++ {
		switch label[i] {
		case '(', '[':
			depth++
		case ']':
			depth--
		case ',', ')':
			if label[i] == ')' && depth > 0 {
				depth--
				continue
			}
			if depth > 0 {
				continue
			}
			if i > start {
				list = append(list, lsp.Span{Start: start, End: i})
			}
			if label[i] == ')' {
				return list
			}
			start = i + 2
		}
	}
	return list
}

// activate finds the parameter that the place belongs to.
func (c *completer) activate(out *Call, at *ast.CallExpr, variadic bool) {
	if at == nil || c.d.At <= at.Lparen || len(out.Params) == 0 {
		return
	}
	n := 0
	for i, arg := range at.Args {
		n = i
		if c.d.At <= arg.End() {
			break
		}
		s := c.d.Tree.Span(arg.End(), c.d.At)
		if strings.Contains(string(c.d.Tree.Text[s.Start:s.End]), ",") {
			n = i + 1
		}
	}
	switch {
	case n < len(out.Params):
		out.Active = n
	case variadic:
		out.Active = len(out.Params) - 1
	}
}
