package complete_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/token"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/complete"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	oraclePackages = flag.String("oracle.packages", "bufio,net/url", "comma-separated packages of the standard library")
	oracleCuts     = flag.Int("oracle.cuts", 40, "names that are cut off in each package")
	oracleSeed     = flag.Uint64("oracle.seed", 1, "seed of the cuts")
	oracleShow     = flag.Bool("oracle.show", false, "say which names were not among the first three")
)

// A bench is a package of the standard library whose files are completed in.
type bench struct {
	tb    testing.TB
	build *purebuild.Build
	id    string

	texts    map[string][]byte
	imported []check.Import
}

// text is the text of a file as on disk, read once.
func (b *bench) text(uri string) []byte {
	if b.texts == nil {
		b.texts = map[string][]byte{}
	}
	text, ok := b.texts[uri]
	if !ok {
		text = b.build.Text(uri)
		b.texts[uri] = text
	}
	return text
}

func (b *bench) imports(p *metadata.Package) []check.Import {
	if b.imported == nil {
		b.imported = b.build.Imports(p)
	}
	return b.imported
}

// look has fn look at the package with another text of a file.
func (b *bench) look(uri string, text []byte, d *syntax.Draft, fn func(v *check.View)) {
	b.tb.Helper()
	p := b.build.Package(b.id)
	var texts [][]byte
	for _, u := range p.Files {
		if u == uri {
			texts = append(texts, text)
		} else {
			texts = append(texts, b.text(u))
		}
	}
	slot, busy := check.Views.Take(b.id)
	if busy != nil {
		b.tb.Fatalf("%s: somebody has it", b.id)
	}
	defer slot.Done()
	v, err := slot.Declarations(p, b.imports(p), p.Files, texts, uri, d.Section)
	if err != nil {
		b.tb.Fatal(err)
	}
	fn(v)
}

// at completes at a place of another text of a file.
func (b *bench) at(uri string, text []byte, offset int, o lsp.CompletionOptions) (items []complete.Item) {
	b.tb.Helper()
	d := syntax.NewDraft(uri, text, offset)
	b.look(uri, text, d, func(v *check.View) {
		var err error
		if items, _, err = complete.At(v, d, complete.Options{CompletionOptions: o}, nil); err != nil {
			b.tb.Fatalf("%s: %d bytes, offset %d: %v", uri, len(text), offset, err)
		}
	})
	return items
}

// A cut is a name of a file that is cut off behind some of its letters.
type cut struct {
	uri    string
	text   []byte
	offset int
	name   string
	typed  int
	member bool // behind a dot
}

// cuts are names in function bodies, at random.
func cuts(rng *rand.Rand, b *bench, n int, forward bool) (list []cut) {
	p := b.build.Package(b.id)
	for len(list) < n {
		uri := p.Files[rng.IntN(len(p.Files))]
		text := b.text(uri)
		t := syntax.Trees.Get(uri, text)
		var names, members []*ast.Ident
		selected := map[*ast.Ident]bool{}
		for _, d := range t.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			declared := map[*ast.Ident]bool{}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					selected[n.Sel] = true
					members = append(members, n.Sel)
				case *ast.AssignStmt:
					for _, l := range n.Lhs {
						if id, ok := l.(*ast.Ident); ok && n.Tok == token.DEFINE {
							declared[id] = true
						}
					}
				case *ast.RangeStmt:
					for _, l := range []ast.Expr{n.Key, n.Value} {
						if id, ok := l.(*ast.Ident); ok && n.Tok == token.DEFINE {
							declared[id] = true
						}
					}
				case *ast.ValueSpec:
					for _, id := range n.Names {
						declared[id] = true
					}
				case *ast.Field:
					for _, id := range n.Names {
						declared[id] = true
					}
				case *ast.TypeSpec:
					declared[n.Name] = true
				case *ast.LabeledStmt:
					declared[n.Label] = true
				case *ast.Ident:
					if !selected[n] && !declared[n] && n.Name != "_" {
						names = append(names, n)
					}
				}
				return true
			})
		}
		from := names
		member := rng.IntN(2) == 0
		if member {
			from = members
		}
		if len(from) == 0 {
			continue
		}
		id := from[rng.IntN(len(from))]
		typed := rng.IntN(min(len(id.Name), 4))
		start := t.Offset(id.Pos())
		rest := text[start+len(id.Name):]
		if forward {
			if i := strings.IndexByte(string(rest), '\n'); i >= 0 {
				rest = rest[i:]
			}
		}
		cutText := append(append([]byte{}, text[:start+typed]...), rest...)
		list = append(list, cut{uri, cutText, start + typed, id.Name, typed, member})
	}
	return list
}

// TestRemovedNameIsAmongTheFirst: of names that are cut off somewhere in real code, most are among
// the first three that are told.
func TestRemovedNameIsAmongTheFirst(t *testing.T) {
	env, m := purebuild.Std()
	build := purebuild.New(t, env, m)
	for _, forward := range []bool{false, true} {
		good, all := map[string]int{}, map[string]int{}
		for _, id := range strings.Split(*oraclePackages, ",") {
			b := &bench{tb: t, build: build, id: id}
			rng := rand.New(rand.NewPCG(*oracleSeed, 3))
			for _, c := range cuts(rng, b, *oracleCuts, forward) {
				began := time.Now()
				items := b.at(c.uri, c.text, c.offset, lsp.CompletionOptions{Snippets: true})
				took := time.Since(began)
				place := -1
				for i, item := range items {
					if item.Label == c.name {
						place = i
						break
					}
				}
				kinds := []string{"all", fmt.Sprintf("typed %d", c.typed)}
				if c.member {
					kinds = append(kinds, "members")
				} else {
					kinds = append(kinds, "names")
				}
				for _, k := range kinds {
					all[k]++
					if 0 <= place && place < 3 {
						good[k]++
					}
				}
				if *oracleShow && (place < 0 || place >= 3) {
					line := strings.Count(string(c.text[:c.offset]), "\n")
					from := strings.LastIndexByte(string(c.text[:c.offset]), '\n') + 1
					to := c.offset + strings.IndexByte(string(c.text[c.offset:])+"\n", '\n')
					var first []string
					for _, item := range items[:min(4, len(items))] {
						first = append(first, item.Label)
					}
					t.Logf("%s:%d: %s|%s: %s is number %d of %d: %v (%v)", c.uri[strings.LastIndexByte(c.uri, '/')+1:], line+1,
						strings.TrimSpace(string(c.text[from:c.offset])), c.text[c.offset:to], c.name, place, len(items), first, took)
				}
			}
		}
		least := 90
		if forward {
			least = 82 // nothing behind the place says what it is
		}
		if 100*good["all"] < least*all["all"] {
			t.Errorf("seed %d, forward %v: %d of %d names are among the first three", *oracleSeed, forward, good["all"], all["all"])
		}
		for k, n := range all {
			t.Logf("seed %d, forward %v, %s: %d of %d (%.1f %%)", *oracleSeed, forward, k, good[k], n, 100*float64(good[k])/float64(n))
		}
	}
}
