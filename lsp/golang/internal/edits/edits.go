// Package edits makes edits of Go texts for tests: such as break a file while it is typed, and such
// as change only what no other package sees. It knows texts and the standard parser alone, so that
// the tests of every room can use it.
package edits

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"math/rand/v2"
	"slices"
)

// Break breaks a text somewhere behind its package clause, mostly; nil if nothing stands there.
func Break(rng *rand.Rand, text []byte) []byte {
	list := declarations(text)
	if len(list) == 0 {
		return nil
	}
	if rng.IntN(2) == 0 {
		d := list[rng.IntN(len(list))]
		if spoilt := Spoil(rng, text, d[0], d[1]); spoilt != nil {
			return spoilt
		}
	}
	at := list[0][0] + rng.IntN(len(text)-list[0][0])
	if rng.IntN(2) == 0 {
		return bytes.Clone(text[:at])
	}
	at = bytes.LastIndexByte(text[:at], '\n') + 1
	typed := halfTypedLines[rng.IntN(len(halfTypedLines))]
	return slices.Concat(text[:at], []byte(typed+"\n"), text[at:])
}

var halfTypedLines = []string{
	"x.", "if x", "if err != nil {", "for i := range", "for i := 0; i <", "switch x {", "switch y := x.(", "case 1:", "go func() {",
	"defer f(", "return foo(", "a, b :=", "x := []int{1,", "x := map[string]", "f(\"", "`", "/*", "x[1:", "} else if", "select {", "x <-",
	"func (t T) ", "func f", "func f[T any](", "func (t *T) M(a int) (", "type T struct {", "type I interface { M(", "var x =", "const (", "}",
}

// declarations are the ranges of the declarations of a file.
func declarations(text []byte) (list [][2]int) {
	file, _ := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if file == nil {
		return nil
	}
	for _, d := range file.Decls {
		list = append(list, [2]int{int(d.Pos() - file.FileStart), int(d.End() - file.FileStart)})
	}
	return list
}

// Spoil takes a token out of a range of a text, or the rest of a line behind one; nil if that would
// be a string, whose end cannot be told.
func Spoil(rng *rand.Rand, text []byte, start, end int) []byte {
	part := text[start:end]
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(part))
	var sc scanner.Scanner
	sc.Init(file, part, func(token.Position, string) {}, 0)
	var cuts [][2]int
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			break
		}
		if at := file.Offset(pos); at > 0 && lit != "\n" && tok != token.STRING && tok != token.CHAR {
			cuts = append(cuts, [2]int{start + at, start + at + len(cmp.Or(lit, tok.String()))})
		}
	}
	if len(cuts) == 0 {
		return nil
	}
	c := cuts[rng.IntN(len(cuts))]
	if rng.IntN(2) == 0 {
		end := bytes.IndexByte(text[c[0]:end], '\n')
		if end < 0 || bytes.ContainsAny(text[c[0]:c[0]+end], "\"'`/") {
			return nil
		}
		c[1] = c[0] + end
	}
	return append(bytes.Clone(text[:c[0]]), text[c[1]:]...)
}

// Bodies gives some functions other bodies and puts comments between declarations.
func Bodies(rng *rand.Rand, text []byte) []byte {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return bytes.Clone(text)
	}
	var out []byte
	at := 0
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil || rng.IntN(3) > 0 {
			continue
		}
		out = append(out, text[at:fn.Body.Pos()-file.FileStart]...)
		out = append(out, []string{"{}", "{ panic(1) }", "{\n\tfor {\n\t\t_ = func() { type x struct{} }\n\t}\n}", "{ // }\n}"}[rng.IntN(4)]...)
		out = append(out, "\n\n// A comment { that looks like code.\n\n"...)
		at = int(fn.Body.End() - file.FileStart)
	}
	return append(out, text[at:]...)
}
