package tree

import (
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// Recorded answers an option from what somebody has written to a standard partition.
func Recorded[T any](p *runtime.Partition[partition.Record[T]]) func(t *runtime.Task, uri string) ([]T, error) {
	return func(t *runtime.Task, uri string) ([]T, error) {
		text, err := Text(t, uri)
		if err != nil {
			return nil, err
		}
		return partition.Recorded(t, p, uri, lsp.DigestOf(text))
	}
}

// Part answers an option with a part of what a query knows of a file.
func Part[A, T any](q *runtime.Query[string, A], of func(A) []T) func(t *runtime.Task, uri string) ([]T, error) {
	return func(t *runtime.Task, uri string) ([]T, error) {
		all, err := q.Get(t, uri)
		return of(all), err
	}
}

// A Linked is a Tree that finds its links in the standard partition.
type Linked struct{ *Tree }

// Links implements lsp.Linker.
func (w Linked) Links(t *runtime.Task, uri string) (list []lsp.Link, err error) {
	uri, err = w.inside(uri)
	if err != nil {
		return nil, err
	}
	err = w.Ask(t, func(t *runtime.Task) error { list, err = Recorded(partition.Links)(t, uri); return err })
	return list, err
}
