package golang

import (
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/runtime"
)

// Highlight implements lsp.Highlighter.
func (w *workspace) Highlight(t *runtime.Task, uri string, offset int) (list []lsp.Highlight, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		list, err = highlight(taskSource{t, root}, uri, offset)
		return err
	})
	return list, err
}

// highlight lists the places of a file that name what stands at an offset.
func highlight(src source, uri string, offset int) (list []lsp.Highlight, err error) {
	err = eachPlace(src, uri, offset, namesIn(src, uri), func(at place) (bool, error) {
		at.index.Occurrences(at.index.File(uri), func(o index.Occurrence) bool {
			if slices.ContainsFunc(at.occs, func(named index.Occurrence) bool {
				return o.Target == named.Target && o.IsExternal == named.IsExternal
			}) {
				h := lsp.Highlight{Span: o.Span, Kind: lsp.HighlightRead}
				if o.Declares {
					h.Kind = lsp.HighlightWrite
				}
				list = append(list, h)
			}
			return true
		})
		return true, nil
	})
	return list, err
}
