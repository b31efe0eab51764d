package syntax

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

func TestTypeText(t *testing.T) {
	const src = `package p

// T is documented.
type T struct { // at the brace
	// A is the first.
	A int

	B string ` + "`json:\"b\"`" + ` // the second
}

type (
	One struct{ X int }
	G[E any] interface {
		M(E)
	}
)

func f() {
	type Local struct {
		Z int
	}
}
`
	for name, want := range map[string]string{
		"T":     "type T struct { // at the brace\n\t// A is the first.\n\tA int\n\n\tB string `json:\"b\"` // the second\n}",
		"One":   "", // reads as well as a signature
		"G":     "type G[E any] interface {\n\tM(E)\n}",
		"Local": "type Local struct {\n\tZ int\n}",
		"f":     "", // no type
	} {
		at := -1
		for _, before := range []string{"type ", "func ", "(\n\t", "}\n\t"} {
			if i := strings.Index(src, before+name); i >= 0 {
				at = i + len(before)
				break
			}
		}
		if got := TypeText([]byte(src), lsp.Span{Start: at, End: at + len(name)}); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	if got := TypeText([]byte("no Go at all"), lsp.Span{Start: 3, End: 5}); got != "" {
		t.Errorf("of no Go: %q", got)
	}
	long := "package p\n\ntype T struct {\n" + strings.Repeat("\tF int\n", typeTextBytes) + "}\n"
	if got := TypeText([]byte(long), lsp.Span{Start: strings.Index(long, "T struct"), End: strings.Index(long, " struct")}); len(got) > typeTextBytes+8 || !strings.HasSuffix(got, "\tF int\n\t…\n}") {
		t.Errorf("of a giant: %d bytes, ending in %q", len(got), got[max(0, len(got)-20):])
	}
}
