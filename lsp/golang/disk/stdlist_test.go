package disk_test

import (
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
)

func TestStandardLibraryMetadata(t *testing.T) {
	_, m := purebuild.Std()
	if len(m.Problems) > 0 {
		t.Errorf("problems: %v", m.Problems)
	}
	for _, id := range []string{"fmt", "net/http", "unsafe", "builtin", "vendor/golang.org/x/net/idna"} {
		if p := m.Find(id); p == nil || !p.Workspace || len(p.Files) == 0 {
			t.Errorf("%s: %+v", id, p)
		}
	}
	http := m.Find("net/http")
	if e, ok := http.Edge("golang.org/x/net/http/httpguts"); !ok || e.ID != "vendor/golang.org/x/net/http/httpguts" {
		t.Errorf("a vendored import: %+v", e)
	}
	reaching := m.Reaching("net/http")
	if !slices.Contains(reaching, http) || !slices.Contains(reaching, m.Find("expvar")) || slices.Contains(reaching, m.Find("fmt")) {
		t.Error("who reaches net/http?")
	}
}
