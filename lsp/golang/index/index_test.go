package index

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// A listed file has its occurrences in a list.
type listed struct {
	URI         string
	Occurrences []Occurrence
}

// written is Write for files that stay as they are.
func written(files []listed, decls []Declaration, externals []External) []byte {
	out := make([]File, len(files))
	for i, f := range files {
		out[i] = File{f.URI, func() []Occurrence { return slices.Clone(f.Occurrences) }}
	}
	return Write(out, decls, externals)
}

// randomIndex makes contents for an index and the index.
func randomIndex(rng *rand.Rand) ([]listed, []Declaration, []External, *Index, []byte, error) {
	files := make([]listed, 1+rng.IntN(4))
	var decls []Declaration
	var externals []External
	for i := range rng.IntN(20) {
		externals = append(externals, External{fmt.Sprintf("pkg%d", rng.IntN(4)), fmt.Sprintf("T%d.M", i)})
	}
	for i := range files {
		files[i].URI = fmt.Sprintf("file:///f%d.go", i)
		at := 0
		for range rng.IntN(30) {
			at += 1 + rng.IntN(2000)
			span := lsp.Span{Start: at, End: at + 1 + rng.IntN(30)}
			at = span.End
			switch {
			case rng.IntN(3) == 0:
				d := Declaration{
					File: i, Name: fmt.Sprintf("n%d", rng.IntN(9)), Span: span, Kind: lsp.KindField, Flags: Flags(rng.IntN(2)),
					Signature: fmt.Sprintf("sig%d", rng.IntN(9)),
				}
				if rng.IntN(2) == 0 {
					d.Path = fmt.Sprintf("P%d", len(decls))
					d.Doc = lsp.Span{Start: 3, End: 9}
				}
				files[i].Occurrences = append(files[i].Occurrences, Occurrence{Span: span, Target: len(decls), Declares: true})
				decls = append(decls, d)
			case rng.IntN(2) == 0 && len(externals) > 0:
				files[i].Occurrences = append(files[i].Occurrences, Occurrence{Span: span, Target: rng.IntN(len(externals)), IsExternal: true})
			case len(decls) > 0:
				o := Occurrence{Span: span, Target: rng.IntN(len(decls))}
				if rng.IntN(4) == 0 {
					o.Signature = "special"
				}
				files[i].Occurrences = append(files[i].Occurrences, o)
			}
		}
	}
	data := written(files, decls, externals)
	x, err := Open(data)
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
			n := x.DeclarationAt(d.File, d.Span.Start)
			if got, ok := x.Declaration(n); !ok || got != d {
				t.Fatalf("seed %d: declaration %d: got %+v, want %+v", seed, i, got, d)
			}
			if d.Path != "" && x.DeclarationOf(d.Path) != n {
				t.Fatalf("seed %d: %s is not found", seed, d.Path)
			}
		}
		for _, e := range externals {
			if got, ok := x.ExternalAt(x.FindExternal(e)); !ok || got != e {
				t.Fatalf("seed %d: external %v: got %v", seed, e, got)
			}
		}
		byName, places := map[string][]int{}, []lsp.Location{}
		for i := range x.DeclarationCount() {
			d, _ := x.Declaration(i)
			byName[d.Name] = append(byName[d.Name], i)
			places = append(places, lsp.Location{URI: x.URI(d.File), Span: d.Span})
		}
		for name, want := range byName {
			if got := x.Named(name); !slices.Equal(got, want) {
				t.Fatalf("seed %d: %s is named by %v, want %v", seed, name, got, want)
			}
		}
		if n := testing.AllocsPerRun(1, func() { x.Named("nothing of that name") }); n != 0 {
			t.Fatalf("seed %d: %v allocations to find no name", seed, n)
		}
		var stand []lsp.Location
		x.Places(func(file int, at lsp.Span) { stand = append(stand, lsp.Location{URI: x.URI(file), Span: at}) })
		if !slices.Equal(stand, places) {
			t.Fatalf("seed %d: declarations stand at %v, want %v", seed, stand, places)
		}
		if x.DeclarationOf("none") != -1 || x.FindExternal(External{"none", "none"}) != -1 || x.File("none") != -1 || x.DeclarationAt(0, 1<<30) != -1 {
			t.Fatalf("seed %d: something was found that is not there", seed)
		}
		for i, f := range files {
			if x.File(f.URI) != i {
				t.Fatalf("seed %d: %s is file %d", seed, f.URI, x.File(f.URI))
			}
			for _, o := range f.Occurrences {
				found := x.OccurrencesAt(i, o.Span.Start)
				if len(found) != 1 || found[0].Span != o.Span || found[0].Declares != o.Declares || found[0].IsExternal != o.IsExternal || found[0].Signature != o.Signature {
					t.Fatalf("seed %d: at %v: %+v, want %+v", seed, o.Span, found, o)
				}
				if o.IsExternal {
					if got, _ := x.ExternalAt(found[0].Target); got != externals[o.Target] {
						t.Fatalf("seed %d: %+v refers to %v", seed, o, got)
					}
				} else if got, _ := x.Declaration(found[0].Target); got != decls[o.Target] {
					t.Fatalf("seed %d: %+v refers to %v", seed, o, got)
				}
			}
			n := 0
			x.Occurrences(i, func(Occurrence) bool { n++; return true })
			if n != len(f.Occurrences) {
				t.Fatalf("seed %d: %d occurrences, want %d", seed, n, len(f.Occurrences))
			}
		}
		for i := range files {
			slices.Reverse(files[i].Occurrences)
		}
		if !bytes.Equal(written(files, decls, externals), data) {
			t.Fatalf("seed %d: the bytes depend on the order of occurrences", seed)
		}
	}
}

// exercise reads everything in an index that can be read.
func exercise(x *Index) {
	for i := -1; i <= min(x.DeclarationCount(), 1000); i++ {
		d, _ := x.Declaration(i)
		x.DeclarationAt(d.File, d.Span.Start)
		x.DeclarationOf(d.Path)
		x.Named(d.Name)
	}
	x.Places(func(int, lsp.Span) {})
	for i := -1; i <= min(x.externalCount(), 1000); i++ {
		e, _ := x.ExternalAt(i)
		x.FindExternal(e)
	}
	for i := -1; i <= min(x.FileCount(), 1000); i++ {
		x.File(x.URI(i))
		n := 0
		x.Occurrences(i, func(o Occurrence) bool { n++; return n < 10_000 })
		for _, offset := range []int{-1, 0, 100, math.MaxInt} {
			x.OccurrencesAt(i, offset)
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
		x, err := Open(data)
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
			if x, err := Open(damaged); err == nil {
				exercise(x)
			}
		}
	}
}

func FuzzSymbolList(f *testing.F) {
	f.Add(AppendSymbols(nil, []lsp.Symbol{{Name: "(*T).M", Kind: lsp.KindMethod, NameSpan: lsp.Span{Start: 5, End: 6}}}))
	f.Add([]byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		EachSymbol(data, func(s Symbol) bool {
			if s.Span.Start > s.Span.End {
				t.Errorf("span %v", s.Span)
			}
			return true
		})
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
		m := NewMatcher(c.query)
		best, _, ok := m.Score("net/p", "p", c.best)
		if !ok {
			t.Errorf("%s does not match %s", c.query, c.best)
		}
		for _, name := range c.rest {
			if s, _, ok := m.Score("net/p", "p", name); ok && s >= best {
				t.Errorf("%s: %s scores %.2f, %s %.2f", c.query, name, s, c.best, best)
			}
		}
	}
	for _, c := range []struct {
		query, path, pkg string
		want             bool
		qualifier        string
	}{
		{"http.get", "net/http", "http", true, "http."},
		{"net/http.get", "net/http", "http", true, "net/http."},
		{"os/http", "net/http", "http", false, ""},
		{"xyz", "net/http", "http", false, ""},
		{"", "net/http", "http", true, ""},
		{" get ", "net/http", "http", true, ""},
		{"main.get", "example.org/tool", "main", true, "main."},
		{"tool.get", "example.org/tool", "main", true, "tool."},
		{"yaml.get", "gopkg.in/yaml.v3", "yaml", true, "yaml."},
		{"example.get", "example", "example", true, "example."},
	} {
		_, qualifier, ok := NewMatcher(c.query).Score(c.path, c.pkg, "Get")
		if ok != c.want || qualifier != c.qualifier {
			t.Errorf("%q in %s.Get of package %s: %v, qualifier %q", c.query, c.path, c.pkg, ok, qualifier)
		}
	}
}

func TestSearch(t *testing.T) {
	const path, pkg = "example.com/knots/v2", "knots"
	for _, c := range []struct {
		query, by, style, name string
		want                   string // as it is shown; "" if it is not found
	}{
		{"kn", "", "", "Knot", "Knot"},
		{"kt", "casesensitive", "", "Knot", ""},
		{"Kno", "casesensitive", "", "Knot", "Knot"},
		{"kno", "casesensitive", "", "Loop", "knots.Loop"},
		{"kno", "CaseInsensitive", "", "Knot", "Knot"},
		{"ßt", "caseinsensitive", "", "Großtat", "Großtat"},
		{"İ", "caseinsensitive", "", "xİy", "xİy"},
		{"com/knots", "casesensitive", "", "Loop", "example.com/knots/v2.Loop"},
		{"v2.Lo", "caseinsensitive", "", "Loop", "v2.Loop"},
		{"", "caseinsensitive", "", "Loop", ""},
		{"Loop", "fastfuzzy", "Full", "Loop", "example.com/knots/v2.Loop"},
		{"v2.Loop", "casesensitive", "full", "Loop", "example.com/knots/v2.Loop"},
		{"v2.Loop", "casesensitive", "Package", "Loop", ""},
		{"knlo", "fuzzy", "package", "Loop", "knots.Loop"},
		{"", "fuzzy", "package", "Loop", "knots.Loop"},
	} {
		got := ""
		if _, qualifier, ok := NewSearch(c.query, c.by, c.style).Score(path, pkg, c.name); ok {
			got = qualifier + c.name
		}
		if got != c.want {
			t.Errorf("%q by %q in style %q: %s is %q, want %q", c.query, c.by, c.style, c.name, got, c.want)
		}
	}
}
