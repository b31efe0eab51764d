package check_test

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// TestOneChecksAtATime: a package that is edited is reserved for one task, so that the next finds
// its session; of others nothing is kept, and nobody waits.
func TestOneChecksAtATime(t *testing.T) {
	p := &metadata.Package{ID: "example.com/reserved", Files: []string{"file:///reserved/a.go"}}
	free, busy := check.Sessions.Reserve(p)
	again, alsoBusy := check.Sessions.Reserve(p)
	if busy != nil || alsoBusy != nil {
		t.Fatal("a package that nobody edits is reserved")
	}
	free()
	again()
	check.Sessions.Open(p.Files[0])
	defer check.Sessions.Close(p.Files[0])
	free, busy = check.Sessions.Reserve(p)
	if busy != nil {
		t.Fatal("the package is reserved already")
	}
	if _, busy = check.Sessions.Reserve(p); busy == nil {
		t.Fatal("the package is reserved twice")
	}
	free()
	<-busy
	free, busy = check.Sessions.Reserve(p)
	if busy != nil {
		t.Fatal("the package stays reserved")
	}
	free()
}

// TestSessionsArePrepared: a package is prepared when nothing can be done ahead of an edit of a
// body. It is so until something else is edited, and a session is kept for as many packages as
// there is room for.
func TestSessionsArePrepared(t *testing.T) {
	check.Sessions.Bound(0) // what other tests have left
	check.Sessions.Bound(check.SessionsBytes)
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	ids := []string{
		"bufio", "bytes", "container/list", "errors", "io", "maps", "slices", "sort", "strings",
		"text/tabwriter", "unicode/utf8",
	}
	trees := func(p *metadata.Package, more string) (files []*syntax.Tree) {
		for i, uri := range p.Files {
			text := string(b.Text(uri))
			if i == 0 {
				text += more
			}
			files = append(files, syntax.Parse(uri, []byte(text)))
		}
		return files
	}
	state := func(p *metadata.Package, want check.SessionState, when string) {
		t.Helper()
		if got := check.Sessions.State(p); got != want {
			t.Errorf("%s, %s: state %d, want %d", p.ID, when, got, want)
		}
	}
	for _, id := range ids {
		p := b.Package(id)
		check.Sessions.Open(p.Files[0])
		defer check.Sessions.Close(p.Files[0])
		ask := func(more string) {
			t.Helper()
			_, _, err := check.Diagnostics(p, trees(p, more), b.Imports(p), purebuild.NoDoubt)
			if err != nil {
				t.Fatal(err)
			}
		}
		prepare := func(more string) {
			t.Helper()
			if err := check.Prepare(p, trees(p, more), b.Imports(p), purebuild.NoDoubt); err != nil {
				t.Fatal(err)
			}
		}
		state(p, check.NoSession, "opened")
		ask("")
		state(p, check.Session, "checked")
		prepare("")
		state(p, check.Prepared, "prepared")
		ask("\nfunc another() {}\n")
		state(p, check.Session, "another function")
		prepare("\nfunc another() {}\n")
		ask("\nfunc another() { _ = 1 }\n")
		state(p, check.Prepared, "another body")
	}
	for _, id := range ids {
		state(b.Package(id), check.Prepared, "at the end")
	}
	if check.Sessions.HasRoom(check.SessionsBytes) {
		t.Error("there is room for twice as much as there is room for")
	}
}

// TestIndexIsMadeWithoutTheSession: a check gives the session back before it makes the index, which
// is that of its own texts while the next edit is checked. What has ended no reservation ends
// later.
func TestIndexIsMadeWithoutTheSession(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	p := b.Package("strings")
	imports := b.Imports(p)
	check.Sessions.Open(p.Files[0])
	defer check.Sessions.Close(p.Files[0])
	trees := func(n int) (files []*syntax.Tree) {
		for i, uri := range p.Files {
			text := string(b.Text(uri))
			if i == 0 {
				text += fmt.Sprintf("\nfunc edited() { var a, b%d int; _, _, _ = a, b%d, unknown%d }\n", n, n, n)
			}
			files = append(files, syntax.Parse(uri, []byte(text)))
		}
		return files
	}
	reserve := func() (release func()) {
		for {
			release, busy := check.Sessions.Reserve(p)
			if busy == nil {
				return release
			}
			<-busy
		}
	}
	const edits = 6
	indexes := make([][]byte, edits)
	var making sync.WaitGroup
	for n := range edits {
		release := reserve()
		making.Go(func() {
			defer release()
			c, err := check.Package(p, trees(n), imports, purebuild.NoDoubt, true)
			if err != nil {
				t.Error(err)
			}
			indexes[n] = c.Index
		})
	}
	making.Wait()
	first := reserve()
	if _, _, err := check.Diagnostics(p, trees(edits), imports, purebuild.NoDoubt); err != nil {
		t.Fatal(err)
	}
	second, busy := check.Sessions.Reserve(p)
	if busy != nil {
		t.Fatal("the package is reserved when its session has been given back")
	}
	first()
	if _, busy = check.Sessions.Reserve(p); busy == nil {
		t.Error("what was reserved first has ended what was reserved then")
	}
	second()
	check.Sessions.Close(p.Files[0])
	defer check.Sessions.Open(p.Files[0])
	for n, got := range indexes {
		want, err := check.Package(p, trees(n), imports, purebuild.NoDoubt, true)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want.Index) {
			t.Errorf("edit %d: the index is another one: %s", n, firstDifference(got, want.Index))
		}
	}
}

// TestSessionOutlivesFaces: a session stays when a face of an import becomes another one in what
// the package does not look at, and what it gives is that of a check of the new faces.
func TestSessionOutlivesFaces(t *testing.T) {
	a := func(f, g, more string) string {
		return "// m/a\npackage x\n\nfunc F() (x " + f + ") { return }\n\nfunc G() (x " + g + ") { return }\n" + more
	}
	b := func(body string) string {
		return "// m/b\npackage x\n\nimport a \"m/a\"\n\nvar _ = a.F\n\nfunc f() { " + body + " }\n"
	}
	const uri = "file:///m/b/a.go"
	check.Sessions.Open(uri)
	defer check.Sessions.Close(uri)
	for _, step := range []struct {
		what, a, b string
		whole      bool
		errors     int
	}{
		{"the first check", a("int", "int", ""), b("var _ int = a.F()"), true, 0},
		{"a function is added, and a body edited", a("int", "int", "func H() {}\n"), b("_ = 1; var _ int = a.F()"), false, 0},
		{"what is not looked at changes", a("int", "string", ""), b("_ = 2; var _ int = a.F()"), false, 0},
		{"the edited body looks at it", a("int", "string", ""), b("var _ int = a.G()"), true, 1},
		{"and at what is not there", a("int", "string", "func I() {}\n"), b("a.H()"), false, 1},
		{"which comes", a("int", "string", "func H() {}\n"), b("a.H()"), true, 0},
		{"what a declaration looks at changes", a("bool", "string", "func H() {}\n"), b("a.H()"), true, 0},
		{"and something else, with no edit", a("bool", "int", "func H() {}\n"), b("a.H()"), false, 0},
	} {
		c := newChain(t, step.a, step.b)
		got := c.last()
		check.Sessions.Close(uri)
		want := c.last()
		check.Sessions.Open(uri)
		if got.Whole != step.whole {
			t.Errorf("%s: checked as a whole: %v", step.what, got.Whole)
		}
		if len(want.Diagnostics) != step.errors {
			t.Errorf("%s: %v", step.what, want.Diagnostics)
		}
		got.Whole, got.Bodies, want.Whole, want.Bodies = false, 0, false, 0
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the session gives\n%+v\na fresh check\n%+v", step.what, got, want)
		}
	}
}
