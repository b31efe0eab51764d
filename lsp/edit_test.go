package lsp

import (
	"errors"
	"testing"
)

func TestApply(t *testing.T) {
	edit := func(start, end int, text string) TextEdit { return TextEdit{Span{start, end}, text} }
	for _, c := range []struct {
		name  string
		edits []TextEdit
		want  string // "": it is refused
	}{
		{"nothing", nil, "abcdef"},
		{"out of order", []TextEdit{edit(4, 5, "E"), edit(0, 1, "A")}, "AbcdEf"},
		{"two at one place keep their order", []TextEdit{edit(3, 3, "x"), edit(3, 3, "y")}, "abcxydef"},
		{"an insertion before what goes", []TextEdit{edit(1, 3, ""), edit(1, 1, "x")}, "axdef"},
		{"at the end", []TextEdit{edit(6, 6, "g")}, "abcdefg"},
		{"overlapping", []TextEdit{edit(0, 3, ""), edit(2, 4, "")}, ""},
		{"twice the same", []TextEdit{edit(0, 3, "x"), edit(0, 3, "y")}, ""},
		{"behind the end", []TextEdit{edit(6, 7, "")}, ""},
		{"backwards", []TextEdit{edit(3, 2, "")}, ""},
	} {
		got, err := Apply([]byte("abcdef"), c.edits)
		if string(got) != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	if _, err := Apply(nil, []TextEdit{edit(0, 1, "")}); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("%v", err)
	}
}
