package index

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Sieve passes over most names of a package that a search is not about, at a few nanoseconds
// each. Each way of matching wants the letters of the query to stand in the text in order, so a
// name that does not pass is none of the search's for certain. One that passes may still be none.
// A sieve is immutable.
type Sieve struct {
	query string // folded; "": every name passes
	reach int    // how many letters of the query, from its front, some qualifier has in order
}

// Sieve makes the sieve of the names of a package.
func (s *Search) Sieve(pkgPath, pkgName string) Sieve {
	v := Sieve{query: s.letters}
	for _, qualifier := range s.qualifiers(pkgPath, pkgName) {
		v.reach = max(v.reach, v.taken(qualifier))
	}
	return v
}

// plainLetters is a query as sieves take it: in lower case, and "", with which every name passes,
// if some of its letters are more than a byte.
func plainLetters(query string) string {
	for i := range len(query) {
		if query[i] >= utf8.RuneSelf {
			return ""
		}
	}
	return strings.ToLower(query)
}

// taken is how many letters of the query, from its front, a text has in order.
func (v *Sieve) taken(text string) (n int) {
	for _, r := range text {
		if n < len(v.query) && unicode.ToLower(r) == rune(v.query[n]) {
			n++
		}
	}
	return n
}

// Passes reports whether the search may be about a name. The letters that the name takes from the
// end of the query are as many as can be, so what is left of the query is as short as can be; a
// qualifier has to have that.
func (v *Sieve) Passes(name []byte) bool {
	left := len(v.query)
	if left <= v.reach {
		return true
	}
	want := v.query[left-1]
	for i := len(name) - 1; i >= 0; i-- {
		switch c := lower[name[i]]; {
		case c == want:
			if left--; left <= v.reach {
				return true
			}
			want = v.query[left-1]
		case c >= utf8.RuneSelf:
			return true // one of its letters may be folded to one of a byte
		}
	}
	return false
}

// lower folds letters of one byte.
var lower = func() (table [256]byte) {
	for c := range table {
		table[c] = byte(c)
		if 'A' <= c && c <= 'Z' {
			table[c] += 'a' - 'A'
		}
	}
	return table
}()
