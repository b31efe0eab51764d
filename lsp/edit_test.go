package lsp

import (
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var thenSeed = flag.Uint64("then.seed", 0, "seed of TestThen; 0: of the clock")

// TestThen makes random edits one after the other, and at once.
func TestThen(t *testing.T) {
	seed := *thenSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("go test -run TestThen -then.seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	some := func(n int, letters string) (edits []TextEdit) {
		for at := 0; at <= n && rng.IntN(4) > 0; {
			start := at + rng.IntN(n-at+1)
			end := start + rng.IntN(min(3, n-start)+1)
			edits = append(edits, TextEdit{Span{start, end}, letters[:rng.IntN(3)]})
			at = end + rng.IntN(2)
		}
		return edits
	}
	for range 20_000 {
		text := []byte("abcdefgh"[:rng.IntN(9)])
		first := some(len(text), "XY")
		middle, err := Apply(text, first)
		if err != nil {
			t.Fatal(err)
		}
		then := some(len(middle), "12")
		want, err := Apply(middle, then)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Apply(text, Then(len(text), first, then)); err != nil || string(got) != string(want) {
			t.Fatalf("%q, %v then %v: %q, want %q (%v)", text, first, then, got, want, err)
		}
	}
}

func TestApply(t *testing.T) {
	edit := func(start, end int, text string) TextEdit { return TextEdit{Span{start, end}, text} }
	for _, c := range []struct {
		name  string
		edits []TextEdit
		want  string // "": it is refused
	}{
		{"nothing", nil, "abcdef"},
		{"out of order", []TextEdit{edit(4, 5, "E"), edit(0, 1, "A")}, "AbcdEf"},
		{"two at one place keep their order", []TextEdit{edit(3, 3, "x"), edit(3, 3, "y")}, "abcxydef"},
		{"an insertion before what goes", []TextEdit{edit(1, 3, ""), edit(1, 1, "x")}, "axdef"},
		{"at the end", []TextEdit{edit(6, 6, "g")}, "abcdefg"},
		{"overlapping", []TextEdit{edit(0, 3, ""), edit(2, 4, "")}, ""},
		{"twice the same", []TextEdit{edit(0, 3, "x"), edit(0, 3, "y")}, ""},
		{"behind the end", []TextEdit{edit(6, 7, "")}, ""},
		{"backwards", []TextEdit{edit(3, 2, "")}, ""},
	} {
		got, err := Apply([]byte("abcdef"), c.edits)
		if string(got) != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	if _, err := Apply(nil, []TextEdit{edit(0, 1, "")}); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("%v", err)
	}
}
