package describe

import (
	"bytes"
	"go/ast"
	"go/constant"
	"go/format"
	"go/token"
	"go/types"
	"strings"
	"time"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// signatureBytes bounds a signature. The types of generated tables can be megabytes long when
// written out.
const signatureBytes = 4 << 10

// qualifier names packages as a file of a package calls them.
func qualifier(t *syntax.Tree, pkg *types.Package, info *types.Info) types.Qualifier {
	local := map[string]string{}
	if t != nil {
		for _, spec := range t.AST.Imports {
			if name := info.PkgNameOf(spec); name != nil && name.Name() != "_" {
				local[name.Imported().Path()] = name.Name()
			}
		}
	}
	return func(p *types.Package) string {
		if p == pkg || p.Path() == pkg.Path() {
			return ""
		}
		if name, ok := local[p.Path()]; ok {
			if name == "." {
				return ""
			}
			return name
		}
		return p.Name()
	}
}

// signature describes an object as the source declares it: a method with its receiver, a constant
// with its value. Where it is declared may not be known.
func signature(obj types.Object, q types.Qualifier, t *syntax.Tree, s *site, at int) string {
	text := types.ObjectString(obj, q)
	switch obj := obj.(type) {
	case *types.Func:
		text = function(obj, q)
	case *types.Const:
		text += constantValue(obj, t, s, at)
	}
	if len(text) > signatureBytes {
		text = strings.ToValidUTF8(text[:signatureBytes], "") + "…"
	}
	return text
}

func function(fn *types.Func, q types.Qualifier) string {
	var b bytes.Buffer
	b.WriteString("func ")
	sig := fn.Signature()
	if recv := sig.Recv(); recv != nil {
		b.WriteByte('(')
		if _, ok := recv.Type().(*types.Interface); ok {
			b.WriteString("interface") // one without a name
		} else {
			if name := recv.Name(); name != "" && name != "_" {
				b.WriteString(name + " ")
			}
			types.WriteType(&b, recv.Type(), q)
		}
		b.WriteString(") ")
	} else if fn.Pkg() != nil {
		if name := q(fn.Pkg()); name != "" {
			b.WriteString(name + ".")
		}
	}
	b.WriteString(fn.Name())
	types.WriteSignature(&b, sig, q)
	return b.String()
}

// constantValue is the value of a constant: as it is written, with what that comes to behind it.
func constantValue(obj *types.Const, t *syntax.Tree, s *site, at int) string {
	if obj.Val() == nil || obj.Val().Kind() == constant.Unknown {
		return ""
	}
	value, comment := obj.Val().String(), ""
	x := s.written(t, at)
	if obj.Val().Kind() == constant.String {
		x = nil // the value says as much, and on one line
	}
	if x != nil {
		if written := source(t, x); written != value {
			value, comment = written, value
		}
	}
	if n, ok := types.Unalias(obj.Type()).(*types.Named); ok && n.Obj().Pkg() != nil &&
		n.Obj().Pkg().Path() == "time" && n.Obj().Name() == "Duration" {
		if d, ok := constant.Int64Val(obj.Val()); ok {
			comment = time.Duration(d).String()
		}
	}
	if comment != "" && comment != value {
		return " = " + value + " // " + comment
	}
	return " = " + value
}

// written is the expression of the constant whose name stands at an offset; nil if it has none of
// its own, or that is not known.
func (s *site) written(t *syntax.Tree, at int) ast.Expr {
	decl, ok := s.decl.(*ast.GenDecl)
	if !ok {
		return nil
	}
	for _, spec := range decl.Specs {
		spec, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, name := range spec.Names {
			if t.Offset(name.Pos()) == at && i < len(spec.Values) {
				return spec.Values[i]
			}
		}
	}
	return nil
}

// source is a node as gofmt writes it.
func source(t *syntax.Tree, n ast.Node) string {
	files := token.NewFileSet()
	files.AddExistingFiles(t.Pos)
	var b strings.Builder
	if err := format.Node(&b, files, n); err != nil {
		return ""
	}
	return b.String()
}
