package complete

import (
	"go/types"
	"strconv"
	"strings"
	"unicode"

	"github.com/cytisus/cytisus/lsp"
)

// escape makes a text one that a snippet has as it is.
var escaper = strings.NewReplacer(`\`, `\\`, `$`, `\$`, `}`, `\}`)

func escape(text string) string { return escaper.Replace(text) }

// literals adds values of the expected type that are written where they stand.
func (c *completer) literals() {
	w := &c.want
	if !c.o.Snippets || w.typ == nil || w.isType || w.called || isEmptyInterface(w.typ) || w.loose {
		return
	}
	t := w.typ
	if w.variadic != nil && isSlice(t) {
		return
	}
	reference := false
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t, reference = p.Elem(), true
	}
	if hasTypeParam(t, 0) && !c.inGeneric() {
		return
	}
	c.literal(t, reference, c.typeText(t), 1)
}

// inGeneric reports whether the place is in a function with type parameters.
func (c *completer) inGeneric() bool {
	sig := c.signatureAround(c.path)
	return sig != nil && (sig.TypeParams().Len() > 0 || sig.RecvTypeParams().Len() > 0)
}

// typeText writes a type as the file can name it.
func (c *completer) typeText(t types.Type) string { return types.TypeString(t, c.qualify) }

// canName reports whether the file can name a type: what it imports, and exports.
func (c *completer) canName(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		pkg := t.Obj().Pkg()
		return pkg == nil || pkg == c.v.Package || t.Obj().Exported() && c.imports(pkg.Path())
	case *types.Pointer:
		return c.canName(t.Elem())
	case *types.Slice:
		return c.canName(t.Elem())
	case *types.Array:
		return c.canName(t.Elem())
	case *types.Chan:
		return c.canName(t.Elem())
	case *types.Map:
		return c.canName(t.Key()) && c.canName(t.Elem())
	}
	return true
}

// imports reports whether the file imports a package under a name.
func (c *completer) imports(path string) bool {
	for _, spec := range c.v.File.AST.Imports {
		if spec.Path == nil || spec.Name != nil && spec.Name.Name == "_" {
			continue
		}
		if p, err := strconv.Unquote(spec.Path.Value); err == nil && p == path {
			return true
		}
	}
	return false
}

// literal adds literals of a type.
func (c *completer) literal(t types.Type, reference bool, name string, factor float64) {
	if !c.canName(t) {
		return
	}
	match := strings.TrimLeft(name, "[]*0123456789")
	best := fits * 0.5 * factor
	add := func(label, snippet, match string, kind lsp.CompletionKind, factor float64) {
		if score, ok := c.match.score(match); ok {
			c.items = append(c.items, Item{
				Completion: lsp.Completion{Label: label, Kind: kind, Text: snippet, Snippet: true, Filter: match},
				score:      score * best * factor,
			})
		}
	}
	amp := ""
	if reference {
		amp = "&"
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		inner := "$0"
		if !c.seesField(u) {
			inner = ""
		}
		add(amp+name+"{}", amp+escape(name)+"{"+inner+`\}`, match, lsp.CompletionVariable, 1)
	case *types.Array, *types.Slice, *types.Map:
		add(amp+name+"{}", amp+escape(name)+`{$0\}`, match, lsp.CompletionVariable, 1)
		if reference {
			return
		}
		switch u.(type) {
		case *types.Slice:
			add("make("+name+", 0)", "make("+escape(name)+", ${1:})", "make."+match, lsp.CompletionFunction, 0.9)
		case *types.Map:
			add("make("+name+")", "make("+escape(name)+")", "make."+match, lsp.CompletionFunction, 0.9)
		}
	case *types.Chan:
		if !reference {
			add("make("+name+")", "make("+escape(name)+")", "make."+match, lsp.CompletionFunction, 0.9)
		}
	case *types.Basic:
		if !reference && u.Info()&types.IsUntyped == 0 && u.Kind() != types.UnsafePointer && c.match.typed != name {
			add(name+"()", escape(name)+"($0)", match, lsp.CompletionVariable, 0.8)
		}
	case *types.Signature:
		if !reference {
			add("func(...) {}", c.functionLiteral(u), "func", lsp.CompletionVariable, 1)
		}
	}
}

func (c *completer) seesField(s *types.Struct) bool {
	for f := range s.Fields() {
		if f.Exported() || f.Pkg() == c.v.Package {
			return true
		}
	}
	return false
}

// functionLiteral is the snippet of a function of a type.
func (c *completer) functionLiteral(sig *types.Signature) string {
	n := sig.Params().Len()
	names, count := make([]string, n), map[string]int{}
	for i := range n {
		p := sig.Params().At(i)
		if names[i] = p.Name(); names[i] == "" {
			names[i] = shortName(p.Type())
		}
		if names[i] != "_" {
			count[names[i]]++
		}
	}
	number := map[string]int{}
	var b strings.Builder
	b.WriteString("func(")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		name := names[i]
		if count[name] > 1 {
			number[name]++
			name += strconv.Itoa(number[name])
		}
		b.WriteString(name)
		t := sig.Params().At(i).Type()
		if i+1 < n && types.Identical(t, sig.Params().At(i+1).Type()) && !(sig.Variadic() && i+1 == n-1) {
			continue
		}
		text := c.typeText(t)
		if sig.Variadic() && i == n-1 {
			text = "..." + strings.TrimPrefix(text, "[]")
		}
		b.WriteString(" " + escape(text))
	}
	b.WriteString(")")
	if r := sig.Results(); r.Len() > 0 {
		text := c.typeText(r)
		if r.Len() == 1 && r.At(0).Name() == "" {
			text = c.typeText(r.At(0).Type())
		}
		b.WriteString(" " + escape(text))
	}
	b.WriteString(` {$0\}`)
	return b.String()
}

// shortName is a name for a value of a type.
func shortName(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		return shortName(p.Elem())
	}
	name := types.TypeString(t, func(*types.Package) string { return "" })
	switch name {
	case "Context":
		return "ctx"
	case "error":
		return "err"
	case "ResponseWriter":
		return "w"
	}
	if s, ok := t.(*types.Slice); ok {
		return shortName(s.Elem())
	}
	for _, r := range name {
		if unicode.IsLetter(r) {
			return string(unicode.ToLower(r))
		}
	}
	return "_"
}

// zero is the zero value of a type as it is written; "" if that is not known.
func (c *completer) zero(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch info := u.Info(); {
		case info&types.IsBoolean != 0:
			return "false"
		case info&types.IsNumeric != 0:
			return "0"
		case info&types.IsString != 0:
			return `""`
		case u.Kind() == types.UnsafePointer, u.Kind() == types.UntypedNil:
			return "nil"
		}
		return ""
	case *types.Struct, *types.Array:
		return c.typeText(t) + "{}"
	case *types.Interface:
		if _, ok := types.Unalias(t).(*types.TypeParam); ok {
			return "*new(" + c.typeText(t) + ")"
		}
	}
	return "nil"
}
