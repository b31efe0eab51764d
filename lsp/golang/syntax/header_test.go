package syntax

import (
	"slices"
	"strings"
	"testing"
)

func TestHeader(t *testing.T) {
	base := "//go:build linux\n\n// Doc.\npackage p\n\nimport \"fmt\"\n\nfunc f() {}\n"
	for _, c := range []struct {
		what string
		text string
		same bool
	}{
		{"a body", strings.Replace(base, "{}", "{ x() }", 1), true},
		{"a comment", strings.Replace(base, "// Doc.", "// Other.", 1), true},
		{"a syntax error further down", base + "func (", true},
		{"the package name", strings.Replace(base, "package p", "package q", 1), false},
		{"an import", strings.Replace(base, `"fmt"`, `"os"`, 1), false},
		{"one more import", strings.Replace(base, `"fmt"`, "\"fmt\"\nimport \"os\"", 1), false},
		{"a name for an import", strings.Replace(base, `"fmt"`, `f "fmt"`, 1), true},
		{"a constraint", strings.Replace(base, "linux", "darwin", 1), false},
		{"no constraint", strings.Replace(base, "//go:build linux", "", 1), false},
		{"an embed directive", base + "//go:embed x\nvar x string\n", false},
		{"a syntax error in the header", strings.Replace(base, "package p", "package", 1), false},
	} {
		if same := HeaderText([]byte(c.text)) == HeaderText([]byte(base)); same != c.same {
			t.Errorf("%s: same is %v\n%s", c.what, same, HeaderText([]byte(c.text)))
		}
	}
	p := ParseHeader(HeaderText([]byte(base)))
	again := ParseHeader(HeaderText(p.Source()))
	if p.Name != "p" || !slices.Equal(p.Imports, []string{"fmt"}) || !slices.Equal(p.Constraints, again.Constraints) || !slices.Equal(p.Imports, again.Imports) {
		t.Errorf("parsed %+v, again %+v", p, again)
	}
	if !ParseHeader(HeaderText(nil)).Broken {
		t.Error("an empty file has a good header")
	}
}
