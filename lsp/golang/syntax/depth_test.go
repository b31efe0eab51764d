package syntax

import (
	"fmt"
	"strings"
	"testing"
)

// TestDepthIsFoundInLongDeclarations: leaving out what is too short to be deep finds what a walk of
// the whole file finds, for what makes most levels of least text.
func TestDepthIsFoundInLongDeclarations(t *testing.T) {
	const most = 100
	for _, c := range []struct{ before, open, in, end, after string }{
		{"var x = ", "(", "1", ")", ""},
		{"var x = ", "- ", "1", "", ""},
		{"var x = ", "1+", "1", "", ""},
		{"var x = ", "f(", "1", ")", ""},
		{"var x = ", "a.", "b", "", ""},
		{"var x = T", "{", "", "}", ""},
		{"var x ", "[]", "T", "", ""},
		{"var x ", "*", "T", "", ""},
		{"var x ", "func(", "T", ")", ""},
		{"var x ", "struct{a ", "T", "}", ""},
		{"var x ", "interface{a(x ", "T", ")}", ""},
		{"func x() ", "{", "", "}", ""},
		{"func x() { ", "func(){", "", "}()", "}"},
		{"func x() { ", "if a {", "", "}", "}"},
		{"func x() { if a {} ", "else if a {}", "", "", "}"},
		{"func x() { ", "l:", ";", "", "}"},
		{"func x() { ", "switch{case a:", "", "}", "}"},
	} {
		seen := map[bool]bool{}
		for n := 1; n < most; n++ {
			text := "package p\n\n" + c.before + strings.Repeat(c.open, n) + c.in + strings.Repeat(c.end, n) + c.after + "\n\nvar y = 1\n"
			tree := Parse("file:///x.go", []byte(text))
			walked := depth(tree.AST)
			for _, levels := range []int{walked - 1, walked, walked + 1, most / 2} {
				if got, want := DeeperThan(tree.AST, levels), walked > levels; got != want {
					t.Fatalf("%d times %q: deeper than %d: %v; it has %d levels", n, c.open, levels, got, walked)
				}
			}
			seen[walked > most/2] = true
		}
		if !seen[true] || !seen[false] {
			t.Errorf("%q is on one side of the bound only: %s", c.open, fmt.Sprint(seen))
		}
	}
	file := Parse("file:///x.go", []byte("package p\n")).AST
	if DeeperThan(file, MaxDepth) {
		t.Error("a file without declarations is deep")
	}
}
