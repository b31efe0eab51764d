package complete

import (
	"go/token"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// testKinds are the functions that the testing package calls.
var testKinds = []struct{ name, param, as string }{
	{"Test", "t", "T"}, {"Benchmark", "b", "B"}, {"Fuzz", "f", "F"},
}

// definitions adds what a declaration that begins at the place could be called. It reports whether
// nothing else can stand there.
func (c *completer) definitions() (only bool) {
	cur := &c.d.Cursor
	switch {
	case cur.Before == token.PACKAGE:
		name := c.v.Package.Name()
		names := []string{strings.TrimSuffix(name, "_test")}
		if strings.HasSuffix(c.d.URI, "_test.go") {
			names = append(names, names[0]+"_test")
		}
		for i, name := range append(names, "main") {
			if score, ok := c.match.score(name); ok && (i == 0 || name != names[0]) {
				c.items = append(c.items, Item{
					Completion: lsp.Completion{Label: "package " + name, Kind: lsp.CompletionModule, Text: name, Filter: name},
					score:      score / float64(1+i),
				})
			}
		}
		return true
	case cur.Before != token.FUNC || cur.Depth > 0:
		return false
	case !strings.HasSuffix(c.d.URI, "_test.go") || c.match.typed == "":
		return true
	}
	typed := c.match.typed
	for _, k := range testKinds {
		name, shown := typed, typed
		switch {
		case strings.HasPrefix(k.name, typed) || typed == k.name:
			name, shown = k.name+"${1:Name}", k.name+"Name"
			if !c.o.Snippets {
				name = k.name
			}
		case !strings.HasPrefix(typed, k.name):
			continue
		}
		params := "(" + k.param + " *testing." + k.as + ")"
		item := Item{
			Completion: lsp.Completion{Label: shown + params, Kind: lsp.CompletionFunction, Text: name, Filter: shown},
			score:      fits,
		}
		if c.d.Cursor.After != '(' {
			item.Text += params
			if c.o.Snippets {
				item.Text, item.Snippet = item.Text+" {\n\t$0\n}", true
			}
			_, item.Extra = c.importing("testing", "testing")
		} else {
			item.Snippet = c.o.Snippets
		}
		c.items = append(c.items, item)
	}
	return true
}
