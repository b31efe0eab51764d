package check_test

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// TestTypeErrorsAreAllTold: where nothing is broken and nothing comes from C, every error that
// go/types finds is told. A name in a file of the standard library is put in the place of another.
func TestTypeErrorsAreAllTold(t *testing.T) {
	const edits = 45
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	rng := rand.New(rand.NewPCG(*spoilSeed, 8))
	ids := []string{"bufio", "container/list", "errors", "go/scanner", "maps", "regexp/syntax", "slices", "strings", "text/tabwriter"}
	told := 0
	for n := range edits {
		p := b.Package(ids[n%len(ids)])
		uri := p.Files[rng.IntN(len(p.Files))]
		text := swapName(rng, b.Text(uri))
		if _, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution); err != nil {
			continue
		}
		var files []*syntax.Tree
		for _, u := range p.Files {
			if u == uri {
				files = append(files, syntax.Parse(u, text))
			} else {
				files = append(files, syntax.Trees.Get(u, b.Text(u)))
			}
		}
		c, err := check.Package(p, files, b.Imports(p), purebuild.NoDoubt, true)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range c.Diagnostics {
			got = append(got, d.Diag.Message)
		}
		want := typeErrors(b, p, files)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("edit %d of -spoil.seed=%d: %s has %q, want %q", n, *spoilSeed, uri, got, want)
		}
		told += len(got)
	}
	if told < edits/3 {
		t.Errorf("only %d errors were made", told)
	}
}

// typeErrors are the messages of go/types about the files of a package.
func typeErrors(b *purebuild.Build, p *metadata.Package, files []*syntax.Tree) (list []string) {
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, t := range files {
		fset.AddExistingFiles(t.Pos)
		parsed = append(parsed, t.AST)
	}
	w, err := check.DecodeWorld(b.Imports(p))
	if err != nil {
		panic(err)
	}
	var primary types.Error
	conf := types.Config{GoVersion: p.GoVersion, Importer: w, Sizes: b.Sizes, Error: func(err error) {
		e := err.(types.Error)
		if text, continues := strings.CutPrefix(e.Msg, "\t"); !continues {
			primary = e
			list = append(list, e.Msg)
		} else if e.Pos != primary.Pos {
			list = append(list, primary.Msg+": "+text)
		}
	}}
	_, _ = conf.Check(p.Path, fset, parsed, nil) // the errors are in the list
	return list
}

// swapName puts a name of a text in the place of another one.
func swapName(rng *rand.Rand, text []byte) []byte {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		return text
	}
	var names []*ast.Ident
	for _, decl := range file.Decls {
		ast.Inspect(decl, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				names = append(names, id)
			}
			return true
		})
	}
	if len(names) == 0 {
		return text
	}
	slices.SortFunc(names, func(a, b *ast.Ident) int { return cmp.Compare(a.Pos(), b.Pos()) })
	old, by := names[rng.IntN(len(names))], names[rng.IntN(len(names))]
	at := int(old.Pos() - file.FileStart)
	return slices.Concat(bytes.Clone(text[:at]), []byte(by.Name), text[at+len(old.Name):])
}
