package check_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/internal/edits"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
)

func TestFaceIsDeterminedByFaceTexts(t *testing.T) {
	env, m := purebuild.Std()
	rng := rand.New(rand.NewPCG(1, 3))
	one := purebuild.New(t, env, m)
	for _, id := range []string{"unicode/utf8", "sort", "container/heap", "slices"} {
		want := one.Face(id)
		for edited := range 2 {
			two := purebuild.New(t, env, m)
			maps.Copy(two.Faces, one.Faces)
			delete(two.Faces, id)
			if edited == 1 {
				for _, uri := range two.Package(id).Files {
					two.Texts[uri] = edits.Bodies(rng, one.Text(uri))
				}
			}
			if !bytes.Equal(two.Face(id), want) {
				t.Errorf("%s: the export data differs (edited: %d)", id, edited)
			}
		}
		if bytes.Contains(want, []byte(".go")) {
			t.Errorf("%s: there is a file name in the export data", id)
		}
	}
}
