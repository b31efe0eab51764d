package complete_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
)

// TestHabits: what somebody has begun and not ended comes before what fits as well.
func TestHabits(t *testing.T) {
	env, m := purebuild.Std()
	b := &bench{tb: t, build: purebuild.New(t, env, m), id: "bufio"}
	uri := ""
	for _, u := range b.build.Package(b.id).Files {
		if strings.HasSuffix(u, "/bufio.go") {
			uri = u
		}
	}
	whole := string(b.text(uri))
	for _, c := range []struct {
		name, text, code string
		first            []string // one of them is told first
		before           string   // what comes later, if it comes
	}{
		{
			name: "a variable that is used nowhere", text: whole,
			code:  "func zz() { stale := 1; _ = stale; fresh := 2; take(stale, stale, |) }",
			first: []string{"fresh"}, before: "stale",
		},
		{
			name: "a function that takes the arguments", text: whole,
			code:  "func zz() { r, n := utf8.Decode|(\"text\") }",
			first: []string{"DecodeRuneInString", "DecodeLastRuneInString"}, before: "DecodeRune",
		},
		{
			name: "a function that is called like the one around", text: whole,
			code:  "func validRune(r rune) bool { return utf8.| }",
			first: []string{"ValidRune"}, before: "Valid",
		},
		{
			name: "nil for an error", text: whole,
			code: "func zz() (int, error) { return 0, | }", first: []string{"nil"},
		},
		{
			name: "a function whose result nobody can have", text: whole + `
type zt struct{}

func (zt) Read() int { return 0 }
func (zt) Remove() error { return nil }
`,
			code:  "func zz(z zt) { defer z.Re| }",
			first: []string{"Remove"}, before: "Read",
		},
		{
			name: "a package that is imported and not used", text: strings.ReplaceAll(whole, "strings.", "bytes."),
			code: "func zz() { s := | }", first: []string{"strings"}, before: "bytes",
		},
	} {
		text := c.text + "\n" + c.code
		offset := len(c.text) + 1 + strings.IndexByte(c.code, '|')
		text = text[:offset] + text[offset+1:]
		var got []string
		for _, item := range b.at(uri, []byte(text), offset, lsp.CompletionOptions{Snippets: true}) {
			got = append(got, item.Label)
		}
		if len(got) == 0 || !slices.Contains(c.first, got[0]) {
			t.Errorf("%s: %s: first are %q, want one of %q", c.name, c.code, got[:min(5, len(got))], c.first)
		}
		if i := slices.Index(got, c.before); c.before != "" && 0 <= i && i < slices.Index(got, c.first[0]) {
			t.Errorf("%s: %s is number %d, before %s", c.name, c.before, i, c.first[0])
		}
	}
}
