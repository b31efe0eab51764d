package disk

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	goruntime "runtime"

	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
)

func TestScan(t *testing.T) {
	root := testfiles.TempDir(t)
	testfiles.Write(t, root, `
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
		got, err := Scan(context.Background(), root, AllLevels, tests)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range got.Files {
			rel, _ := filepath.Rel(root, f.Path)
			names = append(names, filepath.ToSlash(rel))
		}
		want := []string{"a.go", "go.mod", "go.sum", "gomoddir/go.mod/x.go", "sub/d.go"}
		if goruntime.GOOS != "windows" {
			want = append(want, "link.go")
			if len(got.Problems) != 1 || !strings.HasSuffix(got.Problems[0].Path, "dangling.go") {
				t.Errorf("problems: %v", got.Problems)
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
	if _, err := Scan(context.Background(), filepath.Join(root, "none"), AllLevels, true); err == nil {
		t.Error("scanning a root that is not there succeeded")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Scan(ctx, root, AllLevels, true); err == nil {
		t.Error("a cancelled scan succeeded")
	}
}
