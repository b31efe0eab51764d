package runtime_test

import (
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/cytisus/cytisus/runtime"
)

// spell calls fn for every string of at most n of the letters, more than once for some.
func spell(letters []string, n int, prefix string, fn func(string)) {
	fn(prefix)
	if n == 0 {
		return
	}
	for _, l := range letters {
		spell(letters, n-1, prefix+l, fn)
	}
}

// expansions returns the globs without braces that a glob stands for.
func expansions(glob string) []string {
	open := strings.IndexByte(glob, '{')
	if open < 0 {
		return []string{glob}
	}
	var alts []string
	depth, from := 0, open+1
	for i := open; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
		if depth == 0 || depth == 1 && glob[i] == ',' {
			alts = append(alts, glob[from:i])
			from = i + 1
		}
		if depth == 0 {
			break
		}
	}
	var out []string
	for _, alt := range alts {
		out = append(out, expansions(glob[:open]+alt+glob[from:])...)
	}
	return out
}

// below reports whether a glob without braces matches a key that lies below something, and whether
// it does so to doublestar only because nothing of the key is left for its last ** to match.
func below(glob, key string) (strictly, nothingLeft bool) {
	base, rest := strings.CutSuffix(glob, "/**")
	if !rest {
		if base, rest = strings.CutSuffix(glob, "/**/"); !rest {
			return doublestar.MatchUnvalidated(glob, key), false
		}
	}
	for i := range key {
		// A base such as "a**/" has an end of the same sort.
		if key[i] == '/' && !strings.HasSuffix(base, "**/") && doublestar.MatchUnvalidated(base, key[:i]) && (!strings.HasSuffix(glob, "/") || strings.HasSuffix(key, "/")) {
			strictly = true
		}
	}
	return strictly, doublestar.MatchUnvalidated(base, key)
}

// A Glob means what doublestar says, whatever the bounds within which keys are looked for, but for
// that which a pattern that ends in /** is about: "a/**" and "{a,b}/**" are what is below a.
func TestGlobMeansWhatDoublestarSays(t *testing.T) {
	var keys []string
	seen := map[string]bool{}
	spell([]string{"a", "b", "/"}, 3, "", func(key string) {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	})
	wrong, globs := 0, 0
	met := map[string]bool{}
	spell([]string{"a", "/", "*", "**", "?", "{", "}", ",", `\`, "[ab]"}, 5, "", func(glob string) {
		if met[glob] || !doublestar.ValidatePattern(glob) || wrong > 10 {
			return
		}
		met[glob] = true
		globs++
		pat := runtime.Glob(glob)
		for _, key := range keys {
			got, says := pat.Match(key), doublestar.MatchUnvalidated(glob, key)
			if got == says {
				continue
			}
			strictly, nothingLeft := false, false
			for _, x := range expansions(glob) {
				s, n := below(x, key)
				strictly, nothingLeft = strictly || s, nothingLeft || n
			}
			if got || strictly || !nothingLeft {
				wrong++
				t.Errorf("Glob(%q).Match(%q) is %t, doublestar says %t", glob, key, got, says)
			}
		}
	})
	t.Logf("%d globs, %d keys", globs, len(keys))
}

func TestGlobBelow(t *testing.T) {
	for _, glob := range []string{"a/**", "{a,b}/**", "*/**", "?/**", "[ab]/**", "{a/,b/}**", "{a/**,b}", "{c,{a/**,b}}", `\a/**`, "a{/**,}/**", "a/{**,b}", "a/**/"} {
		pat := runtime.Glob(glob)
		for key, want := range map[string]bool{"a": false, "a/": true, "a/b/": true, "c": false} {
			if glob == "{c,{a/**,b}}" && key == "c" {
				want = true
			}
			if got := pat.Match(key); got != want {
				t.Errorf("Glob(%q).Match(%q) is %t", glob, key, got)
			}
		}
		if strings.Contains(pat.String(), "{,**}") {
			t.Errorf("Glob(%q) is shown as %v", glob, pat)
		}
	}
	for _, glob := range []string{"a/[", "{a,[}", "{a", "a*}", `a*\`} {
		if pat := runtime.Glob(glob); pat.Match("a") || pat.Match("a/") || pat.Match("ax}") {
			t.Errorf("Glob(%q), which is malformed, matches", glob)
		}
	}
}
