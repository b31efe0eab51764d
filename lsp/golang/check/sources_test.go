package check_test

import (
	"bytes"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var sourcesOf = flag.String("sources.of", "bufio,crypto/tls,encoding/json,errors,fmt,go/types,net/http,os,reflect,sync,text/template,time,unsafe,vendor/golang.org/x/net/idna",
	"comma-separated packages of the standard library that TestSources compares; all for every one")

// TestSources: a check from sources alone finds the same as one that reads the faces of what it
// imports, byte for byte, with function bodies and without.
func TestSources(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	ids := strings.Split(*sourcesOf, ",")
	if *sourcesOf == "all" {
		ids = nil
		for i := range m.Packages {
			ids = append(ids, m.Packages[i].ID)
		}
	}
	read := func(uri string) ([]byte, error) { return b.Text(uri), nil }
	shared := check.NewSources(m, read) // of all: what a package is must not depend on who asked first
	for _, id := range ids {
		p := b.Package(id)
		var trees []*syntax.Tree
		for _, uri := range p.Files {
			trees = append(trees, syntax.Parse(uri, b.Text(uri)))
		}
		var imports []check.Import
		if !metadata.IsSyntaxOnly(p) {
			imports = b.Imports(p)
		}
		for _, bodies := range []bool{true, false} {
			want, err := check.Package(p, trees, imports, purebuild.NoDoubt, bodies)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			alone, err := check.NewSources(m, read).Package(t.Context(), p, trees, bodies)
			took := time.Since(began)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(alone.Index, want.Index) {
				t.Errorf("%s, bodies %v: the index differs", id, bodies)
			}
			again, err := shared.Package(t.Context(), p, trees, bodies)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again.Index, want.Index) {
				t.Errorf("%s, bodies %v: the index differs when other packages were asked about before", id, bodies)
			}
			t.Logf("%s, bodies %v: %v", id, bodies, took)
		}
	}
}
