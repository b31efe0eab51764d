package complete_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/complete"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	anywherePackages = flag.String("anywhere.packages", "text/template/parse", "comma-separated packages of the standard library")
	anywhereCount    = flag.Int("anywhere.count", 50, "places in each package; negative: each of every file")
	anywhereSeed     = flag.Uint64("anywhere.seed", 1, "seed of the places")
)

// slow is by how much the slowest place may take longer than one in the middle: far more than any
// does, also where the machine has other things to do meanwhile.
const slow = 200

// TestAnywhere: at no place of a file, as it is or as it was when it was typed up to there, does a
// completion or a signature fail or take long, and what is told fits what was typed.
func TestAnywhere(t *testing.T) {
	env, m := purebuild.Std()
	build := purebuild.New(t, env, m)
	for _, id := range strings.Split(*anywherePackages, ",") {
		rng := rand.New(rand.NewPCG(*anywhereSeed, 5))
		b := &bench{tb: t, build: build, id: id}
		uris := build.Package(id).Files
		var times []time.Duration
		var slowest time.Duration
		slowestAt := ""
		b.at(uris[0], build.Text(uris[0]), 0, lsp.CompletionOptions{}) // checks what the package imports
		try := func(uri string, text []byte, at int) {
			began := time.Now()
			items := b.at(uri, text, at, lsp.CompletionOptions{Snippets: true})
			b.call(uri, text, at)
			took := time.Since(began)
			if times = append(times, took); took > slowest {
				slowest, slowestAt = took, fmt.Sprintf("%s: %d bytes, offset %d", uri, len(text), at)
			}
			for _, item := range items {
				if item.Label == "" || item.Text == "" || strings.Contains(item.Text, syntax.DraftName) || strings.Contains(item.Detail, syntax.DraftName) {
					t.Errorf("seed %d: %s: %d bytes, offset %d: %+v", *anywhereSeed, uri, len(text), at, item.Completion)
				}
			}
		}
		if *anywhereCount < 0 {
			for _, uri := range uris {
				text := build.Text(uri)
				for at := range len(text) + 1 {
					try(uri, text[:at], at)
				}
			}
		}
		for i := range *anywhereCount {
			uri := uris[rng.IntN(len(uris))]
			text := build.Text(uri)
			at := rng.IntN(len(text) + 1)
			switch i % 4 {
			case 0, 2:
				text = text[:at]
			case 3:
				text, at = broken(rng, text, at)
			}
			try(uri, text, at)
		}
		slices.Sort(times)
		if middle := times[len(times)/2]; slowest > slow*middle {
			t.Errorf("seed %d: %s: %v, in the middle %v", *anywhereSeed, slowestAt, slowest, middle)
		}
	}
}

// broken is a text with something that breaks it behind a place, or without some of what follows,
// and the place behind that.
func broken(rng *rand.Rand, text []byte, at int) ([]byte, int) {
	pieces := []string{
		".", "(", ")", "[", "]", "{", "}", "*", "&", "<-", "\"", "`", "'", "/*", "//", ":=", ",", ";", "case ", "func ", "type ",
		"if ", "for ", "return ", "go ", "defer ", "range ", "struct{", "interface{", "map[", "[]", "...", "\n", "\r", "\x00", "\xff",
		"x.(", "x[", "switch x := ", "import (", "const (", "~", "é", "%",
	}
	piece := pieces[rng.IntN(len(pieces))]
	rest := text[min(len(text), at+rng.IntN(40)):]
	return slices.Concat(text[:at], []byte(piece), rest), at + len(piece)
}

// call asks for the signature at a place of another text of a file.
func (b *bench) call(uri string, text []byte, offset int) *complete.Call {
	b.tb.Helper()
	d := syntax.NewDraftAsIs(uri, text, offset)
	var call *complete.Call
	b.look(uri, text, d, func(v *check.View) {
		var err error
		if call, err = complete.CallAt(v, d); err != nil {
			b.tb.Fatalf("%s: %d bytes, offset %d: %v", uri, len(text), offset, err)
		}
	})
	return call
}
