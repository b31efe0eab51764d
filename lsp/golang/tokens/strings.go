package tokens

import (
	"go/ast"
	"go/types"
	"regexp"
	"strings"
)

// directive is one of a format string as it is written in a literal: flags, width, precision, with
// the number of their argument, and the verb.
var directive = regexp.MustCompile(`(?:%|\\x25|\\045|\\u0025)(?:%|\\x25|[-+# 0]*(?:\[\d+\])?(?:\*|\d+)?(?:\.(?:\[\d+\])?(?:\*|\d+)?)?(?:\[\d+\])?\pL)`)

// formatString marks the directives of a literal that is the format of a call.
func (w *walker) formatString(lit *ast.BasicLit) {
	call, ok := w.parent(0).(*ast.CallExpr)
	if !ok || !strings.ContainsAny(lit.Value, `%\`) || !w.isFormat(call, lit) {
		return
	}
	s := w.tree.LiteralSpan(lit)
	text := string(w.tree.Text[s.Start:s.End])
	for _, m := range directive.FindAllStringIndex(text, -1) {
		if verb := text[m[0]:m[1]]; strings.HasSuffix(verb, "%") || strings.HasSuffix(verb, `\x25`) {
			continue // stands for itself
		}
		w.out = append(w.out, name{start: s.Start, from: s.Start + m[0], to: s.Start + m[1], kind: stringLiteral, modifiers: format, known: true})
	}
}

// isFormat reports whether a literal is the string before the variadic arguments of any type.
func (w *walker) isFormat(call *ast.CallExpr, lit *ast.BasicLit) bool {
	tv, ok := w.view.Info.Types[call.Fun]
	if !ok || tv.IsType() {
		return false
	}
	sig, ok := tv.Type.Underlying().(*types.Signature)
	if !ok || !sig.Variadic() {
		return false
	}
	at := sig.Params().Len() - 2
	if at < 0 || at >= len(call.Args) || call.Args[at] != lit {
		return false
	}
	rest, ok := sig.Params().At(at + 1).Type().(*types.Slice)
	if !ok {
		return false
	}
	given, ok := sig.Params().At(at).Type().Underlying().(*types.Basic)
	return ok && given.Info()&types.IsString != 0 && types.IsInterface(rest.Elem())
}

// A linkedPart is one of the names of a link in a comment.
type linkedPart struct {
	length    int
	kind      uint8
	modifiers uint32
}

// linked is what the dotted name of a link in a comment stands for, name by name; none if it stands
// for nothing.
func (l *lister) linked(dotted string) (parts []linkedPart) {
	scope := l.view.Package.Scope()
	names := strings.Split(dotted, ".")
	add := func(obj types.Object, name string) {
		kind, modifiers := ofObject(obj)
		parts = append(parts, linkedPart{len(name), kind, modifiers})
	}
	if pkg := l.imported(names[0]); pkg != nil && len(names) > 1 {
		add(pkg, names[0])
		scope, names = pkg.Imported().Scope(), names[1:]
	} else if pkg != nil && scope.Lookup(names[0]) == nil {
		return []linkedPart{{len(names[0]), namespace, 0}}
	}
	obj := scope.Lookup(names[0])
	if obj == nil || !obj.Exported() && len(names) == 1 || len(names) > 2 {
		return nil
	}
	add(obj, names[0])
	if len(names) == 1 {
		return parts
	}
	typ, ok := obj.(*types.TypeName)
	if !ok {
		return nil
	}
	member, _, _ := types.LookupFieldOrMethod(typ.Type(), true, l.view.Package, names[1])
	if member == nil {
		return nil
	}
	add(member, names[1])
	return parts
}

// imported is the package that files of the view call by a name; nil if none does, or they mean
// several.
func (l *lister) imported(name string) (found *types.PkgName) {
	for _, t := range l.view.Files {
		for _, spec := range t.AST.Imports {
			obj := l.view.Info.PkgNameOf(spec)
			if obj == nil || obj.Name() != name {
				continue
			}
			if found != nil && found.Imported() != obj.Imported() {
				return nil
			}
			found = obj
		}
	}
	return found
}
