package syntax

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp/golang/internal/edits"
	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
)

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
	face := func(text string) string { return string(FaceText(Parse("file:///p.go", []byte(text)))) }
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
	for _, name := range []string{"strings", "go/ast", "container/list"} {
		paths, err := filepath.Glob(filepath.Join(goroot.Src(t), filepath.FromSlash(name), "*.go"))
		if err != nil || len(paths) == 0 {
			t.Skip("needs the sources of the standard library:", err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			uri := "file:///" + filepath.Base(path)
			want := FaceText(Parse(uri, text))
			for range 3 {
				changed := edits.Bodies(rng, text)
				edited := Parse(uri, changed)
				if len(edited.Errors) > 0 {
					t.Fatalf("%s: the edit broke the file: %v", uri, edited.Errors)
				}
				if !bytes.Equal(FaceText(edited), want) {
					t.Fatalf("%s: a body edit shows in the face\n%s", uri, changed)
				}
			}
		}
	}
}
