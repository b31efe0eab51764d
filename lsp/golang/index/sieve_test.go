package index

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// randomName is some syllables, of few letters, so that queries are often found.
func randomName(rng *rand.Rand, syllables int) string {
	var s strings.Builder
	for range rng.IntN(syllables + 1) {
		s.WriteString([]string{"a", "b", "Ba", "ab", "A", ".", "c2", "_", "a", "b", "é", "K", "İ"}[rng.IntN(13)])
	}
	return s.String()
}

// TestSievePassesWhatIsFound tries random names, packages and queries, by all ways of matching and
// in all styles, and sees that both happen often enough to mean something.
func TestSievePassesWhatIsFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const tries = 20_000
	found, refused := 0, 0
	for range tries {
		by := []string{"fuzzy", "CaseSensitive", "CaseInsensitive"}[rng.IntN(3)]
		style := []string{"", StyleFull, StylePackage}[rng.IntN(3)]
		query := randomName(rng, 4)
		if rng.IntN(8) == 0 {
			query = "a/" + query
		}
		pkgName, name := randomName(rng, 2), randomName(rng, 6)
		pkgPath := "ab.c/" + randomName(rng, 2) + "/" + pkgName
		s := NewSearch(query, by, style)
		sieve := s.Sieve(pkgPath, pkgName)
		passes := sieve.Passes([]byte(name))
		_, _, ok := s.Score(pkgPath, pkgName, name)
		if ok && !passes {
			t.Fatalf("%q by %s in style %q fits %q of package %q, %s, and does not pass", query, by, style, name, pkgName, pkgPath)
		}
		if ok {
			found++
		} else if !passes {
			refused++
		}
	}
	if found < tries/10 || refused < tries/10 {
		t.Errorf("of %d: %d are found, %d do not pass", tries, found, refused)
	}
}

// TestSieveIsExact names what passes and what does not, of ASCII letters.
func TestSieveIsExact(t *testing.T) {
	for _, c := range []struct {
		query, name string
		want        bool
	}{
		{"reader", "NewReader", true},
		{"reader", "NewReadr", false},
		{"ioreader", "Reader", true},
		{"ioreader", "Read", false},
		{"oreader", "Reader", true},
		{"xioreader", "Reader", false},
		{"io", "X", true},
		{"rr", "Reader", true},
		{"rrr", "Reader", false},
	} {
		sieve := NewSearch(c.query, "fuzzy", "").Sieve("io", "io")
		if got := sieve.Passes([]byte(c.name)); got != c.want {
			t.Errorf("%s passes %s of io: %v", c.query, c.name, got)
		}
	}
}

// BenchmarkSearch looks for a query in the symbols of a package.
func BenchmarkSearch(b *testing.B) {
	words := []string{"New", "Reader", "Writer", "Buffer", "Close", "Error", "Type", "String", "Marshal", "Index", "Set"}
	rng := rand.New(rand.NewPCG(1, 2))
	var names [][]byte
	for i := range 10_000 {
		name := words[rng.IntN(len(words))] + words[rng.IntN(len(words))]
		if i%2 == 0 {
			name += "." + words[rng.IntN(len(words))]
		}
		names = append(names, []byte(name))
	}
	for _, query := range []string{"NewReader", "Close", "http.Transport"} {
		b.Run(fmt.Sprintf("query=%s", query), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := NewSearch(query, "", "")
				best := NewBest(100)
				sieve := s.Sieve("example.com/knots", "knots")
				for _, name := range names {
					if !sieve.Passes(name) {
						continue
					}
					if score, _, ok := s.Score("example.com/knots", "knots", string(name)); ok {
						best.Wants(score)
					}
				}
			}
		})
	}
}
