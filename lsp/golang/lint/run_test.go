package lint

import (
	"bytes"
	"flag"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var lintOf = flag.String("lint.of", "bufio", "comma-separated packages of the standard library that TestStandardLibrary looks at")

var factsOf = flag.String("lint.facts", "log,flag", "comma-separated packages of the standard library that TestWanted notes facts about, with all that they import")

// never stops no analyzer.
func never(run func()) error { run(); return nil }

// A noter has the facts about packages of the standard library.
type noter struct {
	t     *testing.T
	b     *purebuild.Build
	notes Notes
	of    map[string]Noted // by ID
	seen  int              // packages that were looked at with types

	compare bool // with what there is of whole packages
}

func (n *noter) imported(path string) []byte { return n.of[path].Facts }

// view has fn look at a package.
func (n *noter) view(p *metadata.Package, trees []*syntax.Tree, s check.Sight, fn func(*check.View)) {
	var pool check.ViewPool
	slot, _ := pool.Take(p.ID)
	defer slot.Done()
	v, err := slot.View(p, n.b.Imports(p), trees, s)
	if err != nil {
		n.t.Fatal(err)
	}
	fn(v)
}

// note notes facts about a package, behind all that it imports.
func (n *noter) note(id string) Noted {
	if out, ok := n.of[id]; ok {
		return out
	}
	p := n.b.Package(id)
	var ending []string
	for i := range p.Imports {
		if id := p.Imports[i].Faced(); id != "" {
			ending = append(ending, n.note(id).Ending...)
		}
	}
	var out Noted
	defer func() { n.of[id] = out }()
	if metadata.IsSyntaxOnly(p) || p.Cgo {
		return out
	}
	var trees []*syntax.Tree
	for _, uri := range p.Files {
		trees = append(trees, syntax.Parse(uri, n.b.Text(uri)))
	}
	look := func(w Wanted) (out Noted) {
		n.view(p, trees, check.Sight{Bodies: check.SomeBodies, Keep: w.Keep}, func(v *check.View) {
			var err error
			if out, err = n.notes.Note(v, w, n.imported, never); err != nil {
				n.t.Fatal(err)
			}
		})
		return out
	}
	w := n.notes.Wanted(p, trees, ending)
	if w.Any {
		n.seen++
		out = look(w)
	}
	if n.compare {
		whole := look(Wanted{Any: true, all: true})
		if !bytes.Equal(whole.Facts, out.Facts) {
			n.t.Errorf("%s: facts without the bodies that are not wanted\n%q\nwith them\n%q", id, out.Facts, whole.Facts)
		}
	}
	out.Ending = append(out.Ending, ending...)
	return out
}

// TestWanted: leaving out what is not wanted loses no fact.
func TestWanted(t *testing.T) {
	env, m := purebuild.Std()
	n := &noter{t: t, b: purebuild.New(t, env, m), notes: Settings{}.Notes(), of: map[string]Noted{}, compare: true}
	for id := range strings.SplitSeq(*factsOf, ",") {
		n.note(id)
	}
	t.Logf("%d of %d packages were looked at with types", n.seen, len(n.of))
	if names := strings.Join(n.of["log"].Ending, " "); !strings.Contains(names, "Fatalf") {
		t.Errorf("of package log there end what calls them: %s", names)
	}
}

// TestStandardLibrary: every analyzer gives an answer about real code, twice the same (N1).
func TestStandardLibrary(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	on := true
	everything := Settings{Staticcheck: &on, Analyses: map[string]bool{}}
	for name := range all() {
		everything.Analyses[name] = true
	}
	n := &noter{t: t, b: b, notes: everything.Notes(), of: map[string]Noted{}}
	for id := range strings.SplitSeq(*lintOf, ",") {
		p := b.Package(id)
		var trees []*syntax.Tree
		for _, uri := range p.Files {
			trees = append(trees, syntax.Parse(uri, b.Text(uri)))
		}
		for i := range p.Imports {
			n.note(p.Imports[i].Checked())
		}
		var first []Finding
		for range 2 {
			var found []Finding
			n.view(p, trees, check.Sight{URI: p.Files[0], Bodies: check.AllBodies}, func(v *check.View) {
				res, err := Run(v, everything, n.imported, never)
				if err != nil {
					t.Fatal(err)
				}
				found = res.Found
				for _, f := range res.Failed {
					t.Errorf("%s: %s: %s", id, f.Analyzer, f.Why)
				}
			})
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
