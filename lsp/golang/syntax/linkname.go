package syntax

import (
	"bytes"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

const linknameDirective = "//go:linkname "

// LinknameAt is the package and what in it the second argument of a //go:linkname directive names,
// if an offset lies on it. A method is named by its type: T.M.
func LinknameAt(text []byte, offset int) (pkg, name string, at lsp.Span, ok bool) {
	if offset < 0 || offset > len(text) {
		return "", "", at, false
	}
	start := bytes.LastIndexByte(text[:offset], '\n') + 1
	line, _, _ := strings.Cut(string(text[start:min(len(text), offset+1000)]), "\n")
	arguments, ok := strings.CutPrefix(line, linknameDirective)
	if !ok {
		return "", "", at, false
	}
	arguments, _, _ = strings.Cut(arguments, "//") // another comment
	fields := strings.Fields(arguments)
	if len(fields) != 2 {
		return "", "", at, false
	}
	target := fields[1]
	at.Start = start + len(linknameDirective) + strings.LastIndex(arguments, target)
	at.End = at.Start + len(target)
	if !at.Contains(offset) {
		return "", "", at, false
	}
	pkg, method, isMethod := strings.Cut(target, ".(")
	if isMethod {
		return pkg, strings.NewReplacer("*", "", ")", "").Replace(method), at, true
	}
	dot := strings.LastIndexByte(target, '.')
	if dot < 0 {
		return "", "", at, false
	}
	return target[:dot], target[dot+1:], at, true
}
