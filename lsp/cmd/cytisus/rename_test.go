package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRelationsAndRename(t *testing.T) {
	dir := write(t, `
-- go.mod --
module m

go 1.26
-- a/a.go --
package a

type Shape interface{ Area() int }

type Square struct{}

func (Square) Area() int { return side() }

func side() int { return 1 }

func use(y int) int {
	x := y
	return x + side()
}
-- b/b.go --
package b

import "m/a"

var S a.Square
`)
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	store := filepath.Join(t.TempDir(), "store")
	ask := func(code int, out, errs string, args ...string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		got := run(context.Background(), append([]string{"--store", store}, args...), strings.NewReader(""), &stdout, &stderr)
		if got != code || !strings.Contains(stdout.String(), out) || !strings.Contains(stderr.String(), errs) {
			t.Errorf("%v: code %d, output %q, errors %q; want %d, %q, %q", args, got, &stdout, &stderr, code, out, errs)
		}
	}
	ask(0, "a.go:5:6\ttype Square struct{}", "", "impl", in("a/a.go")+":3:6")
	ask(0, "method Area", "", "calls", in("a/a.go")+":9:6")
	ask(0, "function side", "", "calls", "--callees", in("a/a.go")+":11:6")
	ask(exitBadNews, "", "would be an error here", "rename", in("a/a.go")+":12:2", "y")
	before, _ := os.ReadFile(in("b/b.go"))
	ask(0, "+var S a.Box", "", "rename", "--diff", in("a/a.go")+":5:6", "Box")
	ask(0, "b.go\t1", "Nothing is written yet: --write writes", "rename", in("a/a.go")+":5:6", "Box")
	if after, _ := os.ReadFile(in("b/b.go")); !bytes.Equal(before, after) {
		t.Errorf("written without being told to: %s", after)
	}
	ask(0, "b.go\t1", "", "rename", "--write", in("a/a.go")+":5:6", "Box")
	for name, want := range map[string]string{"a/a.go": "func (Box) Area", "b/b.go": "var S a.Box"} {
		if text, err := os.ReadFile(in(name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
}

// A change of which one file is not what it was is not made at all, and one that fails is taken
// back.
func TestChangesAreWholeOrNot(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(in(name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(in("file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, second := range []fileChange{
		{File: in("b"), Old: "other", New: "new"},
		{File: in("b"), NewFile: in("a"), Old: "old", New: "new"},
		{File: in("b"), NewFile: filepath.Join(in("file"), "b"), Old: "old", New: "new"}, // no directory can be made there
	} {
		if err := writeChanges([]fileChange{{File: in("a"), NewFile: in("c"), Old: "old", New: "new"}, second}); err == nil {
			t.Errorf("%+v was written", second)
		}
		for _, name := range []string{"a", "b"} {
			if text, err := os.ReadFile(in(name)); err != nil || string(text) != "old" {
				t.Errorf("%+v: %s is %q, %v", second, name, text, err)
			}
		}
		if exists(in("c")) {
			t.Errorf("%+v: a file has moved", second)
		}
	}
}
