package golang

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// What is not known of a variable's type is told as it is written, also after an edit above the
// declaration.
func TestUnknownTypesAreToldAsWritten(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/m

go 1.24
-- a.go --
package m

import "example.com/missing"

func before() int {
	return 1
}

// Gen is told by ge
func after(gen *missing.T, path string) {}
`, lsp.WorkspaceOptions{})
	f.index()
	text := f.read("a.go")
	details := func() string {
		var out []string
		if err := f.w.SetOverlay(f.ctx, f.uri("a.go"), []byte(text)); err != nil {
			t.Fatal(err)
		}
		at := strings.Index(text, "by ge") + len("by ge")
		err := f.in(func(t *runtime.Task) error {
			list, err := f.w.Complete(t, f.uri("a.go"), at, lsp.CompletionOptions{})
			if list != nil {
				for _, item := range list.Items {
					out = append(out, item.Label+" "+item.Detail)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(out, ", ")
	}
	before := details()
	text = "// Copyright\n\n" + text
	if after := details(); after != before || !strings.Contains(after, "gen *missing.T") {
		t.Errorf("%s, before the edit %s", after, before)
	}
}
