package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// An error that only follows from something that is not known is not told: it would be gone without
// any change of the code that it is shown in. Six things are not known: what cgo makes of package
// C, here and in packages that are imported; what a declaration will be that is being typed; what a
// file says below its first syntax error; what else a package will declare while a declaration of
// it cannot be read or its text ends too early; what is declared in a file that is too large; and
// what a package on an import cycle makes of the others on it.
//
// An error is taken to follow if the statement or the declaration around it names such a thing. One
// that says that a name means nothing is about that name alone, and what it is looked up in.
type consequences struct {
	pkg     *types.Package
	unit    *bodies.Checked // whose errors are looked at
	cgo     bool
	own     syntax.Doubt // of the files of the package
	trees   []*syntax.Tree
	imports []string                       // paths
	doubtOf func(path string) syntax.Doubt // of another package
	known   map[string]syntax.Doubt        // what doubtOf said; nil: nothing was asked
}

// newConsequences is for the errors of one package, of which some files are left out.
func newConsequences(
	p *metadata.Package, pkg *types.Package, trees, left []*syntax.Tree, doubtOf func(path string) syntax.Doubt,
) *consequences {
	c := &consequences{pkg: pkg, cgo: p.Cgo, trees: trees, doubtOf: doubtOf, known: map[string]syntax.Doubt{}}
	for _, t := range trees {
		c.own.Add(t.Doubt)
	}
	for _, t := range left {
		c.own.Add(syntax.Doubt{Names: syntax.DeclaredNames(t)})
	}
	for _, id := range p.Checked() {
		c.imports = append(c.imports, metadata.PathOf(id))
	}
	return c
}

// in is what is doubtful of a package, of this one or another.
func (c *consequences) in(pkg *types.Package) syntax.Doubt {
	if pkg == nil {
		return syntax.Doubt{}
	}
	if pkg == c.pkg {
		return c.own
	}
	return c.at(pkg.Path())
}

func (c *consequences) at(path string) syntax.Doubt {
	d, ok := c.known[path]
	if !ok {
		d = c.doubtOf(path)
		c.known[path] = d
	}
	return d
}

// isDoubtful reports whether a name may be one that is being typed, here or in an import.
func (c *consequences) isDoubtful(name string) bool {
	return c.own.Has(name) || slices.ContainsFunc(c.imports, func(path string) bool { return c.at(path).Has(name) })
}

var missingMethod = regexp.MustCompile(`missing method (\w+)`)

// has reports whether an error in a file only follows from something that is not known.
func (c *consequences) has(e types.Error, t *syntax.Tree) bool {
	if len(t.Errors) > 0 {
		return true
	}
	code := ErrorCode(e)
	lacks := saysLacking[code]
	if m := missingMethod.FindStringSubmatch(e.Msg); m != nil {
		if lacks = true; c.isDoubtful(m[1]) {
			return true
		}
	}
	if code == "UndeclaredName" && c.own.Open {
		return true
	}
	ofTypes := !independentOfTypes[code]
	follows := false
	for _, n := range about(code, c.unit.Syntax(e.Pos), e.Pos) {
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || follows {
				return !follows
			}
			obj := c.unit.Facts.Info.Uses[id]
			if obj == nil {
				obj = c.unit.Facts.Info.Defs[id]
			}
			switch name, isPackage := obj.(*types.PkgName); {
			case obj == nil:
				follows = c.isDoubtful(id.Name)
			case isPackage:
				in := c.in(name.Imported())
				follows = name.Imported().Path() == "C" || lacks && in.Open || in.Elsewhere
			default:
				follows = c.isUnsure(obj) || ofTypes && c.isOpaque(obj) || lacks && c.isOpen(obj.Type(), 0) ||
					ofTypes && c.isElsewhere(obj)
			}
			return !follows
		})
	}
	return follows
}

// saysLacking are the kinds of errors that say that a package or type lacks something.
var saysLacking = map[string]bool{"UndeclaredImportedName": true, "MissingFieldOrMethod": true, "MissingLitField": true}

// isOpen reports whether a type is made of one of a package that may declare more of it.
func (c *consequences) isOpen(t types.Type, depth int) bool {
	return c.madeOf(t, func(d syntax.Doubt) bool { return d.Open }, depth)
}

// madeOf reports whether a type is made of one of a package that has some doubt about it.
func (c *consequences) madeOf(t types.Type, has func(syntax.Doubt) bool, depth int) bool {
	if depth > 20 {
		return false // a type that is made of itself
	}
	elem := func(t types.Type) bool { return c.madeOf(t, has, depth+1) }
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if has(c.in(t.Obj().Pkg())) {
			return true
		}
		for arg := range t.TypeArgs().Types() {
			if elem(arg) {
				return true
			}
		}
		if s, ok := t.Underlying().(*types.Struct); ok {
			return elem(s)
		}
	case *types.Struct:
		for f := range t.Fields() {
			if f.Embedded() && elem(f.Type()) {
				return true
			}
		}
	case *types.TypeParam:
		return elem(t.Constraint())
	default:
		return anyPart(t, elem)
	}
	return false
}

// isElsewhere reports whether an object is, or has the type of, something that may be otherwise on
// the platform that the package is for.
func (c *consequences) isElsewhere(obj types.Object) bool {
	if c.in(obj.Pkg()).Elsewhere {
		return true
	}
	return c.madeOf(obj.Type(), func(d syntax.Doubt) bool { return d.Elsewhere }, 0)
}

// isUnsure reports whether the declaration of an object is being typed.
func (c *consequences) isUnsure(obj types.Object) bool {
	if !c.in(obj.Pkg()).Has(obj.Name()) {
		return false
	}
	if obj.Pkg() != c.pkg {
		return true
	}
	for _, t := range c.trees {
		base := token.Pos(t.Pos.Base())
		if at := c.unit.At(obj.Pos()); at >= base && at <= base+token.Pos(t.Pos.Size()) {
			offset := t.Offset(at)
			return slices.ContainsFunc(t.Doubtful, func(r lsp.Span) bool { return r.Start <= offset && offset < r.End })
		}
	}
	return false
}

// isOpaque reports whether the type of an object is not known, because it comes from package C. A
// type of this package that is not known for another reason has an error of its own, which go/types
// follows up no further.
func (c *consequences) isOpaque(obj types.Object) bool {
	switch obj.(type) {
	case *types.Builtin, *types.Label, *types.Nil:
		return false // go/types has no types for them
	}
	return c.isUnknown(obj.Type(), c.cgo || obj.Pkg() != c.pkg, 0)
}

// isTwin reports whether a package is this one as another package sees it that this one imports:
// they lie on a cycle. Its types are not the types of this package, but would be without the cycle.
func (c *consequences) isTwin(pkg *types.Package) bool {
	return pkg != c.pkg && pkg.Path() == c.pkg.Path()
}

// isUnknown reports whether a type, or one that it is directly made of, is not known. A field of a
// struct counts only if it is embedded: the others have a name of their own where they are used.
// Here tells whether a type without a name counts.
func (c *consequences) isUnknown(t types.Type, here bool, depth int) bool {
	if depth > 20 {
		return false // a type that is made of itself
	}
	elem := func(t types.Type) bool { return c.isUnknown(t, here, depth+1) }
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return here && t.Kind() == types.Invalid
	case *types.Named:
		pkg := t.Obj().Pkg()
		if pkg != nil && (c.isTwin(pkg) || (c.cgo || pkg != c.pkg) && t.Underlying() == types.Typ[types.Invalid]) {
			return true
		}
		for arg := range t.TypeArgs().Types() {
			if elem(arg) {
				return true
			}
		}
		switch u := t.Underlying().(type) {
		case *types.Struct, *types.Interface:
			// It is written where the type is declared.
			return c.isUnknown(u, c.cgo || pkg != c.pkg, depth+1)
		}
	case *types.Struct:
		for f := range t.Fields() { // whose fields and methods are not known, either
			if f.Embedded() && elem(f.Type()) {
				return true
			}
		}
	case *types.Interface:
		for e := range t.EmbeddedTypes() {
			if elem(e) {
				return true
			}
		}
	default:
		return anyPart(t, elem)
	}
	return false
}

// anyPart reports whether holds is true of a type that t, which has no name and no fields or
// methods of its own, is made of.
func anyPart(t types.Type, holds func(types.Type) bool) bool {
	switch t := t.(type) {
	case *types.Pointer:
		return holds(t.Elem())
	case *types.Slice:
		return holds(t.Elem())
	case *types.Array:
		return holds(t.Elem())
	case *types.Chan:
		return holds(t.Elem())
	case *types.Map:
		return holds(t.Key()) || holds(t.Elem())
	case *types.Signature:
		return holds(t.Params()) || holds(t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			if holds(v.Type()) {
				return true
			}
		}
	}
	return false
}

// independentOfTypes are the kinds of errors that are found without looking at types.
var independentOfTypes = map[string]bool{
	"UndeclaredName": true, "UnusedVar": true, "UnusedImport": true, "UnusedLabel": true, "UndeclaredLabel": true, "DuplicateDecl": true,
	"DuplicateMethod": true, "BrokenImport": true, "MissingReturn": true, "MisplacedLabel": true, "JumpOverDecl": true, "JumpIntoBlock": true,
}

// about is what an error of a kind is about, which stands at a position.
func about(code string, file *ast.File, pos token.Pos) []ast.Node {
	if file == nil {
		return nil
	}
	var path []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil || pos < n.Pos() || pos > n.End() {
			return false
		}
		path = append(path, n)
		return true
	})
	if n := meaningless(code, path, pos); n != nil {
		return []ast.Node{n}
	}
	return around(path)
}

// meaningless is the name at a position with what it is looked up in, if an error of a kind says
// that it means nothing there. It is nil if the error says something else.
func meaningless(code string, path []ast.Node, pos token.Pos) ast.Node {
	for _, n := range slices.Backward(path) {
		switch n := n.(type) {
		case *ast.Ident:
			if code == "UndeclaredName" && n.Pos() == pos {
				return n
			}
		case *ast.SelectorExpr:
			lacks := code == "UndeclaredImportedName" || code == "MissingFieldOrMethod"
			if lacks && n.Sel.Pos() == pos {
				return n
			}
		}
	}
	return nil
}

// around is the innermost simple statement or specification on a path into a file, or what stands
// in the header of the innermost other statement.
func around(path []ast.Node) []ast.Node {
	for i := len(path) - 1; i >= 0; i-- {
		switch n := path[i].(type) {
		case *ast.BlockStmt, *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt,
			*ast.CaseClause, *ast.CommClause, *ast.LabeledStmt, *ast.FuncDecl, *ast.FuncLit, *ast.GenDecl, *ast.File:
			if i+1 < len(path) {
				return path[i+1 : i+2]
			}
			return nil
		case ast.Stmt, ast.Spec, *ast.Field:
			return []ast.Node{n}
		}
	}
	return nil
}
