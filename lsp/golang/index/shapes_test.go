package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// oddIndex makes contents of every shape that the layout has a form of its own for, or none: names
// that overlap or share a start, declarations that nothing declares or that are declared elsewhere,
// lengths that are not those of names, kinds and flags that there are none of yet.
func oddIndex(rng *rand.Rand) (files []listed, decls []Declaration, externals []External) {
	files = make([]listed, 1+rng.IntN(5))
	for i := range rng.IntN(100) {
		externals = append(externals, External{fmt.Sprintf("pkg%d", i/7), fmt.Sprintf("T%d.Name%d", i, i*i)})
	}
	for i := range rng.IntN(200) {
		at := rng.IntN(9000)
		d := Declaration{
			File: rng.IntN(len(files)), Name: fmt.Sprintf("name%d", rng.IntN(50)), Signature: fmt.Sprintf("sig%d", rng.IntN(80)),
			Span: lsp.Span{Start: at, End: at + rng.IntN(12)},
			Kind: lsp.SymbolKind(rng.UintN(256)), Flags: Flags(rng.UintN(256)),
		}
		switch rng.IntN(4) {
		case 0:
			d.Path = d.Name
		case 1:
			d.Path = fmt.Sprintf("path%d", i)
		}
		if rng.IntN(2) == 0 {
			d.Doc.Start = rng.IntN(9000)
			d.Doc.End = d.Doc.Start + rng.IntN(900)
		}
		decls = append(decls, d)
	}
	taken := map[string]bool{} // two of one place have no order
	decls = slices.DeleteFunc(decls, func(d Declaration) bool {
		k := fmt.Sprint(d.File, d.Span)
		defer func() { taken[k] = true }()
		return taken[k]
	})
	for i := range files {
		files[i].URI = fmt.Sprintf("file:///f%d.go", i)
		for range rng.IntN(400) {
			at := rng.IntN(9000)
			o := Occurrence{Span: lsp.Span{Start: at, End: at + rng.IntN(12)}}
			switch {
			case len(decls) > 0 && rng.IntN(3) > 0:
				o.Target = rng.IntN(len(decls))
			case len(externals) > 0:
				o.Target, o.IsExternal = rng.IntN(len(externals)), true
			default:
				continue
			}
			if n := rng.IntN(8); n == 0 {
				o.Signature = fmt.Sprintf("special%d", rng.IntN(9))
			} else if n < 3 && !o.IsExternal {
				o.Span.End = at + decls[o.Target].Span.End - decls[o.Target].Span.Start
			}
			o.Declares = rng.IntN(9) == 0
			files[i].Occurrences = append(files[i].Occurrences, o)
		}
	}
	for i, d := range decls {
		if rng.IntN(4) > 0 {
			o := Occurrence{Span: d.Span, Target: i, Declares: true}
			files[d.File].Occurrences = append(files[d.File].Occurrences, o)
		}
	}
	return files, decls, externals
}

// What is read is what was written, whatever its shape, in the order of places.
func TestIndexKeepsEveryShape(t *testing.T) {
	for seed := range uint64(300) {
		files, decls, externals := oddIndex(rand.New(rand.NewPCG(seed, 7)))
		x, err := Open(written(files, decls, externals))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		numbers := map[Declaration]int{}
		for i := range x.DeclarationCount() {
			d, ok := x.Declaration(i)
			if !ok {
				t.Fatalf("seed %d: declaration %d cannot be read", seed, i)
			}
			numbers[d] = i
			if n := x.DeclarationAt(d.File, d.Span.Start); n < 0 {
				t.Fatalf("seed %d: nothing is found at %v", seed, d.Span)
			} else if got, _ := x.Declaration(n); got.File != d.File || got.Span.Start != d.Span.Start {
				t.Fatalf("seed %d: at %v is found %v", seed, d.Span, got.Span)
			}
			if d.Path != "" {
				n := x.DeclarationOf(d.Path)
				if got, _ := x.Declaration(n); got.Path != d.Path {
					t.Fatalf("seed %d: %q leads to %q", seed, d.Path, got.Path)
				}
			}
		}
		for i := range decls {
			if _, ok := numbers[decls[i]]; !ok || len(numbers) != len(decls) {
				t.Fatalf("seed %d: %+v is lost; %d of %d", seed, decls[i], len(numbers), len(decls))
			}
		}
		for i := range files {
			var want []Occurrence
			for _, o := range files[i].Occurrences {
				if o.IsExternal {
					o.Target = x.FindExternal(externals[o.Target])
				} else {
					o.Target = numbers[decls[o.Target]]
				}
				want = append(want, o)
			}
			slices.SortFunc(want, compareOccurrences)
			var got []Occurrence
			x.scan(i, true, func(o Occurrence) bool {
				got = append(got, o)
				return true
			})
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: file %d reads\n%+v\nand has\n%+v", seed, i, got, want)
			}
		}
	}
}
