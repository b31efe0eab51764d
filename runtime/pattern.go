package runtime

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// A Pattern says which keys of a partition are meant. The zero Pattern means all of them.
type Pattern struct {
	lo, hi string // [lo, hi); hi "" is unbounded
	glob   string // "" or a doublestar pattern that keys in the range must match too
}

// All means every key.
func All() Pattern { return Pattern{} }

// Exact means one key.
func Exact(key string) Pattern { return Pattern{lo: key, hi: key + "\x00"} }

// Prefix means every key that begins with prefix.
func Prefix(prefix string) Pattern { return Pattern{lo: prefix, hi: afterPrefix(prefix)} }

// Range means the keys from lo up to, but not including, hi. An empty hi is unbounded.
func Range(lo, hi string) Pattern { return Pattern{lo: lo, hi: hi} }

// Glob means the keys that match a pattern in which * matches within one path element, ** any
// number of elements, ? one character, [a-z] a class and {a,b} alternatives. A pattern that ends in
// /** means what is below, and never that which it is below of: a/** does not mean a, and neither
// do {a,b}/** and */**. A pattern that is malformed matches nothing.
func Glob(glob string) Pattern {
	i := strings.IndexAny(glob, `*?[{\`)
	if i < 0 {
		return Exact(glob)
	}
	if !doublestar.ValidatePattern(glob) {
		return Range("\x00", "\x00")
	}
	p := Prefix(glob[:i])
	p.glob = strictlyBelow(glob)
	return p
}

// belowAll means the same as ** to doublestar, but for one thing: doublestar has a pattern that
// ends in /** match what comes before the slash.
const belowAll = "{,**}"

// strictlyBelow returns a valid glob with belowAll in place of each ** at its end.
func strictlyBelow(glob string) string {
	from, to := 0, 0 // of the last item; a slash at the very end does not count
	for at := 0; at < len(glob); {
		next := at + globItem(glob[at:])
		if glob[at:next] != "/" || next < len(glob) {
			from, to = at, next
		}
		at = next
	}
	switch last := glob[from:to]; {
	case last == "**":
		return glob[:from] + belowAll + glob[to:]
	case strings.HasPrefix(last, "{"):
		alts := globAlternatives(last[1 : len(last)-1])
		for i := range alts {
			alts[i] = strictlyBelow(alts[i])
		}
		return glob[:from+1] + strings.Join(alts, ",") + glob[to-1:]
	}
	return glob
}

// globItem returns the length of what a valid glob begins with: a character, an escaped one, a
// class, all stars that follow each other, or alternatives with their braces.
func globItem(glob string) int {
	switch n := 1; {
	case glob[0] == '\\':
		return min(2, len(glob))
	case glob[0] == '*':
		return len(glob) - len(strings.TrimLeft(glob, "*"))
	case glob[0] == '[':
		for n < len(glob) && glob[n] != ']' {
			if glob[n] == '\\' {
				n++
			}
			n++
		}
		return min(n+1, len(glob))
	case glob[0] == '{':
		for n < len(glob) && glob[n] != '}' {
			n += globItem(glob[n:])
		}
		return min(n+1, len(glob))
	default:
		return n
	}
}

// globAlternatives cuts what is between braces at its commas.
func globAlternatives(inner string) []string {
	var alts []string
	from := 0
	for at := 0; at < len(inner); {
		next := at + globItem(inner[at:])
		if inner[at] == ',' {
			alts = append(alts, inner[from:at])
			from = next
		}
		at = next
	}
	return append(alts, inner[from:])
}

// String returns the pattern as people write it, in brackets.
func (p Pattern) String() string {
	switch {
	case p.glob != "":
		return fmt.Sprintf("[%s]", strings.ReplaceAll(p.glob, belowAll, "**"))
	case p == All():
		return "[all]"
	case p == Exact(p.lo):
		return fmt.Sprintf("[%q]", p.lo)
	case p == Prefix(p.lo):
		return fmt.Sprintf("[%q…]", p.lo)
	default:
		return fmt.Sprintf("[%q:%q]", p.lo, p.hi)
	}
}

// Match reports whether key is meant.
func (p Pattern) Match(key string) bool {
	if key < p.lo || p.hi != "" && key >= p.hi {
		return false
	}
	return p.glob == "" || doublestar.MatchUnvalidated(p.glob, key)
}

// afterPrefix returns the least string greater than every string with this prefix, "" if there is
// none.
func afterPrefix(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}
