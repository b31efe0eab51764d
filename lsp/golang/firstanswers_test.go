package golang

import (
	"flag"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

var firstFiles = flag.String("first.files", "lsp/position/mapper.go,lsp/golang/load/match.go,lsp/golang/load/odd_test.go",
	"comma-separated files of this module that TestFirstAnswersAreRight asks about")

// firstly answers from files alone; it fails if there is no answer.
func firstly(t *testing.T, f *fixture, uri string, question func(source) error) error {
	t.Helper()
	var done bool
	err := f.in(func(task *runtime.Task) (err error) {
		done, err = f.w.firstOf(task, uri, question)
		return err
	})
	if !done {
		t.Fatalf("%s is not answered about: %v", uri, err)
	}
	return err
}

// names are the offsets of the identifiers of a text.
func names(text []byte) (list []int) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, text, func(token.Position, string) {}, 0)
	for {
		pos, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return list
		case token.IDENT:
			list = append(list, file.Offset(pos))
		}
	}
}

// An answer about a file from files alone is the one that the queries give later (F1).
func TestFirstAnswersAreRight(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	f := openFixture(t, root, "", nil, lsp.WorkspaceOptions{Tests: true})
	first, err := f.w.beginFirst()
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		hover      *lsp.Hover
		hoverErr   error
		definition []lsp.Location
		defErr     error
	}
	asked := map[string]map[int]*answer{}
	for name := range strings.SplitSeq(*firstFiles, ",") {
		uri := f.uri(name)
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		asked[uri] = map[int]*answer{}
		all := names(text)
		for i := 0; i < len(all); i += max(1, len(all)/60) {
			a := new(answer)
			asked[uri][all[i]] = a
			a.hoverErr = firstly(t, f, uri, func(src source) (err error) {
				a.hover, err = hoverAt(src, uri, all[i])
				return err
			})
			a.defErr = firstly(t, f, uri, func(src source) (err error) {
				a.definition, err = definition(src, uri, all[i])
				return err
			})
		}
	}
	first.end()
	said := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	n := 0
	for uri, at := range asked {
		for offset, a := range at {
			h, err := f.hover(uri, offset)
			if n++; !reflect.DeepEqual(h, a.hover) || said(err) != said(a.hoverErr) {
				t.Errorf("hover at %s %d: first %+v %v, later %+v %v", uri, offset, a.hover, a.hoverErr, h, err)
			}
			list, err := f.definition(uri, offset)
			if !reflect.DeepEqual(list, a.definition) || said(err) != said(a.defErr) {
				t.Errorf("definition at %s %d: first %v %v, later %v %v", uri, offset, a.definition, a.defErr, list, err)
			}
		}
	}
	if t.Logf("%d places", n); n < 40 {
		t.Errorf("only %d places", n)
	}
}

// A first answer waits for no input, is about the text that an editor has, and is not given where
// the queries are to.
func TestFirstAnswers(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module m

go 1.26
-- a/a.go --
package a

import (
	"m/b"
	"os"
)

var A = b.B(1)

var M = b.Make()

func F() { os.Exit(int(A)) }
-- b/b.go --
package b

import "m/go-c"

// B is a number.
type B int

func Make() (x c.C) { return x }
-- go-c/c.go --
package c

type C uint8
-- b/b_test.go --
package b_test

import "m/b"

var T = b.B(2)
-- odd/odd.go --
package odd

import "m/missing"

var O = missing.X
-- testdata/t.go --
package t

var T int
`, lsp.WorkspaceOptions{Tests: true})
	a, b := f.uri("a/a.go"), f.uri("b/b.go")
	text := func(uri string) string {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		text, err := readFirst(f.w.opened, uri)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	at := func(uri, what string) int { return strings.Index(text(uri), what) }
	ask := func(uri, what string) (h *lsp.Hover, done bool) {
		t.Helper()
		err := f.in(func(task *runtime.Task) (err error) {
			done, err = f.w.firstOf(task, uri, func(src source) (err error) {
				h, err = hoverAt(src, uri, at(uri, what))
				return err
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return h, done
	}
	if _, done := ask(a, "A = "); done {
		t.Error("there was a first answer without an index under way")
	}
	if err := f.w.takeTurn(f.ctx); err != nil { // nobody brings inputs in
		t.Fatal(err)
	}
	indexed := make(chan error, 1)
	first, err := f.w.beginFirst()
	if err != nil {
		t.Fatal(err)
	}
	h, err := f.hover(a, at(a, "B(1)"))
	if err != nil || h.Signature != "type b.B int" || h.Doc != "B is a number." {
		t.Errorf("%+v %v", h, err)
	}
	list, err := f.definition(a, at(a, "Exit"))
	if err != nil || len(list) != 1 || !strings.HasSuffix(list[0].URI, "/src/os/proc.go") {
		t.Errorf("%v %v", list, err)
	}
	if h, err := f.hover(f.uri("b/b_test.go"), at(f.uri("b/b_test.go"), "B(2)")); err != nil || h.Doc != "B is a number." {
		t.Errorf("in a test: %+v %v", h, err)
	}
	// A package need not be called what its path ends with.
	if h, err := f.hover(a, at(a, "M = ")); err != nil || h.Signature != "var M c.C" {
		t.Errorf("%+v %v", h, err)
	}
	// What an editor has counts, in the package and in those that it imports.
	for uri, change := range map[string][2]string{b: {"type B int", "type B uint8"}, a: {"int(A)", "int(A+1)"}} {
		edited := strings.Replace(text(uri), change[0], change[1], 1)
		if err := f.w.SetOverlay(f.ctx, uri, []byte(edited)); err != nil {
			t.Fatal(err)
		}
	}
	if h, done := ask(a, "A+1"); !done || h.Signature != "var A b.B" {
		t.Errorf("%+v %v", h, done)
	}
	if h, done := ask(a, "B(1)"); !done || h.Signature != "type b.B uint8" {
		t.Errorf("%+v %v", h, done)
	}
	// A module file counts once it is saved.
	if err := f.w.SetOverlay(f.ctx, f.uri("go.mod"), []byte("module other\n")); err != nil {
		t.Fatal(err)
	}
	if h, done := ask(a, "A+1"); !done || h.Signature != "var A b.B" {
		t.Errorf("%+v %v", h, done)
	}
	// A doubt, and a file that the build leaves out.
	for _, uri := range []string{f.uri("odd/odd.go"), f.uri("testdata/t.go")} {
		if h, done := ask(uri, "package"); done {
			t.Errorf("%s: %+v", uri, h)
		}
	}
	before := debug.SetMemoryLimit(firstMemory - 1)
	if _, done := ask(a, "A+1"); done {
		t.Error("there was a first answer under a tight limit")
	}
	debug.SetMemoryLimit(before)
	first.end()
	f.w.giveTurn()
	go func() {
		_, err := f.w.Index(f.ctx, nil)
		indexed <- err
	}()
	if err := <-indexed; err != nil {
		t.Fatal(err)
	}
	first, err = f.w.beginFirst()
	if err != nil {
		t.Fatal(err)
	}
	defer first.end()
	if err := os.Mkdir(filepath.Join(f.root, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.write("d/d.go", "package d\n\nvar D int\n") // of which no query knows
	if _, done := ask(f.uri("d/d.go"), "D int"); done {
		t.Error("there was a first answer in a workspace that the store knows")
	}
	first.warm = nil
	if _, done := ask(f.uri("d/d.go"), "D int"); !done {
		t.Error("there was no first answer about a file that no query knows")
	}
	if _, done := ask(a, "A = "); done {
		t.Error("there was a first answer where the queries know the check")
	}
}
