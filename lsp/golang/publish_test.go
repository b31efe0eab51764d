package golang

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

var publishSeed = flag.Uint64("publish.seed", 0, "seed of TestPublishedAsIfAllWereAsked; 0 takes one from the clock")

// TestPublishedAsIfAllWereAsked makes random changes, several before each wait, and compares what
// is published with what asking about every file gives.
func TestPublishedAsIfAllWereAsked(t *testing.T) {
	if testing.Short() {
		t.Skip("asks the go command again and again")
	}
	seed := *publishSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-publish.seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	const packages = 40
	f := newFixture(t, wideModule(packages), lsp.WorkspaceOptions{})
	f.index()
	bases := []string{
		"package base\n\nfunc Base() int { return 1 }\n", "package base\n\nfunc Base() int { return 2 }\n",
		"package base\n\nfunc Base() string { return 1 }\n", "package base\n\nfunc Other() int { return 1 }\n", "package base\n\nfunc (\n",
	}
	bodies := []string{
		"package p\n\nfunc b() int { return 0 }\n", "package p\n\nfunc b() int { return wrong }\n", "package p\n\nfunc c() int { return 0 }\n",
		"package p\n\nimport \"no/such\"\n\nfunc b() int { return 0 }\n", "package q\n", "package p\n\nfunc b(", "",
	}
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	for step := range 30 {
		for range 1 + rng.IntN(3) {
			file := fmt.Sprintf("p%03d/%s.go", rng.IntN(packages), pick([]string{"b", "b", "b", "c"}))
			texts := bodies
			if rng.IntN(3) == 0 {
				file, texts = "base/base.go", bases
			}
			uri, path := f.uri(file), filepath.Join(f.root, filepath.FromSlash(file))
			var err error
			switch rng.IntN(8) {
			case 0, 1, 2, 3:
				err = f.w.SetOverlay(f.ctx, uri, []byte(pick(texts)))
			case 4, 5:
				err = f.w.ClearOverlay(f.ctx, uri)
			case 6:
				if rng.IntN(4) == 0 {
					_ = os.Remove(path) // it need not be there
				} else {
					_ = os.Mkdir(filepath.Dir(path), 0o755) // it may have gone
					f.write(file, pick(texts))
				}
				err = f.w.FilesChanged(f.ctx, []string{uri})
			case 7:
				dir := filepath.Dir(path)
				if err = os.RemoveAll(dir); err == nil && rng.IntN(2) == 0 {
					err = os.Mkdir(dir, 0o755)
					f.write(file, pick(texts))
				}
				err = errors.Join(err, f.w.FilesChanged(f.ctx, []string{files.URI(dir)}))
			}
			if err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
		}
		f.settle()
		want := map[string][]lsp.Diagnostic{}
		got := map[string][]lsp.Diagnostic{}
		err := f.in(func(task *runtime.Task) error {
			var roots []string
			for _, b := range f.w.currentBuilds() {
				roots = append(roots, b.Root)
			}
			p := f.w.newPublication(task, roots)
			now, err := p.now()
			if err != nil {
				return err
			}
			files, err := p.differences(&saying{}, now)
			if err != nil {
				return err
			}
			for _, uri := range f.w.openFiles() {
				files[uri] = true
			}
			found, err := p.judge(slices.Sorted(maps.Keys(files)))
			if err != nil {
				return err
			}
			for uri, f := range found {
				want[uri] = f.list
			}
			uris, err := partition.Files(task, "")
			for _, uri := range uris {
				list, err := partition.FileDiagnostics(task, uri)
				if err != nil {
					return err
				}
				got[uri] = mergeDiagnostics(slices.Clone(list))
			}
			return err
		})
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		maps.DeleteFunc(want, func(_ string, list []lsp.Diagnostic) bool { return len(list) == 0 })
		if !maps.EqualFunc(got, want, func(a, b []lsp.Diagnostic) bool { return slices.EqualFunc(a, b, sameDiagnostic) }) {
			t.Fatalf("step %d: published\n%v\nwant\n%v", step, got, want)
		}
	}
}
