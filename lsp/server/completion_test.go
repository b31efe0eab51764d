package server

import (
	"strings"
	"testing"
)

// TestCompletionSpeaksAsClientsDo: a client is sent what it has said it understands.
func TestCompletionSpeaksAsClientsDo(t *testing.T) {
	for _, c := range []struct {
		name, caps   string
		wants, lacks []string
	}{
		{
			"plain", plainCaps,
			[]string{
				`"label":"two"`, `"textEdit":{"range":{"start":{"line":1,"character":1},"end":{"line":1,"character":2}},"newText":"two"}`, `"sortText":"00000"`,
				`"additionalTextEdits":[{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":0}},"newText":"use two\n"}]`,
			},
			[]string{"$", `"tags"`, `"deprecated"`, `"insert"`, "itemDefaults", "preselect", `"label":"one"`},
		},
		{
			"snippets, tags, preselection and two ranges",
			`{"textDocument":{"completion":{"completionItem":{"snippetSupport":true,"insertReplaceSupport":true,"preselectSupport":true,"tagSupport":{"valueSet":[1]}}}}}`,
			[]string{
				`"newText":"two(${1:})"`, `"insertTextFormat":2`, `"tags":[1]`, `"preselect":true`,
				`"insert":{"start":{"line":1,"character":1},"end":{"line":1,"character":2}},"replace":{"start":{"line":1,"character":1},"end":{"line":1,"character":4}}`,
			},
			[]string{`"deprecated"`},
		},
		{
			"one range for all",
			`{"textDocument":{"completion":{"completionItem":{"deprecatedSupport":true},"completionList":{"itemDefaults":["editRange"]}}}}`,
			[]string{`"textEditText":"two"`, `"itemDefaults":{"editRange":{"start"`, `"deprecated":true`},
			[]string{`"textEdit"`, "preselect"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := newBench(t, simple(), Options{}).connect()
			client.begin("file:///m", c.caps, "")
			client.open(fileA, 1, "def one\n two")
			got := client.must("textDocument/completion", at(fileA, 1, 2))
			for _, w := range c.wants {
				if !strings.Contains(got, w) {
					t.Errorf("no %s in %s", w, got)
				}
			}
			for _, l := range c.lacks {
				if strings.Contains(got, l) {
					t.Errorf("there is %s in %s", l, got)
				}
			}
			client.finish()
		})
	}
}

// TestCompletionIsResolved: documentation comes when it is asked for, as plain text or Markdown.
func TestCompletionIsResolved(t *testing.T) {
	for caps, want := range map[string]string{
		plainCaps: `{"kind":"plaintext","value":"two is a *word*."}`,
		`{"textDocument":{"completion":{"completionItem":{"documentationFormat":["markdown"]}}}}`: `{"kind":"markdown","value":"two is a \\*word\\*."}`,
	} {
		client := newBench(t, simple(), Options{}).connect()
		client.begin("file:///m", caps, "")
		client.open(fileA, 1, "def one\n two")
		got := client.must("completionItem/resolve", `{"label":"two","data":{"uri":"`+fileA+`","token":"two"}}`)
		if !strings.Contains(got, want) || !strings.Contains(got, `"label":"two"`) {
			t.Errorf("got %s", got)
		}
		if got := client.must("completionItem/resolve", `{"label":"for"}`); got != `{"label":"for"}` {
			t.Errorf("without data: %s", got)
		}
		if _, err := client.ask("completionItem/resolve", `{"label":"two","data":7}`); err == nil {
			t.Error("data of another server has an answer")
		}
		client.finish()
	}
}

// TestSignatureParameters: a parameter is a part of the label, or an offset that counts UTF-16 code
// units whatever positions count.
func TestSignatureParameters(t *testing.T) {
	for caps, want := range map[string]string{
		plainCaps: `"parameters":[{"label":"😀 int"},{"label":"b"}]`,
		`{"general":{"positionEncodings":["utf-8"]},"textDocument":{"signatureHelp":{"signatureInformation":{"parameterInformation":{"labelOffsetSupport":true}}}}}`: `"parameters":[{"label":[4,10]},{"label":[12,13]}]`,
	} {
		client := newBench(t, simple(), Options{}).connect()
		client.begin("file:///m", caps, "")
		client.open(fileA, 1, "def one\n one")
		got := client.must("textDocument/signatureHelp", at(fileA, 1, 2))
		if !strings.Contains(got, want) || !strings.Contains(got, `"activeParameter":1`) || !strings.Contains(got, `"value":"It is *called*."`) {
			t.Errorf("got %s", got)
		}
		client.finish()
	}
}
