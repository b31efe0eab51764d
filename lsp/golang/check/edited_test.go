package check_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/internal/edits"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	editedEdits = flag.Int("edited.edits", 60, "edits of packages that are compared with fresh checks")
	editedSeed  = flag.Uint64("edited.seed", 3, "seed of the edits")
)

// TestEditedAgrees compares what the check of a package gives while it is edited with a fresh check
// of the same texts: the index byte for byte, and every diagnostic.
func TestEditedAgrees(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	rng := rand.New(rand.NewPCG(*editedSeed, 9))
	ids := []string{
		"bufio", "container/list", "errors", "go/scanner", "maps", "regexp/syntax", "slices", "strings", "text/tabwriter", "embed",
		"encoding/json", "sync/atomic", "unique",
	}
	texts := map[string][]byte{}
	text := func(uri string) []byte {
		if own, ok := texts[uri]; ok {
			return own
		}
		return b.Text(uri)
	}
	whole, single, alike := 0, 0, 0
	for n := range *editedEdits {
		p := b.Package(ids[n/20%len(ids)])
		uri := p.Files[rng.IntN(len(p.Files))]
		how := "nothing"
		switch before := text(uri); rng.IntN(6) {
		case 0:
			texts[uri], how = edits.Break(rng, before), "broken"
		case 1, 2:
			texts[uri], how = swapName(rng, before), "another name"
		case 3:
			texts[uri], how = edits.Bodies(rng, before), "other bodies"
		case 4:
			delete(texts, uri)
			how = "as it was"
		}
		if texts[uri] == nil {
			delete(texts, uri)
		}
		var files, again []*syntax.Tree
		for _, u := range p.Files {
			files = append(files, syntax.Trees.Get(u, text(u)))
			again = append(again, syntax.Parse(u, text(u)))
		}
		check.Sessions.Open(p.Files[0])
		if rng.IntN(3) == 0 {
			// What a workspace does between two edits.
			if err := check.Prepare(p, files, b.Imports(p), purebuild.NoDoubt); err != nil {
				t.Fatal(err)
			}
		}
		var (
			list  []check.FileDiagnostic
			names []byte
			got   check.Result
			looks [2]check.Looks
		)
		// Whichever is asked first finds what the edit has changed.
		asks := []func() error{
			func() (err error) {
				list, looks[0], err = check.Diagnostics(p, files, b.Imports(p), purebuild.NoDoubt)
				return err
			},
			func() (err error) {
				names, looks[1], err = check.FileIndex(p, uri, files, b.Imports(p), purebuild.NoDoubt)
				return err
			},
			func() (err error) {
				got, err = check.Package(p, files, b.Imports(p), purebuild.NoDoubt, true)
				return err
			},
		}
		var err error
		for _, i := range rng.Perm(len(asks)) {
			err = errors.Join(err, asks[i]())
		}
		check.Sessions.Close(p.Files[0])
		if err != nil {
			t.Fatal(err)
		}
		want, err := check.Package(p, again, b.Imports(p), purebuild.NoDoubt, true)
		if err != nil {
			t.Fatal(err)
		}
		wantNames, _, err := check.FileIndex(p, uri, again, b.Imports(p), purebuild.NoDoubt)
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("edit %d of -edited.seed=%d: %s, %s", n, *editedSeed, uri, how)
		if !reflect.DeepEqual(got.Diagnostics, want.Diagnostics) {
			t.Fatalf("%s: while edited\n%+v\nfresh\n%+v", what, got.Diagnostics, want.Diagnostics)
		}
		if !reflect.DeepEqual(list, want.Diagnostics) {
			t.Fatalf("%s: diagnostics alone\n%+v\nfresh\n%+v", what, list, want.Diagnostics)
		}
		if !slices.Equal(names, wantNames) {
			t.Fatalf("%s: the index of the file is another one: %s", what, firstDifference(names, wantNames))
		}
		if diff := namesDiffer(names, want.Index, uri); diff != "" {
			t.Fatalf("%s: the index of the file has %s", what, diff)
		}
		if !slices.Equal(got.Index, want.Index) {
			t.Fatalf("%s: the index is another one: %s", what, firstDifference(got.Index, want.Index))
		}
		if !slices.Equal(got.Methods, want.Methods) {
			t.Fatalf("%s: the table of methods is another one: %s", what, firstDifference(got.Methods, want.Methods))
		}
		for _, l := range looks {
			if !reflect.DeepEqual(l, want.Looked) {
				t.Fatalf("%s: an edit looked at %v, fresh %v", what, l, want.Looked)
			}
		}
		if !reflect.DeepEqual(got.Looked, want.Looked) {
			t.Fatalf("%s: looked at %v, fresh %v", what, got.Looked, want.Looked)
		}
		if symbols, references := countIn(t, want.Index); symbols != want.Symbols || references != want.References {
			t.Fatalf("%s: %d symbols, %d references; in the index %d, %d", what, want.Symbols, want.References, symbols, references)
		}
		if got.Symbols != want.Symbols || got.References != want.References {
			t.Fatalf("%s: %d symbols, %d references; fresh %d, %d", what, got.Symbols, got.References, want.Symbols, want.References)
		}
		switch {
		case got.Whole:
			whole++
		case got.Bodies == 0:
			alike++
		default:
			single++
		}
	}
	t.Logf("%d checks of the whole package, %d of single bodies, %d of nothing", whole, single, alike)
	if single == 0 || alike == 0 {
		t.Error("no body was checked by itself")
	}
}

// firstDifference says where two indexes differ.
func firstDifference(a, b []byte) string {
	x, errX := index.Open(a)
	y, errY := index.Open(b)
	if errX != nil || errY != nil {
		return fmt.Sprint(errX, errY)
	}
	for i := range max(x.DeclarationCount(), y.DeclarationCount()) {
		d, _ := x.Declaration(i)
		e, _ := y.Declaration(i)
		if d != e {
			return fmt.Sprintf("declaration %d %+v, fresh %+v", i, d, e)
		}
	}
	for f := range y.FileCount() {
		var list, fresh []index.Occurrence
		x.Occurrences(f, func(o index.Occurrence) bool { list = append(list, o); return true })
		y.Occurrences(f, func(o index.Occurrence) bool { fresh = append(fresh, o); return true })
		for i := range max(len(list), len(fresh)) {
			if i >= len(list) || i >= len(fresh) || list[i] != fresh[i] {
				return fmt.Sprintf("%s: occurrence %d of %d, fresh of %d: %+v, %+v", y.URI(f), i, len(list), len(fresh),
					list[min(i, len(list)-1)], fresh[min(i, len(fresh)-1)])
			}
		}
	}
	return "in signatures"
}

// namesDiffer says where the index of a file has something else than that of its package.
func namesDiffer(names, all []byte, uri string) string {
	x, errX := index.Open(names)
	y, errY := index.Open(all)
	if errX != nil || errY != nil {
		return fmt.Sprint(errX, errY)
	}
	var list []index.Occurrence
	x.Occurrences(x.File(uri), func(o index.Occurrence) bool { list = append(list, o); return true })
	n, diff := 0, ""
	y.Occurrences(y.File(uri), func(want index.Occurrence) bool {
		if n == len(list) {
			diff = fmt.Sprintf("%d occurrences and lacks %+v", n, want)
			return false
		}
		got := list[n]
		n++
		same := got.Span == want.Span && got.Declares == want.Declares && got.IsExternal == want.IsExternal
		if same && got.IsExternal {
			a, _ := x.ExternalAt(got.Target)
			b, _ := y.ExternalAt(want.Target)
			same = a == b
		} else if same {
			a, _ := x.Declaration(got.Target)
			b, _ := y.Declaration(want.Target)
			same = a == b && x.URI(a.File) == y.URI(b.File)
		}
		if !same {
			diff = fmt.Sprintf("%+v in the place of %+v", got, want)
		}
		return same
	})
	if diff == "" && n < len(list) {
		diff = fmt.Sprintf("more: %+v", list[n:])
	}
	return diff
}

// countIn counts what an index has.
func countIn(t *testing.T, data []byte) (symbols, references int) {
	t.Helper()
	x, err := index.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.DeclarationCount() {
		if d, ok := x.Declaration(i); ok && d.Flags&index.Local == 0 && d.Kind != lsp.KindPackage {
			symbols++
		}
	}
	for i := range x.FileCount() {
		x.Occurrences(i, func(o index.Occurrence) bool {
			if !o.Declares {
				references++
			}
			return true
		})
	}
	return symbols, references
}
