package bodies

import (
	"errors"
	"fmt"
	"go/types"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// noImports has one package, fmt, with nothing in it but Println.
type noImports struct{ fmt *types.Package }

func newImports() *noImports {
	p := types.NewPackage("fmt", "fmt")
	list := types.NewVar(0, p, "a", types.NewSlice(types.Universe.Lookup("any").Type()))
	sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(list), nil, true)
	p.Scope().Insert(types.NewFunc(0, p, "Println", sig))
	p.MarkComplete()
	return &noImports{p}
}

func (n *noImports) Import(path string) (*types.Package, error) {
	if path == "fmt" {
		return n.fmt, nil
	}
	return nil, errors.New("there is no such package")
}

// Each case is a package, as files, and edits of it: a line of the comment is a file, a text in
// it, and what comes in its place. Behind stands what the check is expected to be: whole, or how
// many bodies, to which those with errors belong each time. A language version may stand in front.
var cases = map[string]string{
	"what the version has not": `
go1.17 is the version
a.go|return true|println(); return true|whole
a.go|isASCII(s)|isASCII(s + s)|whole
-- a.go --
package p

func f(s string) bool { return isASCII(s) }

func isASCII[S string | []byte](s S) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
`,
	"a body": `
a.go|return 1|return "x"|1
a.go|return "x"|return 2|1
-- a.go --
package p

func f() int { return 1 }
func g() int { return f() }
`,
	"a comment in a body, and one outside": `
a.go|return 1|/* c */ return 1|1
a.go|// doc|// another doc|0
a.go|func g|

func g|0
-- a.go --
package p

// doc
func f() int { return 1 }
func g() int { return f() }
`,
	"a declaration": `
a.go|var v int|var v string|whole
a.go|func f() int|func f() string|whole
-- a.go --
package p

var v int

func f() int { return v }
`,
	"another file's body": `
b.go|F()|F() + x|1
b.go|F() + x|F()|1
-- a.go --
package p

func F() int { return 1 }
-- b.go --
package p

func g() int { x := 0; _ = x; return F() }
`,
	"imports that bodies use": `
a.go|fmt.Println()|_ = 0|1
a.go|fmt.Println(1)|_ = 1|1
a.go|_ = 0|fmt.Println()|1
a.go|_ = 1|fmt.Undefined()|1
-- a.go --
package p

import "fmt"

func f() { fmt.Println() }
func g() { fmt.Println(1) }
`,
	"a package's name without a selector": `
a.go|fmt.Println()|_ = fmt|1
-- a.go --
package p

import "fmt"

func f() { fmt.Println() }
`,
	"a dot import, a blank one, a renamed one, one that is missing": `
a.go|Println()|_ = 0|1
a.go|_ = 0|_ = struct{ Println int }{Println: 1}|1
a.go|_ = struct{ Println int }{Println: 1}|Println()|1
a.go|format.Println()|_ = 1|1
a.go|missing.Thing()|_ = 2|1
-- a.go --
package p

import . "fmt"
import _ "fmt"
import format "fmt"
import "missing"

func f() { Println() }
func g() { format.Println() }
func h() { missing.Thing() }
`,
	"an initialization cycle comes and goes": `
a.go|return 1|return v|whole
a.go|return v|return 2|whole
a.go|return 2|return 3|1
-- a.go --
package p

var v = f()

func f() int { return g() }
func g() int { return 1 }
`,
	"an initialization cycle through a method and a function literal": `
a.go|return 1|return v()|whole
-- a.go --
package p

var v = func() int { return T{}.m() }

type T struct{}

func (T) m() int { return g() }
func g() int { return 1 }
`,
	"functions that call each other are no cycle": `
a.go|return 1|return f()|1
-- a.go --
package p

var v = 1

func f() int { return g() + v }
func g() int { return 1 }
`,
	"an instantiation cycle comes and goes": `
a.go|_ = 0|f[*T]()|whole
a.go|f[*T]()|_ = 1|whole
-- a.go --
package p

func f[T any]() { g[T]() }
func g[T any]() { _ = 0 }
`,
	"an instantiation cycle through a local type": `
a.go|_ = 0|type L struct{}; f[L]()|whole
-- a.go --
package p

func f[T any]() { _ = 0 }
`,
	"an instantiation cycle that another error hides": `
b.go|return ""|return 1|whole
-- a.go --
package p

func f[T any]() { f[*T]() }
-- b.go --
package p

func g() int { return "" }
`,
	"a method's body, a generic one's, a blank one's, init and main": `
a.go|return t.x|return t.y|1
a.go|return g.v|return g.w|2
a.go|_ = 10|_ = undefined|3
a.go|_ = 11|_ = undefined|4
a.go|_ = 12|return 1|5
-- a.go --
package main

type T struct{ x int }

func (t *T) m() int { return t.x }

type G[V any] struct{ v V }

func (g G[V]) get() V { return g.v }
func (g G[_]) get2() { _ = 10 }
func init() { _ = 11 }
func main() { _ = 12 }
func _() { _ = 13 }
`,
	"invalid types of declarations hide what follows": `
a.go|_ = 0|var x int = v; _ = []int{v}; w(1)|1
-- a.go --
package p

var v undefined

func w(undefined) {}
func f() { _ = 0 }
`,
	"a type that is made of an invalid one": `
a.go|_ = 0|var x int = v; _ = x|1
-- a.go --
package p

var v []undefined

func f() { _ = 0 }
`,
	"the same function twice": `
a.go|return 2|return "x"|1
-- a.go --
package p

func f() int { return 1 }
func f() int { return 2 }
`,
	"a function without a body, and one with a broken one": `
a.go|return 1|return 1 +|whole
a.go|return 1 +|return 1|whole
a.go|return 1|return (1|whole
-- a.go --
package p

func f() int
func g() int { return 1 }
`,
	"labels, and places in messages": `
a.go|_ = 0|goto L; x := 1; _ = x; L:|1
a.go|// space|


|0
-- a.go --
package p

// space
func f() { _ = 0 }
`,
	"a local type, and a method of a type of the same name": `
a.go|_ = 0|type T struct{ a int }; var t T; t.m(); _ = t.a|1
-- a.go --
package p

type T struct{}

func (T) m() {}
func f() { _ = 0 }
`,
	"a file with a language version": `
a.go|_ = 0|for i := range 10 { _ = i }|1
a.go|go1.21|go1.26|whole
-- a.go --
//go:build go1.21

package p

func f() { _ = 0 }
`,
}

func TestCases(t *testing.T) {
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			archive := txtar.Parse([]byte(strings.TrimPrefix(text, "\n")))
			p := editedPackage{config: Config{
				Path: "p", Name: "p", GoVersion: "go1.26",
				Sizes: types.SizesFor("gc", "amd64"), Importer: newImports(),
			}}
			if version, _, ok := strings.Cut(string(archive.Comment), " is the version\n"); ok {
				p.config.GoVersion = version
			}
			if strings.HasPrefix(string(archive.Files[0].Data), "package main") {
				p.config.Name = "main"
			}
			for _, f := range archive.Files {
				p.names = append(p.names, f.Name)
				p.files = append(p.files, parse(t, f.Name, f.Data))
			}
			pkg := New(partOf)
			check := func(what, want string) {
				r := pkg.Check(p.config, p.files)
				got := fmt.Sprint(r.Bodies)
				if r.Whole {
					got = "whole"
				}
				if got != want {
					t.Errorf("%s: checked %s, want %s", what, got, want)
				}
				gotNames, gotErrors := resultFacts(p.files, r)
				wantNames, wantErrors := wholeFacts(p.config, p.files)
				for i, name := range p.names {
					sameFacts(t, what+" in "+name, gotErrors[i], wantErrors[i])
					sameFacts(t, what+" in "+name, gotNames[i], wantNames[i])
				}
			}
			check("as it is", "whole")
			// What replaces a text may have lines of its own.
			edits := strings.ReplaceAll(string(archive.Comment), "\n\n", "\x00")
			for _, edit := range strings.Split(edits, "\n") {
				part := strings.Split(strings.ReplaceAll(edit, "\x00", "\n\n"), "|")
				if len(part) != 4 {
					continue
				}
				i := slices.Index(p.names, part[0])
				before := string(p.files[i].Text)
				if !strings.Contains(before, part[1]) {
					t.Fatalf("there is no %q in %s", part[1], part[0])
				}
				p.files[i] = parse(t, part[0], []byte(strings.Replace(before, part[1], part[2], 1)))
				check(edit, part[3])
			}
		})
	}
}

// TestFacesAreMadeAgain: each body that is checked leaves something behind, so faces are made again
// after some.
func TestFacesAreMadeAgain(t *testing.T) {
	c := Config{Path: "p", Name: "p", GoVersion: "go1.26", Sizes: types.SizesFor("gc", "amd64"), Importer: newImports()}
	pkg := New(partOf)
	check := func(n int) {
		text := fmt.Appendf(nil, "package p\n\nfunc f() int { return %d }\n", n)
		pkg.Check(c, []File{parse(t, "a.go", text)})
	}
	check(0)
	check(1)
	first := pkg.faces
	check(2)
	if first.checks != 2 || pkg.faces != first {
		t.Fatalf("%d bodies are counted after two edits", first.checks)
	}
	first.checks = checksMost + 1
	check(3)
	if pkg.faces == first {
		t.Error("the faces are the same after more checks than they are good for")
	}
}
