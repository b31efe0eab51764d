package disk

import (
	"strings"
	"testing"
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
