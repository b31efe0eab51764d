package metadata

import (
	"testing"

	"github.com/cytisus/cytisus/lsp/files"
)

// TestMayUseInternal: what lies below the parent of the last element "internal" may import the
// package; in the standard library directories decide, since its tests are not said to be standard.
func TestMayUseInternal(t *testing.T) {
	pkg := func(path, dir string, standard bool) *Package {
		return &Package{ID: path, Path: path, Standard: standard, Files: []string{files.URI(dir + "/a.go")}}
	}
	for _, c := range []struct {
		p, q *Package
		want bool
	}{
		{pkg("m", "/m", false), pkg("m/internal/x", "/m/internal/x", false), true},
		{pkg("m_test", "/m", false), pkg("m/internal/x", "/m/internal/x", false), true},
		{pkg("m/a", "/m/a", false), pkg("m/b/internal/x", "/m/b/internal/x", false), false},
		{pkg("m/bb", "/m/bb", false), pkg("m/b/internal/x", "/m/b/internal/x", false), false},
		{pkg("m/b/internal/y", "/m/b/internal/y", false), pkg("m/b/internal/x/internal/z", "/m/b/internal/x/internal/z", false), false},
		{pkg("m/internals", "/m/internals", false), pkg("m/internals/x", "/m/internals/x", false), true},
		{pkg("m", "/m", false), pkg("internal/abi", "/go/src/internal/abi", true), false},
		{pkg("fmt_test", "/go/src/fmt", false), pkg("internal/testenv", "/go/src/internal/testenv", true), true},
		{pkg("crypto/aes", "/go/src/crypto/aes", true), pkg("crypto/internal/x", "/go/src/crypto/internal/x", true), true},
		{pkg("fmt", "/go/src/fmt", true), pkg("crypto/internal/x", "/go/src/crypto/internal/x", true), false},
	} {
		if got := mayUseInternal(c.p, c.q); got != c.want {
			t.Errorf("%s imports %s: %v, want %v", c.p.Path, c.q.Path, got, c.want)
		}
	}
}
