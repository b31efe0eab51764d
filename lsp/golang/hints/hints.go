package hints

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
)

// Kinds of hints, as settings call them. All are off unless somebody asks for them.
const (
	AssignVariableTypes    = "assignVariableTypes"
	CompositeLiteralFields = "compositeLiteralFields"
	CompositeLiteralTypes  = "compositeLiteralTypes"
	ConstantValues         = "constantValues"
	FunctionTypeParameters = "functionTypeParameters"
	IgnoredError           = "ignoredError"
	ParameterNames         = "parameterNames"
	RangeVariableTypes     = "rangeVariableTypes"
)

// labelBytes bounds a label: hints stand between what is being read.
const labelBytes = 28

// Of lists the hints of some kinds in a part of a view's file, sorted by place.
func Of(v *check.View, within lsp.Span, kinds map[string]bool) []lsp.Hint {
	w := &walker{view: v, within: within, kinds: kinds}
	for _, d := range v.File.AST.Decls {
		if s := v.File.Span(d.Pos(), d.End()); s.Start <= within.End && s.End >= within.Start {
			ast.Inspect(d, w.visit)
		}
	}
	slices.SortStableFunc(w.out, func(a, b lsp.Hint) int { return a.Offset - b.Offset })
	return w.out
}

type walker struct {
	view   *check.View
	within lsp.Span
	kinds  map[string]bool
	out    []lsp.Hint
}

// add puts a hint at a place, if it is in the part that was asked about.
func (w *walker) add(pos token.Pos, h lsp.Hint) {
	h.Offset = w.view.File.Offset(pos)
	if !pos.IsValid() || h.Offset < w.within.Start || h.Offset > w.within.End {
		return
	}
	if len(h.Label) > labelBytes+len("...") {
		cut := labelBytes
		for cut > 0 && !utf8.RuneStart(h.Label[cut]) {
			cut--
		}
		h.Tooltip, h.Label = strings.TrimSpace(h.Label), h.Label[:cut]+"..."
	}
	w.out = append(w.out, h)
}

// typeText is a type as the file would write it.
func (w *walker) typeText(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == w.view.Package {
			return ""
		}
		for _, spec := range w.view.File.AST.Imports {
			if obj := w.view.Info.PkgNameOf(spec); obj != nil && obj.Imported() == p && obj.Name() != "_" {
				if obj.Name() == "." {
					return ""
				}
				return obj.Name()
			}
		}
		return p.Name()
	})
}

func (w *walker) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		if w.kinds[ParameterNames] {
			w.parameterNames(n)
		}
		if w.kinds[FunctionTypeParameters] {
			w.typeArguments(n)
		}
	case *ast.AssignStmt:
		if w.kinds[AssignVariableTypes] && n.Tok == token.DEFINE {
			for _, e := range n.Lhs {
				w.variableType(e)
			}
		}
	case *ast.RangeStmt:
		if w.kinds[RangeVariableTypes] {
			w.variableType(n.Key)
			w.variableType(n.Value)
		}
	case *ast.GenDecl:
		w.declaration(n)
	case *ast.CompositeLit:
		if w.kinds[CompositeLiteralTypes] && n.Type == nil {
			w.literalType(n)
		}
		if w.kinds[CompositeLiteralFields] {
			w.literalFields(n)
		}
	case *ast.ExprStmt:
		if w.kinds[IgnoredError] {
			w.ignoredError(n)
		}
	}
	return true
}

func (w *walker) declaration(d *ast.GenDecl) {
	for _, s := range d.Specs {
		spec, ok := s.(*ast.ValueSpec)
		switch {
		case !ok:
		case d.Tok == token.CONST && w.kinds[ConstantValues]:
			w.constantValues(spec)
		case d.Tok == token.VAR && w.kinds[AssignVariableTypes] && spec.Type == nil:
			for _, name := range spec.Names {
				w.variableType(name)
			}
		}
	}
}

func (w *walker) variableType(e ast.Expr) {
	if e == nil {
		return
	}
	t := w.view.Info.TypeOf(e)
	if t == nil {
		return
	}
	w.add(e.End(), lsp.Hint{Label: w.typeText(t), Kind: lsp.HintType, PadLeft: true})
}

func (w *walker) parameterNames(call *ast.CallExpr) {
	tv, ok := w.view.Info.Types[call.Fun]
	if !ok || tv.IsType() || tv.Type == nil {
		return
	}
	sig, ok := tv.Type.Underlying().(*types.Signature)
	if !ok {
		return
	}
	for i, arg := range call.Args[:min(len(call.Args), sig.Params().Len())] {
		name := sig.Params().At(i).Name()
		if id, ok := arg.(*ast.Ident); name == "" || name == "_" || ok && id.Name == name {
			continue
		}
		if sig.Variadic() && i == sig.Params().Len()-1 {
			name += "..."
		}
		w.add(arg.Pos(), lsp.Hint{Label: name + ":", Kind: lsp.HintParameter, PadRight: true})
	}
}

// typeArguments shows those that a call leaves to inference.
func (w *walker) typeArguments(call *ast.CallExpr) {
	fun, at, given := call.Fun, call.Fun.End(), 0
	switch f := call.Fun.(type) {
	case *ast.IndexExpr:
		fun, at, given = f.X, f.Index.End(), 1
	case *ast.IndexListExpr:
		fun, given = f.X, len(f.Indices)
		if given > 0 {
			at = f.Indices[given-1].End()
		}
	}
	var id *ast.Ident
	switch f := fun.(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	default:
		return
	}
	args := w.view.Info.Instances[id].TypeArgs
	var inferred []string
	for i := given; i < args.Len(); i++ {
		inferred = append(inferred, w.typeText(args.At(i)))
	}
	if len(inferred) == 0 {
		return
	}
	label := strings.Join(inferred, ", ")
	if given > 0 {
		label = ", " + label
	} else {
		label = "[" + label + "]"
	}
	w.add(at, lsp.Hint{Label: label, Kind: lsp.HintType})
}

// constantValues shows what a reader would have to work out.
func (w *walker) constantValues(spec *ast.ValueSpec) {
	worth := len(spec.Values) == 0
	var values []string
	for i, name := range spec.Names {
		c, ok := w.view.Info.Defs[name].(*types.Const)
		if !ok || c.Val().Kind() == constant.Unknown {
			continue
		}
		if len(spec.Values) == len(spec.Names) {
			if _, literal := spec.Values[i].(*ast.BasicLit); !literal && c.Val().Kind() != constant.Bool {
				worth = true
			}
		}
		values = append(values, c.Val().String())
	}
	if worth && len(values) > 0 {
		w.add(spec.End(), lsp.Hint{Label: "= " + strings.Join(values, ", "), PadLeft: true})
	}
}

// literalType shows the type that a literal has from what it is an element of.
func (w *walker) literalType(lit *ast.CompositeLit) {
	t := w.view.Info.TypeOf(lit)
	if t == nil || t == types.Typ[types.Invalid] {
		return
	}
	prefix := ""
	if p, ok := t.Underlying().(*types.Pointer); ok {
		prefix, t = "&", p.Elem()
	}
	w.add(lit.Lbrace, lsp.Hint{Label: prefix + w.typeText(t), Kind: lsp.HintType})
}

// literalFields shows the names of fields that a literal gives in their order. Any of the hints
// writes all of them down: names are given for all fields or for none.
func (w *walker) literalFields(lit *ast.CompositeLit) {
	t := w.view.Info.TypeOf(lit)
	if t == nil {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	fields, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	var edits []lsp.TextEdit
	type at struct {
		pos  token.Pos
		name string
	}
	var named []at
	for i, e := range lit.Elts {
		if _, ok := e.(*ast.KeyValueExpr); ok || i >= fields.NumFields() {
			continue
		}
		label := fields.Field(i).Name() + ":"
		named = append(named, at{e.Pos(), label})
		offset := w.view.File.Offset(e.Pos())
		edits = append(edits, lsp.TextEdit{Span: lsp.Span{Start: offset, End: offset}, NewText: label + " "})
	}
	for _, n := range named {
		w.add(n.pos, lsp.Hint{Label: n.name, Kind: lsp.HintParameter, PadRight: true, Edits: edits})
	}
}

// deliberate are words of comments which say that an error is ignored on purpose.
var deliberate = []string{"ignore error", "discard error", "can't fail", "cannot fail"}

// harmless are functions and methods whose errors nobody looks at.
var harmless = map[string]bool{
	"fmt.Print": true, "fmt.Printf": true, "fmt.Println": true, "fmt.Fprint": true, "fmt.Fprintf": true, "fmt.Fprintln": true,
	"(*bytes.Buffer).Write": true, "(*bytes.Buffer).WriteByte": true, "(*bytes.Buffer).WriteRune": true, "(*bytes.Buffer).WriteString": true,
	"(*strings.Builder).Write": true, "(*strings.Builder).WriteByte": true, "(*strings.Builder).WriteRune": true, "(*strings.Builder).WriteString": true,
	"io.WriteString":             true,
	"(*hash/maphash.Hash).Write": true, "(*hash/maphash.Hash).WriteByte": true, "(*hash/maphash.Hash).WriteString": true,
}

// ignoredError shows where the error that a call gives is dropped without a word.
func (w *walker) ignoredError(stmt *ast.ExprStmt) {
	call, ok := stmt.X.(*ast.CallExpr)
	if !ok {
		return
	}
	t := w.view.Info.TypeOf(call)
	if results, ok := t.(*types.Tuple); ok && results.Len() > 0 {
		t = results.At(results.Len() - 1).Type()
	}
	if t == nil || !types.Identical(t, types.Universe.Lookup("error").Type()) {
		return
	}
	if fn, ok := typeutil.Callee(w.view.Info, call).(*types.Func); ok && harmless[fn.FullName()] {
		return
	}
	file := w.view.File
	line := file.Pos.Line(stmt.End())
	for _, group := range file.AST.Comments {
		if group.Pos() >= stmt.End() && file.Pos.Line(group.Pos()) == line {
			if slices.ContainsFunc(deliberate, func(words string) bool { return strings.Contains(group.Text(), words) }) {
				return
			}
			break
		}
	}
	offset := file.Offset(stmt.End())
	w.add(stmt.End(), lsp.Hint{
		Label: " // ignore error", Edits: []lsp.TextEdit{{Span: lsp.Span{Start: offset, End: offset}, NewText: " // ignore error"}},
	})
}
