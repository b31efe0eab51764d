package links

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// written is a list of links as text, one a line, in order.
func written(text string, list []lsp.Link) string {
	var b strings.Builder
	for _, l := range list {
		b.WriteString(text[l.Span.Start:l.Span.End] + " -> " + l.Target + "\n")
	}
	return b.String()
}

func TestOfGo(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"imports", "package a\n\nimport (\n\t\"fmt\"\n\tx `m/v`\n\t\"secret/x\"\n\t\"C\"\n\t\"./rel\"\n)\n", "fmt -> https://pkg.go.dev/fmt\nm/v -> https://pkg.go.dev/m@v1.2.3/v\n"},
		{"a comment", "package a\n\n// See (https://example.com/a?b=c#d), or http://x.org.\n", "https://example.com/a?b=c#d -> https://example.com/a?b=c#d\nhttp://x.org -> http://x.org\n"},
		{"without a scheme", "package a // golang.org/issue/12, not time.now or a@b.com/c\n", "golang.org/issue/12 -> https://golang.org/issue/12\n"},
		{"issues", "package a // TODO(golang/go#1234), microsoft/vscode-go#12: x#1\n", "golang/go#1234 -> https://github.com/golang/go/issues/1234\nmicrosoft/vscode-go#12 -> https://github.com/microsoft/vscode-go/issues/12\n"},
		{"strings", "package a\n\nvar x, y = \"https://a.com/b\\n\", `é http://c.com/d\r\ne`\n", "https://a.com/b -> https://a.com/b\nhttp://c.com/d -> http://c.com/d\n"},
		{"other schemes", "package a // file:///etc/passwd ftp://a.com/b mailto:a@b.com javascript://a.com/b\n", ""},
		{"carriage returns", "package a\r\n\r\n/* a\r\nb\r\nhttps://a.com/é */\r\n", "https://a.com/é -> https://a.com/é\n"},
		{"half typed", "package a\n\nimport \"fmt\n\n// https://a.com/b\nfunc f(\n", "https://a.com/b -> https://a.com/b\n"},
	} {
		got := written(c.text, OfGo(syntax.Parse("file:///a.go", []byte(c.text)), func(path string) string {
			return map[string]string{"fmt": "fmt", "m/v": "m@v1.2.3/v", "fmt\n": "?"}[path]
		}))
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestOfModule(t *testing.T) {
	const text = `module m // https://m.example/

require a.com/a v1.0.0
require (
	b.com/b v1.1.0 // indirect, b.com/doc
	c.com/c v1.2.0
	d.com/d v1.3.0
	private.com/e v1.0.0
)

replace b.com/b => b.com/fork v1.1.1

replace (
	c.com/c => ../c
	d.com/d v1.0.0 => d.com/other v1.0.0
)
`
	const want = `../c -> dir(../c)
a.com/a -> https://pkg.go.dev/mod/a.com/a@v1.0.0
b.com/b -> https://pkg.go.dev/mod/b.com/fork@v1.1.1
c.com/c -> https://pkg.go.dev/mod/c.com/c@v1.2.0
d.com/d -> https://pkg.go.dev/mod/d.com/d@v1.3.0
https://m.example/ -> https://m.example/
b.com/doc -> https://b.com/doc
`
	dir := func(dir string) string { return "dir(" + dir + ")" }
	if got := written(text, OfModule([]byte(text), "private.com", dir)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := OfModule([]byte("modul m\n"), "", dir); got != nil {
		t.Errorf("a file that cannot be parsed has %v", got)
	}
	const work = "go 1.24\n\nuse (\n\t./a // a.com/x\n\t.\n)\n"
	if got, want := written(work, OfWork([]byte(work), dir)), "./a -> dir(./a)\n. -> dir(.)\na.com/x -> https://a.com/x\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
