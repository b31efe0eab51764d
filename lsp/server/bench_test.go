package server

import (
	"encoding/json"
	"testing"
)

// BenchmarkHover is a round trip through all layers over a pipe; BenchmarkKeystroke is an
// edit and a question about it.
func BenchmarkHover(b *testing.B) {
	c := newBench(b, newFake("/m/a.txt", "def one quiet\n"), Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	params := json.RawMessage(at(fileA, 0, 5))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Call(b.Context(), "textDocument/hover", params, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeystroke(b *testing.B) {
	c := newBench(b, newFake("/m/a.txt", "def one quiet\n"), Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	c.open(fileA, 0, "def one quiet\n")
	params := json.RawMessage(at(fileA, 0, 5))
	version := 0
	b.ReportAllocs()
	for b.Loop() {
		version++
		text := "x"
		if version%2 == 0 {
			text = "y"
		}
		c.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a.txt"},"contentChanges":[{"range":{"start":{"line":0,"character":4},"end":{"line":0,"character":5}},"text":"`+text+`"}]}`)
		if err := c.Call(b.Context(), "textDocument/hover", params, nil); err != nil {
			b.Fatal(err)
		}
	}
}
