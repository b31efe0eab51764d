package gomod

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"github.com/cytisus/cytisus/lsp"
)

const archive = `module example.com/m // the module

go 1.26

require "example.com/quoted" v1.2.3

require (
	example.com/a/b v0.0.1 // indirect
	example.com/a v0.1.0
)

replace example.com/a v0.1.0 => ../a

replace example.com/a => example.com/fork v1.0.0
`

func TestParse(t *testing.T) {
	text := []byte(archive)
	f := Parse("file:///go.mod", text)
	at := func(s lsp.Span) string { return string(text[s.Start:s.End]) }
	got := at(f.Module.Span) + "|" + at(f.Module.PathSpan)
	for _, r := range f.Requires {
		got += fmt.Sprintf("\n%s|%s|%s|%t", at(r.Span), at(r.PathSpan), at(r.VersionSpan), r.Indirect)
	}
	want := `module example.com/m|example.com/m
require "example.com/quoted" v1.2.3|example.com/quoted|v1.2.3|false
example.com/a/b v0.0.1|example.com/a/b|v0.0.1|true
example.com/a v0.1.0|example.com/a|v0.1.0|false`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for version, to := range map[string]string{"v0.1.0": "../a", "v0.2.0": "example.com/fork"} {
		if r, ok := f.ReplacementOf(module.Version{Path: "example.com/a", Version: version}); !ok || r.To != to || at(r.ToSpan) != to {
			t.Errorf("example.com/a %s is replaced by %+v, want %s", version, r, to)
		}
	}
	dir, span, ok := f.DirectoryAt(strings.Index(archive, "../a"))
	if !ok || dir != "../a" || at(span) != "../a" {
		t.Errorf("the directory is %q at %q, %t", dir, at(span), ok)
	}
	if w := Parse("file:///go.work", []byte("go 1.26\n\nuse (\n\t./a\n\t\"./b c\"\n)\n")); len(w.Uses) != 2 || w.Uses[1].Path != "./b c" {
		t.Errorf("go.work uses %+v", w.Uses)
	}
	for _, odd := range []string{"", "module", "\x00", "module m\nrequire (", "garbage here"} {
		Parse("file:///go.mod", []byte(odd)).RequirementAt(0)
		Parse("file:///go.work", []byte(odd)).DirectoryAt(0)
	}
}

func TestProvider(t *testing.T) {
	modules := []string{"example.com/a", "example.com/a/b", "", "example.com/ab"}
	for path, want := range map[string]string{
		"example.com/a": "example.com/a", "example.com/a/x": "example.com/a", "example.com/a/b/c": "example.com/a/b",
		"example.com/abc": "", "fmt": "", "example.com/ab/c": "example.com/ab",
	} {
		if got := Provider(modules, path); got != want {
			t.Errorf("%s comes from %q, want %q", path, got, want)
		}
	}
}

func TestNewer(t *testing.T) {
	known := []string{"v2.0.0+incompatible", "v1.3.0-rc.1", "v1.2.4", "v1.2.10", "v0.9.0"}
	for version, want := range map[string]string{
		"v1.2.3": "v1.2.10", "v1.2.10": "", "v1.2.10-rc.1": "v1.3.0-rc.1", "v1.0.0+incompatible": "v2.0.0+incompatible",
	} {
		if got := Newer(version, known); got != want {
			t.Errorf("newer than %s is %q, want %q", version, got, want)
		}
	}
}

func TestBlankAt(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"requ|", `"" [] "requ|"`},
		{"require ex|ample.com/a v1", `"require" [] "ex|ample.com/a"`},
		{"require example.com/a v|", `"require" [example.com/a] "v|"`},
		{"require (\n\texample.com/a |\n)", `"require" [example.com/a] "|"`},
		{"require (\n\texample.com/a v1\n)\n|", `"" [] "|"`},
		{"replace a => ./|", `"replace" [a =>] "./|"`},
		{"use ( // of them\n\t|", `"use" [] "|"`},
		{"require a v1 // ind|", "nothing"},
	} {
		offset := strings.Index(c.text, "|")
		text := strings.Replace(c.text, "|", "", 1)
		got := "nothing"
		if b, ok := BlankAt([]byte(text), offset); ok {
			got = fmt.Sprintf("%q %v %q", b.Verb, b.Words, text[b.Word.Start:offset]+"|"+text[offset:b.Word.End])
		}
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestEdits(t *testing.T) {
	text := []byte(archive)
	for name, c := range map[string]struct {
		change func() ([]byte, error)
		gone   string
		come   string
	}{
		"without a requirement": {func() ([]byte, error) { return WithoutRequire(text, "example.com/quoted") }, "quoted", ""},
		"an upgrade":            {func() ([]byte, error) { return WithVersion(text, "example.com/a/b", "v0.0.2") }, "v0.0.1", "example.com/a/b v0.0.2 // indirect"},
		"said to be direct":     {func() ([]byte, error) { return WithIndirect(text, "example.com/a/b", false) }, "indirect", "example.com/a/b v0.0.1\n"},
		"said to be indirect":   {func() ([]byte, error) { return WithIndirect(text, "example.com/a", true) }, "", "example.com/a v0.1.0 // indirect"},
		"replaced":              {func() ([]byte, error) { return WithReplace(text, "example.com/quoted", "../q") }, "", "replace example.com/quoted => ../q"},
		"replaced no more":      {func() ([]byte, error) { return WithoutReplace(text, "example.com/a", "v0.1.0") }, "../a", "fork"},
	} {
		got, err := c.change()
		if err != nil || c.gone != "" && strings.Contains(string(got), c.gone) || !strings.Contains(string(got), c.come) || !strings.Contains(string(got), "// the module") {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	if _, err := WithoutRequire([]byte("module m\nrequire ("), "a"); err == nil {
		t.Error("a file that cannot be read was changed")
	}
}
