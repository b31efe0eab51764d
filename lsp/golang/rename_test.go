package golang

import (
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
	cytisus "github.com/cytisus/cytisus/runtime"
)

func (f *fixture) rename(at lsp.Location, to string) (e *lsp.WorkspaceEdit, err error) {
	err = f.in(func(t *cytisus.Task) (err error) {
		e, err = f.w.Rename(t, at.URI, at.Span.Start, to)
		return err
	})
	return e, err
}

// after returns the files of a change as they are after it.
func (f *fixture) after(e *lsp.WorkspaceEdit) map[string]string {
	f.t.Helper()
	out := map[string]string{}
	err := f.in(func(t *cytisus.Task) error {
		for _, file := range e.Files {
			text, err := f.w.Text(t, file.URI)
			if err != nil {
				return err
			}
			changed, err := lsp.Apply(text, file.Edits)
			if err != nil {
				return err
			}
			out[file.URI] = string(changed)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

// A change is the lines that a rename changes, as "old > new".
func (f *fixture) changedLines(e *lsp.WorkspaceEdit) (list []string) {
	f.t.Helper()
	for uri, text := range f.after(e) {
		was := strings.Split(f.read(strings.TrimPrefix(uri, f.uri("")+"/")), "\n")
		for i, line := range strings.Split(text, "\n") {
			if i < len(was) && was[i] != line {
				list = append(list, strings.TrimSpace(line))
			}
		}
	}
	slices.Sort(list)
	return list
}

const renameArchive = `
-- go.mod --
module m

go 1.26
-- a/a.go --
package a

import (
	/*@fmtlit*/"fmt"
	str "strings"
)

// Thing is a thing. A Thing is made by [NewThing], see [Thing.Field].
type /*@Thing*/Thing struct {
	/*@Field*/Field int
	hidden int
}

// NewThing makes a Thing.
func /*@NewThing*/NewThing() *Thing { return &Thing{Field: 1} }

func (t *Thing) /*@Do*/Do() { t.Field++; fmt.Println(t.hidden) }

type /*@Doer*/Doer interface{ /*@DoerDo*/Do() }

var _ Doer = (*Thing)(nil)

type Wrap struct{ /*@embedded*/Thing }

func use(w Wrap) int { return w./*@embeddedUse*/Thing.Field }

func locals(/*@param*/x int) {
	/*@y*/y := x
	{
		z := y
		_ = z
		_ = /*@strUse*/str.ToUpper("")
	}
	switch /*@sw*/v := any(x).(type) {
	case int:
		_ = v
	case string:
		_ = v
	}
/*@label*/loop:
	for {
		break loop
	}
}

const outer = 1

func shadow() int {
	/*@inner*/inner := 2
	return outer + inner
}
-- a/a_test.go --
package a

func helper() { NewThing().Do() }
-- a/x_test.go --
package a_test

import "m/a"

func helper() { a.NewThing().Do() }
-- b/b.go --
package b

import "m/a"

type Other struct{ a.Thing }

func run(d a.Doer) { d.Do() }

func Run() { run(Other{}.ptr()); _ = Other{}.Thing.Field; _ = a.Thing{Field: 2} }

func (o Other) ptr() *Other { return &o }
`

func TestRename(t *testing.T) {
	f := newFixture(t, renameArchive, lsp.WorkspaceOptions{Tests: true})
	f.index()
	thing := "// Item is a thing. A Item is made by [NewThing], see [Item.Field].|" +
		"func (t *Item) /*@Do*/Do() { t.Field++; fmt.Println(t.hidden) }|func /*@NewThing*/NewThing() *Item { return &Item{Field: 1} }|" +
		"func Run() { run(Other{}.ptr()); _ = Other{}.Item.Field; _ = a.Item{Field: 2} }|" +
		"func use(w Wrap) int { return w./*@embeddedUse*/Item.Field }|type /*@Thing*/Item struct {|type Other struct{ a.Item }|" +
		"type Wrap struct{ /*@embedded*/Item }|var _ Doer = (*Item)(nil)"
	for _, c := range []struct {
		mark, to string
		want     string // lines after the change that it changes, or why it is refused
	}{
		{"y", "w", "/*@y*/w := x|z := w"},
		{"y", "z", "/*@y*/z := x|z := z"},
		{"sw", "t", "_ = t|_ = t|switch /*@sw*/t := any(x).(type) {"},
		{"label", "top", "/*@label*/top:|break top"},
		{"strUse", "s", `_ = /*@strUse*/s.ToUpper("")|s "strings"`},
		{"strUse", "strings", `"strings"|_ = /*@strUse*/strings.ToUpper("")`},
		{"fmtlit", "f", `/*@fmtlit*/f "fmt"|func (t *Thing) /*@Do*/Do() { t.Field++; f.Println(t.hidden) }`},
		{"Thing", "Item", thing},
		{"embedded", "Item", thing},
		{
			"Field", "Size", "/*@Field*/Size int|// Thing is a thing. A Thing is made by [NewThing], see [Thing.Size].|" +
				"func (t *Thing) /*@Do*/Do() { t.Size++; fmt.Println(t.hidden) }|func /*@NewThing*/NewThing() *Thing { return &Thing{Size: 1} }|" +
				"func Run() { run(Other{}.ptr()); _ = Other{}.Thing.Size; _ = a.Thing{Size: 2} }|" +
				"func use(w Wrap) int { return w./*@embeddedUse*/Thing.Size }",
		},
		{
			"DoerDo", "Make", "func (t *Thing) /*@Do*/Make() { t.Field++; fmt.Println(t.hidden) }|func helper() { NewThing().Make() }|" +
				"func helper() { a.NewThing().Make() }|func run(d a.Doer) { d.Make() }|type /*@Doer*/Doer interface{ /*@DoerDo*/Make() }",
		},
		{
			"NewThing", "Make", "// Make makes a Thing.|// Thing is a thing. A Thing is made by [Make], see [Thing.Field].|" +
				"func /*@NewThing*/Make() *Thing { return &Thing{Field: 1} }|func helper() { Make().Do() }|func helper() { a.Make().Do() }",
		},
		{"Do", "Make", "would make *m/a.Thing no longer assignable to interface Doer"},
		{"NewThing", "newThing", `breaking references from packages such as "m/`},
		{"Field", "field", `breaking references from packages such as "m/b"`},
		{"inner", "outer", "would shadow this reference\n\tto the const declared here"},
		{"y", "x", "no new variables on left side of :="},
		{"Thing", "Wrap", "conflicts with type in same block"},
		{"embeddedUse", "X", "must be renamed at its declaration"},
		{"y", "func", "invalid identifier"},
		{"y", "a b", "invalid identifier"},
		{"y", "", "invalid identifier"},
		{"y", "_", "invalid identifier"},
		{"y", "y", "old and new names are the same"},
		{"NewThing", "init", "called by the language itself"},
		{"Field", "Do", "conflicts with method in same block"},
		{"fmtlit", "str", "conflicts with imported package name in same block"},
		{"fmtlit", "Doer", "conflicts with type in same block"},
	} {
		e, err := f.rename(f.at(c.mark), c.to)
		got := ""
		if refused, ok := errors.AsType[*lsp.RefusedError](err); ok {
			if got = refused.Error(); strings.Contains(got, c.want) {
				continue
			}
		} else if err != nil {
			t.Errorf("%s to %q: %v", c.mark, c.to, err)
			continue
		} else if got = strings.Join(f.changedLines(e), "|"); got == c.want {
			continue
		}
		t.Errorf("%s to %q: got\n%s\nwant\n%s", c.mark, c.to, got, c.want)
	}
	for _, at := range []lsp.Location{{URI: f.uri("a/a.go"), Span: lsp.Span{Start: 1}}, {URI: f.uri("a/a.go"), Span: lsp.Span{Start: 12}}, {URI: f.uri("go.mod")}} {
		if e, err := f.rename(at, "x"); err == nil {
			t.Errorf("%v: got %v", at, e)
		}
	}
}

var (
	renameCount = flag.Int("rename.count", 12, "renames that TestRenameKeepsMeaning makes")
	renameSeed  = flag.Uint64("rename.seed", 1, "their seed")
)

// renamedPackages are packages of the standard library that import nothing that others may not.
var renamedPackages = []string{"container/list", "container/heap", "container/ring", "text/tabwriter", "encoding/csv", "text/scanner", "text/template/parse"}

// A rename is refused, or is no change of what anything means: the packages are free of errors, the
// same places name the same thing, and to rename it back gives the bytes that were.
func TestRenameKeepsMeaning(t *testing.T) {
	root := testfiles.TempDir(t)
	var names []string
	for _, p := range renamedPackages {
		list, err := filepath.Glob(filepath.Join(goroot.Src(t), filepath.FromSlash(p), "*.go"))
		if err != nil || len(list) == 0 {
			t.Skipf("no sources of the standard library: %v", err)
		}
		for _, from := range list {
			text, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "\"internal/") {
				continue
			}
			name := filepath.Join(p, filepath.Base(from))
			if err := os.MkdirAll(filepath.Join(root, p), 0o755); err != nil {
				t.Fatal(err)
			}
			for _, other := range renamedPackages {
				text = []byte(strings.ReplaceAll(string(text), strconv.Quote(other), strconv.Quote("m/"+other)))
			}
			if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module m\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := openFixture(t, root, "", nil, lsp.WorkspaceOptions{Tests: true})
	f.index()
	rng := rand.New(rand.NewPCG(*renameSeed, 11))
	made, refused := 0, map[string]int{}
	for i := range *renameCount {
		name := names[rng.IntN(len(names))]
		idents := identifiers(f.read(name))
		at := idents[rng.IntN(len(idents))]
		from := f.read(name)[at.Start:at.End]
		if from == "_" {
			continue
		}
		to := fmt.Sprintf("renamed%d", i)
		if token.IsExported(from) {
			to = fmt.Sprintf("Renamed%d", i)
		}
		fresh := rng.IntN(3) > 0
		if !fresh {
			other := idents[rng.IntN(len(idents))]
			to = f.read(name)[other.Start:other.End]
		}
		where := lsp.Location{URI: f.uri(name), Span: at}
		what := fmt.Sprintf("seed %d, number %d: %s at %s:%d to %s", *renameSeed, i, from, name, at.Start, to)
		e, err := f.rename(where, to)
		if r, ok := errors.AsType[*lsp.RefusedError](err); ok {
			reason := r.Error()
			if fresh && !expectedRefusal(reason) {
				t.Errorf("%s: %v", what, err)
			}
			refused[strings.SplitN(reason, " ", 2)[0]]++
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		made++
		f.checkRename(what, where, from, e, fresh)
	}
	t.Logf("seed %d: %d renames made, refused: %v", *renameSeed, made, refused)
	if made == 0 {
		t.Error("no rename was made")
	}
}

// expectedRefusal reports whether a name that nothing has may be refused for a reason.
func expectedRefusal(reason string) bool {
	return slices.ContainsFunc([]string{
		"is built in", "which is not part of the workspace", "must be renamed at its declaration", "has its name from the language",
		"no longer assignable", "a package is renamed at its package clause",
		"would be an error here: func (", // of a test or method that tools know by name
	}, func(s string) bool { return strings.Contains(reason, s) })
}

func identifiers(text string) (list []lsp.Span) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, []byte(text), nil, 0)
	for clause := true; ; {
		pos, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return list
		case tok == token.IDENT && clause:
			clause = false
		case tok == token.IDENT:
			list = append(list, lsp.Span{Start: file.Offset(pos), End: file.Offset(pos) + len(lit)})
		}
	}
}

// checkRename makes a change, looks at what it means, and takes it back.
func (f *fixture) checkRename(what string, at lsp.Location, from string, e *lsp.WorkspaceEdit, fresh bool) {
	t := f.t
	t.Helper()
	shift := func(l lsp.Location) lsp.Location {
		by := 0
		for _, file := range e.Files {
			for _, edit := range file.Edits {
				if file.URI == l.URI && edit.Span.End <= l.Span.Start {
					by += len(edit.NewText) - (edit.Span.End - edit.Span.Start)
				}
			}
		}
		return lsp.Location{URI: l.URI, Span: lsp.Span{Start: l.Span.Start + by}}
	}
	before, err := f.references(at.URI, at.Span.Start, false)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	was := map[string]string{}
	after := f.after(e)
	for uri, text := range after {
		was[uri] = f.read(strings.TrimPrefix(uri, f.uri("")+"/"))
		if err := f.w.SetOverlay(f.ctx, uri, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for uri := range after {
		if list := f.diagnostics(strings.TrimPrefix(uri, f.uri("")+"/")); len(list) > 0 {
			t.Errorf("%s: %s: %v", what, uri, list)
		}
	}
	moved := shift(at)
	has, err := f.references(moved.URI, moved.Span.Start, false)
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	var wanted, got []string
	for _, l := range before {
		wanted = append(wanted, fmt.Sprint(shift(l).URI, shift(l).Span.Start))
	}
	for _, l := range has {
		got = append(got, fmt.Sprint(l.URI, l.Span.Start))
	}
	if slices.Sort(wanted); !slices.Equal(wanted, slices.Sorted(slices.Values(got))) {
		t.Errorf("%s: named at\n%v\nwas\n%v", what, got, wanted)
	}
	if fresh {
		back, err := f.rename(moved, from)
		if err != nil {
			t.Errorf("%s: and back: %v", what, err)
		} else {
			for uri, text := range f.after(back) {
				if text != was[uri] {
					t.Errorf("%s: %s is another text when it is taken back", what, uri)
				}
			}
		}
	}
	for uri := range after {
		if err := f.w.ClearOverlay(f.ctx, uri); err != nil {
			t.Fatal(err)
		}
	}
}

// Of the packages that a new name is out of reach for, the refusal names the first by name, each
// time.
func TestRefusedRenameNamesTheFirstPackage(t *testing.T) {
	archive := "-- go.mod --\nmodule ex.org/m\n\ngo 1.24\n-- a.go --\npackage m\n\nfunc /*@decl*/Far() {}\n"
	for _, name := range []string{"f", "e", "d", "c", "b"} {
		archive += "-- " + name + "/use.go --\npackage " + name + "\n\nimport \"ex.org/m\"\n\nfunc use() { m.Far() }\n"
	}
	f := newFixture(t, archive, lsp.WorkspaceOptions{})
	f.index()
	for range 10 {
		_, err := f.rename(f.at("decl"), "far")
		refused, ok := errors.AsType[*lsp.RefusedError](err)
		if !ok || len(refused.Places) != 1 || refused.Places[0].At.URI != f.uri("b/use.go") || !strings.Contains(refused.Places[0].What, `"ex.org/m/b"`) {
			t.Fatalf("%v, want a refusal that names b/use.go", err)
		}
	}
}
