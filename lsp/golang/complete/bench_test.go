package complete_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
)

// BenchmarkTyping is a completion behind each of two edits of a body, which take turns.
func BenchmarkTyping(b *testing.B) {
	env, m := purebuild.Std()
	for _, c := range []struct{ id, file, behind, typed string }{
		{"net/http", "server.go", "func (c *conn) serve(ctx context.Context) {", "c."},
		{"net/http", "server.go", "func (c *conn) serve(ctx context.Context) {", "re"},
		{"go/types", "stmt.go", "func (check *Checker) usage(scope *Scope) {", "check."},
		{"runtime", "proc.go", "func schedinit() {", "sched."},
		{"runtime", "proc.go", "func schedinit() {", "x := sc"},
		{"strings", "strings.go", "func explode(s string, n int) []string {", "s"},
	} {
		build := purebuild.New(b, env, m)
		t := &bench{tb: b, build: build, id: c.id}
		uri := ""
		for _, u := range build.Package(c.id).Files {
			if strings.HasSuffix(u, "/"+c.file) {
				uri = u
			}
		}
		text := build.Text(uri)
		at := bytes.Index(text, []byte(c.behind))
		if at < 0 {
			b.Fatalf("%s is not in %s", c.behind, c.file)
		}
		at += len(c.behind)
		state := func(typed string) ([]byte, int) {
			typed = "\n\t" + typed
			return bytes.Join([][]byte{text[:at], []byte(typed), text[at:]}, nil), at + len(typed)
		}
		one, atOne := state(c.typed)
		two, atTwo := state(" " + c.typed)
		b.Run("package="+strings.ReplaceAll(c.id, "/", ".")+"/typed="+strings.ReplaceAll(c.typed, " ", "_"), func(b *testing.B) {
			t.tb = b
			t.at(uri, one, atOne, lsp.CompletionOptions{Snippets: true})
			b.ReportAllocs()
			b.ResetTimer()
			n := 0
			for i := range b.N {
				if i%2 == 0 {
					n = len(t.at(uri, one, atOne, lsp.CompletionOptions{Snippets: true}))
				} else {
					n = len(t.at(uri, two, atTwo, lsp.CompletionOptions{Snippets: true}))
				}
			}
			if n == 0 {
				b.Fatal("nothing is told")
			}
		})
	}
}
