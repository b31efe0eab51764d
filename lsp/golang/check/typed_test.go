package check_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	typedFiles = flag.String("typed.files", "sync/runtime2.go,errors/join.go", "files of the standard library that TestTyped types, separated by commas")
	typedOf    = flag.String("typed.package", "", "a package of the standard library of which TestTyped types all files; empty: those of -typed.files")
	typedFresh = flag.Int("typed.fresh", 25, "after how many keys TestTyped compares with a fresh check")
	typedSeed  = flag.Uint64("typed.seed", 1, "seed of the order in which TestTyped types pieces")
)

// TestTyped types whole files key by key: forwards, taken back from the end, from the end to the
// beginning, and declaration by declaration in any order. At each key the package is checked while
// it is edited. Nothing panics; a file that is broken is said to be broken and nothing else; no
// other file has an error that goes when what is being typed has been typed to its end; and what is
// known is what a fresh check knows.
func TestTyped(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	names := strings.Split(*typedFiles, ",")
	if *typedOf != "" {
		names = nil
		for _, uri := range b.Package(*typedOf).Files {
			names = append(names, *typedOf+uri[strings.LastIndexByte(uri, '/'):])
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			dir, base, _ := cutLast(name, "/")
			p := b.Package(dir)
			i := slices.IndexFunc(p.Files, func(uri string) bool { return strings.HasSuffix(uri, "/"+base) })
			if i < 0 {
				t.Fatalf("package %s has no file %s", dir, base)
			}
			ty := &typist{t: t, b: b, p: p, uri: p.Files[i], imports: b.Imports(p), whole: b.Text(p.Files[i])}
			check.Sessions.Open(ty.uri)
			defer check.Sessions.Close(ty.uri)
			for how, keys := range ty.ways() {
				ty.how, ty.keys = how, 0
				keys(ty.key)
			}
		})
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// A typist types one file of a package.
type typist struct {
	t       *testing.T
	b       *purebuild.Build
	p       *metadata.Package
	uri     string
	imports []check.Import
	whole   []byte
	how     string // it is typed
	keys    int    // of this way
	done    []byte // the text that allowed belongs to
	allowed map[string]bool
}

// ways are the ways of typing the file. Each passes the text after each key, and that which it
// becomes when the declaration that is typed has been typed to its end.
func (ty *typist) ways() map[string]func(key func(text, finished []byte)) {
	ends := ty.ends()
	text := ty.whole
	end := func(at int) []byte {
		i, _ := slices.BinarySearch(ends, at)
		return text[:ends[i]]
	}
	return map[string]func(func(text, finished []byte)){
		"forwards": func(key func(_, _ []byte)) {
			for i := range len(text) + 1 {
				key(text[:i], end(i))
			}
		},
		"taken back": func(key func(_, _ []byte)) {
			for i := len(text); i >= 0; i-- {
				key(text[:i], end(i))
			}
		},
		"from the end": func(key func(_, _ []byte)) {
			for i := len(text); i >= 0; i-- {
				key(text[i:], text)
			}
		},
		"in pieces": func(key func(_, _ []byte)) {
			rng := rand.New(rand.NewPCG(*typedSeed, uint64(len(text))))
			have := make([]int, len(ends)) // how much of each piece there is
			for _, n := range append([]int{0}, addOne(rng.Perm(len(ends)-1))...) {
				start := 0
				if n > 0 {
					start = ends[n-1]
				}
				joined := func() []byte {
					var out []byte
					from := 0
					for i, to := range ends {
						out = append(out, text[from:from+have[i]]...)
						from = to
					}
					return out
				}
				have[n] = ends[n] - start
				finished := joined()
				for have[n] = range ends[n] - start + 1 {
					key(joined(), finished)
				}
				have[n] = ends[n] - start
			}
		},
	}
}

func addOne(list []int) []int {
	for i := range list {
		list[i]++
	}
	return list
}

// ends are the offsets where the package clause and the declarations end, each with what stands up
// to the next one.
func (ty *typist) ends() (ends []int) {
	file, err := parser.ParseFile(token.NewFileSet(), "", ty.whole, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		ty.t.Fatal(err)
	}
	for _, d := range file.Decls {
		start := d.Pos()
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc != nil {
				start = d.Doc.Pos()
			}
		case *ast.GenDecl:
			if d.Doc != nil {
				start = d.Doc.Pos()
			}
		}
		ends = append(ends, int(start-file.FileStart))
	}
	return append(ends, len(ty.whole))
}

// key checks the package with a text of the file.
func (ty *typist) key(text, finished []byte) {
	ty.keys++
	got := ty.check(text, false)
	where := fmt.Sprintf("%s, key %d, at %.40q", ty.how, ty.keys, text[max(0, len(text)-40):])
	tree := syntax.Parse(ty.uri, text)
	if broken := len(tree.Errors) > 0; broken {
		if !bytes.Equal(ty.done, finished) || ty.allowed == nil {
			ty.done, ty.allowed = finished, elsewhere(ty.check(finished, true), ty.uri)
		}
		own := 0
		for _, d := range got.Diagnostics {
			if d.URI == ty.uri {
				own++
				if d.Diag.Source != "syntax" {
					ty.t.Errorf("%s: the broken file is said to have %q", where, d.Diag.Message)
				}
			}
		}
		if own == 0 {
			ty.t.Errorf("%s: nothing is said of the broken file", where)
		}
		for line := range elsewhere(got, ty.uri) {
			if !ty.allowed[line] {
				ty.t.Errorf("%s: another file has an error that only follows: %s", where, line)
			}
		}
	}
	if ty.keys%*typedFresh == 0 || len(text) == len(ty.whole) || len(text) == 0 {
		want := ty.check(text, true)
		if !reflect.DeepEqual(got.Diagnostics, want.Diagnostics) {
			ty.t.Errorf("%s: while edited\n%+v\nfresh\n%+v", where, got.Diagnostics, want.Diagnostics)
		} else if !bytes.Equal(got.Index, want.Index) {
			ty.t.Errorf("%s: the index is another one: %s", where, firstDifference(got.Index, want.Index))
		}
	}
	if ty.t.Failed() {
		ty.t.FailNow()
	}
}

// elsewhere are the diagnostics of other files.
func elsewhere(r check.Result, uri string) map[string]bool {
	out := map[string]bool{}
	for _, d := range r.Diagnostics {
		if d.URI != uri {
			out[fmt.Sprintf("%s:%v: %s", d.URI, d.Diag.Span, d.Diag.Message)] = true
		}
	}
	return out
}

// check checks the package with a text of the file, as while it is edited or fresh.
func (ty *typist) check(text []byte, fresh bool) check.Result {
	var files []*syntax.Tree
	for _, uri := range ty.p.Files {
		switch {
		case uri == ty.uri:
			files = append(files, syntax.Parse(uri, text))
		case fresh:
			files = append(files, syntax.Parse(uri, ty.b.Text(uri)))
		default:
			files = append(files, syntax.Trees.Get(uri, ty.b.Text(uri)))
		}
	}
	if fresh {
		check.Sessions.Close(ty.uri)
		defer check.Sessions.Open(ty.uri)
	}
	r, err := check.Package(ty.p, files, ty.imports, purebuild.NoDoubt, true)
	if err != nil {
		ty.t.Fatalf("%s, key %d: %v", ty.how, ty.keys, err)
	}
	return r
}
