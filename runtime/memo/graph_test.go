package memo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lines shows a graph: each node with its level, and what it rests on.
func (g Graph) lines() []string {
	var out []string
	for i, n := range g.Nodes {
		var rests []string
		for _, e := range g.Edges {
			if e.From == i {
				rests = append(rests, g.Nodes[e.To].Name)
			}
		}
		slices.Sort(rests)
		out = append(out, fmt.Sprintf("%+d %s -> %s", n.Level, n.Name, strings.Join(rests, ", ")))
	}
	slices.Sort(out)
	if g.Cut {
		out = append(out, "and more")
	}
	return out
}

// The graph is the same whether the traces are in memory or in the store, and ends where it is told
// to.
func TestGraph(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	r.query("sum", func(f *Frame, key string) (string, error) {
		var all string
		for _, k := range strings.Split(key, "+") {
			s, err := r.get(f, "length", k)
			if err != nil {
				return "", err
			}
			all += s
		}
		return all, nil
	})
	r.query("top", func(f *Frame, key string) (string, error) { return r.get(f, "sum", key) })
	put("a", "1", "b", "22")
	r.want("top", "a+b", "xxx")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"memory", "the store"} {
		for _, c := range []struct {
			around       KeyOf
			depth, nodes int
			want         []string
		}{
			{KeyOf{Key: "a"}, 1, 100, []string{"+0 length(a) -> upper(a)", "+1 upper(a) -> ", "-1 sum(a+b) -> length(a)", "and more"}},
			{KeyOf{Key: "a"}, 2, 100, []string{
				`+0 length(a) -> upper(a)`, `+1 upper(a) -> files["a"]`, `+2 files["a"] -> `, `-1 sum(a+b) -> length(a)`, `-2 top(a+b) -> sum(a+b)`, "and more",
			}},
			{KeyOf{Key: "a"}, 9, 100, []string{
				`+0 length(a) -> upper(a)`, `+1 upper(a) -> files["a"]`, `+2 files["a"] -> `, `-1 sum(a+b) -> length(a)`, `-2 top(a+b) -> sum(a+b)`,
			}},
			{KeyOf{Key: "a"}, 9, 2, []string{"+0 length(a) -> upper(a)", "+1 upper(a) -> ", "and more"}},
			{KeyOf{Key: "none"}, 9, 100, []string{"+0 length(none) -> "}},
		} {
			c.around.Query = r.queries["length"]
			g, err := r.table.Graph([]KeyOf{c.around}, c.depth, c.nodes)
			if err != nil {
				t.Fatal(err)
			}
			if got := g.lines(); !slices.Equal(got, c.want) {
				t.Errorf("from %s, around %q, depth %d, %d nodes:\n got %q\nwant %q", from, c.around.Key, c.depth, c.nodes, got, c.want)
			}
			if from == "memory" && c.depth == 9 && c.nodes == 100 && c.around.Key == "a" {
				const want = `n0 [label="length(a)\lran: no earlier run is known\l", style=bold];`
				if dot := g.DOT(); !strings.Contains(dot, want) || !strings.Contains(dot, `files[\"a\"]`) || strings.Count(dot, "->") != len(g.Edges) {
					t.Error(dot)
				}
			}
		}
		r.newTable(Options{})
	}
}
