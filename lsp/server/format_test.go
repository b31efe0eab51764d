package server

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
)

// Format takes blanks in the place of tabs. A text with a question mark cannot be parsed.
func (w *fakeWorkspace) Format(name string, text []byte) ([]lsp.TextEdit, error) {
	return w.FormatSpans(name, text, []lsp.Span{{End: len(text)}})
}

func (w *fakeWorkspace) FormatSpans(_ string, text []byte, spans []lsp.Span) (edits []lsp.TextEdit, err error) {
	if at := bytes.IndexByte(text, '?'); at >= 0 {
		return nil, fmt.Errorf("%d: %w", at, lsp.ErrSyntax)
	}
	for _, s := range spans {
		for i := s.Start; i < s.End; i++ {
			if text[i] == '\t' {
				edits = append(edits, lsp.TextEdit{Span: lsp.Span{Start: i, End: i + 1}, NewText: " "})
			}
		}
	}
	if w.lang.formatting != nil {
		w.lang.formatting()
	}
	return edits, nil
}

func (w *fakeWorkspace) FormatTyped(name string, text []byte, offset int, typed string) []lsp.TextEdit {
	edits, err := w.FormatSpans(name, text, []lsp.Span{{Start: offset - len(typed), End: offset}})
	if err != nil {
		return nil
	}
	return edits
}

// TestFormatting: an open text is laid out before the workspace is read, in full, in ranges, and
// behind what is typed; one that cannot be parsed is refused with the reason.
func TestFormatting(t *testing.T) {
	lang := simple()
	lang.gate = make(chan struct{})
	b := newBench(t, lang, Options{})
	c := b.connect()
	announced := c.begin("file:///m", plainCaps, "")
	for _, want := range []string{`"documentFormattingProvider":true`, `"rangesSupport":true`, `"firstTriggerCharacter":"}"`} {
		if !strings.Contains(announced, want) {
			t.Errorf("%s is not announced: %s", want, announced)
		}
	}
	c.open(fileA, 1, "é\ta\tb\nc\td")
	edit := func(line, start int) string {
		return `{"range":{"start":{"line":` + strconv.Itoa(line) + `,"character":` + strconv.Itoa(start) + `},"end":{"line":` + strconv.Itoa(line) + `,"character":` + strconv.Itoa(start+1) + `}},"newText":" "}`
	}
	options := `,"options":{"tabSize":8,"insertSpaces":false}`
	document := `{"textDocument":{"uri":"` + fileA + `"}`
	lines := func(start, end int) string {
		return `{"start":{"line":` + strconv.Itoa(start) + `,"character":0},"end":{"line":` + strconv.Itoa(end) + `,"character":3}}`
	}
	for _, q := range []struct{ method, params, want string }{
		{"formatting", document + options + "}", "[" + edit(0, 1) + "," + edit(0, 3) + "," + edit(1, 1) + "]"},
		{"rangeFormatting", document + `,"range":` + lines(1, 1) + options + "}", "[" + edit(1, 1) + "]"},
		{"rangesFormatting", document + `,"ranges":[` + lines(1, 1) + "," + lines(0, 0) + "]" + options + "}", "[" + edit(0, 1) + "," + edit(1, 1) + "]"},
		{"onTypeFormatting", document + `,"position":{"line":1,"character":2},"ch":"}"` + options + "}", "[" + edit(1, 1) + "]"},
	} {
		if got := c.must("textDocument/"+q.method, q.params); got != q.want {
			t.Errorf("%s: %s, want %s", q.method, got, q.want)
		}
	}
	c.tell("textDocument/didChange", insert(fileA, 2, 0, 0, "?"))
	_, err := c.ask("textDocument/formatting", document+options+"}")
	wantCode(t, err, int(dispatch.RequestFailed), "0: syntax error")
	close(lang.gate)
	c.finish()
}

// Edits are of the text that the client has: if it changes meanwhile there are none.
func TestFormattingOfChangedText(t *testing.T) {
	lang := simple()
	began, changed := make(chan struct{}), make(chan struct{})
	lang.formatting = func() { close(began); <-changed }
	b := newBench(t, lang, Options{})
	c := b.connect()
	c.begin("file:///m", plainCaps, "")
	c.open(fileA, 1, "a\tb")
	go func() {
		<-began
		c.tell("textDocument/didChange", insert(fileA, 2, 0, 0, "x"))
		c.must("textDocument/documentSymbol", doc(fileA)) // is answered behind the change
		close(changed)
	}()
	_, err := c.ask("textDocument/formatting", `{"textDocument":{"uri":"`+fileA+`"},"options":{"tabSize":8,"insertSpaces":false}}`)
	wantCode(t, err, int(protocol.CodeContentModified), "changed")
	c.finish()
}
