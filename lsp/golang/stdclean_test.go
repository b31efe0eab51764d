package golang

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/runtime"
)

// TestStandardLibraryIsClean: nothing is wrong with the standard library. What the go command and
// the rules of imports say is looked at for all of it, tests included. Checked are packages of each
// kind that there is: vendored and internal ones, cgo, assembly, generics, linknames, embedded
// files, tests inside and outside of the package. With -std it is all of them, and cmd.
func TestStandardLibraryIsClean(t *testing.T) {
	env, _ := purebuild.Std()
	src := filepath.Join(env.GoRoot, "src")
	f := openFixture(t, src, "", nil, lsp.WorkspaceOptions{Tests: true})
	if *wholeStd {
		for _, f := range []*fixture{f, openFixture(t, filepath.Join(src, "cmd"), "", nil, lsp.WorkspaceOptions{Tests: true})} {
			if sum := f.index(); sum.Diagnostics != 0 || sum.Units < 400 {
				t.Errorf("%s: %+v", f.root, sum)
			}
		}
	} else if err := f.w.prepareOnce(f.ctx); err != nil {
		t.Fatal(err)
	}
	m, err := metadatas.Ask(f.ctx, f.eng, f.root)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Problems) > 0 || m.Failed != "" {
		t.Errorf("the whole: %q %+v", m.Failed, m.Problems)
	}
	own, tests := 0, 0
	for i := range m.Packages {
		p := &m.Packages[i]
		if !p.Workspace {
			continue
		}
		own++
		if p.ForTest != "" {
			tests++
		}
		if len(p.Errors) > 0 || len(p.Forbidden) > 0 {
			t.Errorf("%s: %+v %+v", p.ID, p.Errors, p.Forbidden)
		}
		for _, e := range p.Imports {
			if e.Problem != "" {
				t.Errorf("%s imports %s: %s", p.ID, e.Import, e.Problem)
			}
		}
	}
	if own < 400 || tests < 200 {
		t.Errorf("%d packages, %d of them with tests: this is not the standard library", own, tests)
	}

	files := 0
	for i := range m.Packages {
		p := &m.Packages[i]
		if !p.Workspace || !slices.Contains(checkedOfStd, p.Path) && !slices.Contains(checkedOfStd, p.ForTest) {
			continue
		}
		err := f.in(func(t *runtime.Task) error {
			list, err := problems.Get(t, pkgKey{f.root, p.ID})
			for _, d := range list {
				f.t.Errorf("%s: %s: %s", p.ID, d.URI, d.Diag.Message)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		files += len(p.Files)
	}
	if files < 200 {
		t.Errorf("only %d files were checked", files)
	}
}

var checkedOfStd = []string{
	"container/list", "crypto/internal/fips140/sha256", "embed", "embed/internal/embedtest", "errors", "go/build/constraint",
	"internal/abi", "internal/bytealg", "internal/types/errors", "iter", "math", "math/bits", "os/user", "plugin", "runtime/cgo",
	"slices", "sync/atomic", "unique", "unsafe", "vendor/golang.org/x/crypto/cryptobyte", "vendor/golang.org/x/text/transform",
}
