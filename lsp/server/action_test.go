package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const (
	actionsCaps = `{"textDocument":{"codeAction":{"codeActionLiteralSupport":{"codeActionKind":{"valueSet":["quickfix"]}},"isPreferredSupport":true%s}},
		"workspace":{"workspaceEdit":{"documentChanges":true}}}`
	lazyActions = `,"dataSupport":true,"resolveSupport":{"properties":["edit"]}`
)

func askActions(line, character int, only string) string {
	return fmt.Sprintf(`{"textDocument":{"uri":%q},"range":{"start":{"line":%d,"character":%d},"end":{"line":%[2]d,"character":%[3]d}},
		"context":{"diagnostics":[],"only":[%s]}}`, fileA, line, character, only)
}

// TestActionsWithEdits: a client that resolves nothing gets the edits, for the version at hand.
func TestActionsWithEdits(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	caps := c.begin("file:///m", fmt.Sprintf(actionsCaps, ""), "")
	if !strings.Contains(caps, `"codeActionKinds":["quickfix","refactor.rewrite.double"]`) {
		t.Errorf("announced: %s", caps)
	}
	c.open(fileA, 7, "def one\n one")
	got := c.must("textDocument/codeAction", askActions(0, 5, ""))
	for _, part := range []string{`"isPreferred":true`, `"newText":"ONE"`, `"newText":"oneone"`, `"version":7`} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
	if got := c.must("textDocument/codeAction", askActions(0, 5, `"refactor"`)); strings.Contains(got, "ONE") || !strings.Contains(got, "oneone") {
		t.Errorf("only refactor: %s", got)
	}
	if got := c.must("textDocument/codeAction", askActions(0, 5, `"refactor.rewrite.doub"`)); got != "[]" {
		t.Errorf("half of a kind's name: %s", got)
	}
	if _, err := c.ask("textDocument/codeAction", askActions(9, 0, "")); err == nil {
		t.Error("a range behind the end is taken")
	}
}

// TestActionsOfFiles: where the only action creates a file there is none for a client that creates
// none, which is no error.
func TestActionsOfFiles(t *testing.T) {
	for operations, want := range map[string]string{"": "", "create": "create"} {
		c := newBench(t, simple(), Options{}).connect()
		caps := fmt.Sprintf(actionsCaps, "")
		if operations != "" {
			caps = strings.Replace(caps, `"documentChanges":true`, `"documentChanges":true,"resourceOperations":["create"]`, 1)
		}
		c.begin("file:///m", caps, "")
		c.open(fileA, 1, "def moved\n")
		got := c.must("textDocument/codeAction", askActions(0, 5, `"refactor.extract"`))
		if want == "" && got != "[]" || !strings.Contains(got, want) {
			t.Errorf("client with %q: %s", operations, got)
		}
	}
}

// TestActionsResolved: a client that resolves gets titles, and the edit when it asks for it, unless
// the text has become another.
func TestActionsResolved(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	c.begin("file:///m", fmt.Sprintf(actionsCaps, lazyActions), "")
	c.open(fileA, 1, "def one\n one")
	got := c.must("textDocument/codeAction", askActions(0, 5, ""))
	if strings.Contains(got, `"edit"`) {
		t.Errorf("edits before they are asked for: %s", got)
	}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(got), &list); err != nil || len(list) != 2 {
		t.Fatal(err, got)
	}
	if got := c.must("codeAction/resolve", string(list[1])); !strings.Contains(got, `"newText":"oneone"`) {
		t.Errorf("resolved: %s", got)
	}
	for _, strange := range []string{`{"title":"x"}`, `{"title":"x","data":{"uri":"file:///m/a.txt"}}`, `{"title":"x","data":7}`} {
		if _, err := c.ask("codeAction/resolve", strange); err == nil {
			t.Errorf("%s is resolved", strange)
		}
	}
	c.open(fileA, 2, "def other\n one")
	if _, err := c.ask("codeAction/resolve", string(list[1])); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("after an edit: %v", err)
	}
}
