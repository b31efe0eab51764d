// Package purebuild computes faces, checks and indexes of packages without an engine, each once,
// for tests: the reference that the queries are compared with, and the means of testing the rooms
// on many packages.
package purebuild

import (
	"context"
	"crypto/sha256"
	"fmt"
	"go/types"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A Build computes faces and checks without an engine, each once: the reference that the
// queries are compared with, and the means of testing the pure functions on many packages.
type Build struct {
	t     testing.TB
	env   disk.Environment
	meta  *metadata.Build
	Sizes types.Sizes
	Texts map[string][]byte // by URI; over the disk

	mu    sync.Mutex
	Faces map[string][]byte // by ID

	indexes map[string]*index.Index // by ID, or ID and URI
}

// Std lists the standard library once for all tests.
var Std = sync.OnceValues(func() (disk.Environment, *metadata.Build) {
	ctx := context.Background()
	env, err := disk.ReadEnvironment(ctx, &disk.Definition{Dir: "."}, false, nil, nil)
	if err != nil || env.Problem != "" {
		panic(env.Problem)
	}
	root := filepath.Join(env.GoRoot, "src")
	env, _ = disk.ReadEnvironment(ctx, &disk.Definition{Root: root, Dir: root, Own: []string{root}, Levels: disk.AllLevels}, false, nil, nil)
	all, err := disk.List(ctx, root, &env, nil, "./...")
	if err != nil {
		panic(err)
	}
	m, failed := disk.Assemble(&env, disk.NewPlacer(&env, nil), all, nil)
	if failed {
		panic("go list failed on the standard library")
	}
	return env, m
})

// New makes a build of metadata.
func New(t testing.TB, env disk.Environment, m *metadata.Build) *Build {
	return &Build{
		t: t, env: env, meta: m, Sizes: types.SizesFor("gc", env.GoArch),
		Texts: map[string][]byte{}, Faces: map[string][]byte{}, indexes: map[string]*index.Index{},
	}
}

// Text is the text of a file: of Texts, or else as on disk.
func (b *Build) Text(uri string) []byte {
	if text, ok := b.Texts[uri]; ok {
		return text
	}
	path, _ := files.Path(uri)
	text, err := files.Read(path, lsp.MaxFileBytes)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// Package is the package of an ID, which there must be.
func (b *Build) Package(id string) *metadata.Package {
	p := b.meta.Find(id)
	if p == nil {
		b.t.Fatalf("no package %s", id)
	}
	return p
}

// Imports are the faces of what a package imports.
func (b *Build) Imports(p *metadata.Package) []check.Import {
	var out []check.Import
	for _, e := range p.Imports {
		f := check.Import{Written: e.Import, Path: metadata.PathOf(e.ID), Problem: e.Problem}
		if e.ID != "" {
			export := b.Face(e.ID)
			f.Face = fmt.Sprintf("%x", sha256.Sum256(export))
			f.Export = func() ([]byte, error) { return export, nil }
		}
		out = append(out, f)
	}
	return out
}

// Face is the export data of a package, computed once.
func (b *Build) Face(id string) []byte {
	b.mu.Lock()
	data, ok := b.Faces[id]
	b.mu.Unlock()
	if ok {
		return data
	}
	p := b.Package(id)
	imports := b.Imports(p)
	var texts [][]byte
	for _, uri := range p.Files {
		texts = append(texts, syntax.FaceText(syntax.Parse(uri, b.Text(uri))))
	}
	data, err := check.Face(p, texts, imports, nil)
	if err != nil {
		b.t.Error(err)
	}
	b.mu.Lock()
	b.Faces[id] = data
	b.mu.Unlock()
	return data
}

func (b *Build) check(id string) check.Result {
	p := b.Package(id)
	var files []*syntax.Tree
	for _, uri := range p.Files {
		files = append(files, syntax.Trees.Get(uri, b.Text(uri)))
	}
	c, err := check.Package(p, files, b.Imports(p), NoDoubt, true)
	if err != nil {
		b.t.Error(err)
	}
	return c
}

// NoDoubt says that nothing is doubtful of any package.
func NoDoubt(string) syntax.Doubt { return syntax.Doubt{} }

// IndexOf checks a package once.
func (b *Build) IndexOf(id string) *index.Index {
	b.mu.Lock()
	x, ok := b.indexes[id]
	b.mu.Unlock()
	if ok {
		return x
	}
	x, err := index.Open(b.check(id).Index)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.indexes[id] = x
	b.mu.Unlock()
	return x
}

// NamesOf has what the index of a package has of one file, computed once and with a session.
func (b *Build) NamesOf(id, uri string) *index.Index {
	key := id + " " + uri
	b.mu.Lock()
	x, ok := b.indexes[key]
	b.mu.Unlock()
	if ok {
		return x
	}
	p := b.Package(id)
	var files []*syntax.Tree
	for _, uri := range p.Files {
		files = append(files, syntax.Trees.Get(uri, b.Text(uri)))
	}
	check.Sessions.Open(uri)
	data, _, err := check.FileIndex(p, uri, files, b.Imports(p), NoDoubt)
	check.Sessions.Close(uri)
	if err == nil {
		x, err = index.Open(data)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.indexes[key] = x
	b.mu.Unlock()
	return x
}
