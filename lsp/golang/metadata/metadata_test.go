package metadata

import (
	"testing"
)

func TestCyclesAreCut(t *testing.T) {
	m := new(Build)
	add := func(id string, imports ...string) {
		p := Package{ID: id, Path: id}
		for _, path := range imports {
			p.Imports = append(p.Imports, Edge{Import: path, ID: path})
		}
		m.Packages = append(m.Packages, p)
	}
	add("a", "b", "e")
	add("b", "c")
	add("c", "a", "d")
	add("d", "e", "gone")
	add("e")
	add("f", "f", "a")
	m.Normalise()
	for _, c := range []struct{ from, to, problem string }{
		{"a", "b", "import cycle not allowed: a -> b -> c -> a"},
		{"b", "c", "import cycle not allowed: b -> c -> a -> b"},
		{"c", "a", "import cycle not allowed: c -> a -> b -> c"},
		{"c", "d", ""},
		{"a", "e", ""},
		{"d", "gone", "package gone is not known to the go command"},
		{"f", "f", "import cycle not allowed: f -> f"},
		{"f", "a", ""},
	} {
		e, ok := m.Find(c.from).Edge(c.to)
		problem, known := e.Problem, e.ID
		for _, f := range m.Find(c.from).Forbidden {
			if f.Import == c.to {
				problem, known = f.Message, e.Cut
			}
		}
		if !ok || problem != c.problem || (e.ID == "") != (c.problem != "") || (known == "") != (c.to == "gone") {
			t.Errorf("%s -> %s: %+v, want problem %q", c.from, c.to, e, c.problem)
		}
	}
	// A chain too long for recursion.
	long := new(Build)
	for i := range 20_000 {
		p := Package{ID: string(rune(i + 1000))}
		p.Imports = []Edge{{Import: "next", ID: string(rune(i + 1001))}}
		long.Packages = append(long.Packages, p)
	}
	long.Normalise()
}
