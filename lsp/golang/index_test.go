package golang

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// randomIndex makes contents for an index and the index.
func randomIndex(rng *rand.Rand) ([]indexFile, []declaration, []externalName, *index, []byte, error) {
	files := make([]indexFile, 1+rng.IntN(4))
	var decls []declaration
	var externals []externalName
	for i := range rng.IntN(20) {
		externals = append(externals, externalName{fmt.Sprintf("pkg%d", rng.IntN(4)), fmt.Sprintf("T%d.M", i)})
	}
	for i := range files {
		files[i].uri = fmt.Sprintf("file:///f%d.go", i)
		at := 0
		for range rng.IntN(30) {
			at += 1 + rng.IntN(2000)
			span := lsp.Span{Start: at, End: at + 1 + rng.IntN(30)}
			at = span.End
			switch {
			case rng.IntN(3) == 0:
				d := declaration{
					file: i, name: fmt.Sprintf("n%d", rng.IntN(9)), span: span, kind: lsp.KindField, flags: declFlags(rng.IntN(2)),
					signature: fmt.Sprintf("sig%d", rng.IntN(9)),
				}
				if rng.IntN(2) == 0 {
					d.path = fmt.Sprintf("P%d", len(decls))
					d.doc = lsp.Span{Start: 3, End: 9}
				}
				files[i].occurrences = append(files[i].occurrences, occurrence{span: span, target: len(decls), decl: true})
				decls = append(decls, d)
			case rng.IntN(2) == 0 && len(externals) > 0:
				files[i].occurrences = append(files[i].occurrences, occurrence{span: span, target: rng.IntN(len(externals)), external: true})
			case len(decls) > 0:
				o := occurrence{span: span, target: rng.IntN(len(decls))}
				if rng.IntN(4) == 0 {
					o.signature = "special"
				}
				files[i].occurrences = append(files[i].occurrences, o)
			}
		}
	}
	data := writeIndex(files, decls, externals)
	x, err := openIndex(data)
	return files, decls, externals, x, data, err
}

func TestIndexHoldsWhatWasWritten(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 4))
		files, decls, externals, x, data, err := randomIndex(rng)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, d := range decls {
			n := x.declarationAt(d.file, d.span.Start)
			if got, ok := x.declaration(n); !ok || got != d {
				t.Fatalf("seed %d: declaration %d: got %+v, want %+v", seed, i, got, d)
			}
			if d.path != "" && x.declarationOf(d.path) != n {
				t.Fatalf("seed %d: %s is not found", seed, d.path)
			}
		}
		for _, e := range externals {
			if got, ok := x.external(x.findExternal(e)); !ok || got != e {
				t.Fatalf("seed %d: external %v: got %v", seed, e, got)
			}
		}
		if x.declarationOf("none") != -1 || x.findExternal(externalName{"none", "none"}) != -1 || x.file("none") != -1 || x.declarationAt(0, 1<<30) != -1 {
			t.Fatalf("seed %d: something was found that is not there", seed)
		}
		for i, f := range files {
			if x.file(f.uri) != i {
				t.Fatalf("seed %d: %s is file %d", seed, f.uri, x.file(f.uri))
			}
			for _, o := range f.occurrences {
				found := x.occurrencesAt(i, o.span.Start)
				if len(found) != 1 || found[0].span != o.span || found[0].decl != o.decl || found[0].external != o.external || found[0].signature != o.signature {
					t.Fatalf("seed %d: at %v: %+v, want %+v", seed, o.span, found, o)
				}
				if o.external {
					if got, _ := x.external(found[0].target); got != externals[o.target] {
						t.Fatalf("seed %d: %+v refers to %v", seed, o, got)
					}
				} else if got, _ := x.declaration(found[0].target); got != decls[o.target] {
					t.Fatalf("seed %d: %+v refers to %v", seed, o, got)
				}
			}
			n := 0
			x.occurrences(i, func(occurrence) bool { n++; return true })
			if n != len(f.occurrences) {
				t.Fatalf("seed %d: %d occurrences, want %d", seed, n, len(f.occurrences))
			}
		}
		for i := range files {
			slices.Reverse(files[i].occurrences)
		}
		if !bytes.Equal(writeIndex(files, decls, externals), data) {
			t.Fatalf("seed %d: the bytes depend on the order of occurrences", seed)
		}
	}
}

// exercise reads everything in an index that can be read.
func exercise(x *index) {
	for i := -1; i <= min(x.declCount(), 1000); i++ {
		d, _ := x.declaration(i)
		x.declarationAt(d.file, d.span.Start)
		x.declarationOf(d.path)
	}
	for i := -1; i <= min(x.externalCount(), 1000); i++ {
		e, _ := x.external(i)
		x.findExternal(e)
	}
	for i := -1; i <= min(x.fileCount(), 1000); i++ {
		x.file(x.uri(i))
		n := 0
		x.occurrences(i, func(o occurrence) bool { n++; return n < 10_000 })
		for _, offset := range []int{-1, 0, 100, math.MaxInt} {
			x.occurrencesAt(i, offset)
		}
	}
}

func FuzzIndex(f *testing.F) {
	for seed := range uint64(8) {
		_, _, _, _, data, _ := randomIndex(rand.New(rand.NewPCG(seed, 5)))
		f.Add(data)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := openIndex(data)
		if err == nil {
			exercise(x)
		}
	})
}

func TestDamagedIndex(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 6))
		_, _, _, _, data, _ := randomIndex(rng)
		for range 20 {
			damaged := slices.Clone(data)
			switch rng.IntN(2) {
			case 0:
				damaged = damaged[:rng.IntN(len(damaged))]
			default:
				for range 1 + rng.IntN(4) {
					damaged[rng.IntN(len(damaged))] ^= byte(1 << rng.IntN(8))
				}
			}
			if x, err := openIndex(damaged); err == nil {
				exercise(x)
			}
		}
	}
}

func FuzzSymbolList(f *testing.F) {
	f.Add(appendSymbolList(nil, []lsp.Symbol{{Name: "(*T).M", Kind: lsp.KindMethod, NameSpan: lsp.Span{Start: 5, End: 6}}}))
	f.Add([]byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		eachSymbol(data, func(s foundSymbol) bool {
			if s.span.Start > s.span.End {
				t.Errorf("span %v", s.span)
			}
			return true
		})
	})
}

func FuzzFile(f *testing.F) {
	f.Add([]byte("package p\n\ntype T[P any] struct{ next *T[P] }\n\nfunc (t *T[P]) Next() *T[P] { return t.next }\n"))
	f.Add([]byte("package p\nfunc f( {"))
	f.Add([]byte("packag"))
	f.Fuzz(func(t *testing.T, text []byte) {
		syntax.HeaderText(text)
		file := syntax.Parse("file:///f.go", text)
		syntax.Outline(file)
		syntax.FaceText(file)
		p := &pkgMeta{ID: "p", Path: "p", Files: []string{file.URI}}
		c, err := checkPackage(p, sizesFor("amd64"), []*syntax.Tree{file}, nil, noDoubt, true)
		if err != nil {
			return // a panic of the checker, caught
		}
		x, err := openIndex(c.index)
		if err != nil {
			t.Fatal(err)
		}
		exercise(x)
		for _, d := range c.diagnostics {
			if s := d.Diag.Span; s.Start < 0 || s.Start > s.End || s.End > len(text) {
				t.Errorf("%q at %v of %d bytes", d.Diag.Message, s, len(text))
			}
		}
	})
}

func TestFuzzyOrder(t *testing.T) {
	for _, c := range []struct {
		query string
		best  string
		rest  []string
	}{
		{"http", "HTTP", []string{"HostToTimePort", "MyHTTPThing"}},
		{"rf", "ReadFile", []string{"Perform", "Surf"}},
		{"ReadFile", "ReadFile", []string{"ReadFileFS", "readfile", "FS.ReadFile"}},
		{"do", "Client.Do", []string{"Client.CloseIdleConnections", "Window"}},
		{"éa", "Éa", []string{"xéxa"}},
	} {
		m := newMatcher(c.query)
		best, ok := m.score("net/p", c.best)
		if !ok {
			t.Errorf("%s does not match %s", c.query, c.best)
		}
		for _, name := range c.rest {
			if s, ok := m.score("net/p", name); ok && s >= best {
				t.Errorf("%s: %s scores %.2f, %s %.2f", c.query, name, s, c.best, best)
			}
		}
	}
	for _, c := range []struct {
		query, pkg, name string
		want             bool
	}{
		{"http.get", "net/http", "Get", true},
		{"net/http.get", "net/http", "Get", true},
		{"os/http", "net/http", "Get", false},
		{"xyz", "net/http", "Get", false},
		{"", "net/http", "Get", true},
		{" get ", "net/http", "Get", true},
	} {
		if _, ok := newMatcher(c.query).score(c.pkg, c.name); ok != c.want {
			t.Errorf("%q in %s.%s: %v", c.query, c.pkg, c.name, ok)
		}
	}
}
