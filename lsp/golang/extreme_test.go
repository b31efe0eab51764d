package golang

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
)

// set gives a file an unsaved text.
func (f *fixture) set(name, text string) {
	f.t.Helper()
	if err := f.w.SetOverlay(f.ctx, f.uri(name), []byte(text)); err != nil {
		f.t.Fatal(err)
	}
}

// changed says that files have changed on the disk.
func (f *fixture) changed(names ...string) {
	f.t.Helper()
	var uris []string
	for _, name := range names {
		uris = append(uris, f.uri(name))
	}
	if err := f.w.FilesChanged(f.ctx, uris); err != nil {
		f.t.Fatal(err)
	}
}

// wantPublished waits until nothing changes by itself, and compares what is published of files with
// parts of the messages, one for each.
func (f *fixture) wantPublished(when string, want map[string][]string) {
	f.t.Helper()
	f.settle()
	for name, parts := range want {
		got := f.published(name)
		ok := len(got) == len(parts)
		for i := 0; ok && i < len(parts); i++ {
			ok = slices.ContainsFunc(got, func(d string) bool { return strings.Contains(d, parts[i]) })
		}
		if !ok {
			f.t.Errorf("%s: %s has %d diagnostics, want %d with %q: %.1000q", when, name, len(got), len(parts), parts, got)
		}
	}
}

// A function of 50,000 lines is checked, and edited like any other.
func TestFunctionOfManyLines(t *testing.T) {
	const count = 50_000
	text := func(last string) string {
		var b strings.Builder
		b.WriteString("package long\n\nfunc F(x int) int {\n")
		for i := range count {
			fmt.Fprintf(&b, "\tx = x*%d + aid(x)\n", i)
		}
		return b.String() + last + "\treturn x\n}\n"
	}
	f := newFixture(t, `
-- go.mod --
module example.com/long

go 1.26
-- help.go --
package long

func /*@aid*/aid(x int) int { return x + 1 }

func other() string { return F(1) }
`, lsp.WorkspaceOptions{})
	f.write("long.go", text(""))
	begin := time.Now()
	f.index()
	t.Logf("indexed after %v", time.Since(begin))
	f.open("long.go")
	f.wantPublished("opened", map[string][]string{"long.go": nil, "help.go": {"cannot use F(1)"}})
	for n, last := range []string{"\tx = nowhere\n", "\tx.\n", "\tx = \"\"\n", ""} {
		begin := time.Now()
		f.set("long.go", text(last))
		f.wantPublished(last, map[string][]string{
			"long.go": [][]string{{"undefined: nowhere"}, {"expected"}, {`cannot use ""`}, nil}[n], "help.go": {"cannot use F(1)"},
		})
		t.Logf("published after %v: %q", time.Since(begin), last)
	}
	if list, err := f.references(f.at("aid").URI, f.at("aid").Span.Start, false); err != nil || len(list) != count {
		t.Errorf("%d references, %v", len(list), err)
	}
}

// A package of 3,000 files is edited like any other.
func TestPackageOfManyFiles(t *testing.T) {
	const count = 3_000
	var b strings.Builder
	b.WriteString("-- go.mod --\nmodule example.com/wide\n\ngo 1.26\n")
	for i := range count {
		fmt.Fprintf(&b, "-- f%d.go --\npackage wide\n\nfunc F%d(n int) int { return F%d(n - 1) }\n", i, i, (i+1)%count)
	}
	b.WriteString("-- use/use.go --\npackage use\n\nimport \"example.com/wide\"\n\nvar X int = wide.F7(1)\n")
	f := newFixture(t, b.String(), lsp.WorkspaceOptions{})
	begin := time.Now()
	if sum := f.index(); sum.Diagnostics != 0 || sum.Files < count {
		t.Errorf("%d files, %d diagnostics", sum.Files, sum.Diagnostics)
	}
	t.Logf("indexed after %v", time.Since(begin))
	f.open("f7.go")
	f.settle()
	text := f.read("f7.go")
	for _, c := range []struct {
		old, by string
		want    map[string][]string
	}{
		{"n - 1", "n - \"\"", map[string][]string{"f7.go": {"mismatched"}, "f6.go": nil, "use/use.go": nil}},
		{"F7", "G7", map[string][]string{"f7.go": nil, "f6.go": {"undefined: F7"}, "use/use.go": {"undefined: wide.F7"}}},
		{"int)", "int", map[string][]string{"f7.go": {"missing ','"}, "f6.go": nil, "use/use.go": nil}},
		{"", "", map[string][]string{"f7.go": nil, "f6.go": nil, "use/use.go": nil}},
	} {
		begin := time.Now()
		f.set("f7.go", strings.Replace(text, c.old, c.by, 1))
		f.wantPublished(c.by, c.want)
		t.Logf("published after %v: %q for %q", time.Since(begin), c.by, c.old)
	}
}

// Of ten thousand errors some are told, and that there are more.
func TestTenThousandErrors(t *testing.T) {
	const count = 10_000
	var types, syntax strings.Builder
	types.WriteString("package many\n\nfunc f() {\n")
	syntax.WriteString("package broken\n")
	for i := range count {
		fmt.Fprintf(&types, "\tundefined%d()\n", i)
		fmt.Fprintf(&syntax, "\nfunc f%d() {\n\tx := (1 +\n}\n", i)
	}
	types.WriteString("}\n")
	f := newFixture(t, "-- go.mod --\nmodule example.com/many\n\ngo 1.26\n-- types/a.go --\n"+types.String()+"-- syntax/a.go --\n"+syntax.String(), lsp.WorkspaceOptions{})
	begin := time.Now()
	f.index()
	t.Logf("indexed after %v", time.Since(begin))
	for name, most := range map[string]int{"types/a.go": 501, "syntax/a.go": 101} {
		got := f.published(name)
		if len(got) != most {
			t.Errorf("%s has %d diagnostics, want %d", name, len(got), most)
		}
		wantDiagnostic(t, got, fmt.Sprintf("too many errors: this is the last of %d", most-1))
	}
	f.set("types/a.go", strings.Replace(types.String(), "undefined7()", "f()", 1))
	f.settle()
	if got := f.published("types/a.go"); len(got) != 501 {
		t.Errorf("%d diagnostics after an edit", len(got))
	}
	f.set("types/a.go", "package many\n")
	f.set("syntax/a.go", "package broken\n")
	f.wantPublished("repaired", map[string][]string{"types/a.go": nil, "syntax/a.go": nil})
}

const cycleModule = `
-- go.mod --
module example.com/m

go 1.26
-- a/a.go --
package a

import "example.com/m/b"

type A struct{ B b.B }

func New() A { return A{B: b.New()} }
-- b/b.go --
package b

type B struct{ N int }

func New() B { return B{} }
-- c/c.go --
package c

import "example.com/m/a"

var N int = a.New().B.N
`

// Import cycles are made and unmade by edits: what they say goes when they go, and what lies
// around them has no error of its own.
func TestImportCyclesComeAndGo(t *testing.T) {
	f := newFixture(t, cycleModule, lsp.WorkspaceOptions{})
	f.index()
	clean := map[string][]string{"a/a.go": nil, "b/b.go": nil, "c/c.go": nil}
	f.wantPublished("in the beginning", clean)
	b, a := f.read("b/b.go"), f.read("a/a.go")
	cycle := map[string][]string{"a/a.go": {"import cycle not allowed"}, "b/b.go": {"import cycle not allowed"}, "c/c.go": nil}
	round := "package b\n\nimport \"example.com/m/a\"\n\ntype B struct{ N int }\n\nfunc New() B { return a.New().B }\n"
	for n := range 3 {
		f.set("b/b.go", round)
		f.wantPublished(fmt.Sprint("a cycle typed ", n), cycle)
		f.set("b/b.go", b)
		f.wantPublished(fmt.Sprint("typed away ", n), clean)
	}
	f.set("b/b.go", round)
	f.settle()
	if err := f.w.ClearOverlay(f.ctx, f.uri("b/b.go")); err != nil {
		t.Fatal(err)
	}
	f.wantPublished("closed unsaved", clean)
	f.write("b/b.go", round)
	f.changed("b/b.go")
	f.wantPublished("on the disk", cycle)
	// The other end goes.
	f.set("a/a.go", "package a\n\nfunc New() (x struct{ B struct{ N string } }) { return x }\n")
	f.wantPublished("the other end is typed away", map[string][]string{
		"a/a.go": nil, "b/b.go": {"cannot use a.New().B"}, "c/c.go": {"cannot use a.New().B.N"},
	})
	f.set("a/a.go", a)
	f.wantPublished("and back", cycle)
	// A package that imports itself, and a cycle of three.
	f.write("b/b.go", b)
	f.changed("b/b.go")
	f.wantPublished("no cycle", clean)
	f.set("b/b.go", "package b\n\nimport _ \"example.com/m/c\"\n\ntype B struct{ N int }\n\nfunc New() B { return B{} }\n")
	f.wantPublished("three", map[string][]string{
		"a/a.go": {"import cycle not allowed"}, "b/b.go": {"import cycle not allowed"}, "c/c.go": {"import cycle not allowed"},
	})
	f.set("b/b.go", "package b\n\nimport _ \"example.com/m/b\"\n\ntype B struct{ N int }\n\nfunc New() B { return B{} }\n")
	f.wantPublished("itself", map[string][]string{"a/a.go": nil, "b/b.go": {"import cycle not allowed"}, "c/c.go": nil})
	f.set("b/b.go", b)
	f.wantPublished("in the end", clean)
}

// A package clause is renamed in one file after the other, typed and on the disk.
func TestPackageClauseIsRenamed(t *testing.T) {
	f := newFixture(t, cycleModule+`-- b/more.go --
package b

func More() B { return New() }
-- d/d.go --
package d

import other "example.com/m/b"

var D = other.More()
`, lsp.WorkspaceOptions{})
	f.index()
	clean := map[string][]string{"a/a.go": nil, "b/b.go": nil, "b/more.go": nil, "c/c.go": nil, "d/d.go": nil}
	f.wantPublished("in the beginning", clean)
	b, more := f.read("b/b.go"), f.read("b/more.go")
	renamed := func(text string) string { return strings.Replace(text, "package b", "package box", 1) }
	whole := map[string][]string{
		"a/a.go": {"imported as box and not used", "undefined: b", "undefined: b"}, "b/b.go": nil, "b/more.go": nil, "d/d.go": nil,
	}
	f.set("b/b.go", renamed(b))
	f.settle()
	if got := append(f.published("b/b.go"), f.published("b/more.go")...); len(got) == 0 {
		t.Error("nothing is said of two names of one package")
	}
	f.set("b/more.go", renamed(more))
	f.wantPublished("all renamed", whole)
	f.set("b/b.go", b)
	f.set("b/more.go", more)
	f.wantPublished("and back", clean)
	f.write("b/b.go", renamed(b))
	f.write("b/more.go", renamed(more))
	f.changed("b/b.go", "b/more.go")
	f.wantPublished("behind unsaved texts", clean)
	for _, name := range []string{"b/b.go", "b/more.go"} {
		if err := f.w.ClearOverlay(f.ctx, f.uri(name)); err != nil {
			t.Fatal(err)
		}
	}
	f.wantPublished("closed", whole)
	f.write("b/b.go", b)
	f.write("b/more.go", more)
	f.changed("b/b.go", "b/more.go")
	f.wantPublished("in the end", clean)
}

// A file is moved from one package to another, on the disk and while it is open.
func TestFileIsMovedBetweenPackages(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.26
-- a/a.go --
package a

func A() int { return Moved() }
-- a/moved.go --
package a

func Moved() int { return 1 }
-- b/b.go --
package b

func B() int { return 2 }
-- use/use.go --
package use

import (
	"example.com/m/a"
	"example.com/m/b"
)

var X = a.Moved() + b.B()
`, lsp.WorkspaceOptions{})
	f.index()
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join(f.root, filepath.FromSlash(from)), filepath.Join(f.root, filepath.FromSlash(to))); err != nil {
			t.Fatal(err)
		}
		f.changed(from, to)
	}
	clean := map[string][]string{"a/a.go": nil, "a/moved.go": nil, "b/b.go": nil, "b/moved.go": nil, "use/use.go": nil}
	f.wantPublished("in the beginning", clean)
	gone := map[string][]string{"a/a.go": {"undefined: Moved"}, "a/moved.go": nil, "use/use.go": {"undefined: a.Moved"}}
	move("a/moved.go", "b/moved.go")
	f.wantPublished("moved with its package clause", gone)
	if got := append(f.published("b/b.go"), f.published("b/moved.go")...); len(got) == 0 {
		t.Error("nothing is said of two names of one package")
	}
	f.edit("b/moved.go", "package a", "package b")
	f.changed("b/moved.go")
	gone["b/b.go"], gone["b/moved.go"] = nil, nil
	f.wantPublished("moved", gone)
	if list := f.find("Moved", 10); len(list) != 1 || list[0].Container != "example.com/m/b" {
		t.Errorf("found: %+v", list)
	}
	f.edit("b/moved.go", "package b", "package a")
	move("b/moved.go", "a/moved.go")
	f.wantPublished("back", clean)
	f.open("a/moved.go") // an editor goes on showing it where it was
	move("a/moved.go", "b/moved.go")
	f.edit("b/moved.go", "package a", "package b")
	f.changed("b/moved.go")
	f.wantPublished("moved while it is open", clean)
	if err := f.w.ClearOverlay(f.ctx, f.uri("a/moved.go")); err != nil {
		t.Fatal(err)
	}
	f.wantPublished("closed", gone)
}

// Generic code whose instantiation never ends is told where it stands. What uses it is checked, and
// answered about, with types that are made as far as needed.
func TestEndlessInstantiation(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.26
-- bad/func.go --
package bad

func Endless[T any](n int) {
	if n > 0 {
		Endless[*T](n - 1)
	}
}

func Ping[T any]() { Pong[[]T]() }

func Pong[T any]() { Ping[T]() }
-- tree/tree.go --
package tree

type Tree[T any] struct{ next *Tree[Tree[T]] }

type Loop[T Loop[T]] interface{ M(T) }
-- self/self.go --
package self

type Self[T any] struct{ Self[Self[T]] }
-- internalerror/array.go --
package internalerror

type Array[T any] [len(Array[T]{})]int
-- deep/deep.go --
package deep

// Deep has methods whose results have methods, without an end.
type Deep[T any] struct{ Value T }

func (d Deep[T]) /*@Down*/Down() Deep[Deep[T]] { return Deep[Deep[T]]{d} }
-- chain/chain.go --
package chain

type Chain[T any] interface {
	Next() Chain[Chain[T]]
}
-- use/use.go --
package use

import (
	"example.com/m/bad"
	"example.com/m/chain"
	"example.com/m/deep"
	"example.com/m/tree"
)

var /*@X*/X = deep.Deep[int]{}.Down().Down().Down()

func Use(c chain.Chain[string]) {
	bad.Endless[int](1)
	var _ int = c.Next().Next().Next()
	var _ tree.Tree[int]
}
`, lsp.WorkspaceOptions{})
	f.index()
	wantDiagnostic(t, f.published("bad/func.go"), "instantiation cycle")
	wantDiagnostic(t, f.published("tree/tree.go"), "instantiation cycle")
	wantDiagnostic(t, f.published("self/self.go"), "invalid recursive type")
	wantDiagnostic(t, f.published("internalerror/array.go"), "internal error") // of go/types: it panics
	f.wantPublished("beside", map[string][]string{
		"chain/chain.go": {"instantiation cycle:", "cycle: T instantiated as Chain[T]"},
		"deep/deep.go":   {"instantiation cycle:", "cycle: T instantiated as Deep[T]"},
		"use/use.go":     {"cannot use c.Next().Next().Next()"},
	})
	if list, err := f.references(f.at("Down").URI, f.at("Down").Span.Start, false); err != nil || len(list) != 3 {
		t.Errorf("references %v, %v", list, err)
	}
	if h, err := f.hover(f.at("X").URI, f.at("X").Span.Start); err != nil || !strings.Contains(h.Signature, "Deep[deep.Deep[deep.Deep[deep.Deep[int]]]]") {
		t.Errorf("hover %+v, %v", h, err)
	}
	// Bodies make cycles and unmake them while they are edited.
	text := f.read("bad/func.go")
	f.open("bad/func.go")
	f.settle()
	f.set("bad/func.go", strings.Replace(strings.Replace(text, "[*T]", "[T]", 1), "[[]T]", "[T]", 1))
	f.wantPublished("without a cycle", map[string][]string{"bad/func.go": nil})
	f.set("bad/func.go", text)
	f.settle()
	wantDiagnostic(t, f.published("bad/func.go"), "instantiation cycle")
}
