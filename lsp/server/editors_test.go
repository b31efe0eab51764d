package server

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
)

// What editors really send must be understood, and each gets what suits it.
func TestEditors(t *testing.T) {
	for name, want := range map[string]struct {
		encoding string
		mode     diagnosticsMode
		watches  bool
		markdown bool
		symbols  bool
	}{
		"vscode": {"utf-16", modeMixed, true, true, true},
		"neovim": {"utf-8", modePush, false, true, false},
		"helix":  {"utf-8", modeMixed, true, true, false},
		"eglot":  {"utf-8", modePush, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", "initialize", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, simple(), Options{})
			c := b.connect()
			var result protocol.InitializeResult
			if err := c.Call(t.Context(), "initialize", json.RawMessage(raw), &result); err != nil {
				t.Fatal(err)
			}
			if got := string(result.Capabilities.PositionEncoding); got != want.encoding {
				t.Errorf("encoding %s, want %s", got, want.encoding)
			}
			c.tell("initialized", "{}")
			c.indexed()
			caps := b.host.allSessions()[0].agreed.Load()
			if caps.mode != want.mode || caps.caps.watchFiles != want.watches || caps.caps.markdownHover != want.markdown || caps.caps.workspaceSymbols != want.symbols {
				t.Errorf("%+v", caps)
			}
			if len(caps.client) < 5 || !caps.caps.progress {
				t.Errorf("%+v", caps)
			}
			if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "word one") {
				t.Error(got)
			}
			if got := RootOf(raw); got != filepath.FromSlash("/m") {
				t.Errorf("root %q", got)
			}
			c.finish()
		})
	}
}

// A capability of a shape that nobody has seen yet must not lock an editor out.
func TestOddCapabilities(t *testing.T) {
	for _, caps := range []string{
		`{"textDocument":null,"workspace":null,"window":null,"general":null}`,
		`{"textDocument":{"hover":{},"definition":null,"newThing":{"a":[1]}},"general":{"positionEncodings":[]},"future":{"x":true}}`,
		`{"general":{"positionEncodings":["utf-64","utf-16"]}}`,
	} {
		c := newBench(t, simple(), Options{}).connect()
		if got := c.begin("file:///m", caps, ""); !strings.Contains(got, `"utf-16"`) {
			t.Error(got)
		}
		c.finish()
	}
}

func TestHoverMarkdown(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"func f()", "Does *things*.\n\n\tf(x)\n\nMore."}: "```go\nfunc f()\n```\n\n---\n\nDoes \\*things\\*.\n\n    f(x)\n\nMore.",
		{"const s = \"```\"", ""}:                         "````go\nconst s = \"```\"\n````",
		{"", "only <doc>"}:                                "only \\<doc\\>",
		{"", "list:\n\ta\n\tb\nend"}:                      "list:\n\n    a\n    b\nend",
	} {
		if got := hoverMarkdown(hoverOf(in[0], in[1])); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", in, got, want)
		}
	}
	if got := hoverContents(hoverOf("", "doc"), false).Value; got != "doc" {
		t.Errorf("%q", got)
	}
}

func TestProgressNumbers(t *testing.T) {
	for p, want := range map[[4]int]string{
		{0, 0, 0, 0}:      "0 x",
		{5, 10, 0, 0}:     "5 x: 5 of 10 files",
		{10, 10, 0, 4}:    "10 x: 0 of 4 packages",
		{10, 10, 4, 4}:    "100 x: 4 of 4 packages",
		{10, 10, 9, 4}:    "100 x: 9 of 4 packages",
		{-1, 10, 0, 0}:    "0 x: -1 of 10 files",
		{10, 10, 1, 1000}: "10 x: 1 of 1000 packages",
	} {
		at := progressOf(p)
		if got := fmt.Sprintf("%d %s", progressPercent(at), progressMessage(at)); got != want {
			t.Errorf("%v: %s, want %s", p, got, want)
		}
	}
}
