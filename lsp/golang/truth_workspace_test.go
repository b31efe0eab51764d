package golang

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
)

// TestWorkspaceAgreesWithGoTypes asks a workspace, through its engine, about a module that the
// standard library's own sources were copied into, and compares with go/types. The larger
// comparison is TestAnswersAgreeWithGoTypes, which needs no engine.
func TestWorkspaceAgreesWithGoTypes(t *testing.T) {
	env, std := purebuild.Std()
	b := purebuild.New(t, env, std)
	var archive strings.Builder
	archive.WriteString("-- go.mod --\nmodule example.com/copy\n\ngo 1.26\n")
	copies := []string{"container/list", "container/heap", "container/ring", "bufio", "html", "unicode/utf16", "encoding/base32"}
	for _, path := range copies {
		for _, uri := range b.Package(path).Files {
			archive.WriteString("-- " + path + "/" + files.BaseName(uri) + " --\n")
			archive.Write(b.Text(uri))
			archive.WriteString("\n")
		}
	}
	f := newFixture(t, archive.String(), lsp.WorkspaceOptions{})
	if sum := f.index(); sum.Diagnostics != 0 {
		t.Errorf("%d diagnostics in clean code", sum.Diagnostics)
	}
	var m *metadata.Build
	var own disk.Environment
	snap := f.eng.Snapshot()
	own, err := environments.Get(snap, f.root)
	snap.Release()
	if err != nil {
		t.Fatal(err)
	}
	if m, err = metadatas.Ask(f.ctx, f.eng, f.root); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range m.Packages {
		if m.Packages[i].Workspace {
			ids = append(ids, m.Packages[i].ID)
		}
	}
	if len(ids) != len(copies) {
		t.Errorf("%d packages, want %d", len(ids), len(copies))
	}
	tr := newTruth(t, purebuild.New(t, own, m), ids)
	compareWithTruth(t, tr, 240, *truthSeed, f.definition, f.hover, f.references)
}
