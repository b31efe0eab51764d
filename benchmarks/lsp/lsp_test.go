package lsp

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/editor"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

func scriptOf(t *testing.T, seed uint64) *script {
	t.Helper()
	env := &compare.Env{Seed: seed, Quick: true, Dir: t.TempDir(), Logf: t.Logf}
	g, err := ground.Load(t.Context(), env, "small")
	if err != nil {
		t.Fatal(err)
	}
	s, err := write(g, env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// told is a script's questions as text, without the directory of its ground.
func told(t *testing.T, s *script) string {
	t.Helper()
	var b strings.Builder
	r := (&run{env: &compare.Env{Seed: 1}}).rand(1, 1)
	for _, k := range kinds {
		for range 5 {
			var q question
			if k.edited {
				var e editor.Edit
				e, q = k.drawBehind(s, r)
				fmt.Fprintf(&b, "%d %q ", e.Start, e.Text)
			} else {
				q = k.draw(s, r)
			}
			fmt.Fprintf(
				&b,
				"%s %s %d %s\n",
				k.name,
				q.name,
				q.offset,
				strings.TrimPrefix(q.file.path, s.ground.Root),
			)
			if got := q.file.text[q.offset:]; !strings.HasPrefix(got, q.name) {
				t.Errorf(
					"%s: offset %d of %s is %.20q, not %s",
					k.name,
					q.offset,
					q.file.path,
					got,
					q.name,
				)
			}
		}
	}
	return b.String()
}

// TestScriptFollowsSeed checks that equal seeds give equal questions, and others other ones.
func TestScriptFollowsSeed(t *testing.T) {
	one, same, other := told(t, scriptOf(t, 1)), told(t, scriptOf(t, 1)), told(t, scriptOf(t, 2))
	if one != same {
		t.Errorf("one seed, two scripts:\n%s\n%s", one, same)
	}
	if one == other {
		t.Errorf("two seeds, one script:\n%s", one)
	}
}

// TestDrawnNames checks what is never asked about.
func TestDrawnNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.go")
	text := `package p

import "fmt"

func F(x any) string {
loop:
	for {
		switch y := x.(type) {
		case error:
			break loop
		default:
			_ = y
		}
	}
	ä := 1; behind := ä
	return fmt.Sprint(behind, nil)
}

func (T) M() { F(1); assembly() }

func assembly()

type T struct{}
`
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := parse(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range s.names {
		names = append(names, p.name)
	}
	if got, want := strings.Join(names, " "), "F x x y ä Sprint behind T M F T"; got != want {
		t.Errorf("names %s, want %s", got, want)
	}
	if len(s.functions) != 2 || s.functions[0].method || !s.functions[1].method ||
		s.text[s.functions[0].body-1] != '{' {
		t.Errorf("functions %+v", s.functions)
	}
	if len(s.calls) != 1 || s.calls[0].importPath != "fmt" || s.calls[0].name != "Sprint" ||
		s.line(s.calls[0].offset) != 15 {
		t.Errorf("calls %+v", s.calls)
	}
}

// TestConversionsHaveNoSignature checks that help is asked for where a function is called for sure.
func TestConversionsHaveNoSignature(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.go")
	text := `package p

import (
	"fmt"
	"time"
	"unsafe"
)

func F(args ...any) {
	_ = time.Duration(1) // one operand: a conversion, for all that the syntax shows
	_ = fmt.Sprint(2)
	_, p := unsafe.Pointer(nil), (time.Duration)(3)
	_ = fmt.Sprint("several", p)
	fmt.Println("statement")
	go fmt.Print("go")
	defer fmt.Printf("defer")
	_, err := fmt.Scan("values")
	_ = fmt.Errorf(args...)
	_ = fmt.Sprintf("%v", time.Month(err), unsafe.Add(p, 4))
}
`
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := parse(path)
	if err != nil {
		t.Fatal(err)
	}
	names := func(list []place) string {
		var b strings.Builder
		for _, p := range list {
			b.WriteString(p.name + " ")
		}
		return b.String()
	}
	want := "Sprint Println Print Printf Scan Errorf Sprintf "
	if got := names(kindOf("signature").places(s)); got != want {
		t.Errorf("signatures of %s, want %s", got, want)
	}
	want = "Duration Sprint Pointer Sprint Println Print Printf Scan Errorf Sprintf Month Add "
	if got := names(kindOf("completion").places(s)); got != want {
		t.Errorf("completions of %s, want %s", got, want)
	}
}

// TestWrongAnswers checks that no wrong answer of any kind passes, and that right ones do.
func TestWrongAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.go")
	text := "package p\n\nfunc F() {}\n\nfunc G() {}\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := parse(path)
	if err != nil {
		t.Fatal(err)
	}
	p := f.functions[0].place
	q := question{p, f, editor.Position(f.text, p.offset)}
	if want := (protocol.Position{Line: 2, Character: 5}); q.at != want {
		t.Fatalf("position %v, want %v", q.at, want)
	}
	hover := func(text string) string {
		return fmt.Sprintf(`{"contents":{"kind":"markdown","value":%q}}`, text)
	}
	symbol := func(name string, line int) string {
		return fmt.Sprintf(
			`{"name":%q,"selectionRange":{"start":{"line":%d,"character":5}}}`,
			name,
			line,
		)
	}
	place := func(line int) string {
		return fmt.Sprintf(
			`[{"uri":"file://%s","range":{"start":{"line":%d,"character":5}}}]`,
			filepath.ToSlash(path),
			line,
		)
	}
	both := func(f, g int) string { return "[" + symbol("F", f) + "," + symbol("G", g) + "]" }
	c := &client{Client: &editor.Client{}}
	for _, test := range []struct {
		kind, right string
		wrong       []string
	}{
		{"outline", both(2, 4), []string{"[]", "null", "[" + symbol("F", 2) + "]", both(1, 4)}},
		{"hover", hover("func F()"), []string{"null", hover("func g()")}},
		{"definition", place(2), []string{"[]", "null", place(0), place(100)}},
		{"references", place(2), []string{"[]", "null", place(4)}},
		{"symbols", "[" + symbol("p.F", 2) + "]", []string{"[]", "null", "[" + symbol("pF", 2) + "]"}},
		{"highlight", place(2), []string{"[]", "null", place(4)}},
		{"signature", `{"signatures":[{"label":"F()"}]}`, []string{"null", `{"signatures":[]}`, `{"signatures":[{"label":"g()"}]}`}},
		{"completion", `{"items":[{"label":"G"},{"label":"F"}]}`, []string{"null", `{"items":[]}`, `{"items":[{"label":"G"}]}`}},
		{"calls", `[{"name":"F"}]`, []string{"null", "[]", `[{"name":"G"}]`}},
		{
			"rename", `{"documentChanges":[{"edits":[{"newText":"FAnew"}]}]}`,
			[]string{"null", "{}", `{"changes":{"a":[{"newText":"F"}]}}`},
		},
		{"implementation", "null", []string{"1"}},
		{"actions", "[]", []string{"{}"}},
		{"folding", `[{"startLine":1}]`, []string{"null", "[]"}},
		{"tokens", `{"data":[1,2,3,4,5]}`, []string{"null", `{"data":[]}`, `{"data":[1]}`}},
		{"hints", `[{"position":{"line":1}}]`, []string{"null", "[]"}},
		{"format", "null", []string{"1"}},
	} {
		k := kindOf(test.kind)
		if err := k.check(c, q, []byte(test.right)); err != nil {
			t.Errorf("%s: %s: %v", k.name, test.right, err)
		}
		for _, wrong := range test.wrong {
			if k.check(c, q, []byte(wrong)) == nil {
				t.Errorf("%s: %s passes", k.name, wrong)
			}
		}
	}
}

// TestServerThatEnds checks that a server which ends at once fails the run instead of hanging it.
func TestServerThatEnds(t *testing.T) {
	s := &server{
		command: func(context.Context, string) (editor.Program, error) {
			return editor.Program{Path: "go", Args: []string{"version"}}, nil
		},
		options:  func(mode) map[string]any { return nil },
		complete: editor.GoplsComplete,
	}
	c, err := s.start(t.Context(), t.TempDir(), "", mode{})
	if err == nil {
		c.Kill()
		t.Fatal("go version is a language server")
	}
	if !strings.Contains(err.Error(), "initialize") {
		t.Errorf("error %v", err)
	}
}
