package golang

import (
	"slices"
	"strings"
	"testing"
)

func TestCyclesAreCut(t *testing.T) {
	m := new(metadata)
	add := func(id string, imports ...string) {
		p := pkgMeta{ID: id, Path: id}
		for _, path := range imports {
			p.Imports = append(p.Imports, importEdge{Import: path, ID: path})
		}
		m.Packages = append(m.Packages, p)
	}
	add("a", "b", "e")
	add("b", "c")
	add("c", "a", "d")
	add("d", "e", "gone")
	add("e")
	add("f", "f", "a")
	m.normalise()
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
		e, ok := m.find(c.from).edge(c.to)
		problem, known := e.Problem, e.ID
		for _, f := range m.find(c.from).Forbidden {
			if f.Import == c.to {
				problem, known = f.Message, e.Cut
			}
		}
		if !ok || problem != c.problem || (e.ID == "") != (c.problem != "") || (known == "") != (c.to == "gone") {
			t.Errorf("%s -> %s: %+v, want problem %q", c.from, c.to, e, c.problem)
		}
	}
	// A chain too long for recursion.
	long := new(metadata)
	for i := range 20_000 {
		p := pkgMeta{ID: string(rune(i + 1000))}
		p.Imports = []importEdge{{Import: "next", ID: string(rune(i + 1001))}}
		long.Packages = append(long.Packages, p)
	}
	long.normalise()
}

func TestErrorPosition(t *testing.T) {
	for _, c := range []struct {
		pos, file    string
		line, column int
	}{
		{"a/b.go:3:4", "file:///base/a/b.go", 3, 4},
		{"a/b.go:3", "file:///base/a/b.go", 3, 0},
		{"/x/y.go:10:2", "file:///x/y.go", 10, 2},
		{"", "", 0, 0},
		{"nothing", "", 0, 0},
		{":1:2", "", 0, 0},
		{"a.go:99999999999999999999:1", "file:///base/a.go:99999999999999999999", 1, 0},
		{"\xff.go:1:1", "", 0, 0},
	} {
		file, line, column := errorPosition("/base", c.pos)
		if c.line == 1 && strings.Contains(c.file, "9999") {
			continue // what matters is that it does not panic
		}
		if file != c.file || line != c.line || column != c.column {
			t.Errorf("%q: %s %d %d", c.pos, file, line, column)
		}
	}
}

func TestDecodeList(t *testing.T) {
	if _, err := decodeList([]byte(`{"ImportPath": "a"} {"Imp`)); err == nil {
		t.Error("a torn answer was accepted")
	}
	all, err := decodeList([]byte(`{"ImportPath": "a"}` + "\n" + `{"ImportPath": "b"}`))
	if err != nil || len(all) != 2 || all[1].ImportPath != "b" {
		t.Errorf("%v, %v", all, err)
	}
}

func TestStandardLibraryMetadata(t *testing.T) {
	env, m := stdMetadata()
	if len(m.Problems) > 0 {
		t.Errorf("problems: %v", m.Problems)
	}
	for _, id := range []string{"fmt", "net/http", "unsafe", "builtin", "vendor/golang.org/x/net/idna"} {
		if p := m.find(id); p == nil || !p.Workspace || len(p.Files) == 0 {
			t.Errorf("%s: %+v", id, p)
		}
	}
	http := m.find("net/http")
	if e, ok := http.edge("golang.org/x/net/http/httpguts"); !ok || e.ID != "vendor/golang.org/x/net/http/httpguts" {
		t.Errorf("a vendored import: %+v", e)
	}
	if env.languageVersion() == "" {
		t.Errorf("no language version in %s", env.GoVersion)
	}
	reaching := m.reaching("net/http")
	if !slices.Contains(reaching, http) || !slices.Contains(reaching, m.find("expvar")) || slices.Contains(reaching, m.find("fmt")) {
		t.Error("who reaches net/http?")
	}
}
