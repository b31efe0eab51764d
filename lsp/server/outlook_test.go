package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// Folds are what stands in brackets, and lines that begin with a hash as comments.
func (w *fakeWorkspace) Folds(_ string, text []byte) (folds []lsp.Fold) {
	for i, c := range text {
		if n := bytes.IndexByte(text[i:], ')'); c == '(' && n > 0 {
			folds = append(folds, lsp.Fold{Span: lsp.Span{Start: i + 1, End: i + n}, Closed: true})
		}
		if n := bytes.Index(text[i:], []byte("##")); c == '#' && n > 0 {
			folds = append(folds, lsp.Fold{Span: lsp.Span{Start: i, End: i + n}, Kind: lsp.FoldComment})
		}
	}
	return folds
}

// Enclosing are the byte, the line, and all.
func (w *fakeWorkspace) Enclosing(_ string, text []byte, offset int) []lsp.Span {
	if offset == len(text) {
		return nil
	}
	line := bytes.LastIndexByte(text[:offset], '\n') + 1
	return []lsp.Span{{Start: offset, End: offset + 1}, {Start: line, End: len(text)}, {End: len(text)}}
}

// Links are the whole text.
func (w *fakeWorkspace) Links(t *runtime.Task, name string) ([]lsp.Link, error) {
	text, err := w.Text(t, name)
	return []lsp.Link{{Span: lsp.Span{End: len(text)}, Target: "https://example.com/" + string(text[:1])}}, err
}

func TestFolds(t *testing.T) {
	for _, c := range []struct{ name, caps, want string }{
		{"characters", "", "0:2-2:1- 2:3-2:4- 3:0-5:0-comment"},
		{"lines", `"lineFoldingOnly":true`, "0:2-1:1- 3:0-5:0-comment"},
		{"the largest", `"rangeLimit":1`, "0:2-2:1-"},
		{"none are too many", `"rangeLimit":9,"lineFoldingOnly":true`, "0:2-1:1- 3:0-5:0-comment"},
	} {
		b := newBench(t, simple(), Options{})
		cl := b.connect()
		if announced := cl.begin("file:///m", `{"textDocument":{"foldingRange":{`+c.caps+`}}}`, ""); !strings.Contains(announced, `"foldingRangeProvider":true`) {
			t.Fatalf("not announced: %s", announced)
		}
		cl.open(fileA, 1, "f(\nx\n )(y)\n#\nab\n##")
		var got []string
		var list []struct {
			StartLine, StartCharacter, EndLine, EndCharacter int
			Kind                                             string
		}
		unmarshal(t, cl.must("textDocument/foldingRange", doc(fileA)), &list)
		for _, f := range list {
			got = append(got, fmt.Sprintf("%d:%d-%d:%d-%s", f.StartLine, f.StartCharacter, f.EndLine, f.EndCharacter, f.Kind))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
		cl.finish()
	}
}

func TestSelectionsAndLinks(t *testing.T) {
	b := newBench(t, simple(), Options{})
	c := b.connect()
	c.begin("file:///m", plainCaps, "")
	c.open(fileA, 1, "é\nab")
	r := func(l, a, m, b int) string {
		return fmt.Sprintf(`{"start":{"line":%d,"character":%d},"end":{"line":%d,"character":%d}}`, l, a, m, b)
	}
	params := `{"textDocument":{"uri":"` + fileA + `"},"positions":[{"line":1,"character":1},{"line":1,"character":2}]}`
	want := `[{"range":` + r(1, 1, 1, 2) + `,"parent":{"range":` + r(1, 0, 1, 2) + `,"parent":{"range":` + r(0, 0, 1, 2) + `}}},{"range":` + r(1, 2, 1, 2) + `}]`
	if got := c.must("textDocument/selectionRange", params); got != want {
		t.Errorf("selections: %s, want %s", got, want)
	}
	c.tell("textDocument/didChange", insert(fileA, 2, 0, 0, "x"))
	want = `[{"range":` + r(0, 0, 1, 2) + `,"target":"https://example.com/x"}]`
	if got := c.must("textDocument/documentLink", doc(fileA)); got != want {
		t.Errorf("links: %s, want %s", got, want)
	}
	c.finish()
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
