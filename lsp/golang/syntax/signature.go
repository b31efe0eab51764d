package syntax

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// A Signature is that of a function declaration, as it is offered to whoever wants it changed.
type Signature struct {
	Keyword lsp.Span // of func
	Func    *ast.FuncDecl
	Text    string // "func(a int, _0 string) error": parameters without a name have a number
	params  []parameter
	results string
}

// A parameter has a name of its own in a signature.
type parameter struct{ name, typ string }

// SignatureAt is the signature of the declaration whose keyword stands at an offset.
func SignatureAt(t *Tree, offset int) (s Signature, ok bool) {
	if t.Unfit {
		return s, false
	}
	for _, d := range t.AST.Decls {
		fn, isFunc := d.(*ast.FuncDecl)
		if !isFunc || !fn.Type.Func.IsValid() {
			continue
		}
		keyword := t.Span(fn.Type.Func, fn.Type.Func+token.Pos(len("func")))
		if keyword.Start <= offset && offset <= keyword.End {
			s = signatureOf(fn.Type)
			s.Keyword, s.Func = keyword, fn
			return s, true
		}
	}
	return s, false
}

func signatureOf(fn *ast.FuncType) (s Signature) {
	var fields []string
	unnamed := 0
	named := func(name string) string {
		if name != "" && name != "_" {
			return name
		}
		unnamed++
		return fmt.Sprintf("_%d", unnamed-1)
	}
	for _, f := range fn.Params.List {
		typ := printed(f.Type)
		var names []string
		for _, id := range f.Names {
			names = append(names, named(id.Name))
		}
		if len(f.Names) == 0 {
			names = []string{named("")}
		}
		for _, name := range names {
			s.params = append(s.params, parameter{name, typ})
		}
		fields = append(fields, strings.Join(names, ", ")+" "+typ)
	}
	s.results = printedResults(fn.Results)
	s.Text = strings.TrimSpace("func(" + strings.Join(fields, ", ") + ") " + s.results)
	return s
}

// printedResults are the results of a function on one line; "" if it has none.
func printedResults(list *ast.FieldList) string {
	if list == nil || len(list.List) == 0 {
		return ""
	}
	var fields []string
	for _, f := range list.List {
		var names []string
		for _, id := range f.Names {
			names = append(names, id.Name)
		}
		fields = append(fields, strings.TrimSpace(strings.Join(names, ", ")+" "+printed(f.Type)))
	}
	if len(fields) == 1 && len(list.List[0].Names) == 0 {
		return fields[0]
	}
	return "(" + strings.Join(fields, ", ") + ")"
}

// printed is an expression as gofmt writes it.
func printed(x ast.Expr) string {
	var b strings.Builder
	if printer.Fprint(&b, token.NewFileSet(), x) != nil { // a tree with holes
		return "any"
	}
	return b.String()
}

// IsWhole reports whether an order has all parameters where they are.
func (s *Signature) IsWhole(order []int) bool {
	for i, n := range order {
		if i != n {
			return false
		}
	}
	return len(order) == len(s.params)
}

// Order says which of the parameters each one is that another signature has: it may leave some out,
// and have them in another order.
func (s *Signature) Order(text string) ([]int, error) {
	x, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no signature of a function: %w", text, err)
	}
	fn, ok := x.(*ast.FuncType)
	if !ok {
		return nil, fmt.Errorf("%q is no signature of a function", text)
	}
	to := signatureOf(fn)
	if to.results != s.results {
		return nil, errors.New("changing results is not yet supported")
	}
	at := map[string]int{}
	for i, p := range s.params {
		at[p.name] = i
	}
	var order []int
	seen := map[int]bool{}
	for _, p := range to.params {
		i, ok := at[p.name]
		switch {
		case !ok:
			return nil, fmt.Errorf("adding parameters (%s) is not yet supported", p.name)
		case seen[i]:
			return nil, fmt.Errorf("parameter %s stands in it twice", p.name)
		case p.typ != s.params[i].typ:
			return nil, fmt.Errorf("changing the type of a parameter (%s) is not yet supported", p.name)
		}
		seen[i] = true
		order = append(order, i)
	}
	return order, nil
}
