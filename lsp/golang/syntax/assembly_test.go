package syntax

import (
	"fmt"
	"strings"
	"testing"
)

func TestAssemblyNameAt(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"TEXT ·f|f(SB), $16\n", `"" ff`},
		{"TEXT |·ff(SB), $16\n", `"" ff`},
		{"\tCALL example·com∕b·|B\n", `"example.com/b" B`},
		{"\tCALL exam|ple·com∕b·B(SB)\n", `"example.com/b" B`},
		{"TEXT ·f(SB)\nloop:\n\tJMP lo|op\n", `label loop 13`},
		{"TEXT ·f(SB)\n\tJMP lo|op\n  loop : // here\n", `label loop 25`},
		{"TEXT ·f(SB)\nloop:\n\tRET\nTEXT ·g(SB)\n\tJMP lo|op\n", "nothing"},
		{"TEXT ·f(SB)\n\tJMP lo|op\nTEXT ·g(SB)\nloop:\n", "nothing"},
		{"// TEXT ·f|f(SB)\n", "nothing"},
		{"\tMOVQ A|X, BX\n", "nothing"},
		{"|", "nothing"},
		{"\xff·|", "nothing"},
	} {
		offset := strings.Index(c.text, "|")
		n, ok := AssemblyNameAt([]byte(strings.Replace(c.text, "|", "", 1)), offset)
		got := "nothing"
		switch {
		case ok && n.Label.End > 0:
			got = fmt.Sprintf("label %s %d", n.Name, n.Label.Start)
		case ok:
			got = fmt.Sprintf("%q %s", n.Package, n.Name)
		}
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestAssemblyFunction(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"// TEXT ·ff(SB)\nTEXT ·fff(SB), $0\nTEXT ·ff(SB), $16\n", "43-45"},
		{"TEXT\t·ff<ABIInternal>(SB), $16\n", "7-9"},
		{"\tCALL ·ff(SB)\n", "nothing"},
		{"TEXT other·ff(SB), $16\n", "nothing"},
		{"TEXT ·ff", "nothing"},
		{"", "nothing"},
	} {
		got := "nothing"
		if at, ok := AssemblyFunction([]byte(c.text), "ff"); ok {
			got = fmt.Sprintf("%d-%d", at.Start, at.End)
		}
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}
