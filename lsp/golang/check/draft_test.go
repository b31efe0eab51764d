package check_test

import (
	"errors"
	"go/types"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Behind edits of bodies, of which no declaration is checked anew, what a half-typed
// text names stands where the text has it, and packages that the file imports have a place, too.
func TestDraftsNameThingsWhereTheyStand(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	p := b.Package("bufio")
	var uri string
	for _, u := range p.Files {
		if strings.HasSuffix(u, "/bufio.go") {
			uri = u
		}
	}
	var pool check.ViewPool
	pool.Bound(check.ViewsBytes)
	var declared *types.Scope
	text := string(b.Text(uri))
	for round := range 3 {
		var texts [][]byte
		for _, u := range p.Files {
			if u == uri {
				texts = append(texts, []byte(text))
			} else {
				texts = append(texts, b.Text(u))
			}
		}
		slot, _ := pool.Take(p.ID)
		v, err := slot.Declarations(p, b.Imports(p), p.Files, texts, uri, lsp.Span{})
		if err != nil {
			t.Fatal(err)
		}
		if scope := v.Package.Scope(); round == 0 {
			declared = scope
		} else if declared != scope {
			t.Fatal("the declarations were checked anew")
		}
		named := 0
		for _, name := range v.Package.Scope().Names() {
			at, ok := v.NameOf(v.Package.Scope().Lookup(name))
			if !ok {
				t.Fatalf("round %d: %s has no place", round, name)
			}
			if at.URI != uri {
				continue
			}
			if named++; !strings.HasPrefix(text[at.Offset:], name) {
				t.Errorf("round %d: %s is said to be at %d, %.20q", round, name, at.Offset, text[at.Offset:])
			}
		}
		if named < 10 {
			t.Fatalf("%d names in the file", named)
		}
		sketch, err := v.Check(syntax.NewDraft(uri, []byte(text), strings.LastIndex(text, "return ")))
		if err != nil {
			t.Fatal(err)
		}
		imports := 0
		for _, obj := range sketch.Info.Implicits {
			if _, ok := obj.(*types.PkgName); !ok {
				continue
			}
			at, ok := v.NameOf(obj)
			if !ok || at.URI != uri || !strings.HasPrefix(text[at.Offset:], `"`) {
				t.Errorf("round %d: the import of %s is said to be at %+v, %t", round, obj.Name(), at, ok)
			}
			imports++
		}
		if imports < 3 {
			t.Fatalf("%d imports", imports)
		}
		slot.Done()
		body := strings.Index(text, ") *Reader {\n") + len(") *Reader {\n") // of a function before all others
		text = text[:body] + strings.Repeat("\t// A remark.\n", 40) + text[body:]
	}
}

// A file that is not fit to be checked is told to be so by a view that was made before, too.
func TestViewOfAnUnfitFile(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	p := b.Package("bufio")
	var trees []*syntax.Tree
	for i, uri := range p.Files {
		text := b.Text(uri)
		if i == 0 {
			text = []byte("package bufio\n\n" + strings.Repeat("var _ = 1\n", 500_000))
		}
		trees = append(trees, syntax.Parse(uri, text))
	}
	var pool check.ViewPool
	pool.Bound(check.ViewsBytes)
	for _, bodies := range []check.Bodies{check.AllBodies, check.BodyAt} {
		slot, _ := pool.Take(p.ID)
		uri := ""
		if bodies == check.BodyAt {
			uri = p.Files[0]
		}
		v, err := slot.View(p, b.Imports(p), trees, check.Sight{URI: uri, Bodies: bodies, Apart: bodies == check.BodyAt})
		if uri == "" && err != nil {
			t.Fatal(err)
		}
		if uri != "" && !errors.Is(err, check.ErrUnfit) {
			t.Errorf("a view of the file is %v, %v", v, err)
		}
		slot.Done()
	}
}
