package golang

import (
	"bytes"
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp/golang/internal/edits"
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
	// The same size and time, other content: what a clock that ticks slowly makes of two writes in
	// a row.
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
					two.texts[uri] = edits.Bodies(rng, one.text(uri))
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
