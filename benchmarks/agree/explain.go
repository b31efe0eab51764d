package agree

import (
	"slices"
	"strings"
)

// A side says who is right in a difference.
type side string

// Sides.
const (
	ours   side = "ours"   // this server is right
	theirs side = "theirs" // gopls is right, and the reason says why it is left so
	taste  side = "taste"  // both are right
)

// A difference is a point in which the servers do not agree.
type difference struct {
	ground string
	q      *question
	line   string   // of a kind whose lines are points, the one that only one server has
	mine   []string // the whole answers
	other  []string
	reason *explanation // nil for none
}

// missing are the lines that only gopls has, and extra those that only we have.
func (d *difference) missing() []string { return without(d.other, d.mine) }
func (d *difference) extra() []string   { return without(d.mine, d.other) }

func without(list, drop []string) (out []string) {
	for _, l := range list {
		if !slices.Contains(drop, l) {
			out = append(out, l)
		}
	}
	return out
}

// An explanation is why servers differ in a class of points.
type explanation struct {
	kind string // of questions
	side side
	what string // what differs, and why it is as it is
	fits func(*difference) bool
}

// explanations is the list. The first that fits a difference counts.
var explanations = []explanation{
	{
		kind: "references", side: ours,
		what: "of a predeclared name we answer its uses in the workspace; gopls refuses",
		fits: func(d *difference) bool { return d.q.role == roleBuiltin && d.refusedByPeer() },
	},
	{
		kind: "type definition", side: ours,
		what: "of what has the type of a type parameter we lead to where that is declared; gopls refuses",
		fits: func(d *difference) bool { return len(d.mine) == 1 && d.refusedByPeer() },
	},
	{
		kind: "type definition", side: ours,
		what: "of a generic function we lead to the type parameter that it returns; gopls passes over it",
		fits: func(d *difference) bool {
			return len(d.mine) == 1 && len(d.other) == 1 && strings.HasPrefix(d.other[0], "builtin/")
		},
	},
	{
		kind: "definition", side: ours,
		what: "of a function whose body is elsewhere and cannot be found we answer its declaration; gopls refuses",
		fits: func(d *difference) bool { return len(d.mine) == 1 && d.refusedByPeer() },
	},
	{
		kind: "highlight", side: ours, fits: more,
		what: "of a field or method of a generic type we find the uses through its instances; gopls does not",
	},
	{
		kind: "workspace symbols", side: ours, fits: more,
		what: "we answer up to 256 symbols, gopls up to 100",
	},
	{
		kind: "workspace symbols", side: taste,
		what: "an embedded field is where its name stands; for gopls it is where its type begins",
		fits: func(d *difference) bool {
			mine, other := d.extra(), d.missing()
			for i := range mine {
				mine[i] = lineOf(mine[i])
			}
			for i := range other {
				other[i] = lineOf(other[i])
			}
			return slices.Equal(mine, other)
		},
	},
	{
		kind: "tokens", side: ours,
		what: "gopls has no tokens of a large file as a whole",
		fits: func(d *difference) bool { return len(d.other) == 0 || d.refusedByPeer() },
	},
	{
		kind: "references", side: taste,
		what: "of a package we answer the paths in its imports, and those of its own tests; gopls answers the names before the paths, too",
		fits: func(d *difference) bool {
			mine := make([]string, len(d.mine))
			for i, l := range d.mine {
				mine[i] = lineOf(l)
			}
			return d.q.role == rolePackage && !slices.ContainsFunc(d.other, func(l string) bool {
				return !slices.Contains(mine, lineOf(l))
			})
		},
	},
	{
		kind: "definition", side: taste, fits: blank,
		what: "the blank identifier declares nothing, so we have no answer; gopls answers its own place",
	},
	{
		kind: "references", side: taste, fits: blank,
		what: "the blank identifier declares nothing, so we have no answer; gopls answers its own place",
	},
	{
		kind: "highlight", side: taste, fits: blank,
		what: "the blank identifier declares nothing, so we have no answer; gopls answers its own place",
	},
	{
		kind: "tokens", side: taste,
		what: "we mark := as the operator that it is, and the quotes of an import's path as string; gopls leaves them out",
		fits: func(d *difference) bool {
			return slices.Contains(d.mine, d.line) &&
				(strings.HasSuffix(d.line, " operator") || strings.HasSuffix(d.line, " string"))
		},
	},
}

// more reports whether gopls has some of what we have, and nothing else.
func more(d *difference) bool {
	return !d.refusedByPeer() && len(d.missing()) == 0 && len(d.mine) > 0
}

// lineOf is a place without its columns.
func lineOf(place string) string {
	at := strings.LastIndexByte(place, '-')
	if at < 0 {
		return place
	}
	column := strings.LastIndexByte(place[:at], ':')
	return place[:max(column, 0)]
}

func blank(d *difference) bool { return d.q.role == roleBlank && len(d.mine) == 0 }

// refusedByPeer reports whether gopls refused the question.
func (d *difference) refusedByPeer() bool {
	return len(d.other) == 1 && strings.HasPrefix(d.other[0], refusedPrefix)
}

// explain finds the explanation of a difference.
func (d *difference) explain() {
	for i := range explanations {
		if e := &explanations[i]; e.kind == d.q.kind.name && e.fits(d) {
			d.reason = e
			return
		}
	}
}
