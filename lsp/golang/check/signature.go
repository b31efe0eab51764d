package check

import (
	"go/constant"
	"go/types"
	"strings"
)

// signatureBytes bounds a signature. The types of generated tables can be megabytes long when
// written out.
const signatureBytes = 4 << 10

// signature describes an object as types.ObjectString does. A constant also has its value, behind
// the expression that it was written as if that is another text; a field has its tag.
func signature(obj types.Object, qualify types.Qualifier, written string) string {
	s := types.ObjectString(obj, qualify)
	switch obj := obj.(type) {
	case *types.Const:
		if obj.Val() == nil || obj.Val().Kind() == constant.Unknown {
			break
		}
		value := obj.Val().String() // short form
		if written == "" || written == value {
			s += " = " + value
		} else {
			s += " = " + written + " // " + value
		}
	case *types.Var:
		if written != "" {
			s += " " + written
		}
	}
	if len(s) <= signatureBytes {
		return s
	}
	return strings.ToValidUTF8(s[:signatureBytes], "") + "…"
}
