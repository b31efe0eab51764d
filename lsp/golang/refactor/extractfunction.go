package refactor

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

func extractFunction(r *Request) []Change { return r.extractCode(false) }
func extractMethod(r *Request) []Change   { return r.extractCode(true) }

// A region is what a selection consists of: whole statements of one block, or an expression.
type region struct {
	from, to   token.Pos
	statements []ast.Stmt
	expr       ast.Expr
	fn         *ast.FuncDecl // around it
	signature  *types.Signature
	inner      ast.Node // the function around it, which may be a literal
}

// region finds out what is selected. It is not ok if that is nothing that could be a function.
func (r *Request) region() (g region, ok bool) {
	if r.Start == r.End {
		return g, false
	}
	path := r.path
	for _, n := range path {
		switch n := n.(type) {
		case *ast.FuncDecl:
			g.fn = n
			if g.inner == nil {
				g.inner = n
				if obj, ok := r.Info.Defs[n.Name].(*types.Func); ok {
					g.signature = obj.Signature()
				}
			}
		case *ast.FuncLit:
			if selected, _ := r.selected(); g.inner == nil && selected != ast.Expr(n) {
				g.inner = n
				g.signature, _ = types.Unalias(typeOr(r.Info.TypeOf(n))).(*types.Signature)
			}
		}
	}
	if g.fn == nil || g.signature == nil {
		return g, false
	}
	if x, above := r.selected(); x != nil && r.isValue(x, above) {
		g.expr, g.from, g.to = x, x.Pos(), x.End()
		if _, isStmt := above[0].(*ast.ExprStmt); !isStmt {
			return g, true
		}
		g.expr, g.statements = nil, []ast.Stmt{above[0].(ast.Stmt)}
		return g, true
	}
	from, to := r.Pos(r.Start), r.Pos(r.End)
	for _, n := range path {
		var list []ast.Stmt
		switch n := n.(type) {
		case *ast.BlockStmt:
			list = n.List
			if n == g.body() && n.Lbrace == from { // with its braces
				from = n.Lbrace + 1
				to = min(to, n.Rbrace)
			}
		case *ast.CaseClause:
			list = n.Body
		case *ast.CommClause:
			list = n.Body
		case *ast.FuncDecl, *ast.FuncLit:
			return g, false
		default:
			continue
		}
		for _, s := range list {
			switch {
			case s.End() <= from || to <= s.Pos():
			case from <= s.Pos() && s.End() <= to:
				g.statements = append(g.statements, s)
			default:
				return g, false // half of it
			}
		}
		if len(g.statements) == 0 {
			return g, false
		}
		g.from, g.to = g.statements[0].Pos(), g.statements[len(g.statements)-1].End()
		return g, true
	}
	return g, false
}

func (g *region) body() *ast.BlockStmt {
	switch fn := g.inner.(type) {
	case *ast.FuncDecl:
		return fn.Body
	case *ast.FuncLit:
		return fn.Body
	}
	return nil
}

func (g *region) holds(pos token.Pos) bool { return g.from <= pos && pos < g.to }

// A flow is what goes into a region and what comes out of it.
type flow struct {
	params  []*types.Var // used in the region, declared before
	results []*types.Var // set in the region, used behind it
	inside  map[*types.Var]bool
	returns []*ast.ReturnStmt
	jumps   []*ast.BranchStmt // that lead out of it
	last    bool              // behind the region nothing is reached: it returns
	failing bool              // each return in it returns an error
	why     string
}

// flow follows the variables of the function. Why says what keeps the region from being a function.
func (r *Request) flow(g *region) (f flow) {
	f.inside = map[*types.Var]bool{}
	var order []*types.Var
	assigned, usedAfter := map[*types.Var]bool{}, map[*types.Var]bool{}
	target := map[*ast.Ident]bool{} // that = writes, and does not read
	local := func(id *ast.Ident) *types.Var {
		obj := r.Info.Uses[id]
		if obj == nil {
			obj = r.Info.Defs[id]
		}
		v, ok := obj.(*types.Var)
		if !ok || v.IsField() || v.Pkg() != r.Package || v.Parent() == nil || v.Parent() == r.Package.Scope() {
			return nil
		}
		return v
	}
	// A loop around the region comes back: what is used anywhere in it is used behind the region.
	loop := [2]token.Pos{}
	for _, n := range r.Enclosing(r.File.Offset(g.from), r.File.Offset(g.to)) {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			loop = [2]token.Pos{n.Pos(), n.End()}
		case *ast.FuncDecl, *ast.FuncLit:
		}
		if n == g.inner {
			break
		}
	}
	ast.Inspect(g.fn, func(n ast.Node) bool { // so does a goto
		if b, ok := n.(*ast.BranchStmt); ok && b.Tok == token.GOTO && b.Pos() >= g.from && b.Label != nil {
			if label := r.Info.Uses[b.Label]; label != nil && label.Pos() < g.from {
				if loop[1] == 0 {
					loop[0] = label.Pos()
				}
				loop = [2]token.Pos{min(loop[0], label.Pos()), max(loop[1], g.to)}
			}
		}
		return true
	})
	note := func(x ast.Expr) {
		for {
			switch y := ast.Unparen(x).(type) {
			case *ast.Ident:
				if v := local(y); v != nil {
					assigned[v] = true
				}
				return
			case *ast.SelectorExpr: // a field of a struct is a part of it
				if sel := r.Info.Selections[y]; sel == nil || isPointer(sel.Recv()) {
					return
				}
				x = y.X
			case *ast.IndexExpr: // so is an element of an array
				if t := r.Info.TypeOf(y.X); t == nil {
					return
				} else if _, ok := t.Underlying().(*types.Array); !ok {
					return
				}
				x = y.X
			default:
				return
			}
		}
	}
	depth := 0 // of function literals in the region
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		if n == nil || f.why != "" {
			return false
		}
		in := g.holds(n.Pos())
		switch n := n.(type) {
		case *ast.Ident:
			v := local(n)
			if obj := r.Info.Uses[n]; v == nil && !in && obj != nil && obj.Pkg() == r.Package && g.holds(obj.Pos()) {
				if _, isLabel := obj.(*types.Label); !isLabel {
					f.why = obj.Name() + " is used behind it"
				}
			}
			switch {
			case v == nil:
			case in:
				if !slices.Contains(order, v) {
					order = append(order, v)
				}
				if r.Info.Defs[n] == v {
					f.inside[v] = true
				}
			case target[n]:
			case n.Pos() >= g.to, loop[0] <= n.Pos() && n.Pos() < loop[1] && r.Info.Defs[n] == nil:
				usedAfter[v] = true
			}
		case *ast.CaseClause:
			if v, ok := r.Info.Implicits[n].(*types.Var); ok && in {
				f.inside[v] = true
			}
		case *ast.FuncLit:
			if in {
				depth++
				ast.Inspect(n.Type, visit)
				ast.Inspect(n.Body, visit)
				depth--
				return false
			}
		case *ast.AssignStmt:
			if n.Tok == token.ASSIGN {
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok {
						target[id] = true
					}
				}
			}
			if in {
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); !ok || r.Info.Defs[id] == nil {
						note(l)
					}
				}
			}
		case *ast.IncDecStmt:
			if in {
				note(n.X)
			}
		case *ast.RangeStmt:
			if in && n.Tok == token.ASSIGN {
				note(n.Key)
				if n.Value != nil {
					note(n.Value)
				}
			}
		case *ast.UnaryExpr:
			if id, ok := ast.Unparen(n.X).(*ast.Ident); ok && in && n.Op == token.AND {
				if v := local(id); v != nil && !g.holds(v.Pos()) {
					f.why = "the address of " + v.Name() + " is taken"
				}
			}
		case *ast.ReturnStmt:
			if in && depth == 0 {
				f.returns = append(f.returns, n)
			}
		case *ast.DeferStmt:
			if in && depth == 0 {
				f.why = "a deferred call would run at another time"
			}
		case *ast.BranchStmt:
			if in && depth == 0 && r.leavesRegion(g, n) {
				f.jumps = append(f.jumps, n)
				if n.Tok == token.FALLTHROUGH {
					f.why = "fallthrough leaves it"
				}
			}
		case *ast.LabeledStmt:
			if in && depth == 0 && r.jumpedTo(g, n) {
				f.why = "a goto leads into it"
			}
		}
		return true
	}
	ast.Inspect(g.fn, visit)
	var anew map[*types.Var]bool
	if len(f.jumps) == 0 { // a jump before := gives back what was there before
		anew = r.declaredAnew(g)
	}
	for _, v := range order {
		if !f.inside[v] {
			if !anew[v] {
				f.params = append(f.params, v)
			}
			if assigned[v] && usedAfter[v] {
				f.results = append(f.results, v)
			}
		} else if usedAfter[v] {
			f.results = append(f.results, v)
		}
	}
	slices.SortStableFunc(f.params, func(a, b *types.Var) int { return rank(a.Type()) - rank(b.Type()) })
	f.failing = len(f.returns) > 0 && !slices.ContainsFunc(f.returns, func(ret *ast.ReturnStmt) bool { return !r.returnsError(g, ret) })
	if n := len(g.statements); n > 0 {
		_, f.last = g.statements[n-1].(*ast.ReturnStmt)
		if list := g.body().List; g.signature.Results().Len() > 0 && list[len(list)-1] == g.statements[n-1] {
			f.last = true // the end is not reached, or there would have to be one
		}
		f.last = f.last || g.signature.Results().Len() > 0 && surelyTerminates(g.statements[n-1])
		if len(f.jumps) > 0 {
			if g.signature.Results().Len() > 0 && (f.last || terminates(g.statements[n-1])) {
				f.why = "the function would go on behind it"
			}
			f.last = false
		}
	}
	for _, ret := range f.returns {
		if len(ret.Results) == 0 && g.signature.Results().Len() > 0 {
			f.why = "a return without values"
		}
		if len(ret.Results) == 1 && g.signature.Results().Len() > 1 && !f.last {
			f.why = "a return of a call with several results"
		}
	}
	return f
}

// rank says how far to the front a parameter goes by custom.
func rank(t types.Type) int {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return 2
	}
	switch named.Obj().Pkg().Path() {
	case "context":
		if named.Obj().Name() == "Context" {
			return 0
		}
	case "testing":
		return 1
	}
	return 2
}

// declaredAnew are the variables of outside that := sets in a region before anything reads them
// there: in a function of its own it would declare them.
func (r *Request) declaredAnew(g *region) map[*types.Var]bool {
	anew, read := map[*types.Var]bool{}, map[types.Object]bool{}
	note := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if v, ok := r.Info.Uses[id].(*types.Var); ok && !anew[v] {
					read[v] = true
				}
			}
			return true
		})
	}
	for _, s := range g.statements {
		a, ok := s.(*ast.AssignStmt)
		if !ok || a.Tok != token.DEFINE {
			note(s)
			continue
		}
		for _, x := range a.Rhs {
			note(x)
		}
		for _, l := range a.Lhs {
			if id, ok := l.(*ast.Ident); ok {
				if v, ok := r.Info.Uses[id].(*types.Var); ok && !read[v] && !g.holds(v.Pos()) {
					anew[v] = true
				}
			}
		}
	}
	return anew
}

// returnsError reports whether the last value of a return is an error that is not nil: made there,
// or compared with nil before.
func (r *Request) returnsError(g *region, ret *ast.ReturnStmt) bool {
	results := g.signature.Results()
	if len(ret.Results) == 0 || len(ret.Results) != results.Len() ||
		!types.Identical(results.At(results.Len()-1).Type(), types.Universe.Lookup("error").Type()) {
		return false
	}
	switch x := ast.Unparen(ret.Results[len(ret.Results)-1]).(type) {
	case *ast.CallExpr:
		sel, ok := x.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		fn, ok := r.Info.Uses[sel.Sel].(*types.Func)
		return ok && (fn.FullName() == "fmt.Errorf" || fn.FullName() == "errors.New")
	case *ast.Ident:
		for _, n := range r.Enclosing(r.File.Offset(ret.Pos()), r.File.Offset(ret.End())) {
			s, ok := n.(*ast.IfStmt)
			if !ok || !g.holds(s.Pos()) || ret.Pos() > s.Body.End() {
				continue
			}
			c, ok := s.Cond.(*ast.BinaryExpr)
			if !ok || c.Op != token.NEQ {
				continue
			}
			id, ok := c.X.(*ast.Ident)
			if ok && r.Info.Uses[id] == r.Info.Uses[x] && r.Info.Types[c.Y].IsNil() {
				return true
			}
		}
	}
	return false
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// leavesRegion reports whether a break, continue or goto leads out of a region.
func (r *Request) leavesRegion(g *region, b *ast.BranchStmt) bool {
	if b.Label != nil {
		l := r.Info.Uses[b.Label]
		return l == nil || !g.holds(l.Pos())
	}
	for _, n := range r.Enclosing(r.File.Offset(b.Pos()), r.File.Offset(b.End())) {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return !g.holds(n.Pos())
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if b.Tok == token.BREAK || b.Tok == token.FALLTHROUGH {
				return !g.holds(n.Pos())
			}
		}
	}
	return true
}

// jumpedTo reports whether something outside of a region names a label in it.
func (r *Request) jumpedTo(g *region, l *ast.LabeledStmt) bool {
	label := r.Info.Defs[l.Label]
	for id, obj := range r.Info.Uses {
		if obj == label && label != nil && !g.holds(id.Pos()) {
			return true
		}
	}
	return false
}

// extractCode makes a function, or a method of the receiver, of what is selected.
func (r *Request) extractCode(method bool) []Change {
	g, ok := r.region()
	if !ok || method && (g.fn.Recv == nil || len(g.fn.Recv.List) != 1) {
		return nil
	}
	f := r.flow(&g)
	if f.why != "" {
		return nil
	}
	if g.expr != nil {
		t := r.Info.TypeOf(g.expr)
		_, isTuple := t.(*types.Tuple)
		_, isCall := g.expr.(*ast.CallExpr)
		if t == nil || t == types.Typ[types.Invalid] || r.Info.Types[g.expr].IsVoid() || isTuple && !isCall || r.mustBeConstant() {
			return nil
		}
	}
	title := "Extract function"
	if method {
		title = "Extract method"
	}
	return []Change{{Title: title, Make: func() (*lsp.WorkspaceEdit, error) { return r.makeFunction(&g, &f, method) }}}
}

// makeFunction writes the function and its call.
func (r *Request) makeFunction(g *region, f *flow, method bool) (*lsp.WorkspaceEdit, error) {
	if what := r.needsLocal(g, f); what != "" {
		return nil, errors.New("the code refers to " + what)
	}
	i := r.importerAt(g.from)
	var receiver *types.Var
	name := "newFunction"
	if method {
		name = "newMethod"
		if names := g.fn.Recv.List[0].Names; len(names) == 1 {
			receiver, _ = r.Info.Defs[names[0]].(*types.Var)
		}
		if receiver == nil || receiver.Name() == "_" {
			return nil, fmt.Errorf("the receiver of %s has no name", g.fn.Name.Name)
		}
		if _, obj := r.scopeAt(g.from).LookupParent(receiver.Name(), g.from); obj != receiver {
			return nil, fmt.Errorf("the receiver %s is hidden by something of that name", receiver.Name())
		}
		name = r.freshMethod(name, receiver.Type())
	} else {
		name = r.fresh(name, g.from, g.fn)
	}
	var params, args []string
	generic := false
	typ := func(t types.Type) string {
		generic = generic || mentionsTypeParam(t)
		return i.typ(t)
	}
	for _, v := range f.params {
		if v != receiver {
			params = append(params, v.Name()+" "+typ(v.Type()))
			args = append(args, v.Name())
		}
	}

	var (
		resultTypes []string // of the new function
		names       []string // what the call assigns to
		jump        string   // of the caller, which way it goes on
		zeros       []string // of the results, for returns in the middle
		last        []string // what the end of the new function returns
		returned    []string // names of the values that the caller returns
		test        string   // of the caller, whether it returns
		declares    bool
	)
	early := len(f.returns) > 0 && !f.last
	if g.expr != nil {
		t := types.Default(r.Info.TypeOf(g.expr))
		if tuple, ok := t.(*types.Tuple); ok {
			for v := range tuple.Variables() {
				resultTypes = append(resultTypes, typ(v.Type()))
			}
		} else {
			resultTypes = append(resultTypes, typ(t))
		}
	} else if f.last {
		for v := range g.signature.Results().Variables() {
			resultTypes = append(resultTypes, typ(v.Type()))
		}
	} else {
		for _, v := range f.results {
			resultTypes = append(resultTypes, typ(v.Type()))
			names = append(names, v.Name())
			zeros = append(zeros, i.zero(v.Type()))
			last = append(last, v.Name())
			declares = declares || f.inside[v]
		}
		if early {
			taken := map[string]bool{}
			for _, n := range names {
				taken[n] = true
			}
			for v := range g.signature.Results().Variables() {
				resultTypes = append(resultTypes, typ(v.Type()))
				base := v.Name()
				if base == "" || base == "_" {
					base = returnedName(v.Type())
				}
				n := r.freshBehind(g, base, taken)
				taken[n] = true
				returned = append(returned, n)
				last = append(last, i.zero(v.Type()))
			}
			names = append(names, returned...)
			if f.failing {
				test = returned[len(returned)-1] + " != nil"
			} else {
				test = r.freshBehind(g, "shouldReturn", taken)
				names = append(names, test)
				resultTypes = append(resultTypes, "bool")
				last = append(last, "false")
			}
			declares = true
		}
		if len(f.jumps) > 0 {
			taken := map[string]bool{}
			for _, n := range names {
				taken[n] = true
			}
			jump = r.freshBehind(g, "ctrl", taken)
			names = append(names, jump)
			resultTypes = append(resultTypes, "int")
			last = append(last, "0")
			declares = true
		}
	}
	if declares && r.jumpedOver(g) {
		return nil, errors.New("a goto would jump over the variables that are declared")
	}

	call := name
	head := "func " + name
	if method {
		recv := r.textOf(g.fn.Recv)
		if !slices.Contains(f.params, receiver) {
			recv = "(" + r.textOf(g.fn.Recv.List[0].Type) + ")"
		}
		head = "func " + recv + " " + name
		call = receiver.Name() + "." + name
	} else if generic {
		list, of := r.typeParams(g.fn)
		head += list
		call += of
	}
	call += "(" + strings.Join(args, ", ") + ")"
	head += "(" + strings.Join(params, ", ") + ")"
	switch len(resultTypes) {
	case 0:
	case 1:
		head += " " + resultTypes[0]
	default:
		head += " (" + strings.Join(resultTypes, ", ") + ")"
	}

	body, err := r.regionText(g, f, early, zeros, last)
	if err != nil {
		return nil, err
	}
	switch {
	case g.expr != nil:
		body = "return " + body
	case f.last:
	case jump != "" && endsInJump(g.statements):
	case len(last) > 0:
		body += "\nreturn " + strings.Join(last, ", ")
	}
	text, err := format.Source([]byte("package p\n\n" + head + " {\n" + body + "\n}\n"))
	if err != nil {
		return nil, fmt.Errorf("refactor: the new function: %w", err)
	}
	function := strings.TrimSpace(strings.TrimPrefix(string(text), "package p"))

	var put strings.Builder
	indent := r.indent(g.from)
	switch {
	case g.expr != nil:
		put.WriteString(call)
	case f.last:
		if g.signature.Results().Len() > 0 {
			put.WriteString("return " + call)
		} else {
			put.WriteString(call + "\n" + indent + "return")
		}
	case len(names) == 0:
		put.WriteString(call)
	default:
		assign := " = "
		if declares {
			assign = " := "
			if r.wouldHide(g, f) {
				assign = " = "
				for _, v := range f.results {
					if f.inside[v] {
						fmt.Fprintf(&put, "var %s %s\n%s", v.Name(), i.typ(v.Type()), indent)
					}
				}
				for n, v := range returned {
					fmt.Fprintf(&put, "var %s %s\n%s", v, i.typ(g.signature.Results().At(n).Type()), indent)
				}
				if early && !f.failing {
					fmt.Fprintf(&put, "var %s bool\n%s", test, indent)
				}
				if jump != "" {
					fmt.Fprintf(&put, "var %s int\n%s", jump, indent)
				}
			}
		}
		put.WriteString(strings.Join(names, ", ") + assign + call)
		if early {
			fmt.Fprintf(&put, "\n%[1]sif %[2]s {\n%[1]s\t%[3]s\n%[1]s}", indent, test,
				strings.TrimRight("return "+strings.Join(returned, ", "), " "))
		}
		put.WriteString(r.jumpsOn(f, jump, indent))
	}
	if i.hidden {
		return nil, fmt.Errorf("a type that %s does not export would have to be written", strings.Join(pathsOf(i.needed), ", "))
	}
	edits, err := i.imports()
	if err != nil {
		return nil, err
	}
	return r.edit(append(edits, r.replace(g.from, g.to, put.String()), r.replace(g.fn.End(), g.fn.End(), "\n\n"+function))...)
}

// needsLocal says which type or constant a region needs that only the function around it knows; ""
// if there is none.
func (r *Request) needsLocal(g *region, f *flow) (what string) {
	look := func(obj types.Object) {
		if obj.Pkg() != r.Package || obj.Parent() == nil || obj.Parent() == r.Package.Scope() || g.holds(obj.Pos()) {
			return
		}
		switch obj := obj.(type) {
		case *types.TypeName:
			if _, isParam := obj.Type().(*types.TypeParam); !isParam {
				what = "a local type"
			}
		case *types.Const:
			what = "a local constant"
		}
	}
	for id, obj := range r.Info.Uses {
		if g.holds(id.Pos()) {
			look(obj)
		}
	}
	for _, v := range slices.Concat(f.params, f.results) {
		eachName(v.Type(), look)
	}
	if g.expr != nil {
		eachName(r.Info.TypeOf(g.expr), look)
	}
	return what
}

func pathsOf(packages []*types.Package) (out []string) {
	for _, p := range packages {
		out = append(out, p.Path())
	}
	return out
}

// regionText is the text of a region as the body of a function. Returns in the middle say that they
// are some, and jumps out of it return which they are; last is what is returned at the end.
func (r *Request) regionText(g *region, f *flow, early bool, zeros, last []string) (string, error) {
	text := []byte(r.text(g.from, g.to))
	base := r.File.Offset(g.from)
	var edits []lsp.TextEdit
	if early {
		behind := "" // the values of a return
		if !f.failing {
			behind = ", true"
		}
		if len(f.jumps) > 0 {
			behind += ", 0"
		}
		before := ""
		for _, z := range zeros {
			before += z + ", "
		}
		insert := func(at int, text string) {
			edits = append(edits, lsp.TextEdit{Span: lsp.Span{Start: at, End: at}, NewText: text})
		}
		for _, ret := range f.returns {
			if len(ret.Results) == 0 {
				insert(r.File.Offset(ret.Return)+len("return")-base, " "+before+strings.TrimPrefix(behind, ", "))
				continue
			}
			insert(r.File.Offset(ret.Results[0].Pos())-base, before)
			if behind != "" {
				insert(r.File.Offset(ret.Results[len(ret.Results)-1].End())-base, behind)
			}
		}
	}
	for _, b := range f.jumps {
		values := slices.Clone(last)
		for n, v := range f.results {
			if f.inside[v] {
				values[n] = zeros[n] // not declared yet, or not in reach of what comes then
			} else if _, found := r.scopeAt(b.Pos()).LookupParent(v.Name(), b.Pos()); found != v {
				return "", fmt.Errorf("%s is hidden by something of that name where %s leaves the code", v.Name(), b.Tok)
			}
		}
		values[len(values)-1] = fmt.Sprint(f.way(b))
		edits = append(edits, lsp.TextEdit{
			Span:    lsp.Span{Start: r.File.Offset(b.Pos()) - base, End: r.File.Offset(b.End()) - base},
			NewText: "return " + strings.Join(values, ", "),
		})
	}
	if err := lsp.SortEdits(edits); err != nil {
		return "", fmt.Errorf("refactor: the new function: %w", err)
	}
	out, err := lsp.Apply(text, edits)
	return string(out), err
}

// wouldHide reports whether := would declare a variable anew that is meant to be set: one of an
// outer scope.
func (r *Request) wouldHide(g *region, f *flow) bool {
	scope := r.scopeAt(g.from)
	return slices.ContainsFunc(f.results, func(v *types.Var) bool { return !f.inside[v] && v.Parent() != scope })
}

// freshBehind is a name that can be declared behind a region: nothing there has it, and it is none
// of those taken.
func (r *Request) freshBehind(g *region, name string, taken map[string]bool) string {
	used := map[string]bool{}
	ast.Inspect(g.fn, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && !g.holds(id.Pos()) {
			used[id.Name] = true
		}
		return true
	})
	for n := 0; ; n++ {
		try := name
		if n > 0 {
			try = fmt.Sprint(name, n)
		}
		if taken[try] || used[try] || token.IsKeyword(try) {
			continue
		}
		if _, obj := r.scopeAt(g.to).LookupParent(try, g.to); obj == nil || g.holds(obj.Pos()) {
			return try
		}
	}
}

// freshMethod is a name that a type has no method or field of.
func (r *Request) freshMethod(name string, of types.Type) string {
	for n := 0; ; n++ {
		try := name
		if n > 0 {
			try = fmt.Sprint(name, n)
		}
		if obj, _, _ := types.LookupFieldOrMethod(of, true, r.Package, try); obj == nil {
			return try
		}
	}
}

// returnedName is what the value of a type is called that the caller of an extracted function
// returns.
func returnedName(t types.Type) string {
	switch types.Unalias(t).(type) {
	case *types.Slice, *types.Array:
		return "result"
	}
	return shortName(t)
}

// shortName is what a variable of a type is usually called.
func shortName(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return t.Name()[:1]
	case *types.Named:
		name := t.Obj().Name()
		if t.Obj().Pkg() == nil && name == "error" {
			return "err"
		}
		return lowered(name)
	case *types.Pointer:
		return shortName(t.Elem())
	case *types.Slice:
		return shortName(t.Elem())
	case *types.Array:
		return shortName(t.Elem())
	case *types.Map:
		return "m"
	case *types.Chan:
		return "ch"
	case *types.Signature:
		return "f"
	case *types.TypeParam:
		return lowered(t.Obj().Name())
	}
	return "v"
}

// lowered is an exported name as a local one: ID becomes id, and HTTPClient httpClient.
func lowered(name string) string {
	runes := []rune(name)
	for i, c := range runes {
		upper := strings.ToUpper(string(c)) == string(c) && strings.ToLower(string(c)) != string(c)
		if !upper {
			break
		}
		if i > 0 && i+1 < len(runes) && strings.ToLower(string(runes[i+1])) == string(runes[i+1]) && strings.ToUpper(string(runes[i+1])) != string(runes[i+1]) {
			break
		}
		runes[i] = []rune(strings.ToLower(string(c)))[0]
	}
	if token.IsKeyword(string(runes)) {
		return string(runes[:1])
	}
	return string(runes)
}

// mentionsTypeParam reports whether a type depends on a type parameter.
func mentionsTypeParam(t types.Type) (found bool) {
	eachName(t, func(obj types.Object) {
		if _, ok := obj.Type().(*types.TypeParam); ok {
			found = true
		}
	})
	return found
}

// typeParams are the type parameters of a function or of its receiver, as they are declared and as
// arguments.
func (r *Request) typeParams(fn *ast.FuncDecl) (list, args string) {
	obj, ok := r.Info.Defs[fn.Name].(*types.Func)
	if !ok {
		return "", ""
	}
	params := obj.Signature().TypeParams()
	if params.Len() == 0 {
		params = obj.Signature().RecvTypeParams()
	}
	if params.Len() == 0 {
		return "", ""
	}
	i := r.importerAt(fn.Pos())
	var declared, names []string
	for p := range params.TypeParams() {
		declared = append(declared, p.Obj().Name()+" "+i.typ(p.Constraint()))
		names = append(names, p.Obj().Name())
	}
	return "[" + strings.Join(declared, ", ") + "]", "[" + strings.Join(names, ", ") + "]"
}
