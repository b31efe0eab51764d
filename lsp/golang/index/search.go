package index

import (
	"strings"
)

// A Search says which symbols of packages a query is about, and under which names they are shown.
// A search is immutable.
type Search struct {
	rate  func(text string) (points float64, at int, ok bool) // at: where the match begins
	fuzzy *Matcher                                            // nil: the query stands in the name as it is
	style string

	letters string // of the query, as sieves take them
}

// The styles of names that are found, as settings call them.
const (
	StyleFull    = "Full"    // with the path of the package
	StylePackage = "Package" // with the name of the package
)

// NewSearch makes the search of a query. By is CaseSensitive or CaseInsensitive for names that the
// query stands in, and anything else for those that it fits (Matcher). Style is StyleFull,
// StylePackage, or anything else for names with as much before them as the query names. Both are
// taken in upper and lower case alike.
func NewSearch(query, by, style string) *Search {
	s := &Search{}
	for _, known := range []string{StyleFull, StylePackage} {
		if strings.EqualFold(style, known) {
			s.style = known
		}
	}
	query = strings.TrimSpace(query)
	s.letters = plainLetters(query)
	switch {
	case strings.EqualFold(by, "CaseSensitive"):
		s.rate = func(text string) (float64, int, bool) { return within(query, strings.Index(text, query)) }
	case strings.EqualFold(by, "CaseInsensitive"):
		query = strings.ToLower(query)
		s.rate = func(text string) (float64, int, bool) { return within(query, indexFolded(text, query)) }
	default:
		s.fuzzy = NewMatcher(query)
		s.rate = func(text string) (float64, int, bool) {
			points, ok := s.fuzzy.rate(text)
			return points, 0, ok
		}
	}
	return s
}

// within rates a text that a query stands in at an offset. An empty query, which stands in each, is
// about none.
func within(query string, at int) (float64, int, bool) { return 1, at, at >= 0 && query != "" }

// indexFolded is where a query in lower case stands in a text, upper or lower case alike; -1 if it
// does not.
func indexFolded(text, query string) int {
	for at := range text {
		if rest := text[at:]; strings.HasPrefix(strings.ToLower(rest[:min(len(rest), 2*len(query))]), query) {
			return at
		}
	}
	return -1
}

// qualifiers are what a match may begin in, before a name.
func (s *Search) qualifiers(pkgPath, pkgName string) []string {
	switch {
	case s.style == StyleFull:
		return []string{pkgPath + "."}
	case s.style == StylePackage:
		return []string{pkgName + "."}
	case s.fuzzy != nil:
		return s.fuzzy.qualifiers(pkgPath, pkgName)
	}
	return []string{pkgName + ".", pkgPath + "."}
}

// Score rates a name in a package; ok is false if the search is not about it. The qualifier is what
// stands before the name where it is shown.
func (s *Search) Score(pkgPath, pkgName, name string) (score float64, qualifier string, ok bool) {
	switch {
	case s.style != "":
		qualifier = s.qualifiers(pkgPath, pkgName)[0]
		score, _, ok = s.rate(qualifier + name)
		return score, qualifier, ok
	case s.fuzzy != nil:
		return s.fuzzy.Score(pkgPath, pkgName, name)
	}
	// What of the qualifier the match does not reach is left out, and the more it reaches, the less
	// it is about the name.
	if score, _, ok = s.rate(name); ok {
		return score, "", true
	}
	if score, _, ok = s.rate(pkgName + "." + name); ok {
		return score * 0.8, pkgName + ".", true
	}
	score, at, ok := s.rate(pkgPath + "." + name)
	if last := strings.LastIndexByte(pkgPath, '/') + 1; ok && at >= last {
		return score * 0.8, pkgPath[last:] + ".", true
	}
	return score * 0.6, pkgPath + ".", ok
}
