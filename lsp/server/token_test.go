package server

import (
	"strings"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

func (w *fakeWorkspace) TokenLegend() lsp.TokenLegend {
	return lsp.TokenLegend{Types: []string{"word", "number", "raw"}, Modifiers: []string{"odd", "long"}}
}

// Tokens are words, of which a digit makes numbers, with both modifiers if they are long, and what
// stands in backquotes.
func (w *fakeWorkspace) Tokens(t *runtime.Task, name string, within lsp.Span) ([]lsp.Token, error) {
	text, err := w.Text(t, name)
	return w.tokens(text, within), err
}

// PlainTokens are all words.
func (w *fakeWorkspace) PlainTokens(_ string, text []byte, within lsp.Span) []lsp.Token {
	list := w.tokens(text, within)
	for i := range list {
		list[i].Type, list[i].Modifiers = 0, 0
	}
	return list
}

func (w *fakeWorkspace) tokens(text []byte, within lsp.Span) (list []lsp.Token) {
	for at := 0; at < len(text); at++ {
		end := at
		for end < len(text) && text[end] != ' ' && (text[end] != '\n' || text[at] == '`') {
			end++
		}
		tok := lsp.Token{Span: lsp.Span{Start: at, End: end}}
		switch {
		case end > at && text[at] == '`':
			tok.Type = 2
		case end > at && text[at] <= '9':
			tok.Type = 1
		}
		if end-at > 3 {
			tok.Modifiers = 3
		}
		if end > at && tok.Span.Start < within.End && tok.Span.End > within.Start {
			list = append(list, tok)
		}
		at = end
	}
	return list
}

const tokenCaps = `{"textDocument":{"semanticTokens":{"requests":{},"tokenTypes":["raw","number","word"],"tokenModifiers":["long"],"formats":[]}}`

func TestTokens(t *testing.T) {
	b := newBench(t, simple(), Options{})
	c := b.connect()
	announced := c.begin("file:///m", tokenCaps+"}", "")
	if want := `"legend":{"tokenTypes":["word","number","raw"],"tokenModifiers":["long"]}`; !strings.Contains(announced, want) {
		t.Errorf("%s is not announced: %s", want, announced)
	}
	const full, delta, part = protocol.MethodTextDocumentSemanticTokensFull, protocol.MethodTextDocumentSemanticTokensFullDelta, protocol.MethodTextDocumentSemanticTokensRange
	c.open(fileA, 1, "éé 12\nabcd\n\n`x\ny")
	want := func(method, params, want string) {
		t.Helper()
		if got := c.must(method, params); got != want {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
	}
	since := func(id string) string {
		return `{"textDocument":{"uri":"` + fileA + `"},"previousResultId":"` + id + `"}`
	}
	want(full, doc(fileA), `{"resultId":"1","data":[0,0,2,0,1,0,3,2,1,0,1,0,4,0,1,2,0,2,2,1,1,0,1,2,1]}`)
	want(delta, since("1"), `{"resultId":"2","edits":[]}`)
	c.tell("textDocument/didChange", insert(fileA, 2, 1, 4, "e 7"))
	want(delta, since("2"), `{"resultId":"3","edits":[{"start":12,"deleteCount":3,"data":[5,0,1,0,6,1,1,0]}]}`)
	want(delta, since("1"), `{"resultId":"4","data":[0,0,2,0,1,0,3,2,1,0,1,0,5,0,1,0,6,1,1,0,2,0,2,2,1,1,0,1,2,1]}`)
	want(part, `{"textDocument":{"uri":"`+fileA+`"},"range":{"start":{"line":1,"character":0},"end":{"line":1,"character":2}}}`, `{"data":[1,0,5,0,1]}`)
	c.indexed()
	want(full, doc(fileB), c.must(full, doc(fileB))) // no id of what is not open
	if got := c.must(full, doc(fileB)); strings.Contains(got, "resultId") {
		t.Errorf("of a file that is not open: %s", got)
	}
	c.finish()
}

// While the workspace is read for the first time, a client that can be asked to ask again is told
// what the text alone tells.
func TestTokensBeforeIndex(t *testing.T) {
	lang := simple()
	lang.gate = make(chan struct{})
	b := newBench(t, lang, Options{})
	c := b.connect()
	c.begin("file:///m", tokenCaps+`,"workspace":{"semanticTokens":{"refreshSupport":true}}}`, "")
	c.open(fileA, 1, "12")
	if got := c.must(protocol.MethodTextDocumentSemanticTokensFull, doc(fileA)); !strings.Contains(got, "[0,0,2,0,0]") {
		t.Errorf("before: %s", got)
	}
	close(lang.gate)
	c.await(0, protocol.MethodWorkspaceSemanticTokensRefresh, nil)
	if got := c.must(protocol.MethodTextDocumentSemanticTokensFull, doc(fileA)); !strings.Contains(got, "[0,0,2,1,0]") {
		t.Errorf("afterwards: %s", got)
	}
	c.finish()
}
