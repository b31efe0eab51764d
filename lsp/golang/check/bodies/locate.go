package bodies

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
)

// A Spot is a token outside of functions' bodies: its number among those of a file. It stays what
// it is while the faces of a package stay the same.
type Spot struct {
	File  int // number of the file in the package
	Token int
}

// A locator finds what a position is in, among the files that are asked about and those that the
// faces were checked from.
type locator struct {
	known []known // sorted by position
}

type known struct {
	*source
	file int
}

func newLocator(lists ...[]*source) *locator {
	l := new(locator)
	for _, list := range lists {
		for i, s := range list {
			l.known = append(l.known, known{s, i})
		}
	}
	slices.SortFunc(l.known, func(a, b known) int { return cmp.Compare(a.Tokens.Base(), b.Tokens.Base()) })
	l.known = slices.CompactFunc(l.known, func(a, b known) bool { return a.source == b.source })
	return l
}

func (l *locator) find(pos token.Pos) (known, bool) {
	i, ok := slices.BinarySearchFunc(l.known, int(pos), func(k known, pos int) int {
		return cmp.Compare(k.Tokens.Base(), pos)
	})
	if !ok {
		i--
	}
	if i < 0 || !l.known[i].holds(pos) {
		return known{}, false
	}
	return l.known[i], true
}

// spot is the token that starts at a position outside of bodies.
func (l *locator) spot(pos token.Pos) (Spot, bool) {
	k, ok := l.find(pos)
	if !ok {
		return Spot{}, false
	}
	n, ok := slices.BinarySearch(k.tokens, pos)
	return Spot{k.file, n}, ok
}

// syntax is the file that a position is in; nil if it is none.
func (l *locator) syntax(pos token.Pos) *ast.File {
	if k, ok := l.find(pos); ok {
		return k.Syntax
	}
	return nil
}
