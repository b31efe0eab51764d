package golang

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/fakego"
	"github.com/cytisus/cytisus/runtime"
)

// TestNothingIsSaidWhileGoLists: what an edit imports is known when the go command has said where
// it is. Until then nothing is published of the file, questions about it wait, and what needs no
// types is answered. The same holds of a go.mod file that changes what an import is.
func TestNothingIsSaidWhileGoLists(t *testing.T) {
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, before, after string
		change              func(f *fixture)
	}{
		{"an import is typed", `package m

func F() string { return undefined }
`, `package m

import "text/tabwriter"

func F() *tabwriter.Writer { return nil }
`, func(*fixture) {}},
		{"go.mod changes", `package m

import "example.com/other"

var V = other.V
`, `package m

import "example.com/other"

var V string = other.V
`, func(f *fixture) {
			f.write("go.mod", f.read("go.mod")+"\nrequire example.com/other v1.0.0\n\nreplace example.com/other => ./other\n")
			f.changed("go.mod")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.26
-- a.go --
`+c.before+`
-- other/go.mod --
module example.com/other

go 1.26
-- other/other.go --
package other

var V = "v"
`, lsp.WorkspaceOptions{})
			f.index()
			f.set("a.go", c.before)
			f.settle()
			was := f.published("a.go")
			_, said, _ := strings.Cut(was[0], " : ")
			if len(was) != 1 {
				t.Fatalf("%q", was)
			}
			note := filepath.Join(t.TempDir(), "held")
			fakego.Put(t, "hold:"+real+"\n"+note)
			c.change(f)
			f.set("a.go", c.after)
			uri, told := f.uri("a.go"), make(chan []lsp.Diagnostic, 1)
			go func() {
				var list []lsp.Diagnostic
				err := f.in(func(t *runtime.Task) (err error) {
					list, err = f.w.Diagnostics(t, uri)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				told <- list
			}()
			fakego.Told(t, note)
			if got := f.w.Outline(uri, []byte(c.after)); len(got) != 1 {
				t.Errorf("the outline is %v", got)
			}
			for _, d := range f.published("a.go") {
				if !strings.HasSuffix(d, said) {
					t.Errorf("while the go command lists, %q is published", d)
				}
			}
			select {
			case got := <-told:
				t.Errorf("while the go command lists, the answer is %v", got)
			default:
			}
			fakego.Release(t, note)
			if got := <-told; len(got) > 0 {
				t.Errorf("the answer is %v", got)
			}
			f.settle()
			if got := f.published("a.go"); len(got) > 0 {
				t.Errorf("in the end %q is published", got)
			}
		})
	}
}
