package golang

import (
	"go/constant"
	"go/types"
	"strings"
)

// signatureBytes bounds a signature. The types of generated tables can be megabytes long when written out.
const signatureBytes = 4 << 10

// signature describes an object as types.ObjectString does; a constant also has its value.
func signature(obj types.Object, qualify types.Qualifier) string {
	s := types.ObjectString(obj, qualify)
	if c, ok := obj.(*types.Const); ok && c.Val() != nil && c.Val().Kind() != constant.Unknown {
		s += " = " + c.Val().String() // short form
	}
	if len(s) <= signatureBytes {
		return s
	}
	return strings.ToValidUTF8(s[:signatureBytes], "") + "…"
}

// renderSignature is a stored signature for readers inside the declaring package (from "") or outside, who see its name.
func renderSignature(s, from string) string {
	if from == "" {
		return strings.ReplaceAll(s, ownPackage+".", "")
	}
	return strings.ReplaceAll(s, ownPackage, from)
}
