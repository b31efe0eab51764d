package check_test

import (
	"bytes"
	"flag"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/edits"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var stateFaces = flag.String("face.packages", "encoding/json", "packages whose faces TestFacesOfAState makes, with those of all they import")

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

// TestFacesOfAState compares faces that are made one after the other from what is decoded of one
// state with those made by themselves, also where the worlds of two states take turns.
func TestFacesOfAState(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	var ids []string
	closure := map[string]bool{}
	var add func(id string)
	add = func(id string) {
		if closure[id] || id == "unsafe" {
			return
		}
		closure[id] = true
		for _, e := range b.Package(id).Imports {
			if e.ID != "" {
				add(e.ID)
			}
		}
		ids = append(ids, id)
	}
	for _, id := range strings.Split(*stateFaces, ",") {
		add(id)
	}
	decoded, imported := 0, 0
	rng := rand.New(rand.NewPCG(5, 8))
	rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for _, id := range ids {
		p := b.Package(id)
		var texts [][]byte
		for _, uri := range p.Files {
			texts = append(texts, syntax.FaceText(syntax.Parse(uri, b.Text(uri))))
		}
		imports := b.Imports(p)
		for i := range imports {
			imported++
			export := imports[i].Export
			imports[i].Export = func() ([]byte, error) { decoded++; return export() }
		}
		face, table, err := check.Surface(p, texts, imports, rng.IntN(2))
		if err != nil {
			t.Fatal(err)
		}
		wantFace, wantTable, err := check.Surface(p, texts, b.Imports(p), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(face, wantFace) || !bytes.Equal(table, wantTable) {
			t.Errorf("the face of %s is another one when it is made from the faces of a state", id)
		}
		var files []*syntax.Tree
		for _, uri := range p.Files {
			files = append(files, syntax.Parse(uri, b.Text(uri)))
		}
		whole, err := check.Package(p, files, b.Imports(p), purebuild.NoDoubt, true)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(whole.Methods, wantTable) {
			t.Errorf("the table of methods of %s is another one when bodies are checked, too", id)
		}
	}
	t.Logf("of %d imports of %d packages %d were decoded", imported, len(ids), decoded)
	if decoded > imported*2/3 {
		t.Errorf("of %d imports %d were decoded", imported, decoded)
	}
}
