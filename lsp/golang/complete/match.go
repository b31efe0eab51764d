package complete

import (
	"strings"
	"unicode"
)

// A matcher says how well names fit what was typed.
type matcher struct {
	typed   string
	letters []rune // of it
	folded  []rune
	upper   []bool // what was typed begins a word there
	cased   bool   // what was typed has capitals, which then count
	prefix  string // folded if case counts for nothing
	how     matching

	row, last []step // of fuzzy, kept from name to name
}

// A matching is how names are compared with what was typed.
type matching uint8

const (
	fuzzily matching = iota
	byPrefix
	byFoldedPrefix
)

// matchings are by the folded names that Settings have for them.
var matchings = map[string]matching{
	"fuzzy": fuzzily, "casesensitive": byPrefix, "caseinsensitive": byFoldedPrefix,
}

// Bounds of what is compared letter by letter.
const (
	typedMost = 63
	nameMost  = 127
)

func newMatcher(typed, setting string) *matcher {
	m := &matcher{typed: typed, letters: []rune(typed), how: matchings[strings.ToLower(setting)], prefix: typed}
	m.letters = m.letters[:min(len(m.letters), typedMost)]
	m.folded = fold(m.letters)
	if m.how == byFoldedPrefix {
		m.prefix = strings.ToLower(typed)
	}
	for i, r := range m.letters {
		m.cased = m.cased || r != m.folded[i]
	}
	for _, r := range roles(m.letters) {
		m.upper = append(m.upper, r == head)
	}
	return m
}

// empty reports whether nothing was typed.
func (m *matcher) empty() bool { return m.typed == "" }

// score is in (0, 1] for names that fit; ok is false for others.
func (m *matcher) score(name string) (score float64, ok bool) {
	switch {
	case m.empty():
		return 1, true
	case m.how == byPrefix:
		return 1, strings.HasPrefix(name, m.prefix)
	case m.how == byFoldedPrefix:
		return 1, strings.HasPrefix(strings.ToLower(name), m.prefix)
	}
	if !m.hasLetters(name) {
		return 0, false
	}
	return m.fuzzy([]rune(name))
}

// hasLetters reports whether the letters that were typed are in a name, in order.
func (m *matcher) hasLetters(name string) bool {
	at := 0
	for _, r := range name {
		if unicode.ToLower(r) == m.folded[at] {
			if at++; at == len(m.folded) {
				return true
			}
		}
	}
	return false
}

// A role is what a letter is in the words of a name.
type role uint8

const (
	none role = iota
	separator
	tail
	capital // one of several in a row, but the last that begins a word
	head    // first of a word
)

// roles are those of the letters of a name: HTTPServer has the words HTTP and Server.
func roles(name []rune) []role {
	list := make([]role, len(name))
	for i, r := range name {
		before := rune(0)
		if i > 0 {
			before = name[i-1]
		}
		switch {
		case r == '.' || r == ':':
			list[i] = separator
		case unicode.IsUpper(r):
			list[i] = head
			if unicode.IsUpper(before) && (i+1 == len(name) || !isSmall(name[i+1])) {
				list[i] = capital
			}
		case !isSmall(r):
		case i == 0 || !isSmall(before) && !unicode.IsUpper(before):
			list[i] = head
		default:
			list[i] = tail
		}
	}
	return list
}

// isSmall reports whether a letter goes on with a word.
func isSmall(r rune) bool {
	return unicode.IsLetter(r) && !unicode.IsUpper(r) || unicode.IsDigit(r)
}

func fold(name []rune) []rune {
	list := make([]rune, len(name))
	for i, r := range name {
		list[i] = unicode.ToLower(r)
	}
	return list
}

// A step is the best way to find the first letters of what was typed in the first ones of a name,
// for ways that take the last letter of the name, and for ways that skip it.
type step struct{ skip, take way }

// A way is one to find letters in a name.
type way struct {
	points int
	found  bool // there is one
	poor   int  // letters that begin a run of at most two within a word
	run    int  // letters that it took last, in a row
	begins bool // the run begins within a word
}

// best is the better of two ways; the second one if none is.
func best(a, b way) way {
	if !b.found || a.found && a.points > b.points {
		return a
	}
	return b
}

// over is the way once its last run has ended: a run of one or two letters within a word is poor.
func (w way) over() way {
	if w.run > 0 && w.run < 3 && w.begins {
		w.poor++
	}
	w.run, w.begins = 0, false
	return w
}

// Points of a letter that is found.
const (
	perLetter    = 4 // at most
	forSegment   = 1 // behind the last dot
	forCase      = 1 // written alike, or first of a word
	forRun       = 2 // behind the one before
	lessFirst    = 4 // the first letter is found within a word
	lessWithin   = 3 // a run begins within a word
	lessAsHead   = 1 // it begins a word in what was typed, but not here
	lessSkipping = 1 // the first letter of a segment was skipped
)

// fuzzy finds what was typed in a name: its letters in order, best at the beginnings of words.
func (m *matcher) fuzzy(name []rune) (score float64, ok bool) {
	name = name[:min(len(name), nameMost)]
	small := fold(name)
	is := roles(name)
	segment := 0 // start of the one behind the last dot
	for i, r := range is {
		if r == separator {
			segment = i + 1
		}
	}
	n := len(m.letters)
	m.row, m.last = resized(m.row, n+1), resized(m.last, n+1)
	for j := range m.last {
		m.last[j] = step{}
	}
	m.last[0].skip.found = true
	for i, r := range small {
		starts := i == 0 || i == segment
		for j := range n + 1 {
			var s step
			if s.skip = best(m.last[j].skip, m.last[j].take.over()); starts && j < n {
				s.skip.points -= lessSkipping
			}
			if j > 0 && r == m.folded[j-1] && m.mayTake(small, is, i, j) {
				s.take = m.taken(m.last[j-1], name, is, i, j, starts, i >= segment)
			}
			m.row[j] = s
		}
		m.row, m.last = m.last, m.row
	}
	w := best(m.last[n].skip, m.last[n].take.over())
	if !w.found || n > 1 && w.poor > 1 {
		return 0, false
	}
	if n == len(name) {
		return 1, true
	}
	score = min(max(0, float64(w.points)/float64(perLetter*n)), 1)
	return score, score > 0
}

// mayTake reports whether a letter of what was typed that begins a word may be found within one:
// the first may where more of what was typed follows.
func (m *matcher) mayTake(small []rune, is []role, i, j int) bool {
	if is[i] != tail || !m.upper[j-1] {
		return true
	}
	if j > 1 {
		return false
	}
	short := m.folded[:min(3, len(m.folded))]
	return len(small)-i >= len(short) && string(small[i:i+len(short)]) == string(short)
}

// taken is the best way that finds letter j, counted from 1, at letter i of a name.
func (m *matcher) taken(before step, name []rune, is []role, i, j int, starts, last bool) way {
	points := 0
	if last {
		points += forSegment
	}
	if name[i] == m.letters[j-1] || is[i] == head && !m.cased {
		points += forCase
	}
	if is[i] == tail && m.upper[j-1] {
		points -= lessAsHead
	}
	if j == 1 && is[i] == tail {
		points -= lessFirst
	}
	goOn, anew := before.take, before.skip
	goOn.points += points + forRun
	goOn.run++
	anew.points += points
	anew.run, anew.begins = 1, is[i] == tail
	if starts {
		anew.points += forRun
	}
	if is[i] == tail || is[i] == capital {
		anew.points -= lessWithin
	}
	if !anew.found || goOn.found && goOn.points > anew.points {
		return goOn
	}
	return anew
}

func resized(list []step, n int) []step {
	if cap(list) < n {
		return make([]step, n)
	}
	return list[:n]
}
