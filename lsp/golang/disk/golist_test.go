package disk

import (
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/metadata"
)

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

// TestForeignTests checks that of packages which only files outside of the build import no tests
// are read, nor what these alone need.
func TestForeignTests(t *testing.T) {
	const listed = `
{"ImportPath": "unicode", "Dir": "/go/src/unicode", "Name": "unicode", "Standard": true, "DepOnly": true, "GoFiles": ["a.go"]}
{"ImportPath": "testing", "Dir": "/go/src/testing", "Name": "testing", "Standard": true, "DepOnly": true, "GoFiles": ["a.go"]}
{"ImportPath": "testenv", "Dir": "/go/src/testenv", "Name": "testenv", "Standard": true, "DepOnly": true, "GoFiles": ["a.go"]}
{"ImportPath": "time", "Dir": "/go/src/time", "Name": "time", "Standard": true, "GoFiles": ["a.go"], "Imports": ["unicode"]}
{"ImportPath": "time [time.test]", "Dir": "/go/src/time", "Name": "time", "ForTest": "time", "Standard": true,
	"GoFiles": ["a.go", "a_test.go"], "Imports": ["testenv", "testing", "unicode"]}
{"ImportPath": "time.test", "Dir": "/go/src/time", "Name": "main", "GoFiles": ["/cache/main.go"],
	"Imports": ["time"], "ImportMap": {"time": "time [time.test]"}}
{"ImportPath": "m", "Dir": "/m", "Name": "m", "Module": {"Path": "m", "Dir": "/m", "Main": true}, "GoFiles": ["a.go"]}
{"ImportPath": "m [m.test]", "Dir": "/m", "Name": "m", "ForTest": "m", "Module": {"Path": "m", "Dir": "/m", "Main": true},
	"GoFiles": ["a.go", "a_test.go"], "Imports": ["testing"]}
`
	all, err := decodeList([]byte(listed))
	if err != nil {
		t.Fatal(err)
	}
	env := &Environment{Dir: "/m", Own: []string{"/m"}, Levels: AllLevels, Tests: true}
	m, _ := Assemble(env, NewPlacer(env, nil), all, map[string]bool{"time": true})
	var got []string
	for i := range m.Packages {
		if p := &m.Packages[i]; p.Path != metadata.Builtin {
			got = append(got, p.ID)
		}
	}
	slices.Sort(got)
	if want := []string{"m", "m [m.test]", "testing", "time", "unicode"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
