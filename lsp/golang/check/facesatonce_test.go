package check_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
)

// Faces of packages with one list of imports are made at the same time, from one world (K1): each
// writes to what is its own alone, which the race detector sees, and they are the same.
func TestFacesAtOnce(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	p := b.Package("encoding/hex")
	var texts [][]byte
	for _, uri := range p.Files {
		texts = append(texts, b.Text(uri))
	}
	imports := b.Imports(p)
	first, err := check.Face(p, texts, imports, nil)
	if err != nil {
		t.Fatal(err)
	}
	var made sync.WaitGroup
	for range 4 {
		made.Go(func() {
			for range 25 {
				if face, err := check.Face(p, texts, imports, nil); err != nil || !bytes.Equal(face, first) {
					t.Errorf("a face made beside others differs: %v", err)
				}
			}
		})
	}
	made.Wait()
}
