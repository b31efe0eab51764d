package golang

import (
	"bytes"
	"flag"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"slices"
	"testing"
)

var spoilSeed = flag.Uint64("spoil.seed", 1, "seed of the edits that break files")

// TestHalfTypedSpoilsNoOtherFile: a file is cut off, loses a token or the rest of a line, or gets a
// line that is half typed. It says where it breaks, and nothing is said of the other files of
// its package or of packages that import it.
func TestHalfTypedSpoilsNoOtherFile(t *testing.T) {
	const edits = 32
	env, m := stdMetadata()
	b := newPureBuild(t, env, m)
	rng := rand.New(rand.NewPCG(*spoilSeed, 7))
	importers := map[string][]string{
		"go/scanner": {"go/parser"}, "regexp/syntax": {"regexp"}, "text/tabwriter": {"internal/coverage/cformat"}, "container/list": {"vendor/golang.org/x/text/unicode/bidi"},
	}
	ids := []string{"go/scanner", "regexp/syntax", "text/tabwriter", "container/list"}
	broken := 0
	for n := range edits {
		p := b.pkg(ids[n%len(ids)])
		uri := p.Files[rng.IntN(len(p.Files))]
		spoilt := breakText(rng, b.text(uri))
		if spoilt == nil {
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", spoilt, parser.SkipObjectResolution); err == nil {
			continue
		}
		broken++
		half := newPureBuild(t, env, m)
		half.faces = map[string][]byte{}
		for id, face := range b.faces {
			if id != p.ID && !slices.Contains(importers[p.ID], id) {
				half.faces[id] = face
			}
		}
		half.texts[uri] = spoilt
		doubtOf := func(path string) (d doubt) {
			if path == p.Path {
				for _, uri := range p.Files {
					d.add(parseTree(uri, half.text(uri)).doubt)
				}
			}
			return d
		}
		there := 0
		for _, id := range append([]string{p.ID}, importers[p.ID]...) {
			q := half.pkg(id)
			var files []*tree
			for _, uri := range q.Files {
				files = append(files, parseTree(uri, half.text(uri)))
			}
			c, err := checkPackage(q, half.sizes, files, half.imports(q), doubtOf, true)
			if err != nil {
				t.Error(err)
			}
			for _, d := range c.diagnostics {
				if d.URI == uri {
					there++
				} else {
					t.Errorf("edit %d of -spoil.seed=%d: %s says %s", n, *spoilSeed, d.URI, d.Diag.Message)
				}
			}
		}
		if there == 0 {
			t.Errorf("edit %d of -spoil.seed=%d: nothing is said of %s", n, *spoilSeed, uri)
		}
		for id, face := range half.faces {
			if id != p.ID && !slices.Contains(importers[p.ID], id) {
				b.faces[id] = face
			}
		}
	}
	if broken < edits/3 {
		t.Errorf("only %d of %d edits broke a file", broken, edits)
	}
}

// breakText breaks a text somewhere behind its package clause, mostly; nil if nothing stands there.
func breakText(rng *rand.Rand, text []byte) []byte {
	list := sections(text)
	if len(list) == 1 {
		return nil
	}
	if rng.IntN(2) == 0 {
		if spoilt := spoil(rng, text, list[1+rng.IntN(len(list)-1)]); spoilt != nil {
			return spoilt
		}
	}
	at := list[1].start + rng.IntN(len(text)-list[1].start)
	if rng.IntN(2) == 0 {
		return bytes.Clone(text[:at])
	}
	at = bytes.LastIndexByte(text[:at], '\n') + 1
	typed := halfTypedLines[rng.IntN(len(halfTypedLines))]
	return slices.Concat(text[:at], []byte(typed+"\n"), text[at:])
}

var halfTypedLines = []string{
	"x.", "if x", "if err != nil {", "for i := range", "for i := 0; i <", "switch x {", "switch y := x.(", "case 1:", "go func() {",
	"defer f(", "return foo(", "a, b :=", "x := []int{1,", "x := map[string]", "f(\"", "`", "/*", "x[1:", "} else if", "select {", "x <-",
	"func (t T) ", "func f", "func f[T any](", "func (t *T) M(a int) (", "type T struct {", "type I interface { M(", "var x =", "const (", "}",
}
