package golang

import (
	"context"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A pureBuild computes faces and checks without an engine, each once: the reference that the
// queries are compared with, and the means of testing the pure functions on many packages.
type pureBuild struct {
	t     testing.TB
	env   environment
	meta  *metadata
	sizes types.Sizes
	texts map[string][]byte // by URI; over the disk

	mu    sync.Mutex
	faces map[string][]byte // by ID

	indexes map[string]*index // by ID
}

// stdMetadata lists the standard library once for all tests.
var stdMetadata = sync.OnceValues(func() (environment, *metadata) {
	ctx := context.Background()
	env, err := readEnvironment(ctx, &buildDef{dir: "."}, false, nil, nil)
	if err != nil || env.Problem != "" {
		panic(env.Problem)
	}
	root := filepath.Join(env.GoRoot, "src")
	env, _ = readEnvironment(ctx, &buildDef{root: root, dir: root, own: []string{root}, levels: allLevels}, false, nil, nil)
	all, err := runList(ctx, root, &env, nil, "./...")
	if err != nil {
		panic(err)
	}
	m, failed := assemble(&env, newPlacer(&env, nil), all, nil)
	if failed {
		panic("go list failed on the standard library")
	}
	return env, m
})

func newPureBuild(t testing.TB, env environment, m *metadata) *pureBuild {
	return &pureBuild{
		t: t, env: env, meta: m, sizes: types.SizesFor("gc", env.GoArch),
		texts: map[string][]byte{}, faces: map[string][]byte{}, indexes: map[string]*index{},
	}
}

func (b *pureBuild) text(uri string) []byte {
	if text, ok := b.texts[uri]; ok {
		return text
	}
	path, _ := files.Path(uri)
	text, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

func (b *pureBuild) pkg(id string) *pkgMeta {
	p := b.meta.find(id)
	if p == nil {
		b.t.Fatalf("no package %s", id)
	}
	return p
}

func (b *pureBuild) imports(p *pkgMeta) []importedFace {
	var out []importedFace
	for _, e := range p.Imports {
		f := importedFace{written: e.Import, path: pathOf(e.ID), problem: e.Problem}
		if e.ID != "" {
			f.export = b.face(e.ID)
		}
		out = append(out, f)
	}
	return out
}

func (b *pureBuild) face(id string) []byte {
	b.mu.Lock()
	data, ok := b.faces[id]
	b.mu.Unlock()
	if ok {
		return data
	}
	p := b.pkg(id)
	imports := b.imports(p)
	var texts [][]byte
	for _, uri := range p.Files {
		texts = append(texts, syntax.FaceText(syntax.Parse(uri, b.text(uri))))
	}
	data, err := buildFace(p, b.sizes, texts, imports)
	if err != nil {
		b.t.Error(err)
	}
	b.mu.Lock()
	b.faces[id] = data
	b.mu.Unlock()
	return data
}

func (b *pureBuild) check(id string) checkedPackage {
	p := b.pkg(id)
	var files []*syntax.Tree
	for _, uri := range p.Files {
		files = append(files, syntax.Trees.Get(uri, b.text(uri)))
	}
	c, err := checkPackage(p, b.sizes, files, b.imports(p), noDoubt, true)
	if err != nil {
		b.t.Error(err)
	}
	return c
}

// noDoubt says that nothing is doubtful of any package.
func noDoubt(string) syntax.Doubt { return syntax.Doubt{} }

// indexOf checks a package once.
func (b *pureBuild) indexOf(id string) *index {
	b.mu.Lock()
	x, ok := b.indexes[id]
	b.mu.Unlock()
	if ok {
		return x
	}
	x, err := openIndex(b.check(id).index)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.indexes[id] = x
	b.mu.Unlock()
	return x
}

// pureSource answers from a pureBuild. Only some packages belong to its workspace.
type pureSource struct {
	*pureBuild
	m *metadata
}

func (s pureSource) metadata() (*metadata, error)        { return s.m, nil }
func (s pureSource) find(id string) (*pkgMeta, error)    { return s.m.find(id), nil }
func (s pureSource) strayOwner(string) (*pkgMeta, error) { return nil, nil }
func (s pureSource) text(uri string) ([]byte, error)     { return s.pureBuild.text(uri), nil }
func (s pureSource) checked(p *pkgMeta) (*index, error)  { return s.indexOf(p.ID), nil }
func (s pureSource) declared(p *pkgMeta) (*index, error) {
	return s.indexOf(p.ID), nil
}

// restrict makes a copy of the metadata in which only some packages belong to the workspace.
func restrict(m *metadata, ids ...string) *metadata {
	out := &metadata{Packages: slices.Clone(m.Packages), Problems: m.Problems}
	for i := range out.Packages {
		out.Packages[i].Workspace = slices.Contains(ids, out.Packages[i].ID)
	}
	return out
}
