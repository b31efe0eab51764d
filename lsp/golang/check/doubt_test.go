package check_test

import (
	"flag"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/edits"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var spoilSeed = flag.Uint64("spoil.seed", 1, "seed of the edits that break files")

// TestHalfTypedSpoilsNoOtherFile: a file is cut off, loses a token or the rest of a line, or gets a
// line that is half typed. It says where it breaks, and nothing is said of the other files of
// its package or of packages that import it.
func TestHalfTypedSpoilsNoOtherFile(t *testing.T) {
	const most = 32
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	rng := rand.New(rand.NewPCG(*spoilSeed, 7))
	importers := map[string][]string{
		"go/scanner": {"go/parser"}, "regexp/syntax": {"regexp"}, "text/tabwriter": {"internal/coverage/cformat"}, "container/list": {"vendor/golang.org/x/text/unicode/bidi"},
	}
	ids := []string{"go/scanner", "regexp/syntax", "text/tabwriter", "container/list"}
	broken := 0
	for n := range most {
		p := b.Package(ids[n%len(ids)])
		uri := p.Files[rng.IntN(len(p.Files))]
		spoilt := edits.Break(rng, b.Text(uri))
		if spoilt == nil {
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", spoilt, parser.SkipObjectResolution); err == nil {
			continue
		}
		broken++
		half := purebuild.New(t, env, m)
		half.Faces = map[string][]byte{}
		for id, face := range b.Faces {
			if id != p.ID && !slices.Contains(importers[p.ID], id) {
				half.Faces[id] = face
			}
		}
		half.Texts[uri] = spoilt
		doubtOf := func(path string) (d syntax.Doubt) {
			if path == p.Path {
				for _, uri := range p.Files {
					d.Add(syntax.Parse(uri, half.Text(uri)).Doubt)
				}
			}
			return d
		}
		there := 0
		for _, id := range append([]string{p.ID}, importers[p.ID]...) {
			q := half.Package(id)
			var files []*syntax.Tree
			for _, uri := range q.Files {
				files = append(files, syntax.Parse(uri, half.Text(uri)))
			}
			c, err := check.Package(q, files, half.Imports(q), doubtOf, true)
			if err != nil {
				t.Error(err)
			}
			for _, d := range c.Diagnostics {
				if d.URI == uri {
					there++
				} else {
					t.Errorf("edit %d of -spoil.seed=%d: %s says %s", n, *spoilSeed, d.URI, d.Diag.Message)
				}
			}
		}
		if there == 0 {
			t.Errorf("edit %d of -spoil.seed=%d: nothing is said of %s", n, *spoilSeed, uri)
		}
		for id, face := range half.Faces {
			if id != p.ID && !slices.Contains(importers[p.ID], id) {
				b.Faces[id] = face
			}
		}
	}
	if broken < most/3 {
		t.Errorf("only %d of %d edits broke a file", broken, most)
	}
}
