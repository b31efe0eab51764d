package golang

import (
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
)

// A taskSource answers from a task's snapshot.
type taskSource struct {
	t    *runtime.Task
	root string
}

func (s taskSource) metadata() (*metadata.Build, error) { return metadatas.Get(s.t, s.root) }

func (s taskSource) text(uri string) ([]byte, error) { return textOf(s.t, uri) }

func (s taskSource) checked(p *metadata.Package) (*index.Index, error) {
	c, err := checks.Get(s.t, pkgKey{s.root, p.ID})
	if err != nil {
		return nil, err
	}
	return s.open(c.Index)
}

func (s taskSource) names(p *metadata.Package, uri string) (*index.Index, error) {
	if !p.Workspace || metadata.IsSyntaxOnly(p) || check.Sessions.State(p) == check.NoSession {
		return s.checked(p)
	}
	// Where nothing was edited the index of the package is there, and so is all that is in it.
	if c, ok, err := checks.Peek(s.t, pkgKey{s.root, p.ID}); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return s.open(c.Index)
	}
	data, err := fileIndexes.Get(s.t, packageFile{s.root, p.ID, uri})
	if err != nil {
		return nil, err
	}
	return index.Open(data)
}

func (s taskSource) declared(p *metadata.Package) (*index.Index, error) {
	if p.Workspace {
		return s.checked(p)
	}
	blob, err := declarations.Get(s.t, pkgKey{s.root, p.ID})
	if err != nil {
		return nil, err
	}
	return s.open(blob)
}

func (s taskSource) open(b runtime.Blob) (*index.Index, error) {
	data, err := blobs.read(s.t, b)
	if err != nil {
		return nil, err
	}
	return index.Open(data)
}

// strayOwner is the stray package of a file that the build leaves out; nil if there is none.
func (s taskSource) strayOwner(uri string) (*metadata.Package, error) {
	id, err := strays.Get(s.t, pkgKey{s.root, uri})
	if err != nil || id == "" {
		return nil, ignoreUnknown(err)
	}
	return s.find(id)
}

// find returns the package of an ID, stray or not; nil if there is none.
func (s taskSource) find(id string) (*metadata.Package, error) {
	if isStray(id) {
		return strayPackages.Get(s.t, pkgKey{s.root, id})
	}
	m, err := s.metadata()
	if err != nil {
		return nil, err
	}
	return m.Find(id), nil
}

func (s taskSource) environment() (*disk.Environment, error) {
	env, err := environments.Get(s.t, s.root)
	return &env, err
}
