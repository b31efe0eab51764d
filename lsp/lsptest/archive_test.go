package lsptest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/lsptest/editor"
)

func TestScriptIsKept(t *testing.T) {
	script := "Prose.\n\n> one @a\n    first\n\n    third\nMore prose.\n    and an indented line\n\n> two\n> three\n    x\n\n"
	var out strings.Builder
	var steps, answers []string
	for _, b := range blocks(script) {
		if b.line > 0 {
			steps, answers = append(steps, b.step), append(answers, b.answer)
			out.WriteString(stepPrefix + b.step + "\n" + b.answer)
		}
		out.WriteString(b.prose)
	}
	if out.String() != script {
		t.Errorf("%q became %q", script, out.String())
	}
	if want := []string{"one @a", "two", "three"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	if want := []string{indented("first\n\nthird"), "", indented("x\n\n")}; !slices.Equal(answers, want) {
		t.Errorf("answers %q, want %q", answers, want)
	}
}

func TestWords(t *testing.T) {
	for step, want := range map[string][]string{
		"a  b":         {"a", "b"},
		"f.x `a | b`":  {"f.x", "a | b"},
		"f `x` `` end": {"f", "x", "", "end"},
		"":             nil,
	} {
		if got := words(step); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", step, got, want)
		}
	}
}

func TestPieceOfText(t *testing.T) {
	const text = "one two\nthree two\n"
	for piece, want := range map[string]string{
		"o|ne":        "1-1",
		"three «two»": "14-17",
		"|one":        "0-0",
		"two":         "has no |",
		"t|wo":        "stands 2 times",
		"n|ine":       "stands 0 times",
		"three «two":  "has no »",
	} {
		got, err := within("f", text, piece)
		shown := ""
		if err != nil {
			shown = err.Error()
		} else {
			shown = fmt.Sprintf("%d-%d", got.start, got.end)
		}
		if !strings.Contains(shown, want) {
			t.Errorf("%q: %s, want %s", piece, shown, want)
		}
	}
}

func TestChangedLines(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"a\nb\nc\n", "a\nb\nc\n", ""},
		{"a\nb\nc\n", "a\nB\nc\n", "f:2\n- b\n+ B"},
		{"a\nb\nc\nd\n", "A\nb\nc\nd\ne\n", "f:1\n- a\n+ A\nf:5\n+ e"},
		{"a\n", "a", "f:1\n- a\n+ a<no newline>"},
		{"a \n", "a\r\n", "f:1\n- a<SP>\n+ a<CR>"},
		{"", "a\n", "f:1\n+ a"},
		{"a\nb\n", "", "f:1\n- a\n- b"},
	} {
		if got := changedLines("f", c.before, c.after); got != c.want {
			t.Errorf("%q to %q:\n%s\nwant\n%s", c.before, c.after, got, c.want)
		}
	}
}

// The parameter of a signature may be named by offsets that count UTF-16 code units.
func TestParameterSpan(t *testing.T) {
	const signature = "f(😀 int, b)"
	for label, want := range map[string]string{`"b"`: "b", `[2,8]`: "😀 int", `[10,11]`: "b", `[2,90]`: "", `"c"`: ""} {
		start, end, err := parameterSpan(signature, []byte(label))
		if (err != nil) != (want == "") || err == nil && signature[start:end] != want {
			t.Errorf("%s: %q, %v, want %q", label, signature[start:end], err, want)
		}
	}
}

// What a server has published of an older text may lie behind the end of a line.
func TestRangeOfAnOlderText(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("first\n\tab\nlast\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &player{Editor: new(editor.Editor), root: dir}
	span := func(line, start, end uint32) (r protocol.Range) {
		r.Start.Line, r.Start.Character, r.End.Line, r.End.Character = line, start, line, end
		return r
	}
	for r, want := range map[protocol.Range]string{
		span(1, 1, 2): "2:2-3  «a»b", span(1, 2, 9): "2:3-10  a«b»", span(1, 8, 9): "2:9-10  ab«»",
	} {
		if got := p.showRange(editor.URI(file), r); !strings.HasSuffix(got, ":"+want) {
			t.Errorf("%v: %q, want %q", r, got, want)
		}
	}
}

func TestPlainAnswers(t *testing.T) {
	p := &player{root: "/r"}
	for answer, want := range map[string]string{
		`null`: "nothing",
		`{"uri":"file:///r/a","range":{"start":{"line":0,"character":1},"end":{"line":0,"character":3}}}`: "{range: 1:2-4, uri: a}",
		`[{"line":2,"character":0},1.50,"x\u003c"]`:                                                       `[3:1, 1.50, "x<"]`,
	} {
		if got, err := p.plain(answer); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", answer, got, err, want)
		}
	}
	long := `{"a":"` + strings.Repeat("x", 60) + `","b":["` + strings.Repeat("y", 60) + `"]}`
	if got, _ := p.plain(long); strings.Count(got, "\n") != 3 {
		t.Errorf("a long answer is written as\n%s", got)
	}
}
