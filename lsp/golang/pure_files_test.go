package golang

import (
	"bytes"
	"context"
	"go/ast"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
)

func TestScan(t *testing.T) {
	root := tempDir(t)
	writeFiles(t, root, `
-- go.mod --
module m
-- go.sum --
-- README.md --
-- a.go --
-- a_test.go --
-- _b.go --
-- .c.go --
-- sub/d.go --
-- sub/testdata/x.go --
-- vendor/v/v.go --
-- .git/x.go --
-- _skip/x.go --
-- nested/go.mod --
module nested
-- nested/x.go --
-- gomoddir/go.mod/x.go --
`)
	if goruntime.GOOS != "windows" {
		for link, to := range map[string]string{"loop": ".", "sub/up": "..", "link.go": "a.go", "dangling.go": "none"} {
			if err := os.Symlink(to, filepath.Join(root, filepath.FromSlash(link))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tests := range []bool{false, true} {
		got, err := scan(context.Background(), root, allLevels, tests)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range got.files {
			rel, _ := filepath.Rel(root, f.path)
			names = append(names, filepath.ToSlash(rel))
		}
		want := []string{"a.go", "go.mod", "go.sum", "gomoddir/go.mod/x.go", "sub/d.go"}
		if goruntime.GOOS != "windows" {
			want = append(want, "link.go")
			if len(got.problems) != 1 || !strings.HasSuffix(got.problems[0].Path, "dangling.go") {
				t.Errorf("problems: %v", got.problems)
			}
		}
		if tests {
			want = append(want, "a_test.go")
		}
		slices.Sort(names)
		slices.Sort(want)
		if !slices.Equal(names, want) {
			t.Errorf("tests %v:\n got %v\nwant %v", tests, names, want)
		}
	}
	if _, err := scan(context.Background(), filepath.Join(root, "none"), allLevels, true); err == nil {
		t.Error("scanning a root that is not there succeeded")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := scan(ctx, root, allLevels, true); err == nil {
		t.Error("a cancelled scan succeeded")
	}
}

func TestFreshFilesAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.go")
	write := func(text string, at time.Time) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write("package a", time.Now())
	d := lookAt(path, "file:///a.go", nil)
	if d.fate != fateRead || string(d.text) != "package a" {
		t.Fatalf("first look: %+v", d)
	}
	// The same size and time, other content: what a clock that ticks slowly makes of two writes in a row.
	known := d.stat
	write("package b", time.Now())
	if d = lookAt(path, "file:///a.go", &known); d.fate != fateRead || string(d.text) != "package b" {
		t.Errorf("second look: %+v", d)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if d = lookAt(path, "file:///a.go", &known); d.fate != fateGone {
		t.Errorf("after removal: %+v", d)
	}
	if d = lookAt(path, "file:///a.go", nil); d.fate != fateSame {
		t.Errorf("a file that never was: %+v", d)
	}
}

func TestHeader(t *testing.T) {
	base := "//go:build linux\n\n// Doc.\npackage p\n\nimport \"fmt\"\n\nfunc f() {}\n"
	for _, c := range []struct {
		what string
		text string
		same bool
	}{
		{"a body", strings.Replace(base, "{}", "{ x() }", 1), true},
		{"a comment", strings.Replace(base, "// Doc.", "// Other.", 1), true},
		{"a syntax error further down", base + "func (", true},
		{"the package name", strings.Replace(base, "package p", "package q", 1), false},
		{"an import", strings.Replace(base, `"fmt"`, `"os"`, 1), false},
		{"one more import", strings.Replace(base, `"fmt"`, "\"fmt\"\nimport \"os\"", 1), false},
		{"a name for an import", strings.Replace(base, `"fmt"`, `f "fmt"`, 1), true},
		{"a constraint", strings.Replace(base, "linux", "darwin", 1), false},
		{"no constraint", strings.Replace(base, "//go:build linux", "", 1), false},
		{"an embed directive", base + "//go:embed x\nvar x string\n", false},
		{"a syntax error in the header", strings.Replace(base, "package p", "package", 1), false},
	} {
		if same := header([]byte(c.text)) == header([]byte(base)); same != c.same {
			t.Errorf("%s: same is %v\n%s", c.what, same, header([]byte(c.text)))
		}
	}
	p := parseHeader(header([]byte(base)))
	again := parseHeader(header(p.source()))
	if p.name != "p" || !slices.Equal(p.imports, []string{"fmt"}) || !slices.Equal(p.constraints, again.constraints) || !slices.Equal(p.imports, again.imports) {
		t.Errorf("parsed %+v, again %+v", p, again)
	}
	if !parseHeader(header(nil)).broken {
		t.Error("an empty file has a good header")
	}
}

const faceSample = `//go:build go1.21

// Package p is a sample.
package p

import "C"
import "fmt"

// F does f.
func F(a int) (err error) { return fmt.Errorf("x") } // trailing

func asm(x int)

type T struct {
	A int "tag" // comment
	f func()
}

func (t *T) M() { t.A++ }

var (
	table  = []int{1, 2, 3}
	open   = [...]int{1, 2}
	typed  map[string]int = nil
	fn     = func(a int) int { return a }
	nested = map[string]func(){"a": func() {}}
	addr   = &T{A: 1}
	call   = G(func() int { return 1 })
)

const C1 = iota + 1

func G[T any](f func() T) T { return f() }
`

func TestFaceText(t *testing.T) {
	face := func(text string) string { return string(faceText(parseTree("file:///p.go", []byte(text)))) }
	base := face(faceSample)
	for _, gone := range []string{"Errorf", "trailing", "comment", "sample", "1 , 2 , 3", "return", "A : 1", "t . A"} {
		if strings.Contains(base, gone) {
			t.Errorf("%q is still there", gone)
		}
	}
	if again := face(base); again != base {
		t.Errorf("face of the face differs:\n%s\n%s", base, again)
	}
	for _, c := range []struct {
		old, new string
		same     bool
	}{
		{`fmt.Errorf("x")`, `nil`, true},
		{"// F does f.", "/* F */", true},
		{"\n\n", "\n\n\n", true},
		{"t.A++", "if t.A > 0 { t.A-- }", true},
		{"1, 2, 3", "4", true},
		{"= nil", "= map[string]int{}", true},
		{"{ return a }", "{ return a + 1 }", true},
		{"&T{A: 1}", "&T{}", true},
		{"[...]int{1, 2}", "[...]int{1, 2, 3}", false},
		{"F(a int)", "F(b int)", false},
		{`"tag"`, `"gat"`, false},
		{"iota + 1", "iota + 2", false},
		{"go1.21", "go1.22", false},
		{"go1.21", "go1.21 && linux", true},
		{"func asm(x int)", "func asm(x int32)", false},
		{`import "fmt"`, `import f "fmt"`, false},
		{"[]int{1, 2, 3}", "[]int8{1, 2, 3}", false},
		{"type T struct", "type T = struct", false},
	} {
		if !strings.Contains(faceSample, c.old) {
			t.Fatalf("no %q in the sample", c.old)
		}
		if same := face(strings.Replace(faceSample, c.old, c.new, 1)) == base; same != c.same {
			t.Errorf("%q -> %q: same is %v", c.old, c.new, same)
		}
	}
}

// TestFaceTextIgnoresBodies edits bodies and comments of real files at random.
func TestFaceTextIgnoresBodies(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	env, m := stdMetadata()
	b := newPureBuild(t, env, m)
	for _, id := range []string{"strings", "go/ast", "container/list"} {
		for _, uri := range b.pkg(id).Files {
			tree := parseTree(uri, b.text(uri))
			want := faceText(tree)
			for range 3 {
				text := editBodies(rng, tree)
				edited := parseTree(uri, text)
				if len(edited.errors) > 0 {
					t.Fatalf("%s: the edit broke the file: %v", uri, edited.errors)
				}
				if !bytes.Equal(faceText(edited), want) {
					t.Fatalf("%s: a body edit shows in the face\n%s", uri, text)
				}
			}
		}
	}
}

// editBodies gives some functions other bodies and puts comments between declarations.
func editBodies(rng *rand.Rand, t *tree) []byte {
	var out []byte
	at := 0
	for _, decl := range t.file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil || rng.IntN(3) > 0 {
			continue
		}
		s := t.span(fn.Body.Pos(), fn.Body.End())
		out = append(out, t.text[at:s.Start]...)
		out = append(out, []string{"{}", "{ panic(1) }", "{\n\tfor {\n\t\t_ = func() { type x struct{} }\n\t}\n}", "{ // }\n}"}[rng.IntN(4)]...)
		out = append(out, "\n\n// A comment { that looks like code.\n\n"...)
		at = s.End
	}
	return append(out, t.text[at:]...)
}

func TestFaceIsDeterminedByFaceTexts(t *testing.T) {
	env, m := stdMetadata()
	rng := rand.New(rand.NewPCG(1, 3))
	one := newPureBuild(t, env, m)
	for _, id := range []string{"unicode/utf8", "sort", "container/heap", "slices"} {
		want := one.face(id)
		for edited := range 2 {
			two := newPureBuild(t, env, m)
			maps.Copy(two.faces, one.faces)
			delete(two.faces, id)
			if edited == 1 {
				for _, uri := range two.pkg(id).Files {
					two.texts[uri] = editBodies(rng, parseTree(uri, one.text(uri)))
				}
			}
			if !bytes.Equal(two.face(id), want) {
				t.Errorf("%s: the export data differs (edited: %d)", id, edited)
			}
		}
		if bytes.Contains(want, []byte(".go")) {
			t.Errorf("%s: there is a file name in the export data", id)
		}
	}
}

func TestOutline(t *testing.T) {
	text := `package p

import "fmt"

const (
	A = iota
	B
)

var x, _ = 1, fmt.Sprint(
	"x")

type S struct {
	F, G int
	*fmt.Stringer
	In struct{ Deep bool }
}

type I interface {
	M(a int) error
	fmt.Stringer
	~int | string
}

type G[T any] []T

func (s *S) Do(a, b int) (int, error) { return 0, nil }

func (g G[T]) Len() int { return len(g) }

func Map[T, U any](f func(T) U) []U { return nil }

func broken( {
`
	tree := parseTree("file:///p.go", []byte(text))
	var lines []string
	var show func(list []lsp.Symbol, indent string)
	show = func(list []lsp.Symbol, indent string) {
		for _, s := range list {
			if text[s.NameSpan.Start:s.NameSpan.End] != s.Name && !strings.HasSuffix(s.Name, "."+text[s.NameSpan.Start:s.NameSpan.End]) {
				t.Errorf("the name of %s is at %q", s.Name, text[s.NameSpan.Start:s.NameSpan.End])
			}
			if s.NameSpan.Start < s.Span.Start || s.NameSpan.End > s.Span.End {
				t.Errorf("%s: name %v outside of %v", s.Name, s.NameSpan, s.Span)
			}
			lines = append(lines, strings.TrimRight(indent+s.Kind.String()+" "+s.Name+" "+s.Detail, " "))
			show(s.Children, indent+"  ")
		}
	}
	show(outline(tree), "")
	want := `constant A = iota
constant B
variable x
struct S struct{…}
  field F int
  field G int
  field Stringer *fmt.Stringer
  field In struct{…}
    field Deep bool
interface I interface{…}
  method M func(a int) error
  interface Stringer fmt.Stringer
class G []T
method (*S).Do func(a, b int) (int, error)
method (G).Len func() int
function Map func[T, U any](f func(T) U) []U`
	if got := strings.Join(lines, "\n"); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDocText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"// A b.\n// C.", "A b.\nC."},
		{"/* A\nb */", "A\nb"},
		{"// A.\n//go:noinline\n//\n// B.", "A.\n\nB."},
		{"// \xff", "\uFFFD"},
		{"not a comment", ""},
		{"/* open", ""},
	} {
		got := docText([]byte(c.text), lsp.Span{End: len(c.text)})
		if got != c.want && c.want != "" {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	if docText([]byte("// x"), lsp.Span{Start: 2, End: 99}) != "" {
		t.Error("a span outside of the text")
	}
}

func TestTreeCache(t *testing.T) {
	c := newTreeCache(400)
	text := func(i int) []byte { return []byte("package p\n\nvar x = " + strings.Repeat("1", 10+i) + "\n") }
	first := c.get("file:///0.go", text(0))
	if c.get("file:///0.go", text(0)) != first {
		t.Error("the same text was parsed twice")
	}
	if c.get("file:///0.go", text(1)) == first {
		t.Error("another text gave the old tree")
	}
	for i := range 50 {
		c.get(fileURI("/"+strings.Repeat("x", i+1)+".go"), text(i))
	}
	if c.bytes > c.limit || len(c.byURI) != c.order.Len() {
		t.Errorf("%d bytes of %d, %d entries, %d in order", c.bytes, c.limit, len(c.byURI), c.order.Len())
	}
}
