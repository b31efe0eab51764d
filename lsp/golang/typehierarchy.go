package golang

import (
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
)

// Types implements lsp.TypeHierarchy.
func (w *workspace) Types(t *runtime.Task, uri string, offset int) (list []lsp.HierarchyItem, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		return eachPlace(src, uri, offset, namesIn(src, uri), func(at place) (bool, error) {
			f, ok, err := resolve(src, at, at.occs[0])
			if err != nil || !ok {
				return false, err
			}
			item := hierarchyItem(&f)
			switch f.Kind {
			case lsp.KindInterface:
			case lsp.KindStruct, lsp.KindClass:
				item.Kind = lsp.KindClass
			default:
				return false, nil
			}
			list = []lsp.HierarchyItem{item}
			return true, nil
		})
	})
	return list, err
}

// hierarchyItem is a declaration as an item of a hierarchy.
func hierarchyItem(f *found) lsp.HierarchyItem {
	return lsp.HierarchyItem{Name: f.Name, Detail: f.pkg.Path, Kind: f.Kind, At: f.location()}
}

// Supertypes implements lsp.TypeHierarchy.
func (w *workspace) Supertypes(t *runtime.Task, uri string, offset int) ([]lsp.HierarchyItem, error) {
	return w.kinItems(t, uri, offset, implemented)
}

// Subtypes implements lsp.TypeHierarchy.
func (w *workspace) Subtypes(t *runtime.Task, uri string, offset int) ([]lsp.HierarchyItem, error) {
	return w.kinItems(t, uri, offset, implementing)
}

func (w *workspace) kinItems(t *runtime.Task, uri string, offset int, r relation) (list []lsp.HierarchyItem, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	own := ""
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		a, err := askedAt(src, uri, offset)
		if err != nil {
			return err
		}
		own = files.DirURI(a.self.URI)
		found, err := w.kinEverywhere(src, a, r)
		for _, k := range found {
			item := lsp.HierarchyItem{Name: k.set.Name, Detail: k.pkg.Path, Kind: lsp.KindClass, At: k.at}
			if k.set.Interface {
				item.Kind = lsp.KindInterface
			}
			list = append(list, item)
		}
		return err
	})
	// What lies beside the type is nearest to whoever asks.
	slices.SortFunc(list, func(a, b lsp.HierarchyItem) int {
		if beside := files.DirURI(a.At.URI) == own; beside != (files.DirURI(b.At.URI) == own) {
			if beside {
				return -1
			}
			return 1
		}
		return a.At.Compare(b.At)
	})
	return slices.CompactFunc(list, func(a, b lsp.HierarchyItem) bool { return a.At == b.At }), err
}
