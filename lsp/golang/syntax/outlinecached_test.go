package syntax

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
)

var outlineSeed = flag.Uint64("outline.seed", 1, "of the edits of TestOutlineBehindEdits")

// TestOutlineBehindEdits: the outline behind an edit is that of the text, and behind one in a body
// the file is not parsed.
func TestOutlineBehindEdits(t *testing.T) {
	random := rand.New(rand.NewPCG(*outlineSeed, 1))
	names, _ := filepath.Glob(filepath.Join(goroot.Src(t), "encoding", "json", "*.go"))
	if len(names) < 10 {
		t.Fatalf("%d files", len(names))
	}
	pieces := []string{"", "x", "}", "{", "\n", "// ", "/* ", "*/", "\"", "`", ";", "func f() {}\n", "a := 1\n", "(", ")", "\x00"}
	quick := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		had := Parse("file:///x.go", text)
		for range 40 {
			at := random.IntN(len(text) + 1)
			end := min(at+random.IntN(3)*random.IntN(40), len(text))
			now := slices.Concat(text[:at], []byte(pieces[random.IntN(len(pieces))]), text[end:])
			list, ok := outlineBehind(had, now)
			if !ok {
				continue
			}
			quick++
			want := Outline(Parse("file:///x.go", now))
			if fmt.Sprint(list) != fmt.Sprint(want) {
				t.Fatalf("seed %d: %s: %q instead of %q at %d:\n%v, of the text\n%v", *outlineSeed, name, now[at:len(now)-len(text)+end], text[at:end], at, list, want)
			}
		}
	}
	if quick < 50 {
		t.Errorf("only %d outlines were made without the file", quick)
	}

	c := newCache(TreesBytes)
	text := "package p\n\nfunc f() { a() }\n\ntype T struct{ x int }\n\nfunc g() {}\n"
	uri := "file:///p.go"
	first := c.Get(uri, []byte(text))
	edited := []byte("package p\n\nfunc f() { a(); b() }\n\ntype T struct{ x int }\n\nfunc g() {}\n")
	if got, want := fmt.Sprint(c.Outline(uri, edited)), fmt.Sprint(Outline(Parse(uri, edited))); got != want {
		t.Errorf("%s, of the text %s", got, want)
	}
	if c.find(uri, []byte(text)) != first {
		t.Error("the file was parsed for an edit in a body")
	}
	renamed := []byte("package p\n\nfunc h() { a() }\n\ntype T struct{ x int }\n\nfunc g() {}\n")
	if got, want := fmt.Sprint(c.Outline(uri, renamed)), fmt.Sprint(Outline(Parse(uri, renamed))); got != want {
		t.Errorf("%s, of the text %s", got, want)
	}
}

// TestOutlineBehindEditsAtBorders: what is edited where a body begins or ends may be more than the
// body.
func TestOutlineBehindEditsAtBorders(t *testing.T) {
	const before, body, after = "package p\n\nfunc f() ", "{ a() }", "\n\nfunc g() {}\n"
	for _, edited := range []string{
		"int { a() }", "{ a() }; func h() {}", "{ a(); } ; var x int", "{ }", "{ a() }}", "{{ a() }", "", "{ a() } // c", "{ a() /* }",
	} {
		for name, of := range map[string]func(string) string{
			"plain": func(s string) string { return s },
			"CRLF":  func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
			"BOM":   func(s string) string { return "\ufeff" + s },
		} {
			had, now := Parse("file:///x.go", []byte(of(before+body+after))), []byte(of(before+edited+after))
			list, ok := outlineBehind(had, now)
			if want := Outline(Parse("file:///x.go", now)); ok && fmt.Sprint(list) != fmt.Sprint(want) {
				t.Errorf("%s, %q: %v, of the text %v", name, edited, list, want)
			}
			if edited == "{ }" && !ok {
				t.Errorf("%s: the file is parsed for an edit in a body", name)
			}
		}
	}
}
