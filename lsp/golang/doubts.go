package golang

import (
	"slices"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// doubtsOf is what is doubtful of a package. It is looked at by those that have errors only, and
// is no part of a face: to break a declaration so that it still means the same is no change.
func doubtsOf(t *runtime.Task, k pkgKey) (d syntax.Doubt, err error) {
	p, err := packageOf(t, k)
	if err != nil || p == nil {
		return d, err
	}
	list, err := fileDoubts.All(t, p.Files)
	for _, e := range list {
		d.Add(e)
	}
	return d, err
}

// A doubtReader reads what is doubtful of the packages that one of them depends on. The first
// failure is kept.
type doubtReader struct {
	t    *runtime.Task
	root string
	p    *metadata.Package
	err  error

	asked []string          // paths
	aside func(wait func()) // where a piece that is under way may wait
}

// record reads once more what has been read: unrecorded, since what a check has looked at is to be
// compared first. Where that differs, nobody may have asked for doubts.
func (r *doubtReader) record() error {
	for _, path := range slices.Clone(r.asked) {
		r.doubt(path)
	}
	return r.err
}

func (r *doubtReader) doubt(path string) (d syntax.Doubt) {
	if r.err != nil {
		return d
	}
	r.asked = append(r.asked, path)
	r.aside(func() {
		id, err := r.find(path)
		if err == nil && id != "" {
			d, err = doubts.Get(r.t, pkgKey{r.root, id})
		}
		if err == nil && id != "" && !isStray(id) {
			d.Elsewhere, err = r.isElsewhere(id)
		}
		r.err = err
	})
	return d
}

// find is the ID of a package under a path, of those that the package depends on; "" if it is none.
func (r *doubtReader) find(path string) (string, error) {
	foreign, err := r.isForPlatform()
	if err != nil {
		return "", err
	}
	queue, seen := r.p.Checked(), map[string]bool{}
	for len(queue) > 0 {
		var next []string
		for _, id := range queue {
			if metadata.PathOf(id) == path {
				return id, nil
			}
		}
		for _, id := range queue {
			if seen[id] {
				continue
			}
			seen[id] = true
			p, err := packageOf(r.t, pkgKey{r.root, id})
			if err != nil {
				return "", err
			}
			if p != nil && (!p.Standard || foreign) {
				next = append(next, p.Dependencies()...)
			}
		}
		queue = next
	}
	return "", nil
}

// isForPlatform reports whether the package is a stray for another platform than the workspace's.
func (r *doubtReader) isForPlatform() (bool, error) {
	_, s, ok := parseStray(r.p.ID)
	if !ok {
		return false, nil
	}
	env, err := environments.Get(r.t, r.root)
	own := disk.OwnTarget(&env)
	return s.build.OS != own.OS || s.build.Arch != own.Arch || s.build.Cgo != own.Cgo, err
}

// isElsewhere reports whether a package, which is known for the platform of the workspace, may be
// another one for the package: that is for another platform, and some file is for one only.
func (r *doubtReader) isElsewhere(id string) (bool, error) {
	if foreign, err := r.isForPlatform(); err != nil || !foreign {
		return false, err
	}
	return forPlatforms.Get(r.t, pkgKey{r.root, id})
}

// forPlatforms reports whether a package consists of other files on other platforms. One without
// files may have some there.
var forPlatforms = runtime.NewQuery("golang/for-platforms", version(1), func(t *runtime.Task, k pkgKey) (bool, error) {
	p, err := packageOf(t, k)
	if err != nil || p == nil || len(p.Files) == 0 {
		return true, err
	}
	heads, err := headers.All(t, p.Files)
	for i, head := range heads {
		h := syntax.ParseHeader(head)
		if disk.IsForPlatform(files.PathOf(p.Files[i]), &h) {
			return true, err
		}
	}
	return false, err
})

var fileDoubts = runtime.NewQuery("golang/doubt", version(3), func(t *runtime.Task, uri string) (syntax.Doubt, error) {
	s, err := shapes.Get(t, uri)
	return s.Doubt, err
})

var doubts = runtime.NewQuery("golang/doubts", version(2), doubtsOf)
