package editor

import (
	"testing"

	"go.lsp.dev/protocol"
)

func TestApply(t *testing.T) {
	edit := func(line, from, to uint32, text string) TextEdit {
		return TextEdit{protocol.Range{
			Start: protocol.Position{Line: line, Character: from}, End: protocol.Position{Line: line, Character: to},
		}, text}
	}
	for _, c := range []struct {
		edits []TextEdit
		want  string // "": refused
	}{
		{nil, "one\ntwo\n"},
		{[]TextEdit{edit(1, 0, 3, "2"), edit(0, 0, 3, "1")}, "1\n2\n"},
		{[]TextEdit{edit(0, 1, 1, "a"), edit(0, 1, 1, "b")}, "oabne\ntwo\n"},
		{[]TextEdit{edit(0, 0, 2, ""), edit(0, 1, 3, "")}, ""},
		{[]TextEdit{edit(9, 0, 0, "x")}, ""},
	} {
		got, err := Apply("one\ntwo\n", c.edits)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%v: %q, %v, want %q", c.edits, got, err, c.want)
		}
	}
}
