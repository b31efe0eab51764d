package profiles

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// A Node is a function on a stack: what it and all below it take. Base is of the other revision, 0
// where only one profile is shown.
type Node struct {
	Name       string
	Head, Base int64
	Children   []*Node // widest first

	below map[string]*Node
}

// Width is what the box of the node stands for.
func (n *Node) Width() int64 { return max(n.Head, n.Base) }

// Delta is how much more the node takes than in the other revision.
func (n *Node) Delta() int64 { return n.Head - n.Base }

// add adds a value below n along a stack, outermost function first.
func (n *Node) add(stack []string, value int64, base bool) {
	for {
		if base {
			n.Base += value
		} else {
			n.Head += value
		}
		if len(stack) == 0 {
			return
		}
		next := n.below[stack[0]]
		if next == nil {
			next = &Node{Name: stack[0]}
			if n.below == nil {
				n.below = map[string]*Node{}
			}
			n.below[stack[0]] = next
		}
		n, stack = next, stack[1:]
	}
}

// narrowest is the part of the whole below which a box is left out.
const narrowest = 500

// settle sorts what is below n and leaves out what is narrower than least.
func (n *Node) settle(least int64) {
	n.Children = nil
	for _, c := range n.below {
		if c.Width() > 0 && c.Width() >= least {
			c.settle(least)
			n.Children = append(n.Children, c)
		}
	}
	slices.SortFunc(n.Children, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(b.Width(), a.Width()), cmp.Compare(a.Name, b.Name))
	})
}

// stackOf is the functions of a sample, outermost first, inlined ones included.
func stackOf(s *profile.Sample) (names []string) {
	for _, l := range slices.Backward(s.Location) {
		for _, line := range slices.Backward(l.Line) {
			if line.Function != nil {
				names = append(names, short(line.Function.Name))
			}
		}
	}
	return names
}

// short is a function's name without the address of its module and the shapes of generic types.
func short(name string) string {
	name = withoutModule(name)
	for {
		open := strings.Index(name, "[go.shape.")
		if open < 0 {
			return name
		}
		depth, end := 0, len(name)
		for i := open; i < len(name); i++ {
			switch name[i] {
			case '[':
				depth++
			case ']':
				depth--
			}
			if depth == 0 {
				end = i + 1
				break
			}
		}
		name = name[:open] + "[…]" + name[end:]
	}
}

// withoutModule takes the address of the module off all names in a text. The engine's own package
// has the name of Go's, and is told from it.
func withoutModule(text string) string {
	text = strings.ReplaceAll(text, "github.com/cytisus/cytisus/runtime.", "cytisus/runtime.")
	return strings.ReplaceAll(text, "github.com/cytisus/cytisus/", "")
}

// sortedNodes lists the nodes of a map, widest first.
func sortedNodes(of map[string]*Node) []*Node {
	return slices.SortedFunc(maps.Values(of), func(a, b *Node) int {
		return cmp.Or(cmp.Compare(b.Width(), a.Width()), cmp.Compare(a.Name, b.Name))
	})
}
