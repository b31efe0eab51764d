package agree

import (
	"fmt"
	"path/filepath"
	"regexp"
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

	offered [2][]string // all that we and gopls have, of kinds whose lines are some of it

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
		kind: "rename", side: ours,
		what: "what a package outside of the workspace declares keeps its name; gopls edits the standard library and the module cache",
		fits: func(d *difference) bool {
			return len(d.mine) == 1 && strings.HasSuffix(d.mine[0], "which is not part of the workspace") &&
				slices.ContainsFunc(d.other, filepath.IsAbs)
		},
	},
	{
		kind: "signature help", side: ours,
		what: "before an argument that is a function or a composite literal we tell the signature; gopls is in the literal already",
		fits: func(d *difference) bool {
			return len(d.mine) == 1 && len(d.other) == 0 && literal.MatchString(d.q.file.text[d.q.offset:])
		},
	},
	{
		kind: "implementation", side: ours,
		what: "of a name behind the parenthesis of a call we tell of the name; gopls tells of the call",
		fits: func(d *difference) bool {
			return strings.HasSuffix(d.q.file.text[:d.q.offset], "(") && len(d.other) > 0
		},
	},
	{
		kind: "references", side: ours,
		what: "of a method that another module declares we find the calls through interfaces; gopls does not",
		fits: func(d *difference) bool {
			return d.q.role == roleSelector && more(d) && slices.ContainsFunc(d.mine, filepath.IsAbs)
		},
	},
	{
		kind: "completion, first ten", side: taste,
		what: "both offer the name, and it is among the first ten of one",
		fits: func(d *difference) bool {
			return d.offers(0, d.line) && d.offers(1, d.line)
		},
	},
	{
		kind: "completion, first ten", side: taste,
		what: "members of what is in sight, such as x.y, are offered by a guess: gopls guesses three at most",
		fits: func(d *difference) bool { return strings.Contains(d.line, ".") },
	},
	{
		kind: "incoming calls", side: ours,
		what: "of a method we find the callers through interfaces of other modules in these modules; gopls looks into the workspace",
		fits: func(d *difference) bool {
			return d.q.role == roleMethod && more(d) && !slices.ContainsFunc(d.extra(), func(l string) bool { return !filepath.IsAbs(l) })
		},
	},
	{
		kind: "completion, first three", side: ours,
		what: "the name that was cut off is among our first three, and not among gopls'",
		fits: func(d *difference) bool { return slices.Contains(d.mine, expected) },
	},
	{
		kind: "completion, first ten", side: taste,
		what: "of packages that the file does not import we offer all, gopls up to five",
		fits: func(d *difference) bool {
			return slices.Contains(d.offered[0], d.line+packageMark)
		},
	},
	{
		kind: "analysis", side: theirs,
		what: "loops that could be over slices.Backward: the analyzer is withdrawn in the newer golang.org/x/tools that we have",
		fits: func(d *difference) bool { return strings.HasSuffix(d.line, "using slices.Backward") },
	},
	{
		kind: "highlight", side: ours,
		what: "of a directive in a format string of several lines we mark the directive; gopls' place is beside it",
		fits: func(d *difference) bool {
			mine, other := d.extra(), d.missing()
			return len(mine) == 1 && len(other) == 1 && strings.HasPrefix(d.q.file.from(mine[0]), "%") &&
				!strings.HasPrefix(d.q.file.from(other[0]), "%")
		},
	},
	{
		kind: "tokens", side: ours,
		what: "directives in a format string of several lines are tokens of their own; gopls has those in one line alone",
		fits: func(d *difference) bool {
			if slices.Contains(d.mine, d.line) {
				return covered(d.line, d.other)
			}
			return slices.ContainsFunc(d.mine, func(l string) bool { return covered(l, []string{d.line}) })
		},
	},
	{
		kind: "tokens", side: taste,
		what: "we mark := and = as the operators that they are, and the quotes of an import's path as string; gopls leaves them out",
		fits: func(d *difference) bool {
			if !slices.Contains(d.mine, d.line) {
				return false
			}
			text := d.q.file.from(d.line)
			_, from, to, ok := stringToken(d.line)
			assigns := strings.HasPrefix(text, "=") || strings.HasPrefix(text, ":=")
			return assigns && strings.HasSuffix(d.line, " operator") || ok && strings.HasPrefix(text, `"`) && (to == from+1 || strings.HasSuffix(text[:min(to-from, len(text))], "/"))
		},
	},
}

// offers reports whether a name is among all the completions of one of the servers.
func (d *difference) offers(server int, name string) bool {
	return slices.ContainsFunc(d.offered[server], func(label string) bool { return plainLabel(label) == name })
}

// covered reports whether a token of a string is a part of one in a list.
func covered(token string, list []string) bool {
	line, from, to, ok := stringToken(token)
	return ok && slices.ContainsFunc(list, func(l string) bool {
		in, start, end, ok := stringToken(l)
		return ok && in == line && start <= from && to <= end && end-start > to-from
	})
}

// stringToken is where a token of a string stands.
func stringToken(token string) (line, from, to int, ok bool) {
	var length int
	n, err := fmt.Sscanf(token, "%d:%d+%d string", &line, &from, &length)
	return line, from, from + length, n == 3 && err == nil && strings.HasSuffix(token, " string")
}

// literal matches where a literal of a function or of composite type begins.
var literal = regexp.MustCompile(`^(func\b|[&*\[\]\w. ]*\{)`)

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
