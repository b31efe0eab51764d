package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/lsptest/editor"
)

func command(name string, offset int, more string) json.RawMessage {
	return fmt.Appendf(nil, `{"command":%q,"arguments":[{"uri":%q,"offset":%d}]%s}`, name, fileA, offset, more)
}

// TestCommandsOfTheLanguage: a command has a value, changes texts in the client, or shows a place.
func TestCommandsOfTheLanguage(t *testing.T) {
	b := newBench(t, simple(), Options{Name: "wordy"})
	e := b.edit(editor.Everything, "", nil)
	const text = "def one\none\n"
	e.Open("/m/a.txt", "words", text)
	if got := e.Must(protocol.MethodWorkspaceExecuteCommand, command("words.count", 4, "")); got != "3" {
		t.Errorf("counted %s, want 3", got)
	}
	if got := e.Must(protocol.MethodWorkspaceExecuteCommand, command("words.double", 4, "")); got != "null" {
		t.Errorf("answered %s", got)
	}
	if got, _ := e.Text("/m/a.txt"); got != "def oneone\none\n" {
		t.Errorf("the text has become %q", got)
	}
	from := e.Count()
	e.Must(protocol.MethodWorkspaceExecuteCommand, command("words.show", 4, ""))
	if said, _ := e.Await(from, protocol.MethodWindowShowDocument, "a.txt"); !strings.Contains(said, `"character":4`) {
		t.Errorf("shown: %s", said)
	}

	e.Answer(protocol.MethodWorkspaceApplyEdit, func([]byte) any { return map[string]any{"applied": false, "failureReason": "read only"} })
	if _, err := e.Ask(protocol.MethodWorkspaceExecuteCommand, command("words.double", 4, "")); err == nil || !strings.Contains(err.Error(), "read only") {
		t.Errorf("a change that was not made: %v", err)
	}
	if _, err := e.Ask(protocol.MethodWorkspaceExecuteCommand, json.RawMessage(`{"command":"words.count"}`)); err == nil {
		t.Error("arguments are not missed")
	}
	if got := e.Must(protocol.MethodWorkspaceExecuteCommand, json.RawMessage(`{"command":"wordy.settle"}`)); got != "null" {
		t.Errorf("a command of the server: %s", got)
	}
	if _, err := e.Ask(protocol.MethodWorkspaceExecuteCommand, json.RawMessage(`{"command":"words.none"}`)); err == nil || !strings.Contains(err.Error(), "wordy.settle") {
		t.Errorf("an unknown command: %v", err)
	}
}

// Work that shows its progress ends when the progress is cancelled, as if its request were.
func TestProgressIsCancelled(t *testing.T) {
	lang := simple()
	lang.began = make(chan struct{})
	e := newBench(t, lang, Options{}).edit(editor.Everything, "", nil)
	got := make(chan error)
	go func() {
		_, err := e.Ask(protocol.MethodWorkspaceExecuteCommand, command("words.wait", 4, `,"workDoneToken":"t"`))
		got <- err
	}()
	<-lang.began
	e.Await(0, methodProgress, `"cancellable":true`)
	e.Tell(methodProgressCancel, map[string]string{"token": "none"})
	e.Tell(methodProgressCancel, map[string]string{"token": "t"})
	wantCode(t, <-got, int(protocol.CodeRequestCancelled))
	e.Await(0, methodProgress, `"kind":"end"`)
}

// A long answer comes in parts to a client that takes them, and then the answer itself is empty.
func TestPartsOfAnswers(t *testing.T) {
	const uses = 2*partialMax + 1
	e := newBench(t, newFake("/m/a.txt", "def one\n"+strings.Repeat("one ", uses)), Options{}).edit(editor.Everything, "", nil)
	ask := func(more string) (items int) {
		var list []any
		params := fmt.Sprintf(`{"textDocument":{"uri":%q},"position":{"line":0,"character":4},"context":{"includeDeclaration":false}%s}`, fileA, more)
		if err := json.Unmarshal([]byte(e.Must(protocol.MethodTextDocumentReferences, json.RawMessage(params))), &list); err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := ask(""); n != uses {
		t.Errorf("%d uses, want %d", n, uses)
	}
	if n := ask(`,"partialResultToken":"p"`); n != 0 {
		t.Errorf("%d uses beside the parts", n)
	}
	var sizes []int
	whole := e.AwaitUntil(func() bool { // the editor may take them after the answer
		sizes = nil
		for _, m := range e.Said(0, methodProgress) {
			var p struct {
				Token any
				Value []any
			}
			if json.Unmarshal([]byte(m.Params), &p) == nil && p.Token == "p" {
				sizes = append(sizes, len(p.Value))
			}
		}
		return len(sizes) == 3
	})
	if !whole || fmt.Sprint(sizes) != fmt.Sprint([]int{partialMax, partialMax, 1}) {
		t.Errorf("parts of %v", sizes)
	}
}

func TestFilesAreRenamed(t *testing.T) {
	b := newBench(t, newFake("/m/a.txt", "def one\nb b\n", "/m/b.txt", "def two\n"), Options{})
	e := b.edit(editor.Everything, "", nil)
	files := func(was, is string) map[string]any {
		return map[string]any{"files": []any{map[string]string{"oldUri": "file:///m/" + was, "newUri": "file:///m/" + is}}}
	}
	got := e.Must(protocol.MethodWorkspaceWillRenameFiles, files("b.txt", "c.txt"))
	if strings.Count(got, `"newText":"c"`) != 2 || strings.Count(got, `"uri"`) != 1 {
		t.Errorf("to rename a file changes %s", got)
	}
	if got := e.Must(protocol.MethodWorkspaceWillRenameFiles, files("z.txt", "c.txt")); got != "null" {
		t.Errorf("a file that nothing names changes %s", got)
	}
	if _, err := e.Ask(protocol.MethodWorkspaceWillRenameFiles, map[string]any{"files": []any{map[string]string{"oldUri": "none", "newUri": ""}}}); err == nil {
		t.Error("a name that is none is taken")
	}

	b.lang.seen = make(chan []string, 8)
	for method, params := range map[string]any{
		protocol.MethodWorkspaceDidCreateFiles: map[string]any{"files": []any{map[string]string{"uri": fileA}}},
		protocol.MethodWorkspaceDidDeleteFiles: map[string]any{"files": []any{map[string]string{"uri": fileA}}},
		protocol.MethodWorkspaceDidRenameFiles: files("a.txt", "z.txt"),
	} {
		e.Tell(method, params)
		if names := <-b.lang.seen; names[0] != fileA {
			t.Errorf("after %s %q was looked at", method, names)
		}
	}
}
