package complete

import (
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
	item.Label, item.Text = cand.label, cand.label
	item.Kind, item.Detail = c.describe(obj)
	if cand.from != "" {
		item.Detail += " (from " + strconv.Quote(cand.from) + ")"
	}
	item.Extra = cand.extra
	var sig *types.Signature
	if t := obj.Type(); t != nil {
		sig, _ = under(t).(*types.Signature)
	}
	_, isFunc := obj.(*types.Func)
	switch b, isBuiltin := obj.(*types.Builtin); {
	case isBuiltin && as == asCall:
		c.callText(&item, builtinParams[b.Name()] > 0)
	case sig != nil && (as == asCall || isFunc && as != asIs):
		c.callText(&item, sig.Params().Len() > 0)
		if c.o.Placeholders && item.Snippet && sig.Params().Len() > 0 {
			item.Text = escape(cand.label) + "(" + c.argumentHoles(sig) + ")"
		}
	case as == asAddress:
		c.prefix(&item, "&")
	case as == asValue:
		c.prefix(&item, "*")
	case as == asVariadic:
		item.Text += "..."
	case as == asConversion:
		item.Text = types.TypeString(c.want.typ, c.qualify) + "(" + item.Text + ")"
		if strings.ContainsAny(item.Text, "$}") {
			item.Text = cand.label
		}
	}
	return item
}

// prefix puts an operator before the whole expression that the place ends.
func (c *completer) prefix(item *Item, op string) {
	if c.expr == c.d.Name {
		item.Text = op + item.Text
		return
	}
	at := c.d.Offset(c.expr.Pos())
	item.Extra = append(item.Extra[:len(item.Extra):len(item.Extra)], lsp.TextEdit{Span: lsp.Span{Start: at, End: at}, NewText: op})
}

// callText makes the text of an item a call.
func (c *completer) callText(item *Item, hasParams bool) {
	switch {
	case c.d.Cursor.After == '(':
	case !hasParams:
		item.Text += "()"
	case c.o.Snippets:
		item.Text, item.Snippet = item.Text+"(${1:})", true
	}
}

// argumentHoles are places for the arguments of a call.
func (c *completer) argumentHoles(sig *types.Signature) string {
	var list []string
	for i := range sig.Params().Len() {
		p := sig.Params().At(i)
		text := c.typeText(p.Type())
		if sig.Variadic() && i == sig.Params().Len()-1 {
			text = "..." + strings.TrimPrefix(text, "[]")
		}
		if p.Name() != "" && p.Name() != "_" {
			text = p.Name() + " " + text
		}
		list = append(list, c.hole(i+1, escape(text)))
	}
	return strings.Join(list, ", ")
}

var builtinParams = map[string]int{
	"append": 2, "cap": 1, "clear": 1, "close": 1, "complex": 2, "copy": 2, "delete": 2, "imag": 1, "len": 1,
	"make": 2, "max": 2, "min": 2, "new": 1, "panic": 1, "print": 1, "println": 1, "real": 1, "recover": 0,
}

// describe says what an object is, and of which type.
func (c *completer) describe(obj types.Object) (lsp.CompletionKind, string) {
	switch obj := obj.(type) {
	case *types.PkgName:
		return lsp.CompletionModule, strconv.Quote(obj.Imported().Path())
	case *types.TypeName:
		return c.describeType(obj.Type())
	case *types.Const:
		return lsp.CompletionConstant, types.TypeString(obj.Type(), c.qualify)
	case *types.Var:
		kind := lsp.CompletionVariable
		if obj.IsField() {
			kind = lsp.CompletionField
		}
		t := obj.Type()
		if s, ok := t.(*types.Struct); ok && s.NumFields() > 0 {
			return kind, "struct{...}"
		}
		return kind, types.TypeString(t, c.qualify)
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
