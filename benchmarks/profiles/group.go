package profiles

import (
	"fmt"
	"slices"

	"github.com/google/pprof/profile"

	engine "github.com/cytisus/cytisus/runtime/profile"
)

// A Group is the flame graphs of one way to divide a profile.
type Group struct {
	Name   string
	Graphs []*Node // the roots, widest first
}

// groupsMax is how many graphs a group has at most; the rest is in the graph of everything.
const groupsMax = 12

// outside names the samples without the label.
const outside = "(outside tasks)"

// groups divides head, and base if it is not nil, by the value of the type that is named.
func groups(head, base *profile.Profile, valueType string) (list []Group, whole *Node, err error) {
	whole = &Node{Name: "everything"}
	by := map[string]map[string]*Node{}
	ways := []struct {
		name string
		of   func(*profile.Sample) string
	}{
		{"lane", labelled("lane")},
		{"task", labelled("task")},
		{"client", labelled("client")},
		{"phase", engine.Phase},
	}
	for _, one := range []struct {
		p    *profile.Profile
		base bool
	}{{head, false}, {base, true}} {
		if one.p == nil {
			continue
		}
		at := slices.IndexFunc(one.p.SampleType, func(t *profile.ValueType) bool { return t.Type == valueType })
		if at < 0 {
			return nil, nil, fmt.Errorf("profiles: there are no values of type %q", valueType)
		}
		for _, s := range one.p.Sample {
			stack := stackOf(s)
			whole.add(stack, s.Value[at], one.base)
			for _, way := range ways {
				if by[way.name] == nil {
					by[way.name] = map[string]*Node{}
				}
				part := way.of(s)
				root := by[way.name][part]
				if root == nil {
					root = &Node{Name: part}
					by[way.name][part] = root
				}
				root.add(stack, s.Value[at], one.base)
			}
		}
	}
	whole.settle(whole.Width() / narrowest)
	for _, way := range ways {
		g := Group{Name: way.name, Graphs: sortedNodes(by[way.name])}
		if len(g.Graphs) == 0 || len(g.Graphs) == 1 && g.Graphs[0].Name == outside {
			continue // nothing is labelled: kinds other than cpu
		}
		g.Graphs = g.Graphs[:min(len(g.Graphs), groupsMax)]
		for _, root := range g.Graphs {
			root.settle(whole.Width() / narrowest)
		}
		list = append(list, g)
	}
	return list, whole, nil
}

func labelled(label string) func(*profile.Sample) string {
	return func(s *profile.Sample) string {
		if values := s.Label[label]; len(values) > 0 {
			return values[0]
		}
		return outside
	}
}
