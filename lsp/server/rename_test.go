package server

import (
	"encoding/json"
	"strings"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/lsptest/editor"
)

func TestRename(t *testing.T) {
	e := newBench(t, simple(), Options{}).edit(editor.Everything, "", nil)
	at := func(line, character int, more string) json.RawMessage {
		return json.RawMessage(strings.TrimSuffix(at(fileA, line, character), "}") + more + "}")
	}
	if got, want := e.Must(protocol.MethodTextDocumentPrepareRename, at(0, 5, "")),
		`{"range":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}},"placeholder":"one"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := e.Must(protocol.MethodTextDocumentPrepareRename, at(0, 1, "")); got != "null" {
		t.Errorf("on a keyword: %s", got)
	}
	got := e.Must(protocol.MethodTextDocumentRename, at(0, 5, `,"newName":"uno"`))
	if strings.Count(got, `"newText":"uno"`) != 3 || !strings.Contains(got, "b.txt") {
		t.Errorf("changes %s", got)
	}
	_, err := e.Ask(protocol.MethodTextDocumentRename, at(0, 5, `,"newName":"def"`))
	wantCode(t, err, -32803, "def is a keyword")
}
