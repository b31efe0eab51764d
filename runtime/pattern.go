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

// Glob means the keys that match a pattern in which * matches within one path element, ** any number of elements, ? one character,
// [a-z] a class and {a,b} alternatives; a/** is everything below a, not a itself. A pattern that is malformed matches nothing.
func Glob(glob string) Pattern {
	literal := glob
	if i := strings.IndexAny(glob, `*?[{\`); i >= 0 {
		literal = glob[:i]
	} else {
		return Exact(glob)
	}
	p := Prefix(literal)
	p.glob = glob
	return p
}

// String returns the pattern as people write it, in brackets.
func (p Pattern) String() string {
	switch {
	case p.glob != "":
		return fmt.Sprintf("[%s]", p.glob)
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

// afterPrefix returns the least string greater than every string with this prefix, "" if there is none.
func afterPrefix(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}
