package index

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Matcher scores how well names fit what somebody typed: its letters must occur in the name in
// order, upper or lower case alike. Letters that begin words of the name, that follow each other,
// or that have the same case count for more; letters passed over count against. A matcher is
// immutable.
type Matcher struct {
	query []rune // folded
	raw   []rune
	text  string // the query as it is
	whole bool   // it has a slash: names are matched with their whole package path
}

// NewMatcher makes the matcher of a query.
func NewMatcher(query string) *Matcher {
	query = strings.TrimSpace(query)
	m := &Matcher{raw: []rune(query), text: query, whole: strings.ContainsRune(query, '/')}
	for _, r := range m.raw {
		m.query = append(m.query, unicode.ToLower(r))
	}
	return m
}

// Points of a match; only their proportions matter.
const (
	pointHit      = 1.0
	pointCase     = 0.2
	pointNext     = 1.5 // right behind the letter before
	pointWord     = 2.0 // begins a word
	pointName     = 1.0 // begins the name proper, behind the last dot
	pointWhole    = 4.0 // the query is the name, or what follows its last dot
	pointSkip     = 0.05
	matchNameMax  = 256 // longer names are cut
	matchQueryMax = 64
)

// Score rates a name in a package; ok is false if it does not match. An empty query matches
// everything alike. The qualifier is what stands before the name in the text that matches: the
// package's name or path and a dot, or nothing if the name alone does.
func (m *Matcher) Score(pkgPath, pkgName, name string) (score float64, qualifier string, ok bool) {
	if len(m.query) == 0 {
		return 0, "", true
	}
	if len(m.query) > matchQueryMax {
		return 0, "", false
	}
	// The name alone is tried first: letters in the qualifier are second best.
	if s, ok := m.rate(name); ok {
		score := s + pointName
		if strings.EqualFold(m.text, name[strings.LastIndexByte(name, '.')+1:]) || strings.EqualFold(m.text, name) {
			score += pointWhole
		}
		return score, "", true
	}
	for _, qualifier := range m.qualifiers(pkgPath, pkgName) {
		if s, ok := m.rate(qualifier + name); ok {
			return s, qualifier, true
		}
	}
	return 0, "", false
}

// qualifiers are what may stand before a name in a text that matches, the best first.
func (m *Matcher) qualifiers(pkgPath, pkgName string) (list []string) {
	last := pkgPath[strings.LastIndexByte(pkgPath, '/')+1:]
	for _, qualifier := range [...]string{pkgName + ".", last + ".", pkgPath + "."} {
		if strings.Contains(qualifier, "/") == m.whole && qualifier != "." {
			list = append(list, qualifier)
		}
	}
	return list
}

// rateRoom is how long names are for which rate allocates nothing.
const rateRoom = 64

// rate finds the best way to lay the query over a text.
func (m *Matcher) rate(text string) (float64, bool) {
	if !m.subsequence(text) {
		return 0, false
	}
	if len(text) > matchNameMax {
		text = text[len(text)-matchNameMax:]
		if !m.subsequence(text) {
			return 0, false
		}
	}
	var (
		runeRoom         [rateRoom]rune
		room, secondRoom [rateRoom]float64
	)
	runes := runeRoom[:0]
	for _, r := range text {
		runes = append(runes, r)
	}
	const none = -1e9
	// end[i]: best score of the query so far with its last letter at i; previous[i]: the same of
	// the query without that letter.
	n := len(runes)
	end, previous := room[:], secondRoom[:]
	if n > rateRoom {
		end, previous = make([]float64, n), make([]float64, n)
	}
	best := 0.0 // of the query so far
	for q, want := range m.query {
		end, previous = previous[:n], end[:n]
		bestBefore := none // best over positions < i of the previous row
		best = none
		for i, r := range runes {
			end[i] = none
			if unicode.ToLower(r) == want {
				points := pointHit
				if r == m.raw[q] {
					points += pointCase
				}
				if wordStart(runes, i) {
					points += pointWord
				}
				switch {
				case q == 0:
					end[i] = points - pointSkip*float64(i)
				default:
					if bestBefore > none/2 {
						end[i] = bestBefore + points
					}
					if i > 0 && previous[i-1] > none/2 {
						end[i] = max(end[i], previous[i-1]+points+pointNext)
					}
				}
			}
			if q > 0 {
				bestBefore = max(bestBefore-pointSkip, previous[i])
			}
			best = max(best, end[i])
		}
	}
	return best - pointSkip*float64(n)/4, best > none/2
}

// subsequence is the quick test that most names fail.
func (m *Matcher) subsequence(text string) bool {
	q := 0
	for i := 0; i < len(text) && q < len(m.query); {
		c := text[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if rune(c) == m.query[q] {
				q++
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if unicode.ToLower(r) == m.query[q] {
			q++
		}
		i += size
	}
	return q == len(m.query)
}

// wordStart reports whether a letter begins a word of a name: at the start, behind a separator, or
// an upper-case letter behind a lower-case one.
func wordStart(runes []rune, i int) bool {
	if i == 0 {
		return true
	}
	before := runes[i-1]
	if !unicode.IsLetter(before) && !unicode.IsDigit(before) {
		return true
	}
	return unicode.IsUpper(runes[i]) && !unicode.IsUpper(before)
}
