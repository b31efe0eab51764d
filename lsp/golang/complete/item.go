package complete

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// qualify names packages as the file does.
func (c *completer) qualify(p *types.Package) string {
	if p == c.v.Package {
		return ""
	}
	for _, spec := range c.v.File.AST.Imports {
		if spec.Name == nil || spec.Path == nil {
			continue
		}
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && path == p.Path() {
			switch spec.Name.Name {
			case ".":
				return ""
			case "_":
			default:
				return spec.Name.Name
			}
		}
	}
	return p.Name()
}

// item makes a completion of a candidate.
func (c *completer) item(cand *candidate, as form) Item {
	obj := cand.obj
	item := Item{Object: obj}
	item.Label = cand.label
	item.Kind, item.Detail = c.describe(obj)
	if len(as.done) == 1 && as.done[0] == called && item.Kind == lsp.CompletionVariable {
		if sig, ok := under(obj.Type()).(*types.Signature); ok {
			item.Detail = types.TypeString(sig, c.qualify)
		}
	}
	if cand.from != "" {
		item.Detail = strings.TrimPrefix(item.Detail+" (from "+strconv.Quote(cand.from)+")", " ")
	}
	item.Extra = cand.extra
	if name, ok := obj.(*types.TypeName); ok {
		item.Label += c.receiverParams(name)
	}
	w := &writing{c: c}
	w.add(item.Label)
	if b, ok := obj.(*types.Builtin); ok {
		if as.has(called) {
			w.builtin(b.Name())
		}
	} else {
		w.modify(as, obj.Type())
	}
	before := as.before()
	if as.convert != nil {
		name := c.typeText(types.Default(as.convert))
		switch types.Unalias(as.convert).(type) {
		case *types.Pointer, *types.Signature, *types.Chan:
			name = "(" + name + ")"
		}
		before = name + "(" + before
		w.add(")")
	}
	if before != "" && c.expr != c.d.Name {
		at := c.d.Offset(c.expr.Pos())
		item.Extra = append(item.Extra[:len(item.Extra):len(item.Extra)], lsp.TextEdit{Span: lsp.Span{Start: at, End: at}, NewText: before})
		before = ""
	}
	w.into(&item, before)
	return item
}

// before are the operators before a value.
func (f form) before() (text string) {
	for _, m := range f.done {
		switch m {
		case addressed:
			text = "&" + text
		case pointed:
			text = "*" + text
		case received:
			text = "<-" + text
		}
	}
	return text
}

// A writing is the text of an item, as it is and as a snippet.
type writing struct {
	c              *completer
	plain, snippet string
	holes          int
	cut            bool // what follows cannot be written without holes
}

func (w *writing) add(text string) {
	if !w.cut {
		w.plain += text
	}
	w.snippet += escape(text)
}

// hole adds a place for something.
func (w *writing) hole(name string) {
	w.holes++
	w.snippet += w.c.hole(w.holes, escape(name))
	w.cut = true
}

// modify adds what stands behind a value of a type to modify it.
func (w *writing) modify(as form, t types.Type) {
	for i, m := range as.done {
		switch m {
		case called:
			sig, ok := under(t).(*types.Signature)
			if !ok {
				return
			}
			if i > 0 || !w.c.hasCall() {
				w.call(sig)
			}
			if sig.Results().Len() == 1 {
				t = sig.Results().At(0).Type()
			}
		case sliced:
			w.add("[:]")
		case spread:
			w.add("...")
		case indexed:
			if e := elemOf(under(t)); e != nil {
				t = e
			}
			if w.c.o.Snippets {
				w.snippet += "["
				w.hole("")
				w.snippet += "]"
			}
		case pointed, received:
			if e := elemOf(under(t)); e != nil {
				t = e
			}
		}
	}
}

// hasCall reports whether a call follows the place. A rest of a name that does is no part of it.
func (c *completer) hasCall() bool {
	return c.d.Cursor.After == '(' && len(c.d.Prefix) == c.d.Word.End-c.d.Word.Start
}

// call adds the arguments of a call.
func (w *writing) call(sig *types.Signature) {
	c := w.c
	if !on(c.o.Calls) {
		return
	}
	if w.cut {
		return
	}
	params := sig.TypeParams().Len()
	if params > 0 {
		for free := inferable(sig); params > 0 && free[sig.TypeParams().At(params-1)]; {
			params--
		}
	}
	n := sig.Params().Len()
	if (n > 0 || params > 0) && !c.o.Snippets {
		w.cut = true
		return
	}
	list := func(n int, name func(i int) string) {
		if !c.o.Placeholders {
			w.hole("")
			return
		}
		for i := range n {
			if i > 0 {
				w.snippet += ", "
			}
			w.hole(name(i))
		}
	}
	if params > 0 {
		w.snippet += "["
		list(params, func(i int) string {
			p := sig.TypeParams().At(i)
			return p.Obj().Name() + " " + c.typeText(p.Constraint())
		})
		w.snippet += "]"
	}
	if n == 0 && !w.cut {
		w.add("()")
		return
	}
	w.snippet += "("
	if n > 0 {
		list(n, func(i int) string { return c.paramText(sig, i) })
	}
	w.snippet += ")"
}

// paramText is a parameter as it is written in a declaration.
func (c *completer) paramText(sig *types.Signature, i int) string {
	p := sig.Params().At(i)
	text := c.typeText(p.Type())
	if sig.Variadic() && i == sig.Params().Len()-1 {
		text = "..." + strings.TrimPrefix(text, "[]")
	}
	if p.Name() != "" && p.Name() != "_" {
		text = p.Name() + " " + text
	}
	return text
}

// builtin adds the arguments of a builtin function.
func (w *writing) builtin(name string) {
	c := w.c
	switch {
	case c.hasCall() || !on(c.o.Calls):
	case len(builtinParams[name]) == 0:
		w.add("()")
	case c.o.Snippets:
		w.snippet += "("
		for i, p := range builtinParams[name] {
			if i > 0 {
				if !c.o.Placeholders {
					break
				}
				w.snippet += ", "
			}
			w.hole(p)
		}
		w.snippet += ")"
	}
}

// into puts the text into an item, behind what stands before it.
func (w *writing) into(item *Item, before string) {
	if w.holes > 0 && w.c.o.Snippets {
		item.Text, item.Snippet = escape(before)+w.snippet, true
	} else {
		item.Text = before + w.plain
	}
}

// receiverParams are the type parameters of a type, if the place is that of a receiver.
func (c *completer) receiverParams(name *types.TypeName) string {
	t, ok := name.Type().(interface{ TypeParams() *types.TypeParamList })
	if !ok || t.TypeParams().Len() == 0 {
		return ""
	}
	fn, ok := c.d.Decl.(*ast.FuncDecl)
	if !ok || fn.Recv == nil || c.d.Name.Pos() < fn.Recv.Pos() || c.d.Name.Pos() > fn.Recv.End() {
		return ""
	}
	for _, n := range c.path {
		if _, ok := n.(*ast.IndexExpr); ok {
			return ""
		}
	}
	var list []string
	for p := range t.TypeParams().TypeParams() {
		list = append(list, p.Obj().Name())
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// inferable are the type parameters that the arguments of a call tell.
func inferable(sig *types.Signature) map[*types.TypeParam]bool {
	free := map[*types.TypeParam]bool{}
	typeParamsIn(sig.Params(), free, 0)
	for had := -1; had != len(free); {
		had = len(free)
		for p := range sig.TypeParams().TypeParams() {
			if free[p] {
				typeParamsIn(p.Constraint(), free, 0)
			}
		}
	}
	return free
}

// callText makes the text of an item without an object a call.
func (c *completer) callText(item *Item, hasParams bool) {
	switch {
	case c.hasCall() || !on(c.o.Calls):
	case !hasParams:
		item.Text += "()"
	case c.o.Snippets:
		item.Text, item.Snippet = item.Text+"(${1:})", true
	}
}

// builtinParams are the parameters of the builtin functions.
var builtinParams = map[string][]string{
	"append": {"slice []Type", "elems ...Type"}, "cap": {"v Type"}, "clear": {"t T"}, "close": {"c chan<- Type"},
	"complex": {"r", "i FloatType"}, "copy": {"dst", "src []Type"}, "delete": {"m map[Type]Type1", "key Type"},
	"imag": {"c ComplexType"}, "len": {"v Type"}, "make": {"t Type", "size ...int"}, "max": {"x T", "y ...T"},
	"min": {"x T", "y ...T"}, "new": {"Type"}, "panic": {"v any"}, "print": {"args ...Type"}, "println": {"args ...Type"},
	"real": {"c ComplexType"}, "recover": nil,
}

// describe says what an object is, and of which type.
func (c *completer) describe(obj types.Object) (lsp.CompletionKind, string) {
	switch obj := obj.(type) {
	case *types.PkgName:
		return lsp.CompletionModule, strconv.Quote(obj.Imported().Path())
	case *types.TypeName:
		return c.describeType(obj.Type())
	case *types.Const:
		if obj.Parent() == types.Universe {
			return lsp.CompletionConstant, ""
		}
		return lsp.CompletionConstant, strings.TrimPrefix(types.TypeString(obj.Type(), c.qualify), "untyped ")
	case *types.Var:
		kind := lsp.CompletionVariable
		if obj.IsField() {
			kind = lsp.CompletionField
		}
		t := obj.Type()
		if s, ok := t.(*types.Struct); ok && s.NumFields() > 0 {
			return kind, "struct{...}"
		}
		return kind, c.variableType(obj)
	case *types.Func:
		kind := lsp.CompletionFunction
		if obj.Signature().Recv() != nil {
			kind = lsp.CompletionMethod
		}
		return kind, types.TypeString(obj.Type(), c.qualify)
	case *types.Builtin:
		return lsp.CompletionFunction, builtinSignatures[obj.Name()]
	case *types.Nil:
		return lsp.CompletionVariable, ""
	}
	return lsp.CompletionText, ""
}

func (c *completer) describeType(t types.Type) (lsp.CompletionKind, string) {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return lsp.CompletionTypeParam, ""
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return lsp.CompletionInterface, "interface{...}"
	case *types.Struct:
		return lsp.CompletionStruct, "struct{...}"
	default:
		return lsp.CompletionClass, types.TypeString(u, c.qualify)
	}
}

var builtinSignatures = map[string]string{
	"append": "func(slice []Type, elems ...Type) []Type", "cap": "func(v Type) int", "clear": "func(t T)",
	"close": "func(c chan<- Type)", "complex": "func(r, i FloatType) ComplexType", "copy": "func(dst, src []Type) int",
	"delete": "func(m map[Type]Type1, key Type)", "imag": "func(c ComplexType) FloatType", "len": "func(v Type) int",
	"make": "func(t Type, size ...int) Type", "max": "func(x T, y ...T) T", "min": "func(x T, y ...T) T",
	"new": "func(Type) *Type", "panic": "func(v any)", "print": "func(args ...Type)", "println": "func(args ...Type)",
	"real": "func(c ComplexType) FloatType", "recover": "func() any",
}
