package golang

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
)

// TestDamageWhileServed: garbage over the segment files while a workspace is served costs
// computation and reading files again. Answers are right at once, after closing, and in the next
// process; no store opens and refuses then.
func TestDamageWhileServed(t *testing.T) {
	const archive = `
-- go.mod --
module m

go 1.26
-- a/a.go --
package a

// One is the first.
func /*@one*/One() int { return 1 }
-- b/b.go --
package b

import "m/a"

var Two = a./*@use*/One() + a.One()

var Wrong int = "published"
`
	root, store := testfiles.TempDir(t), filepath.Join(t.TempDir(), "store")
	found := testfiles.Write(t, root, archive)
	rng := rand.New(rand.NewPCG(1, 1))
	type answers struct {
		def, refs []lsp.Location
		hover     string
	}
	ask := func(f *fixture) (a answers) {
		t.Helper()
		use := found["use"]
		var err error
		if a.def, err = f.definition(use.URI, use.Span.Start); err != nil {
			t.Fatal(err)
		}
		if a.refs, err = f.references(use.URI, use.Span.Start, true); err != nil {
			t.Fatal(err)
		}
		h, err := f.hover(use.URI, use.Span.Start)
		if err != nil {
			t.Fatal(err)
		}
		a.hover = h.Text()
		return a
	}
	f := openFixture(t, root, store, found, lsp.WorkspaceOptions{})
	f.index()
	want := ask(f)
	if len(want.def) != 1 || len(want.refs) != 3 {
		t.Fatalf("%+v", want)
	}
	for round := range 3 {
		strike(t, store, rng)
		if round > 0 { // nothing in memory answers now
			f.edit("b/b.go", "var Two", "\nvar Two")
			f.edit("b/b.go", "\nvar Two", "var Two")
		}
		if got := ask(f); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d, while served: %+v", round, got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := f.w.Settle(ctx); err != nil { // refreshes that meet damage come to an end
			t.Fatalf("round %d: %v", round, err)
		}
		cancel()
		f.index()
		f.close()
		f = openFixture(t, root, store, found, lsp.WorkspaceOptions{})
		if got := ask(f); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d, in the next process: %+v", round, got)
		}
		f.index()
		f.close()
		strike(t, store, rng)
		f = openFixture(t, root, store, found, lsp.WorkspaceOptions{})
		f.index()
		if got := ask(f); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d, struck while closed: %+v", round, got)
		}
	}
}

// TestDamagedEmbedIsMatchedAgain: what a pattern of go:embed matches is known from the disk where
// the store has lost it, and diagnostics, which need no record, stay.
func TestDamagedEmbedIsMatchedAgain(t *testing.T) {
	root, store := testfiles.TempDir(t), filepath.Join(t.TempDir(), "store")
	const source = "package m\n\nimport _ \"embed\"\n\n//go:embed data.txt\nvar Data string\n\n//go:embed gone.txt\nvar Gone string\n"
	found := testfiles.Write(t, root, "-- go.mod --\nmodule m\n\ngo 1.26\n-- data.txt --\nx\n-- a.go --\n"+source)
	f := openFixture(t, root, store, found, lsp.WorkspaceOptions{})
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 3 {
		f.index()
		if round > 0 {
			strike(t, store, rng)
		}
		list, err := f.definition(f.uri("a.go"), strings.Index(source, "data.txt"))
		if err != nil || len(list) != 1 || list[0].URI != f.uri("data.txt") {
			t.Fatalf("round %d: %v, %v", round, list, err)
		}
		if told := f.diagnostics("a.go"); len(told) != 1 || !strings.Contains(told[0], "pattern gone.txt: no matching files found") {
			t.Fatalf("round %d: %q", round, told)
		}
	}
}

// strike writes garbage over all that the segment files of a store hold.
func strike(t *testing.T, store string, rng *rand.Rand) {
	t.Helper()
	segs, err := filepath.Glob(filepath.Join(store, "*.seg"))
	if err != nil || len(segs) == 0 {
		t.Fatal(segs, err)
	}
	for _, name := range segs {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, min(st.Size()-64, 16<<20)) // all that is used
		for i := 0; i+8 <= len(b); i += 8 {
			binary.LittleEndian.PutUint64(b[i:], rng.Uint64())
		}
		if _, err := f.WriteAt(b, 64); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
