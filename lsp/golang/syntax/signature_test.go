package syntax

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestSignatureAt(t *testing.T) {
	for _, c := range []struct{ decl, want string }{
		{"func f()", "func()"},
		{"func f(a, b int)", "func(a, b int)"},
		{"func (t *T[K]) f(a, _, _, d int, _ ...string) (err error)", "func(a, _0, _1, d int, _2 ...string) (err error)"},
		{"func f(int, map[string]func(x int) bool) error", "func(_0 int, _1 map[string]func(x int) bool) error"},
		{"func f(\n\ta int,\n\tb string,\n) (\n\tint, error,\n)", "func(a int, b string) (int, error)"},
		{"func f[T any](p T) T { return p }", "func(p T) T"},
	} {
		text := []byte("package p\n\n" + c.decl + "\n")
		tree := Parse("file:///p.go", text)
		at := bytes.Index(text, []byte("func"))
		for _, offset := range []int{at, at + 2, at + 4} {
			s, ok := SignatureAt(tree, offset)
			if !ok || s.Text != c.want || s.Keyword.Start != at || s.Keyword.End != at+4 {
				t.Errorf("%q: got %q at %v, %t, want %q", c.decl, s.Text, s.Keyword, ok, c.want)
			}
		}
		if s, ok := SignatureAt(tree, at+5); ok {
			t.Errorf("%q: %q behind the keyword", c.decl, s.Text)
		}
	}
}

func TestSignatureOrder(t *testing.T) {
	text := []byte("package p\n\nfunc f(a, b int, _ string, c ...bool) error\n")
	s, ok := SignatureAt(Parse("file:///p.go", text), bytes.Index(text, []byte("func")))
	if !ok {
		t.Fatal("there is no signature")
	}
	for _, c := range []struct{ to, want string }{
		{s.Text, "[0 1 2 3]"},
		{"func(b, a int, _0 string, c ...bool) error", "[1 0 2 3]"},
		{"func(_0 string, a int) error", "[2 0]"},
		{"func(c ...bool) (error)", "[3]"},
		{"func() error", "[]"},
		{"func(a string) error", "type of a parameter (a) is not yet supported"},
		{"func(a, a int) error", "twice"},
		{"func(x int) error", "adding parameters (x) is not yet supported"},
		{"func(a int)", "results is not yet supported"},
		{"func(a int", "no signature"},
		{"a + b", "no signature"},
		{"", "no signature"},
	} {
		order, err := s.Order(c.to)
		if got := fmt.Sprint(order, err); !strings.Contains(got, c.want) || (err == nil) != (c.want[0] == '[') {
			t.Errorf("%q: got %s, want %s", c.to, got, c.want)
		}
	}
}
