package refactor

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// stubMethods declares the methods that a type lacks to be an interface.
func stubMethods(r *Request, e types.Error, path []ast.Node) []Change {
	for i, n := range path {
		x, ok := n.(ast.Expr)
		if !ok {
			break
		}
		has := r.Info.TypeOf(x)
		want := r.wanted(x, path[i+1:])
		if assert, ok := n.(*ast.TypeAssertExpr); ok && assert.Type != nil {
			has, want = r.Info.TypeOf(assert.Type), r.Info.TypeOf(assert.X)
		}
		if has == nil || want == nil || !types.IsInterface(want) {
			continue
		}
		if c := r.stub(has, want); c != nil {
			return []Change{*c}
		}
	}
	return nil
}

// stub is the change that declares what a type lacks; nil if that cannot be done here.
func (r *Request) stub(has, want types.Type) *Change {
	pointer := false
	if p, ok := types.Unalias(has).(*types.Pointer); ok {
		pointer, has = true, p.Elem()
	}
	named, ok := types.Unalias(has).(*types.Named)
	if !ok || named.Obj().Pkg() != r.Package || types.IsInterface(named) {
		return nil
	}
	if r.local(named.Obj()) {
		return nil // a type of a function has no methods of its own
	}
	iface, ok := want.Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	var (
		missing []*types.Func
		why     error // it cannot be done
	)
	for m := range iface.Methods() {
		obj, _, _ := types.LookupFieldOrMethod(has, true, r.Package, m.Name())
		switch have := obj.(type) {
		case nil:
			missing = append(missing, m)
		case *types.Func:
			if !types.Identical(have.Type(), m.Type()) {
				if named == receiverOf(have) {
					why = errors.Join(why, fmt.Errorf("method %s.%s already exists but has the wrong type: %s",
						named.Obj().Name(), m.Name(), types.TypeString(have.Type(), types.RelativeTo(r.Package))))
				}
				missing = append(missing, m)
			}
		default:
			why = errors.Join(why, fmt.Errorf("adding method %s.%s would conflict with (or shadow) existing field %[2]s",
				named.Obj().Name(), m.Name()))
		}
		if !m.Exported() && m.Pkg() != r.Package || mentionsTypeParam(m.Type()) {
			return nil
		}
	}
	if len(missing) == 0 && why == nil {
		return nil
	}
	name := r.shownName(want)
	title := "Declare missing methods of " + name
	if name == "" {
		title += "an anonymous interface"
	}
	return &Change{Title: title, Preferred: why == nil, Make: func() (*lsp.WorkspaceEdit, error) {
		if why != nil {
			return nil, why
		}
		return r.declareMethods(named, pointer, missing, name)
	}}
}

// shownName is what a doc comment calls an interface: where it is declared, not what an alias makes
// of it, unless that is hidden from the package.
func (r *Request) shownName(t types.Type) string {
	if named, ok := types.Unalias(t).(*types.Named); ok && (named.Obj().Exported() || named.Obj().Pkg() == r.Package) {
		t = named
	}
	var obj *types.TypeName
	switch t := t.(type) {
	case *types.Named:
		obj = t.Obj()
	case *types.Alias:
		obj = t.Obj()
	default:
		return ""
	}
	if obj.Pkg() == nil || obj.Pkg() == r.Package {
		return obj.Name()
	}
	return obj.Pkg().Name() + "." + obj.Name()
}

func receiverOf(fn *types.Func) *types.Named {
	recv := fn.Signature().Recv()
	if recv == nil {
		return nil
	}
	t := recv.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, _ := types.Unalias(t).(*types.Named)
	return named
}

func (r *Request) local(obj types.Object) bool { return obj.Parent() != r.Package.Scope() }

// receiverFor is how methods of a type name their receiver: as those that there are do, or by the
// first letter.
func (r *Request) receiverFor(named *types.Named, pointer bool) (name string, asPointer bool) {
	name, asPointer = strings.ToLower(named.Obj().Name()[:1]), pointer
	for m := range named.Methods() {
		recv := m.Signature().Recv()
		if recv.Name() != "" && recv.Name() != "_" {
			return recv.Name(), pointer
		}
	}
	return name, asPointer
}

// declareMethods writes methods behind the declaration of their type, wherever in the package that
// is.
func (r *Request) declareMethods(named *types.Named, pointer bool, missing []*types.Func, of string) (*lsp.WorkspaceEdit, error) {
	home := r.fileOf(named.Obj().Pos())
	if home == nil {
		return nil, fmt.Errorf("%s is declared in no file of the package", named.Obj().Name())
	}
	at := home.declarationEnd(named.Obj().Pos())
	if !at.IsValid() {
		return nil, errGone
	}
	i := home.importerAt(at)
	recv, asPointer := r.receiverFor(named, pointer)
	target := named.Obj().Name()
	if params := named.TypeParams(); params.Len() > 0 {
		var names []string
		for p := range params.TypeParams() {
			names = append(names, p.Obj().Name())
		}
		target += "[" + strings.Join(names, ", ") + "]"
	}
	if asPointer {
		target = "*" + target
	}
	slices.SortFunc(missing, func(a, b *types.Func) int { return strings.Compare(a.Name(), b.Name()) })
	var b strings.Builder
	for _, m := range missing {
		name := recv
		for v := range m.Signature().Params().Variables() {
			if v.Name() == recv {
				name = ""
			}
		}
		for v := range m.Signature().Results().Variables() {
			if v.Name() == recv {
				name = ""
			}
		}
		if name != "" {
			name += " "
		}
		doc := fmt.Sprintf("// %s implements [%s].\n", m.Name(), of)
		if of == "" {
			doc = fmt.Sprintf("// %s implements an anonymous interface.\n", m.Name())
		}
		fmt.Fprintf(&b, "\n\n%sfunc (%s%s) %s%s {\n\tpanic(\"unimplemented\")\n}", doc, name, target, m.Name(), i.signature(m.Signature()))
	}
	if i.hidden {
		return nil, fmt.Errorf("a method of %s mentions a type that its package does not export", of)
	}
	edits, err := i.imports()
	if err != nil {
		return nil, err
	}
	return home.edit(append(edits, home.declareBehind(at, b.String())...)...)
}

// declareBehind are the edits that put declarations, each behind an empty line, behind another one
// that ends at a position. As gofmt does, they keep the next declaration apart, and leave no empty
// lines at the end of the file.
func (r *Request) declareBehind(at token.Pos, text string) (edits []lsp.TextEdit) {
	end := r.lineEnd(at)
	if rest := strings.TrimSpace(r.text(at, end)); strings.HasPrefix(rest, "//") {
		at += token.Pos(len(strings.TrimRight(r.text(at, end), "\r\n"))) // the comment is its
	}
	last := r.Pos(len(strings.TrimRight(string(r.File.Text), " \t\r\n")))
	if at >= last {
		return []lsp.TextEdit{r.replace(at, r.Pos(len(r.File.Text)), text+"\n")}
	}
	if next := r.text(end, r.lineEnd(end)); strings.TrimSpace(r.text(at, end)) == "" && strings.TrimSpace(next) != "" {
		text += "\n"
	}
	edits = append(edits, r.replace(at, at, text))
	if tail := r.text(last, r.Pos(len(r.File.Text))); strings.Count(tail, "\n") > 1 {
		edits = append(edits, r.replace(last, r.Pos(len(r.File.Text)), "\n"))
	}
	return edits
}

// signature writes parameters one by one, as their interface has them.
func (i *importer) signature(s *types.Signature) string {
	list := func(t *types.Tuple, variadic bool) string {
		var all []string
		for n := range t.Len() {
			v := t.At(n)
			text := i.typ(v.Type())
			if variadic && n == t.Len()-1 {
				if slice, ok := v.Type().(*types.Slice); ok {
					text = "..." + i.typ(slice.Elem())
				}
			}
			if v.Name() != "" {
				text = v.Name() + " " + text
			}
			all = append(all, text)
		}
		return strings.Join(all, ", ")
	}
	text := "(" + list(s.Params(), s.Variadic()) + ")"
	switch n := s.Results().Len(); {
	case n == 1 && s.Results().At(0).Name() == "":
		text += " " + list(s.Results(), false)
	case n > 0:
		text += " (" + list(s.Results(), false) + ")"
	}
	return text
}

// fileOf is the request about the file of a position in the package; nil if it is in none.
func (r *Request) fileOf(pos token.Pos) *Request {
	t := r.Tree(pos)
	if t == nil {
		return nil
	}
	view := *r.View
	view.File = t
	other := *r
	other.View = &view
	return &other
}

// declarationEnd is the end of the declaration of the file around a position.
func (r *Request) declarationEnd(pos token.Pos) token.Pos {
	for _, d := range r.File.AST.Decls {
		if d.Pos() <= pos && pos < d.End() {
			return d.End()
		}
	}
	return token.NoPos
}

// declareMethod declares a method that is called and that its receiver lacks.
func declareMethod(r *Request, _ types.Error, path []ast.Node) []Change {
	sel, call, named, pointer := r.lacking(path)
	if sel == nil || call == nil {
		return nil
	}
	title := fmt.Sprintf("Declare missing method %s.%s", named.Obj().Name(), sel.Sel.Name)
	return []Change{{Title: title, Preferred: true, Make: func() (*lsp.WorkspaceEdit, error) {
		home := r.fileOf(named.Obj().Pos())
		if home == nil {
			return nil, errGone
		}
		at := home.declarationEnd(named.Obj().Pos())
		for _, n := range path {
			fn, ok := n.(*ast.FuncDecl)
			if !ok || fn.Recv == nil {
				continue
			}
			if obj, ok := r.Info.Defs[fn.Name].(*types.Func); ok && receiverOf(obj) == named {
				home, at = r, fn.End() // beside the method that calls it
			}
		}
		i := home.importerAt(at)
		var around []ast.Node
		for n, x := range path {
			if x == ast.Node(call) {
				around = path[n:]
			}
		}
		recv, _ := r.receiverFor(named, pointer)
		target := named.Obj().Name()
		if pointer {
			target = "*" + target
		}
		text := fmt.Sprintf("\n\nfunc (%s %s) %s%s {\n\tpanic(\"unimplemented\")\n}", recv, target, sel.Sel.Name, r.signatureOf(i, call, around, r.stubParams))
		edits, err := i.imports()
		if err != nil {
			return nil, err
		}
		return home.edit(append(edits, home.declareBehind(at, text)...)...)
	}}}
}

// lacking is a selector of something that a type of the package does not have, and its call.
func (r *Request) lacking(path []ast.Node) (sel *ast.SelectorExpr, call *ast.CallExpr, named *types.Named, pointer bool) {
	for i, n := range path {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		t := r.Info.TypeOf(s.X)
		if t == nil {
			return nil, nil, nil, false
		}
		if p, ok := types.Unalias(t).(*types.Pointer); ok {
			t, pointer = p.Elem(), true
		}
		named, ok = types.Unalias(t).(*types.Named)
		if !ok || named.Obj().Pkg() != r.Package || types.IsInterface(named) || r.local(named.Obj()) || named.TypeParams().Len() > 0 {
			return nil, nil, nil, false
		}
		if obj, _, _ := types.LookupFieldOrMethod(named, true, r.Package, s.Sel.Name); obj != nil {
			return nil, nil, nil, false
		}
		if c, ok := nodeAt[*ast.CallExpr](path, i+1); ok && c.Fun == ast.Expr(s) {
			call = c
		}
		return s, call, named, pointer
	}
	return nil, nil, nil, false
}

// declareField declares a field that is used and that its struct lacks.
func declareField(r *Request, _ types.Error, path []ast.Node) []Change {
	sel, call, named, _ := r.lacking(path)
	if sel == nil || call != nil {
		return nil
	}
	if _, ok := named.Underlying().(*types.Struct); !ok {
		return nil
	}
	home := r.fileOf(named.Obj().Pos())
	if home == nil {
		return nil
	}
	var fields *ast.FieldList
	for _, n := range home.Enclosing(home.File.Offset(named.Obj().Pos()), home.File.Offset(named.Obj().Pos())) {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if s, ok := spec.Type.(*ast.StructType); ok {
				fields = s.Fields
			}
		}
	}
	var around []ast.Node
	for n, x := range path {
		if x == ast.Node(sel) {
			around = path[n+1:]
		}
	}
	t := r.wanted(sel, around)
	if fields == nil || !fields.Closing.IsValid() || t == nil || t == types.Typ[types.Invalid] {
		return nil
	}
	title := fmt.Sprintf("Declare missing struct field %s.%s", named.Obj().Name(), sel.Sel.Name)
	return []Change{{Title: title, Make: func() (*lsp.WorkspaceEdit, error) {
		i := home.importerAt(fields.Closing)
		text := sel.Sel.Name + " " + i.typ(types.Default(t))
		edits, err := i.imports()
		if err != nil {
			return nil, err
		}
		at, indent := home.lineStart(fields.Closing), home.indent(fields.Closing)
		if home.line(fields.Opening) == home.line(fields.Closing) {
			return home.edit(append(edits, home.replace(fields.Closing, fields.Closing, "\n"+indent+"\t"+text+"\n"+indent))...)
		}
		return home.edit(append(edits, home.replace(at, at, indent+"\t"+text+"\n"))...)
	}}}
}
