package refactor

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// A SignatureChange gives a function other parameters, of those that it has. All calls change with
// it, in other packages, too, which is the work of whoever can see those: Declaration makes the
// edits of the declaration, and Calls those of calls.
type SignatureChange struct {
	Offset   int   // of the function's name in the file
	Order    []int // which of the old parameters each of the new ones is
	old      int   // how many there were
	variadic bool

	// Declaration are the edits of the file that declares it, while its view is there.
	Declaration []lsp.TextEdit
}

// A param is a parameter as it is written.
type param struct {
	name  string // "" if it has none
	typ   ast.Expr
	field int
	at    item
}

// paramsOf are the parameters of a function, one by one.
func paramsOf(fn *ast.FuncType) (list []param) {
	for n, f := range fn.Params.List {
		if len(f.Names) == 0 {
			list = append(list, param{"", f.Type, n, item{f.Pos(), f.End()}})
		}
		for m, id := range f.Names {
			at := item{id.Pos(), id.End()}
			if m+1 == len(f.Names) {
				at.to = f.End()
			}
			list = append(list, param{id.Name, f.Type, n, at})
		}
	}
	return list
}

// paramSelected is the function declaration whose parameter is selected, and which of its
// parameters that is. It is not ok where the package has errors: calls could be missed.
func (r *Request) paramSelected() (fn *ast.FuncDecl, n int, ok bool) {
	fn, _, ok = enclosing[*ast.FuncDecl](r)
	if !ok || fn.Body == nil || len(r.Errors) > 0 || len(r.File.Errors) > 0 {
		return nil, 0, false
	}
	from, to := r.Pos(r.Start), r.Pos(r.End)
	n = slices.IndexFunc(paramsOf(fn.Type), func(p param) bool { return p.at.from <= from && to <= p.at.to })
	return fn, n, n >= 0
}

// unused reports whether nothing in a function reads or sets one of its parameters.
func (r *Request) unused(fn *ast.FuncDecl, n int) bool {
	obj, ok := r.Info.Defs[fn.Name].(*types.Func)
	if !ok {
		return false
	}
	v := obj.Signature().Params().At(n)
	used := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && r.Info.Uses[id] == v {
			used = true
		}
		return !used
	})
	return !used
}

// removeUnusedParam takes a parameter away that its function does not use, with the arguments of
// all calls, whatever computing them does.
func removeUnusedParam(r *Request) []Change {
	fn, n, ok := r.paramSelected()
	if !ok || !r.unused(fn, n) {
		return nil
	}
	order := upTo(len(paramsOf(fn.Type)))
	return r.resign("Remove unused parameter", fn, slices.Delete(order, n, n+1))
}

func moveParamLeft(r *Request) []Change  { return r.moveParam("Move parameter left", -1) }
func moveParamRight(r *Request) []Change { return r.moveParam("Move parameter right", 0) }

// moveParam has a parameter change places with a neighbour: by -1 with the one before it, by 0 with
// the one behind it. What is variadic stays last, so nothing moves beside it.
func (r *Request) moveParam(title string, by int) []Change {
	fn, n, ok := r.paramSelected()
	if !ok {
		return nil
	}
	params := paramsOf(fn.Type)
	n += by
	if n < 0 || n+1 >= len(params) {
		return nil
	}
	if _, variadic := params[len(params)-1].typ.(*ast.Ellipsis); variadic {
		return nil
	}
	order := upTo(len(params))
	order[n], order[n+1] = order[n+1], order[n]
	return r.resign(title, fn, order)
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func (r *Request) resign(title string, fn *ast.FuncDecl, order []int) []Change {
	return []Change{{Title: title, Signature: r.Reorder(fn, order)}}
}

// Reorder gives a function of the file, which has parameters, those of them that an order names.
func (r *Request) Reorder(fn *ast.FuncDecl, order []int) *SignatureChange {
	params := paramsOf(fn.Type)
	_, variadic := params[len(params)-1].typ.(*ast.Ellipsis)
	return &SignatureChange{
		Offset: r.File.Offset(fn.Name.Pos()), Order: order, old: len(params), variadic: variadic,
		Declaration: r.editParams(fn, params, order),
	}
}

// editParams are the edits of a list of parameters. Those in one line are written anew, and those
// of one type that meet share it; a list of several lines keeps its layout.
func (r *Request) editParams(fn *ast.FuncDecl, params []param, order []int) []lsp.TextEdit {
	list := fn.Type.Params
	single := !slices.ContainsFunc(list.List, func(f *ast.Field) bool { return len(f.Names) > 1 })
	text := r.text(list.Opening, list.Closing)
	if single && (strings.Contains(text, "\n") || strings.Contains(text, "/*")) {
		var at []item
		for _, p := range params {
			at = append(at, p.at)
		}
		return r.arrange(list.Opening, list.Closing, at, order, func(x item) string { return r.text(x.from, x.to) })
	}
	var fields []string
	for i, n := range order {
		p := params[n]
		typ := r.textOf(p.typ)
		field := strings.TrimSpace(p.name + " " + typ)
		if i+1 < len(order) && p.name != "" {
			next := params[order[i+1]]
			wereParted := order[i+1] == n+1 && p.field != next.field
			if next.name != "" && !wereParted && r.textOf(next.typ) == typ {
				field = p.name
			}
		}
		fields = append(fields, field)
	}
	written := strings.Join(fields, ", ")
	if strings.Contains(text, "\n") {
		indent := r.indent(list.Opening)
		written = "\n" + indent + "\t" + strings.Join(fields, ",\n"+indent+"\t") + ",\n" + indent
		if len(fields) == 0 {
			written = ""
		}
	}
	return []lsp.TextEdit{r.replace(list.Opening+1, list.Closing, written)}
}

// Calls are the edits of a file for the calls whose names are at some offsets. It fails where the
// function is named without being called.
func (c *SignatureChange) Calls(r *Request, offsets []int) ([]lsp.TextEdit, error) {
	var edits []lsp.TextEdit
	offsets = slices.Clone(offsets)
	slices.Sort(offsets)
	var calls []*ast.CallExpr
	for _, at := range offsets {
		path := r.Enclosing(at, at+1)
		if len(path) == 0 {
			return nil, errGone
		}
		id, ok := path[0].(*ast.Ident)
		if !ok || r.Info.Uses[id] == nil {
			continue // its declaration, or a comment
		}
		call := callOf(path)
		if call == nil {
			return nil, &lsp.RefusedError{
				Reason: fmt.Sprintf("%s is used as a value, whose type would be another: a non-call function reference", id.Name),
				At:     lsp.Location{URI: r.File.URI, Span: r.File.Span(id.Pos(), id.End())},
			}
		}
		calls = append(calls, call)
	}
	// The inner ones of calls within calls come first: the outer ones take their texts.
	slices.SortStableFunc(calls, func(a, b *ast.CallExpr) int { return int(a.End()-a.Pos()) - int(b.End()-b.Pos()) })
	for _, call := range calls {
		more, err := c.call(r, call, edits)
		if err != nil {
			return nil, err
		}
		edits = append(slices.DeleteFunc(edits, func(e lsp.TextEdit) bool {
			return slices.ContainsFunc(more, func(o lsp.TextEdit) bool {
				return o.Span.Start <= e.Span.Start && e.Span.End <= o.Span.End && o.Span != e.Span
			})
		}), more...)
	}
	return edits, nil
}

// callOf is the call that a name is called by; nil if it is none. The path leads up from the name.
func callOf(path []ast.Node) *ast.CallExpr {
	x := path[0].(ast.Expr)
	for _, n := range path[1:] {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if n.Sel != x {
				return nil
			}
			x = n
		case *ast.IndexExpr:
			if n.X != x {
				return nil
			}
			x = n
		case *ast.IndexListExpr:
			if n.X != x {
				return nil
			}
			x = n
		case *ast.ParenExpr:
			x = n
		case *ast.CallExpr:
			if n.Fun != x {
				return nil
			}
			return n
		default:
			return nil
		}
	}
	return nil
}

// call are the edits of one call; those within its arguments have been made.
func (c *SignatureChange) call(r *Request, call *ast.CallExpr, within []lsp.TextEdit) ([]lsp.TextEdit, error) {
	args := call.Args
	skip := 0 // the receiver of a method that is called like a function
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if s := r.Info.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
			skip = 1
		}
	}
	if len(args) == 1 && c.old+skip > 0 {
		if tuple, ok := r.Info.TypeOf(args[0]).(*types.Tuple); ok && tuple.Len() != 1 {
			return c.spread(r, call, skip)
		}
	}
	fixed := c.old
	if c.variadic {
		fixed--
	}
	if n := len(args) - skip; n < fixed || !c.variadic && n > fixed {
		return nil, nil // the call is wrong as it is
	}
	order := upTo(skip)
	for _, p := range c.Order {
		if c.variadic && p == c.old-1 {
			for n := skip + fixed; n < len(args); n++ {
				order = append(order, n)
			}
		} else {
			order = append(order, skip+p)
		}
	}
	var at []item
	for n, x := range args {
		to := x.End()
		if n+1 == len(args) && call.Ellipsis.IsValid() {
			to = call.Ellipsis + 3
		}
		at = append(at, item{x.Pos(), to})
	}
	return r.arrange(call.Lparen, call.Rparen, at, order, func(x item) string { return r.edited(x, within) }), nil
}

// edited is the text of an item with some edits made.
func (r *Request) edited(x item, edits []lsp.TextEdit) string {
	span := r.File.Span(x.from, x.to)
	var own []lsp.TextEdit
	for _, e := range edits {
		if span.Start <= e.Span.Start && e.Span.End <= span.End {
			e.Span.Start -= span.Start
			e.Span.End -= span.Start
			own = append(own, e)
		}
	}
	text, err := lsp.Apply(r.File.Text[span.Start:span.End], own)
	if err != nil {
		return r.text(x.from, x.to)
	}
	return string(text)
}

// spread passes the results of a call on as the arguments of another: a function literal takes
// them, and hands those on that are left.
func (c *SignatureChange) spread(r *Request, call *ast.CallExpr, skip int) ([]lsp.TextEdit, error) {
	s, ok := typeOr(r.Info.TypeOf(call.Fun)).Underlying().(*types.Signature)
	if !ok {
		return nil, errGone
	}
	i := r.importerAt(call.Pos())
	taken := map[string]bool{}
	ast.Inspect(call.Fun, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			taken[id.Name] = true
		}
		return true
	})
	params := s.Params()
	names, typs := make([]string, params.Len()), make([]string, params.Len())
	for n := range params.Len() {
		v := params.At(n)
		if typs[n] = i.typ(v.Type()); s.Variadic() && n == params.Len()-1 {
			typs[n] = "..." + i.typ(v.Type().(*types.Slice).Elem())
		}
		if names[n] = "_"; n >= skip && !slices.Contains(c.Order, n-skip) {
			continue
		}
		base := v.Name()
		if base == "" || base == "_" {
			base = "blank0"
		}
		names[n] = base
		for k := 1; taken[names[n]] || token.IsKeyword(names[n]); k++ {
			names[n] = fmt.Sprint(strings.TrimSuffix(base, "0"), k)
		}
		taken[names[n]] = true
	}
	var written []string
	for n, name := range names {
		if n+1 < len(names) && typs[n] == typs[n+1] {
			written = append(written, name)
		} else {
			written = append(written, name+" "+typs[n])
		}
	}
	args := slices.Clone(names[:skip])
	for _, p := range c.Order {
		arg := names[skip+p]
		if c.variadic && p == c.old-1 {
			arg += "..."
		}
		args = append(args, arg)
	}
	if i.hidden || len(i.needed) > 0 {
		return nil, &lsp.RefusedError{
			Reason: "a call hands on the results of another, and their types cannot be written there",
			At:     lsp.Location{URI: r.File.URI, Span: r.File.Span(call.Pos(), call.End())},
		}
	}
	results, do := "", ""
	switch res := s.Results(); res.Len() {
	case 0:
	case 1:
		results, do = " "+i.typ(res.At(0).Type()), "return "
	default:
		var list []string
		for v := range res.Variables() {
			list = append(list, i.typ(v.Type()))
		}
		results, do = " ("+strings.Join(list, ", ")+")", "return "
	}
	indent := r.indent(call.Pos())
	head := fmt.Sprintf("func(%s)%s {\n%s\t%s", strings.Join(written, ", "), results, indent, do)
	tail := fmt.Sprintf("(%s)\n%s}", strings.Join(args, ", "), indent)
	return []lsp.TextEdit{r.replace(call.Fun.Pos(), call.Fun.Pos(), head), r.replace(call.Fun.End(), call.Fun.End(), tail)}, nil
}

// Idle are the edits that take the imports of the file away which only what some edits take out
// has used.
func Idle(r *Request, edits []lsp.TextEdit) (more []lsp.TextEdit) {
	for _, spec := range r.File.AST.Imports {
		name := r.Info.PkgNameOf(spec)
		if name == nil || spec.Name != nil && (spec.Name.Name == "_" || spec.Name.Name == ".") {
			continue
		}
		var gone, left bool
		for id, obj := range r.Info.Uses {
			if obj != name {
				continue
			}
			at := r.File.Offset(id.Pos())
			if slices.ContainsFunc(edits, func(e lsp.TextEdit) bool { return e.Span.Start <= at && at < e.Span.End }) {
				gone = true
			} else {
				left = true
			}
		}
		if gone && !left && !slices.ContainsFunc(edits, func(e lsp.TextEdit) bool { return names(e.NewText, name.Name()) }) {
			more = append(more, r.removeStatement(r.wholeImport(spec)))
		}
	}
	return more
}

// names reports whether a text selects something of a name.
func names(text, name string) bool {
	for rest := text; ; {
		i := strings.Index(rest, name+".")
		if i < 0 {
			return false
		}
		if i == 0 || !isWord(rest[i-1]) {
			return true
		}
		rest = rest[i+1:]
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
