package tokens

import (
	"fmt"
	"go/scanner"
	"go/token"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

const uri = "file:///m/a.go"

// viewed has fn see a package of one file that imports nothing.
func viewed(t *testing.T, text string, fn func(v *check.View)) {
	t.Helper()
	slot, _ := check.Views.Take(t.Name())
	defer slot.Done()
	p := &metadata.Package{ID: "m", Path: "m", Name: "m", Arch: "amd64"}
	v, err := slot.View(p, nil, []*syntax.Tree{syntax.Parse(uri, []byte(text))}, check.Sight{URI: uri, Bodies: check.BodiesOfFile})
	if err != nil {
		t.Fatal(err)
	}
	fn(v)
}

// written is a token as text, as in x:variable+definition.
func written(text string, tok lsp.Token) string {
	s := text[tok.Span.Start:tok.Span.End] + ":" + Legend.Types[tok.Type]
	for m := tok.Modifiers; m != 0; m &= m - 1 {
		s += "+" + Legend.Modifiers[bits.TrailingZeros32(m)]
	}
	return s
}

func TestTokens(t *testing.T) {
	const text = `package m

type T struct{ f int }

type E[K any] interface{ M(k K) }

const c = 1.5

var g = "s"

// See [T], [T.M], [T.N], and [x]: https://example.com.
//go:noinline
func (r *T) M(p map[int]string) (res []bool) {
	c := p
	_ = r.f
	goto end
end:
	printf("%d\n%%%[1]*s", 'x', len(c))
	switch y := any(r).(type) {
	case nil:
		_ = y
	}
	return undefined(T{f: 1}, true)
}

func printf(format string, args ...any) {}
`
	want := []string{
		"package:keyword", "m:namespace", "T:type+definition+struct", "f:property+definition+number", "int:type+defaultLibrary+number",
		"K:typeParameter+definition", "any:type+defaultLibrary+interface", "M:method+definition+signature", "k:parameter+definition",
		"c:variable+definition+readonly+number", "1.5:number", "g:variable+definition+static+string", `"s":string`,
		"T:type+struct", "M:method+signature", "//:comment", "go:noinline:namespace",
		"r:parameter+definition+pointer", "*:operator", "p:parameter+definition+map", "res:variable+definition+slice", "bool:type+defaultLibrary+bool",
		"c:variable+definition+map+shadowing", "f:property+number", "end:label", "end:label+definition", "printf:function+signature",
		`":string`, "%d:string+format", "%[1]*s:string+format", `\n%%:string`, "'x':number", "len:function+defaultLibrary",
		"y:variable+definition", "nil:variable+readonly+defaultLibrary", "undefined:function", "true:variable+readonly+defaultLibrary",
	}
	var got []string
	viewed(t, text, func(v *check.View) {
		for _, tok := range Of(v, lsp.Span{End: len(text)}) {
			got = append(got, written(text, tok))
		}
	})
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("there is no %s in\n%s", w, strings.Join(got, "\n"))
		}
	}
	for _, none := range []string{"N:", "x:"} {
		if i := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, none) }); i >= 0 {
			t.Errorf("%s should not be there", got[i])
		}
	}
}

// Without types, syntax tells what it can, in a file that is half typed, too.
func TestPlain(t *testing.T) {
	const text = "package m\r\n\r\nimport \"a/b\"\r\n\r\nfunc f(p int) {\r\n\tx := g(p, true)\r\n\tvar é `r\r\ns`\r\n\tif {\r\n"
	var got []string
	for _, tok := range Plain(syntax.Parse(uri, []byte(text)), lsp.Span{End: len(text)}) {
		got = append(got, written(text, tok))
	}
	for _, w := range []string{
		"import:keyword", "b:namespace", "f:function+definition", "p:parameter+definition", "int:type+defaultLibrary+number",
		"x:variable+definition", ":=:operator", "g:function", "true:variable+readonly+defaultLibrary", "`r\r\ns`:string", "if:keyword",
	} {
		if !slices.Contains(got, w) {
			t.Errorf("there is no %s in %q", w, got)
		}
	}
	for _, bad := range []string{"", "\x00", "package", "not Go"} {
		Plain(syntax.Parse(uri, []byte(bad)), lsp.Span{End: len(bad)})
	}
}

// TestTokensOfStd: in real files tokens come in order, do not overlap, and cover what a scanner
// finds; those of a part are those of the whole that touch it.
func TestTokensOfStd(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(goroot.Src(t), "strconv", "*.go"))
	if len(names) == 0 {
		t.Skip("no Go tree")
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tree := syntax.Parse(uri, text)
		all := Plain(tree, lsp.Span{End: len(text)})
		covered := map[int]bool{}
		last := 0
		for _, tok := range all {
			if tok.Span.Start < last || tok.Span.End <= tok.Span.Start || tok.Span.End > len(text) {
				t.Fatalf("%s: %v behind offset %d", name, tok, last)
			}
			last = tok.Span.End
			covered[tok.Span.Start] = true
		}
		var s scanner.Scanner
		file := token.NewFileSet().AddFile(name, -1, len(text))
		s.Init(file, text, nil, scanner.ScanComments)
		for pos, tok, lit := s.Scan(); tok != token.EOF; pos, tok, lit = s.Scan() {
			at := file.Offset(pos)
			if (tok.IsKeyword() || tok.IsLiteral() || tok == token.COMMENT) && lit != "." && lit != "_" && !covered[at] {
				t.Fatalf("%s: nothing is said of %q at %d", name, lit, at)
			}
		}
		part := lsp.Span{Start: len(text) / 3, End: len(text) / 2}
		touching := slices.DeleteFunc(slices.Clone(all), func(tok lsp.Token) bool {
			return tok.Span.End <= part.Start || tok.Span.Start >= part.End
		})
		if got := Plain(tree, part); fmt.Sprint(got) != fmt.Sprint(touching) {
			t.Errorf("%s: a part has %v, want %v", name, got, touching)
		}
	}
}
