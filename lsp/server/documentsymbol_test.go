package server

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// The outline of an open document is that of its text, and no task makes it: it waits neither for
// the first index nor for a text that the workspace cannot take. Of other files the workspace
// tells.
func TestOutlineOfOpenText(t *testing.T) {
	lang := simple()
	lang.gate = make(chan struct{})
	var asked atomic.Int32
	lang.outlining = func(*runtime.Task, string) error { asked.Add(1); return nil }
	lang.outline = func(text string) []lsp.Symbol {
		name, _, _ := strings.Cut(text, "\n")
		all := lsp.Span{End: len(name)}
		return []lsp.Symbol{{Name: name, Kind: lsp.KindVariable, Span: all, NameSpan: all}}
	}
	b := newBench(t, lang, Options{})
	c := b.connect()
	caps := `{"textDocument":{"documentSymbol":{"hierarchicalDocumentSymbolSupport":true}}}`
	c.begin("file:///m", caps, "")
	outlined := func(name, want string) {
		t.Helper()
		if got := c.must("textDocument/documentSymbol", doc(name)); !strings.Contains(got, want) {
			t.Errorf("outline of %s is %s, want %s in it", name, got, want)
		}
	}
	c.open(fileA, 1, "première\nx\n")
	outlined(fileA, `"première","kind":13,"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":8}}`)
	lang.full.Store(true)
	c.tell("textDocument/didChange", insert(fileA, 2, 0, 0, "la "))
	outlined(fileA, `"la première"`)
	lang.full.Store(false)
	if n := asked.Load(); n != 0 {
		t.Errorf("the workspace was asked %d times about an open document", n)
	}
	close(lang.gate)
	c.indexed()
	outlined(fileB, `"two"`)
	if n := asked.Load(); n != 1 {
		t.Errorf("the workspace was asked %d times about a file that is not open, want once", n)
	}
	c.finish()
}
