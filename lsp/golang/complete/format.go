package complete

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
	"unicode/utf8"
)

// expectVerb is what the argument of a call must be that formats it; ok is false if no format says.
func (c *completer) expectVerb(call *ast.CallExpr, sig *types.Signature, i int) (w want, ok bool) {
	n := sig.Params().Len()
	if !sig.Variadic() || n < 2 || i < n-1 || !isString(sig.Params().At(n-2).Type()) || n-2 >= len(call.Args) {
		return want{}, false
	}
	obj := c.objectOf(call.Fun)
	if obj == nil || !strings.HasSuffix(obj.Name(), "f") {
		return want{}, false
	}
	format := c.s.Info.Types[call.Args[n-2]].Value
	if format == nil || format.Kind() != constant.String {
		return want{}, false
	}
	verbs := verbsOf(constant.StringVal(format))
	if at := i - (n - 1); at < len(verbs) {
		pred := verbPred(verbs[at])
		return want{pred: pred}, pred != nil
	}
	return want{}, false
}

// verbsOf are the verbs of a format, one for each argument that it takes; a star is one.
func verbsOf(format string) (verbs []rune) {
	for i := 0; i < len(format); {
		if format[i] != '%' {
			i++
			continue
		}
		for i++; i < len(format); {
			r, size := utf8.DecodeRuneInString(format[i:])
			i += size
			switch {
			case r == '*':
				verbs = append(verbs, r)
				continue
			case strings.ContainsRune("+-# 0123456789.[]", r):
				continue
			case r != '%':
				verbs = append(verbs, r)
			}
			break
		}
	}
	return verbs
}

// verbPred is what a verb is for; nil if that is anything.
func verbPred(verb rune) func(types.Type) bool {
	text := func(t types.Type) bool {
		return isString(t) || isBytes(t) || hasMethod(t, "Error") || hasMethod(t, "String")
	}
	switch verb {
	case 'd', 'b', 'o', 'O', '*':
		return isInteger
	case 'c', 'U':
		return func(t types.Type) bool { return isInteger(t) }
	case 's', 'q':
		return text
	case 'x', 'X':
		return func(t types.Type) bool { return isNumeric(t) || isString(t) || isBytes(t) }
	case 't':
		return func(t types.Type) bool { return basic(t, types.IsBoolean) }
	case 'e', 'E', 'f', 'F', 'g', 'G':
		return func(t types.Type) bool { return basic(t, types.IsFloat|types.IsComplex) }
	case 'p':
		return isNillable
	case 'w':
		return func(t types.Type) bool { return hasMethod(t, "Error") }
	}
	return nil
}

func isBytes(t types.Type) bool {
	s, ok := under(t).(*types.Slice)
	return ok && types.Identical(s.Elem().Underlying(), types.Typ[types.Byte])
}

func hasMethod(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, false, nil, name)
	_, ok := obj.(*types.Func)
	return ok
}
