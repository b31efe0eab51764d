package golang

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

const answersModule = `
-- go.mod --
module example.com/m

go 1.26
-- shapes/doc.go --
// Package shapes has shapes.
package /*@shapes*/shapes
-- shapes/shapes.go --
package /*@shapes2*/shapes

import (
	"fmt"
	/*@strlit*/"strings"
)

// A Shape has an area.
type /*@Shape*/Shape interface {
	/*@Area*/Area() float64 // Area is in square metres.
}

type /*@base*/base struct {
	/*@Name*/Name string // what it is called
}

// Title is the name in capitals.
func (b *base) /*@Title*/Title() string { return /*@strings*/strings.ToUpper(b./*@nameuse*/Name) }

// A Square is a Shape.
type /*@Square*/Square struct {
	/*@embed*/base
	/*@Side*/Side float64
}

func (s Square) /*@SquareArea*/Area() float64 { return s./*@sideuse*/Side * s.Side }

// Pi is nearly pi.
const /*@Pi*/Pi = 3.14

func /*@local*/helper() {
	x := 1
	/*@x2*/x++
	fmt.Println(x, "x")
}

func Generic[/*@T*/T any](v /*@Tuse*/T) List[T] { return List[T]{Items: []T{v}} }

type /*@List*/List[T any] struct {
	/*@Items*/Items []T
}

func (l List[T]) /*@Len*/Len() int { return len(l.Items) }

func Switch(v any) {
	switch /*@sw*/y := v.(type) {
	case int:
		_ = /*@swint*/y + 1
	case string:
		_ = /*@swstring*/y + "a"
	}
}

func Labels() {
/*@outer*/outer:
	for {
		break /*@outeruse*/outer
	}
}

var _ = strings./*@stdindex*/Index("a", "b")
-- shapes/shapes_test.go --
package shapes

import "testing"

func TestHelper(t *testing.T) { /*@testlocal*/helper() }

func ExportedForTest() {}
-- shapes/x_test.go --
package shapes_test

import (
	"testing"

	"example.com/m/shapes"
)

func TestX(t *testing.T) {
	shapes./*@exportuse*/ExportedForTest()
	_ = shapes./*@xsquare*/Square{/*@xside*/Side: 1}
}
-- use/use.go --
package use

import (
	. "fmt"
	sh /*@imp*/"example.com/m/shapes"
)

type Wrapper struct {
	/*@wrapembed*/sh./*@wrapembed2*/Square
}

func Use() float64 {
	var s /*@shuse*/sh./*@ShapeUse*/Shape = sh./*@squse*/Square{/*@key*/Side: 2}
	w := Wrapper{}
	/*@dot*/Println(w./*@promoted*/Title(), w./*@embeduse*/Square, /*@len*/len("x"))
	l := sh.Generic(1)
	_ = l./*@items*/Items
	_ = l./*@lenuse*/Len()
	var err /*@error*/error
	_ = err./*@Error*/Error()
	return s./*@areause*/Area() * sh./*@piuse*/Pi
}
`

// TestAnswers asks one workspace everything.
func TestAnswers(t *testing.T) {
	f := newFixture(t, answersModule, lsp.WorkspaceOptions{Tests: true})
	t.Run("symbol search", func(t *testing.T) { testFindSymbols(t, f) }) // before Index: the first question brings the inputs in
	f.index()
	t.Run("definition", func(t *testing.T) { testDefinition(t, f) })
	t.Run("references", func(t *testing.T) { testReferences(t, f) })
	t.Run("hover", func(t *testing.T) { testHover(t, f) })
	t.Run("highlight", func(t *testing.T) { testHighlight(t, f) })
	t.Run("type definition", func(t *testing.T) { testTypeDefinition(t, f) })
	t.Run("no answer", func(t *testing.T) { testQuestionsWithoutAnswer(t, f) })
	t.Run("in a dependency", func(t *testing.T) { testDefinitionInDependency(t, f) })
}

func testHighlight(t *testing.T, f *fixture) {
	for _, c := range []struct{ at, want string }{
		{"Side", "Side:text sideuse:read"}, // and a use without a mark
		{"sideuse", "Side:text sideuse:read"},
		{"key", "key:write"},
		{"outeruse", "outer:text outeruse:text"},
	} {
		at := f.at(c.at)
		var list []lsp.Highlight
		err := f.in(func(task *runtime.Task) (err error) {
			list, err = f.w.Highlight(task, at.URI, at.Span.Start)
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", c.at, err)
		}
		var got []string
		for _, h := range list {
			name := f.names([]lsp.Location{{URI: at.URI, Span: h.Span}})[0]
			if strings.HasPrefix(name, "file:") {
				continue
			}
			how := map[lsp.HighlightKind]string{lsp.HighlightText: "text", lsp.HighlightRead: "read", lsp.HighlightWrite: "write"}[h.Kind]
			got = append(got, name+":"+how)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: got %s, want %s", c.at, s, c.want)
		}
	}
}

func testDefinition(t *testing.T, f *fixture) {
	for _, c := range []struct{ at, want string }{
		{"Shape", "Shape"},
		{"ShapeUse", "Shape"},
		{"squse", "Square"},
		{"key", "Side"},
		{"sideuse", "Side"},
		{"nameuse", "Name"},
		{"promoted", "Title"},
		{"areause", "Area"},
		{"piuse", "Pi"},
		{"embed", "base"},
		{"wrapembed2", "Square"},
		{"embeduse", "wrapembed2"},
		{"items", "Items"},
		{"lenuse", "Len"},
		{"Tuse", "T"},
		{"testlocal", "local"},
		{"exportuse", ""},
		{"xside", "Side"},
		{"shapes2", "shapes"},
		{"swint", "sw"},
		{"swstring", "sw"},
		{"outeruse", "outer"},
		{"strings", "strlit"},
	} {
		at := f.at(c.at)
		for _, offset := range []int{at.Span.Start, at.Span.End} {
			got, err := f.definition(at.URI, offset)
			if err != nil {
				t.Errorf("%s: %v", c.at, err)
				continue
			}
			if c.want != "" && !slices.Equal(f.names(got), []string{c.want}) {
				t.Errorf("%s at %d: got %v, want %s", c.at, offset, f.names(got), c.want)
			}
		}
	}
	for at, file := range map[string]string{"dot": "/fmt/print.go", "len": "/builtin/builtin.go", "error": "/builtin/builtin.go", "Error": "/builtin/builtin.go"} {
		got, err := f.definition(f.at(at).URI, f.at(at).Span.Start)
		if err != nil || len(got) != 1 || !strings.HasSuffix(got[0].URI, file) {
			t.Errorf("%s: got %v, %v, want a place in %s", at, got, err, file)
		}
	}
}

func testReferences(t *testing.T, f *fixture) {
	for _, c := range []struct {
		at   string
		decl bool
		want []string
	}{
		{"stdindex", false, []string{"stdindex"}},
		{"Side", true, []string{"Side", "key", "sideuse", "xside"}},
		{"key", false, []string{"key", "sideuse", "xside"}},
		{"local", true, []string{"local", "testlocal"}},
		{"Area", true, []string{"Area", "areause"}},
		{"Title", false, []string{"promoted"}},
		{"swint", true, []string{"sw", "swint", "swstring"}},
		{"wrapembed2", true, []string{"embeduse", "wrapembed2"}}, // the field, and not its type
		{"Square", true, []string{"Square", "squse", "wrapembed2", "xsquare"}},
		{"Len", true, []string{"Len", "lenuse"}},
		{"Pi", false, []string{"piuse"}},
		{"imp", true, []string{"imp", "shapes", "shapes2"}},
	} {
		got, err := f.references(f.at(c.at).URI, f.at(c.at).Span.Start, c.decl)
		if err != nil {
			t.Errorf("%s: %v", c.at, err)
			continue
		}
		names := f.names(got)
		// Marks are put on some of the places only.
		for _, w := range c.want {
			if !slices.Contains(names, w) {
				t.Errorf("%s: %v lacks %s", c.at, names, w)
			}
		}
		if !c.decl && slices.Contains(names, c.at) && !slices.Contains(c.want, c.at) {
			t.Errorf("%s: the declaration was not asked for: %v", c.at, names)
		}
		if slices.Contains(names, "embeduse") != (c.at == "wrapembed2") {
			t.Errorf("%s: an embedded field is not its type: %v", c.at, names)
		}
		inside := slices.ContainsFunc(got, func(l lsp.Location) bool { return strings.HasSuffix(l.URI, "/strings/iter.go") })
		if inside != (c.at == "stdindex") {
			t.Errorf("%s: uses within the package that declares it: %v", c.at, got)
		}
		for i := 1; i < len(got); i++ {
			if got[i-1].Compare(got[i]) >= 0 {
				t.Errorf("%s: not sorted, or repeats: %v", c.at, got)
			}
		}
	}
}

func testHover(t *testing.T, f *fixture) {
	for _, c := range []struct{ at, signature, doc string }{
		{"Pi", "const Pi untyped float = 3.14", "Pi is nearly pi."},
		{"piuse", "const sh.Pi untyped float = 3.14", "Pi is nearly pi."},
		{"promoted", "func (b *sh.base) Title() string // through sh.Square, sh.base", "Title is the name in capitals."},
		{"Title", "func (b *base) Title() string", "Title is the name in capitals."},
		{"areause", "func (sh.Shape) Area() float64", "Area is in square metres."},
		{"nameuse", "field Name string", "what it is called"},
		{"items", "field Items []int", ""},
		{"lenuse", "func (l sh.List[int]) Len() int", ""},
		{"swint", "var y int", ""},
		{"swstring", "var y string", ""},
		{"shapes", "package shapes", "Package shapes has shapes."},
		{"imp", "package shapes", "Package shapes has shapes."},
		{"shuse", "package shapes", "Package shapes has shapes."},
		{"outeruse", "label outer", ""},
		{"T", "type parameter T any", ""},
	} {
		h, err := f.hover(f.at(c.at).URI, f.at(c.at).Span.Start)
		if err != nil {
			t.Errorf("%s: %v", c.at, err)
			continue
		}
		if h.Signature != c.signature || !strings.HasPrefix(h.Doc, c.doc) || c.doc == "" && h.Doc != "" {
			t.Errorf("%s:\n got %q, %q\nwant %q, %q", c.at, h.Signature, h.Doc, c.signature, c.doc)
		}
		if h.Span.Start != f.at(c.at).Span.Start || h.Language != "go" {
			t.Errorf("%s: span %v, language %s", c.at, h.Span, h.Language)
		}
	}
	h, err := f.hover(f.at("len").URI, f.at("len").Span.Start)
	if err != nil || h.Signature != "func len(v Type) int" || !strings.HasPrefix(h.Doc, "The len built-in function") {
		t.Errorf("len: %v, %v", h, err)
	}
	h, err = f.hover(f.at("strings").URI, f.at("strings").Span.Start)
	if err != nil || !strings.HasPrefix(h.Doc, "Package strings implements") {
		t.Errorf("strings: %v, %v", h, err)
	}
}

func testQuestionsWithoutAnswer(t *testing.T, f *fixture) {
	uri := f.uri("use/use.go")
	for _, c := range []struct {
		uri    string
		offset int
		want   error
	}{
		{uri, -1, lsp.ErrOutOfRange},
		{uri, 1 << 20, lsp.ErrOutOfRange},
		{uri, 0, lsp.ErrNoSymbol}, // the keyword
		{f.uri("use/none.go"), 0, lsp.ErrUnknownFile},
		{"http://example.com/x.go", 0, lsp.ErrUnknownFile},
		{"file://\x00", 0, lsp.ErrUnknownFile},
		{"", 0, lsp.ErrUnknownFile},
	} {
		if _, err := f.definition(c.uri, c.offset); !errors.Is(err, c.want) {
			t.Errorf("definition at %s:%d: %v, want %v", c.uri, c.offset, err, c.want)
		}
		if _, err := f.references(c.uri, c.offset, true); !errors.Is(err, c.want) {
			t.Errorf("references at %s:%d: %v, want %v", c.uri, c.offset, err, c.want)
		}
		if _, err := f.hover(c.uri, c.offset); !errors.Is(err, c.want) {
			t.Errorf("hover at %s:%d: %v, want %v", c.uri, c.offset, err, c.want)
		}
	}
	if _, err := f.symbols(f.uri("use/none.go")); !errors.Is(err, lsp.ErrUnknownFile) {
		t.Errorf("symbols of an unknown file: %v", err)
	}
}

func testFindSymbols(t *testing.T, f *fixture) {
	for _, c := range []struct{ query, first string }{
		{"Square", "Square"},
		{"squre", "Square"},
		{"square.area", "Square.Area"},
		{"shapes.pi", "Pi"},
		{"testhelp", "TestHelper"},
		{"m/shapes.List", "List"},
	} {
		got := f.find(c.query, 5)
		if len(got) == 0 || got[0].Name != c.first {
			t.Errorf("%s: %v, want %s first", c.query, got, c.first)
		}
	}
	if got := f.find("zzz", 5); len(got) != 0 {
		t.Errorf("zzz: %v", got)
	}
	if got := f.find("", 3); len(got) != 3 {
		t.Errorf("limit: %v", got)
	}
}

func testDefinitionInDependency(t *testing.T, f *fixture) {
	println, err := f.definition(f.at("dot").URI, f.at("dot").Span.Start)
	if err != nil || len(println) != 1 {
		t.Fatal(println, err)
	}
	// Inside a package of others answers work as well, references to its locals included.
	refs, err := f.references(println[0].URI, println[0].Span.Start, true)
	if err != nil || !slices.Contains(refs, println[0]) || !slices.ContainsFunc(refs, func(l lsp.Location) bool { return l.URI == f.at("dot").URI }) {
		t.Errorf("references from within fmt: %v, %v", refs, err)
	}
	if ds := f.diagnostics("use/use.go"); len(ds) != 0 {
		t.Errorf("diagnostics: %v", ds)
	}
}

func testTypeDefinition(t *testing.T, f *fixture) {
	for _, c := range []struct{ at, want string }{
		{"squse", "Square"},
		{"ShapeUse", "Shape"},
		{"embeduse", "Square"},
		{"T", "T"},
		{"swstring", "builtin"},
		{"lenuse", "builtin"},
		{"promoted", "builtin"},
		{"areause", "builtin"},
		{"error", "builtin"},
		{"shuse", ""},
		{"imp", ""},
	} {
		at := f.at(c.at)
		var list []lsp.Location
		err := f.in(func(task *runtime.Task) (err error) {
			list, err = f.w.TypeDefinition(task, at.URI, at.Span.Start)
			return err
		})
		if c.want == "" {
			if !errors.Is(err, lsp.ErrNoSymbol) {
				t.Errorf("%s: %v, %v", c.at, list, err)
			}
			continue
		}
		got := strings.Join(f.names(list), " ")
		if err != nil || got != c.want && !(c.want == "builtin" && strings.Contains(got, "/builtin/builtin.go")) {
			t.Errorf("%s: got %s, %v, want %s", c.at, got, err, c.want)
		}
	}
}
