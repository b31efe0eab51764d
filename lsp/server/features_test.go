package server

import (
	"strings"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
)

// A plainLanguage has workspaces without a feature.
type plainLanguage struct{ *fakeLanguage }

func (plainLanguage) Prototype() lsp.Workspace { return struct{ lsp.Workspace }{} }

// TestFeatures: what a language has is announced and served, and what it lacks is neither.
func TestFeatures(t *testing.T) {
	b := newBench(t, simple(), Options{})
	c := b.connect()
	announced := c.begin("file:///m", plainCaps, "")
	if !strings.Contains(announced, `"documentHighlightProvider":true`) {
		t.Errorf("not announced: %s", announced)
	}
	c.open(fileA, 1, "def one\n one")
	if got := c.must("textDocument/documentHighlight", at(fileA, 0, 5)); !strings.Contains(got, `"kind":2`) {
		t.Errorf("got %s", got)
	}
	if got := c.must("textDocument/documentHighlight", at(fileA, 1, 0)); got != "null" {
		t.Errorf("before a word: %s", got)
	}

	host, err := NewHost(b.eng, plainLanguage{simple()}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	s := newSession(host, 0)
	var none protocol.ServerCapabilities
	s.announceFeatures(&none, capabilities{})
	if none.DocumentHighlightProvider != nil {
		t.Error("announced by a language without it")
	}
	if s.table()["textDocument/documentHighlight"] != nil {
		t.Error("served for a language without it")
	}
}
