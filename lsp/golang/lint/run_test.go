package lint

import (
	"flag"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var lintOf = flag.String("lint.of", "bufio", "comma-separated packages of the standard library that TestStandardLibrary looks at")

// TestStandardLibrary: every analyzer gives an answer about real code, twice the same (N1).
func TestStandardLibrary(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	on := true
	everything := Settings{Staticcheck: &on, Analyses: map[string]bool{}}
	for name := range all() {
		everything.Analyses[name] = true
	}
	for id := range strings.SplitSeq(*lintOf, ",") {
		p := b.Package(id)
		var trees []*syntax.Tree
		for _, uri := range p.Files {
			trees = append(trees, syntax.Parse(uri, b.Text(uri)))
		}
		var first []Finding
		for range 2 {
			slot, _ := check.Views.Take(id)
			v, err := slot.View(p, b.Imports(p), trees, check.Sight{URI: p.Files[0], Bodies: check.AllBodies})
			if err != nil {
				t.Fatal(err)
			}
			found, failed := Run(v, everything)
			for _, err := range failed {
				t.Errorf("%s: %v", id, err)
			}
			slot.Done()
			if first == nil {
				first = found
				continue
			}
			if len(first) != len(found) {
				t.Fatalf("%s: %d findings, then %d", id, len(first), len(found))
			}
			for i := range found {
				if a, b := first[i], found[i]; a.URI != b.URI || a.Diag.Span != b.Diag.Span || a.Diag.Message != b.Diag.Message || a.Diag.Source != b.Diag.Source {
					t.Errorf("%s: %v, then %v", id, a, b)
				}
			}
		}
		t.Logf("%s: %d findings", id, len(first))
	}
}
