package describe

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
)

// A teller describes something in one file of a view.
type teller struct {
	*check.View
	lib    Library
	around []ast.Node // the innermost last
	as     types.Qualifier
}

// parent is the node around the innermost one.
func (v *teller) parent() ast.Node {
	if len(v.around) < 2 {
		return nil
	}
	return v.around[len(v.around)-2]
}

// name describes what an identifier means, which is the innermost node.
func (v *teller) name(id *ast.Ident) (*lsp.Hover, error) {
	h := &lsp.Hover{Span: v.File.Span(id.Pos(), id.End()), Language: "go"}
	if t, ok := v.switched(id); ok {
		if t == nil {
			t = types.Typ[types.Invalid]
		}
		h.Signature = types.ObjectString(types.NewVar(id.Pos(), v.Package, id.Name, t), v.as)
		return h, nil
	}
	obj := v.Info.ObjectOf(id)
	if obj == nil {
		return nil, nil
	}
	if p, ok := obj.(*types.PkgName); ok {
		return v.imported(h, p)
	}
	name, known := v.NameOf(obj)
	var d Declared
	var err error
	switch {
	case !known:
	case name.URI != "":
		d = Declared{Package: v.Meta, Tree: v.Tree(obj.Pos()), Offset: name.Offset}
	default:
		if d, known, err = v.lib.Declared(name); err != nil {
			return nil, err
		}
	}
	if obj.Pkg() == nil || obj.Pkg() == types.Unsafe {
		if !known {
			return nil, nil
		}
		return builtin(v.lib, d, name.External.Path, h)
	}
	if !known {
		h.Signature = signature(obj, v.as, nil, &site{}, 0)
		return h, nil
	}
	s := siteAt(d.Tree, d.Offset)
	doc, err := documentation(v.lib, d.Package, d.Tree, s.doc(d.Tree))
	if err != nil {
		return nil, err
	}
	h.Doc, h.DocMarkdown = doc.plain, doc.markdown
	h.Signature = v.signed(id, obj, &s, d)
	extent := ""
	if id.Pos() == v.At(obj.Pos()) {
		extent = size(v.View, obj, v.around)
	}
	if spec, ok := s.spec.(*ast.TypeSpec); ok && isDeclaredType(obj) {
		v.typed(h, obj, spec, d, extent)
	} else if extent != "" {
		h.Signature += " // " + extent
	}
	err = v.refer(h, obj, &s, d)
	return h, err
}

// isDeclaredType reports whether an object is a type that a type declaration declares.
func isDeclaredType(obj types.Object) bool {
	if _, ok := obj.(*types.TypeName); !ok {
		return false
	}
	_, isParameter := types.Unalias(obj.Type()).(*types.TypeParam)
	return !isParameter
}

// switched is the type of a name that a type switch declares, where the name stands; it is nil if
// that is not known.
func (v *teller) switched(id *ast.Ident) (types.Type, bool) {
	for i := len(v.around) - 1; i >= 0; i-- {
		s, ok := v.around[i].(*ast.TypeSwitchStmt)
		if !ok {
			continue
		}
		a, ok := s.Assign.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
			return nil, false
		}
		if x, ok := a.Rhs[0].(*ast.TypeAssertExpr); ok && a.Lhs[0] == ast.Expr(id) {
			return v.Info.TypeOf(x.X), true
		}
		for _, stmt := range s.Body.List {
			if obj := v.Info.Implicits[stmt]; obj != nil && obj == v.Info.Uses[id] {
				return obj.Type(), true
			}
		}
		return nil, false
	}
	return nil, false
}

// lineLong is how many bytes of a line leave room for a comment behind it.
const lineLong = 60

// signed is the signature of an object where an identifier names it: with the fields that it is
// reached through, its tag, and what a generic function is instantiated with.
func (v *teller) signed(id *ast.Ident, obj types.Object, s *site, d Declared) string {
	text := signature(obj, v.as, d.Tree, s, d.Offset)
	if sel, ok := v.parent().(*ast.SelectorExpr); ok && sel.Sel == id {
		if sel := v.Info.Selections[sel]; sel != nil {
			text += throughFields(sel, v.as)
		}
	}
	if s.field != nil && s.field.Tag != nil {
		text += " " + s.field.Tag.Value
	}
	if inferred, ok := types.Unalias(v.Info.Instances[id].Type).(*types.Signature); ok {
		if sig, ok := obj.Type().Underlying().(*types.Signature); ok && sig.TypeParams().Len() > 0 {
			text = types.ObjectString(types.NewFunc(obj.Pos(), obj.Pkg(), obj.Name(), inferred), v.as)
			space := " "
			if len(text) > lineLong {
				space = "\n"
			}
			text += space + "// " + types.TypeString(sig, v.as)
		}
	}
	return text
}

// typed adds what there is to say of a declared type: its declaration, and members that it does not
// show.
func (v *teller) typed(h *lsp.Hover, obj types.Object, spec *ast.TypeSpec, d Declared, extent string) {
	h.Declaration = declarationOf(d, spec)
	if extent != "" {
		first, rest, more := strings.Cut(h.Declaration, "\n")
		h.Declaration = first + " // " + extent
		if more {
			h.Declaration += "\n" + rest
		}
	}
	for _, list := range []string{promoted(obj.Type(), v.Package, v.as), methods(obj.Type(), spec, v.Package, v.as)} {
		if list != "" {
			h.Members = append(h.Members, list)
		}
	}
	if alias, ok := obj.Type().(*types.Alias); ok {
		if named, ok := alias.Rhs().(*types.Named); ok {
			if text := v.declarationOf(named.Obj()); text != "" {
				h.Declaration += "\n\n" + text
			}
		}
	}
}

// declarationOf is the declaration of a type as source; "" if it is not known.
func (v *teller) declarationOf(obj *types.TypeName) string {
	name, ok := v.NameOf(obj)
	if !ok {
		return ""
	}
	d := Declared{Package: v.Meta, Tree: v.Tree(obj.Pos()), Offset: name.Offset}
	if name.URI == "" {
		var err error
		if d, ok, err = v.lib.Declared(name); !ok || err != nil {
			return "" // it is an addition
		}
	}
	s := siteAt(d.Tree, d.Offset)
	spec, ok := s.spec.(*ast.TypeSpec)
	if !ok {
		return ""
	}
	return declarationOf(d, spec)
}

// declarationOf is the declaration of a type as gofmt writes it, without its documentation.
func declarationOf(d Declared, spec *ast.TypeSpec) string {
	bare := *spec
	bare.Doc, bare.Comment = nil, nil
	return "type " + source(d.Tree, &bare)
}

// imported describes the package that a name stands for.
func (v *teller) imported(h *lsp.Hover, name *types.PkgName) (*lsp.Hover, error) {
	p, err := v.lib.Package(v.Meta, name.Imported().Path())
	if err != nil || p == nil {
		return nil, err
	}
	if err := packageDoc(v.lib, p, h); err != nil {
		return nil, err
	}
	return h, v.published(h, name.Name(), p, "")
}

// packageDoc says which package p is, and what it is for.
func packageDoc(lib Library, p *metadata.Package, h *lsp.Hover) error {
	h.Signature = "package " + p.Name
	d, ok, err := lib.Documented(p)
	if err != nil || !ok {
		return err
	}
	doc, err := documentation(lib, p, d.Tree, d.Tree.AST.Doc)
	h.Doc, h.DocMarkdown = doc.plain, doc.markdown
	return err
}

// published adds where something is documented; an anchor is its place on the page of the package.
func (v *teller) published(h *lsp.Hover, name string, p *metadata.Package, anchor string) error {
	path := p.Path
	if p.ForTest != "" || len(p.Files) == 0 || path == "command-line-arguments" || v.lib.IsPrivate(path) {
		return nil
	}
	m, err := v.lib.Module(p.Files[0])
	if err != nil {
		return err
	}
	if m.Version != "" {
		path = strings.Replace(path, m.Path, m.Path+"@"+m.Version, 1)
	}
	h.Reference = lsp.Reference{Name: name, URL: PackageSite + path}
	if anchor != "" {
		h.Reference.URL += "#" + anchor
	}
	return nil
}

// refer adds where an object is documented, and since when there is one of the standard library.
func (v *teller) refer(h *lsp.Hover, obj types.Object, s *site, d Declared) error {
	recv, own := v.owner(obj, s)
	symbol := obj.Name()
	title := obj.Pkg().Name() + "." + symbol
	if recv != nil {
		title = "(" + obj.Pkg().Name() + "." + recv.Name() + ")." + obj.Name()
		symbol = recv.Name() + "." + symbol
	}
	if !obj.Exported() || recv == nil && !atTop(obj) || recv != nil && (!recv.Exported() || !atTop(recv)) {
		return nil
	}
	if d.Package.Standard && own {
		if since := v.lib.Since(d.Package.Path, symbol); since != "" {
			h.Notes = append(h.Notes, "Added in "+since)
		}
	}
	return v.published(h, title, d.Package, symbol)
}

// owner is the type that a method or field is documented with, and whether that declares it; nil if
// there is none.
func (v *teller) owner(obj types.Object, s *site) (recv *types.TypeName, own bool) {
	switch obj := obj.(type) {
	case *types.Func:
		if r := obj.Signature().Recv(); r != nil {
			recv = namedOf(r.Type())
		} else {
			own = true
		}
	case *types.Var:
		if !obj.IsField() {
			own = true
			break
		}
		spec, ok := s.spec.(*ast.TypeSpec)
		if !ok {
			break
		}
		name, _ := obj.Pkg().Scope().Lookup(spec.Name.Name).(*types.TypeName)
		if name == nil {
			break
		}
		if st, ok := name.Type().Underlying().(*types.Struct); ok {
			for f := range st.Fields() {
				if f == obj.Origin() {
					recv = name
				}
			}
		}
	default:
		own = true
	}
	if recv != nil && recv.Exported() {
		return recv, true
	}
	return v.selectedFrom(), own
}

// selectedFrom is the exported type that is nearest to what the innermost selector around the place
// selects: of the fields that it goes through, or of its operand.
func (v *teller) selectedFrom() (exported *types.TypeName) {
	for i := len(v.around) - 1; i >= 0; i-- {
		x, ok := v.around[i].(*ast.SelectorExpr)
		if !ok {
			continue
		}
		sel := v.Info.Selections[x]
		if sel == nil {
			continue
		}
		t := sel.Recv()
		note := func() {
			if name := namedOf(t); name != nil && name.Exported() {
				exported = name
			}
		}
		note()
		for _, i := range sel.Index()[:len(sel.Index())-1] {
			if p, ok := types.Unalias(t).(*types.Pointer); ok {
				t = p.Elem()
			}
			st, ok := t.Underlying().(*types.Struct)
			if !ok || i >= st.NumFields() {
				break
			}
			t = st.Field(i).Type()
			note()
		}
		return exported
	}
	return nil
}

// namedOf is the name of a declared type, or of the one that a type points to; nil if it has none.
func namedOf(t types.Type) *types.TypeName {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj()
	}
	return nil
}

func atTop(obj types.Object) bool {
	return obj.Pkg() != nil && obj.Pkg().Scope().Lookup(obj.Name()) == obj
}
