package refactor

import (
	"flag"
	"fmt"
	"go/ast"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	changesSeed  = flag.Uint64("changes.seed", 0, "seed of TestChangesKeepCodeRight; 0: of the clock")
	changesN     = flag.Int("changes.n", 12, "places that TestChangesKeepCodeRight tries in each package")
	changesOf    = flag.String("changes.of", "bufio,encoding/csv", "comma-separated packages of the standard library that it changes")
	changesKinds = flag.String("changes.kinds", "", "kinds that it makes; all if empty")
)

// TestChangesKeepCodeRight makes changes at random places of the standard library: what compiled
// still does (E1).
func TestChangesKeepCodeRight(t *testing.T) {
	seed := *changesSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("go test -run TestChangesKeepCodeRight -changes.seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	made := map[string]int{}
	for id := range strings.SplitSeq(*changesOf, ",") {
		p := b.Package(id)
		imports := b.Imports(p)
		view := func(uri string) *check.View {
			var trees []*syntax.Tree
			for _, uri := range p.Files {
				trees = append(trees, syntax.Parse(uri, b.Text(uri)))
			}
			slot, _ := check.Views.Take(id)
			defer slot.Done()
			v, err := slot.View(p, imports, trees, check.Sight{URI: uri, Bodies: check.AllBodies})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for range *changesN {
			uri := p.Files[rng.IntN(len(p.Files))]
			v := view(uri)
			start, end := someNodes(rng, v)
			r := &Request{View: v, Start: start, End: end}
			var only []string
			if *changesKinds != "" {
				only = strings.Split(*changesKinds, ",")
			}
			for _, c := range Changes(r, only) {
				edit, err := c.Make()
				if err != nil || edit.IsEmpty() {
					continue
				}
				made[c.Kind]++
				before := map[string][]byte{}
				for _, f := range edit.Files {
					text, err := lsp.Apply(b.Text(f.URI), f.Edits)
					if err != nil {
						t.Fatalf("%s: %s at %d: %v", f.URI, c.Title, start, err)
					}
					before[f.URI] = b.Text(f.URI)
					b.Texts[f.URI] = text
				}
				if after := view(uri); len(after.Errors) > 0 || len(after.File.Errors) > 0 {
					t.Errorf("%s %s: %q at %q: %v %v\n%s", uri, c.Kind, c.Title, v.File.Text[start:end], after.Errors, after.File.Errors,
						changed(string(v.File.Text), string(after.File.Text)))
				}
				for uri, text := range before {
					b.Texts[uri] = text
				}
			}
		}
	}
	t.Log(made)
}

// someNodes is the place of a node of a file, or of some that follow each other in a block.
func someNodes(rng *rand.Rand, v *check.View) (start, end int) {
	var nodes [][2]ast.Node
	ast.Inspect(v.File.AST, func(n ast.Node) bool {
		if n == nil {
			return true
		}
		nodes = append(nodes, [2]ast.Node{n, n})
		if list := statementsOf(n); len(list) > 1 {
			for range 3 {
				i := rng.IntN(len(list))
				nodes = append(nodes, [2]ast.Node{list[i], list[i+rng.IntN(len(list)-i)]})
			}
		}
		return true
	})
	n := nodes[rng.IntN(len(nodes))]
	return v.File.Offset(n[0].Pos()), v.File.Offset(n[1].End())
}

// changed is what differs between two texts.
func changed(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return fmt.Sprintf("- %s\n+ %s", strings.Join(a, "\n- "), strings.Join(b, "\n+ "))
}
