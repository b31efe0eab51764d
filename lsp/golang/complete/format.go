package complete

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strconv"
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
	pred := predOf(verbsOf(constant.StringVal(format)), i-(n-1))
	return want{pred: pred}, pred != nil
}

// A verb of a format, and the argument that it takes, from 0. A star takes one, too.
type verb struct {
	letter rune
	arg    int
}

// verbsOf are the verbs of a format.
func verbsOf(format string) (verbs []verb) {
	next := 0
	take := func(letter rune) {
		verbs = append(verbs, verb{letter, next})
		next++
	}
	for {
		_, rest, ok := strings.Cut(format, "%")
		if !ok {
			return verbs
		}
		format = rest
	flags:
		for format != "" {
			r, size := utf8.DecodeRuneInString(format)
			format = format[size:]
			switch {
			case r == '%':
				break flags
			case r == '*':
				take(r)
			case r == '[':
				index, rest, ok := strings.Cut(format, "]")
				n, err := strconv.Atoi(index)
				if !ok || err != nil {
					return verbs
				}
				format, next = rest, n-1
			case strings.ContainsRune("+-# 0123456789.", r):
			default:
				take(r)
				break flags
			}
		}
	}
}

// predOf is what an argument must be for all verbs that take it; nil if that is anything.
func predOf(verbs []verb, arg int) func(types.Type) bool {
	var all []func(types.Type) bool
	for _, v := range verbs {
		if v.arg == arg {
			if pred := verbPred(v.letter); pred != nil {
				all = append(all, pred)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return func(t types.Type) bool {
		for _, pred := range all {
			if !pred(t) {
				return false
			}
		}
		return true
	}
}

// verbPred is what a verb is for; nil if that is anything.
func verbPred(verb rune) func(types.Type) bool {
	switch verb {
	case 'd', 'o', 'O', 'c', 'U', '*':
		return isInteger
	case 'b':
		return func(t types.Type) bool { return isNumeric(t) || isBytes(t) }
	case 's', 'q':
		return func(t types.Type) bool {
			return isString(t) || isBytes(t) || hasMethod(t, "Error") || hasMethod(t, "String")
		}
	case 'x', 'X':
		return func(t types.Type) bool { return isNumeric(t) || isString(t) || isBytes(t) }
	case 't':
		return isBoolean
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
