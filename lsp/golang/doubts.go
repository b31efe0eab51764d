package golang

import (
	"slices"

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
		r.err = err
	})
	return d
}

// find is the ID of a package under a path, of those that the package depends on; "" if it is none.
func (r *doubtReader) find(path string) (string, error) {
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
			if p != nil && !p.Standard {
				next = append(next, p.Dependencies()...)
			}
		}
		queue = next
	}
	return "", nil
}

var fileDoubts = runtime.NewQuery("golang/doubt", version(1), func(t *runtime.Task, uri string) (syntax.Doubt, error) {
	s, err := shapes.Get(t, uri)
	return s.Doubt, err
})

var doubts = runtime.NewQuery("golang/doubts", version(1), doubtsOf)
