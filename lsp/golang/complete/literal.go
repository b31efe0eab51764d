package complete

import (
	"go/ast"
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
	t := c.want.typ
	if sig, ok := under(c.want.convert).(*types.Signature); ok && c.o.Snippets && c.canWrite(sig) && !c.want.called {
		if score, ok := c.match.score("func"); ok {
			c.items = append(c.items, Item{
				Completion: lsp.Completion{
					Label: "func(...) {}", Kind: lsp.CompletionVariable, Text: c.functionLiteral(sig), Snippet: true, Filter: "func",
				},
				score: score * fits / 2,
			})
		}
	}
	if t == nil && c.want.open != nil && !isTypeParam(c.want.open) {
		c.openLiteral(c.want.open)
		return
	}
	if t == nil || c.want.loose {
		return
	}
	if _, isSig := t.Underlying().(*types.Signature); !isSig {
		t = pointee(t)
	}
	c.literal(t)
}

// literalOf adds a literal of a type that can be named at the place.
func (c *completer) literalOf(name *types.TypeName) {
	if t, ok := name.Type().(interface{ TypeParams() *types.TypeParamList }); ok && t.TypeParams().Len() > 0 {
		return
	}
	c.literal(name.Type())
}

// openLiteral adds a literal of a type with type parameters that are not known.
func (c *completer) openLiteral(t types.Type) {
	if !c.o.Snippets || c.want.called || !c.canName(t) || c.expr != c.d.Name {
		return
	}
	f := c.literalForm(pointee(t), c.qualify)
	if pointee(t) != t {
		f.before = "&"
	}
	c.literalsLike(pointee(t), t, f, f.label, f.before != "")
}

// pointee is what a pointer that has no name points to, or else the type.
func pointee(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
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

// A literalForm is how a literal of a type is written.
type literalForm struct {
	name   *writing // of the type
	label  string   // of that name
	before string   // & or nothing
	extra  []lsp.TextEdit
}

// literal adds literals of a type that fit what is wanted.
func (c *completer) literal(t types.Type) {
	w := &c.want
	switch {
	case !c.o.Snippets, w.typ == nil, w.isType, w.called, w.statement, isEmptyInterface(w.typ):
		return
	case w.variadic != nil && types.AssignableTo(t, w.variadic):
		return
	case isNamed(t) && !isNamed(pointee(w.typ)):
		return // a value of the type without a name is meant
	}
	cand := candidate{obj: types.NewVar(0, c.v.Package, "", t)}
	switch t.Underlying().(type) {
	case *types.Struct, *types.Array, *types.Slice, *types.Map:
		cand.addressable = true
	}
	fit, as := c.fitValue(&cand, t)
	if fit < fits/4 || as.convert != nil && !w.exact || len(as.done) > 1 || len(as.done) == 1 && as.done[0] != addressed {
		return
	}
	qualify := c.qualify
	if c.expr != c.d.Name {
		qualify = func(*types.Package) string { return "" }
	}
	var extra []lsp.TextEdit
	if !c.canName(t) {
		var name string
		if name, extra = c.reach(t); name == "" {
			return
		}
		qualify = func(p *types.Package) string { return name }
	}
	f := c.literalForm(t, qualify)
	f.extra = extra
	match := f.label
	switch t := types.Unalias(t).(type) {
	case *types.Slice:
		match = types.TypeString(t.Elem(), qualify)
	case *types.Array:
		match = types.TypeString(t.Elem(), qualify)
	}
	if c.literalsSeen == nil {
		c.literalsSeen = map[string]bool{}
	}
	if c.literalsSeen[f.label] {
		return
	}
	c.literalsSeen[f.label] = true
	refer := as.has(addressed)
	if refer {
		if c.expr != c.d.Name {
			at := c.d.Offset(c.expr.Pos())
			f.extra = append(f.extra, lsp.TextEdit{Span: lsp.Span{Start: at, End: at}, NewText: "&"})
		} else {
			f.before = "&"
		}
	}
	c.literalsLike(t, w.typ, f, match, refer)
}

// reach is what the file can call the package of a type that it does not import yet, with the edits
// that import it; "" if it may not.
func (c *completer) reach(t types.Type) (name string, edits []lsp.TextEdit) {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.TypeArgs().Len() > 0 || !n.Obj().Exported() || n.Obj().Pkg() == nil || !on(c.o.Unimported) {
		return "", nil
	}
	pkg := n.Obj().Pkg()
	if c.imports(pkg.Path()) || pkg.Name() == "main" || !c.mayImport(pkg.Path()) {
		return "", nil
	}
	return c.importing(pkg.Path(), pkg.Name())
}

// literalsLike adds the literals of a type in a form, for a place where another one is wanted.
func (c *completer) literalsLike(t, wanted types.Type, f literalForm, match string, refer bool) {
	add := func(label, snippet, detail, match string, kind lsp.CompletionKind, share float64) {
		score, ok := c.match.score(match)
		if !ok {
			return
		}
		c.items = append(c.items, Item{
			Completion: lsp.Completion{
				Label: label, Kind: kind, Detail: detail, Text: snippet, Snippet: true, Filter: match, Extra: f.extra,
			},
			score: score * fits / 2 * share,
		})
	}
	label, snippet := f.before+f.label, f.before+f.name.snippet
	iface := types.IsInterface(wanted)
	switch u := t.Underlying().(type) {
	case *types.Struct:
		inner := "$0"
		if !c.seesField(u) {
			inner = ""
		}
		add(label+"{}", snippet+"{"+inner+`\}`, "", match, lsp.CompletionVariable, 1)
	case *types.Array, *types.Slice, *types.Map:
		add(label+"{}", snippet+`{$0\}`, "", match, lsp.CompletionVariable, 1)
	case *types.Signature:
		if iface {
			add(label+"()", snippet+"($0)", c.typeText(u), match, lsp.CompletionVariable, 1)
		}
	case *types.Basic:
		if (iface || types.Identical(wanted, t)) && u.Info()&types.IsUntyped == 0 && u.Kind() != types.UnsafePointer {
			add(label+"()", snippet+"($0)", u.String(), match, lsp.CompletionVariable, 1)
		}
	}
	if refer {
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Slice:
		f.name.snippet += ", "
		f.name.hole("0")
		add("make("+label+", 0)", "make("+f.name.snippet+")", "", "make."+match, lsp.CompletionFunction, 0.99)
	case *types.Map, *types.Chan:
		add("make("+label+")", "make("+snippet+")", "", "make."+match, lsp.CompletionFunction, 0.99)
	case *types.Signature:
		if !iface && c.canWrite(u) {
			add("func(...) {}", c.functionLiteral(u), "", "func", lsp.CompletionVariable, 1)
		}
	}
}

// canWrite reports whether the file can name the types of a function literal.
func (c *completer) canWrite(sig *types.Signature) bool {
	for _, list := range []*types.Tuple{sig.Params(), sig.Results()} {
		for v := range list.Variables() {
			if !c.canName(v.Type()) {
				return false
			}
		}
	}
	return true
}

func isNamed(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.Named)
	return ok
}

// literalForm writes the name of a type. What its type arguments are is left to whoever completes,
// unless they are known.
func (c *completer) literalForm(t types.Type, qualify types.Qualifier) (f literalForm) {
	f.name = &writing{c: c}
	n, ok := t.(interface {
		types.Type
		Obj() *types.TypeName
		TypeParams() *types.TypeParamList
		TypeArgs() *types.TypeList
	})
	if !ok || n.TypeParams().Len() == 0 || n.TypeParams().Len() == n.TypeArgs().Len() && c.knowsAll(n.TypeArgs()) {
		f.label = types.TypeString(t, qualify)
		f.name.add(f.label)
		return f
	}
	name := n.Obj().Name()
	if pkg := n.Obj().Pkg(); pkg != nil {
		if q := qualify(pkg); q != "" {
			name = q + "." + name
		}
	}
	f.label = name + "[...]"
	f.name.add(name)
	f.name.snippet += "["
	if !c.o.Placeholders {
		f.name.hole("")
	} else {
		for i := range n.TypeParams().Len() {
			if i > 0 {
				f.name.snippet += ", "
			}
			f.name.hole(types.TypeString(n.TypeParams().At(i), qualify))
		}
	}
	f.name.snippet += "]"
	return f
}

// knowsAll is knowsParams for each of several types.
func (c *completer) knowsAll(list *types.TypeList) bool {
	for t := range list.Types() {
		if !c.knowsParams(t) {
			return false
		}
	}
	return true
}

// knowsParams reports whether all type parameters in a type are those of the function around the
// place.
func (c *completer) knowsParams(t types.Type) bool {
	in := map[*types.TypeParam]bool{}
	typeParamsIn(t, in, 0)
	for p := range in {
		if !c.inScope(p) {
			return false
		}
	}
	return true
}

// inScope reports whether the place sees a type parameter.
func (c *completer) inScope(p *types.TypeParam) bool {
	for _, n := range c.path {
		switch fn := n.(type) {
		case *ast.FuncDecl:
			if c.isOwnParam(fn, p) {
				return true
			}
			n = fn.Type
		case *ast.FuncLit:
			n = fn.Type
		}
		if s := c.s.Info.Scopes[n]; s != nil && s.Lookup(p.Obj().Name()) == types.Object(p.Obj()) {
			return true
		}
	}
	return false
}

// isOwnParam reports whether a type parameter is one of a function as the package declares it. The
// draft of that function has others of the same names, and no name of its own.
func (c *completer) isOwnParam(decl *ast.FuncDecl, p *types.TypeParam) bool {
	if decl.Recv != nil {
		return false
	}
	rest := c.d.Source[c.d.Offset(decl.Name.Pos()):]
	end := 0
	for end < len(rest) && isWordByte(rest[end]) {
		end++
	}
	fn, ok := c.v.Package.Scope().Lookup(string(rest[:end])).(*types.Func)
	if !ok {
		return false
	}
	for own := range fn.Signature().TypeParams().TypeParams() {
		if own == p {
			return true
		}
	}
	return false
}

func (c *completer) seesField(s *types.Struct) bool {
	for f := range s.Fields() {
		if f.Exported() || f.Pkg() == c.v.Package {
			return true
		}
	}
	return false
}

// functionLiteral is the snippet of a function of a type. Where it has type parameters that the
// place does not see, there are places for what stands for them.
func (c *completer) functionLiteral(sig *types.Signature) string {
	w := &writing{c: c}
	isOpen := func(t types.Type) bool {
		p, ok := types.Unalias(t).(*types.TypeParam)
		return ok && !c.inScope(p)
	}
	typ := func(t types.Type, text string) {
		if isOpen(t) {
			w.hole(text)
		} else {
			w.snippet += escape(text)
		}
	}
	params, results := sig.Params(), sig.Results()
	open := func(list *types.Tuple) bool {
		for v := range list.Variables() {
			if isOpen(v.Type()) {
				return true
			}
		}
		return false
	}
	n := params.Len()
	names, count := make([]string, n), map[string]int{}
	for i := range n {
		p := params.At(i)
		if names[i] = p.Name(); names[i] == "" {
			names[i] = shortName(p.Type())
		}
		if names[i] != "_" {
			count[names[i]]++
		}
	}
	number := map[string]int{}
	w.snippet = "func("
	if open(params) && !c.o.Placeholders {
		w.hole("")
		n = 0
	}
	for i := range n {
		if i > 0 {
			w.snippet += ", "
		}
		name := names[i]
		if count[name] > 1 {
			number[name]++
			name += strconv.Itoa(number[name])
		}
		if name != params.At(i).Name() && c.o.Placeholders {
			w.hole(name)
		} else {
			w.snippet += name
		}
		t := params.At(i).Type()
		last := i == n-1
		if !last && types.Identical(t, params.At(i+1).Type()) && !(sig.Variadic() && i+1 == n-1) {
			continue
		}
		text := c.typeText(t)
		if sig.Variadic() && last {
			text = "..." + strings.TrimPrefix(text, "[]")
		}
		w.snippet += " "
		typ(t, text)
	}
	w.snippet += ")"
	if n := results.Len(); n > 0 {
		w.snippet += " "
		parens := n > 1 || results.At(0).Name() != ""
		if parens {
			w.snippet += "("
		}
		if open(results) && !c.o.Placeholders {
			w.hole("")
			n = 0
		}
		for i := range n {
			if i > 0 {
				w.snippet += ", "
			}
			r := results.At(i)
			if r.Name() != "" {
				w.snippet += r.Name() + " "
			}
			typ(r.Type(), c.typeText(r.Type()))
		}
		if parens {
			w.snippet += ")"
		}
	}
	return w.snippet + ` {$0\}`
}

// shortNames are those that values of some types have by custom.
var shortNames = map[string]string{"context": "ctx", "error": "err", "tx": "tx", "responsewriter": "w"}

// shortName is a name for a value of a type: the first letters of its words; "_" if it has none.
func shortName(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return shortName(t.Elem())
	case *types.Slice:
		return shortName(t.Elem())
	case *types.Array:
		return shortName(t.Elem())
	}
	name := types.TypeString(t, func(*types.Package) string { return "" })
	if short := shortNames[strings.ToLower(name)]; short != "" {
		return short
	}
	short := ""
	letters := []rune(name)
	is := roles(letters)
	for i, r := range letters {
		if r == '[' || r == '(' || r == '{' || r == ' ' {
			break
		}
		if unicode.IsLetter(r) && (is[i] == head || i == 0) {
			short += string(unicode.ToLower(r))
		}
	}
	if short == "" {
		return "_"
	}
	return short
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
