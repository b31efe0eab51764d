package tree

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// At asks about the name at an offset of a file, as Ask does. It fails with lsp.ErrNoSymbol where
// there is none.
func (w *Tree) At(t *runtime.Task, uri string, offset int, fn func(t *runtime.Task, uri string, o lsp.Occurrence) error) error {
	uri, err := w.inside(uri)
	if err != nil {
		return err
	}
	return w.Ask(t, func(t *runtime.Task) error {
		list, err := w.o.Occurrences(t, uri)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(o lsp.Occurrence) bool { return o.Span.Contains(offset) })
		if i < 0 {
			return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
		}
		return fn(t, uri, list[i])
	})
}

// occurrences lists those in all files that fit, in order.
func (w *Tree) occurrences(t *runtime.Task, fits func(o lsp.Occurrence) bool) (list []lsp.Location, err error) {
	all, err := w.Files(t)
	for _, uri := range all {
		in, err := w.o.Occurrences(t, uri)
		if err != nil {
			return nil, err
		}
		for _, o := range in {
			if fits(o) {
				list = append(list, lsp.Location{URI: uri, Span: o.Span})
			}
		}
	}
	slices.SortFunc(list, lsp.Location.Compare)
	return list, err
}

// Definition implements lsp.Workspace.
func (w *Tree) Definition(t *runtime.Task, uri string, offset int) (list []lsp.Location, err error) {
	err = w.At(t, uri, offset, func(t *runtime.Task, _ string, at lsp.Occurrence) error {
		if strings.HasPrefix(at.Symbol, w.prefix) {
			if there, err := Has(t, at.Symbol); err != nil || there {
				list = []lsp.Location{{URI: at.Symbol}}
				return err
			}
		}
		list, err = w.occurrences(t, func(o lsp.Occurrence) bool { return o.Declares && o.Symbol == at.Symbol })
		return err
	})
	return list, err
}

// References implements lsp.Workspace.
func (w *Tree) References(t *runtime.Task, uri string, offset int, declaration bool) (list []lsp.Location, err error) {
	err = w.At(t, uri, offset, func(t *runtime.Task, _ string, at lsp.Occurrence) error {
		list, err = w.occurrences(t, func(o lsp.Occurrence) bool { return o.Symbol == at.Symbol && (declaration || !o.Declares) })
		return err
	})
	return list, err
}

// Highlight implements lsp.Highlighter.
func (w *Tree) Highlight(t *runtime.Task, uri string, offset int) (list []lsp.Highlight, err error) {
	err = w.At(t, uri, offset, func(t *runtime.Task, uri string, at lsp.Occurrence) error {
		all, err := w.o.Occurrences(t, uri)
		for _, o := range all {
			if o.Symbol != at.Symbol {
				continue
			}
			kind := lsp.HighlightRead
			if o.Declares {
				kind = lsp.HighlightWrite
			}
			list = append(list, lsp.Highlight{Span: o.Span, Kind: kind})
		}
		return err
	})
	return list, err
}

// Hover implements lsp.Workspace.
func (w *Tree) Hover(t *runtime.Task, uri string, offset int) (h *lsp.Hover, err error) {
	if w.o.Hovers == nil {
		return nil, lsp.ErrNoSymbol
	}
	uri, err = w.inside(uri)
	if err != nil {
		return nil, err
	}
	err = w.Ask(t, func(t *runtime.Task) error {
		list, err := w.o.Hovers(t, uri)
		i := slices.IndexFunc(list, func(h lsp.Hover) bool { return h.Span.Contains(offset) })
		if i < 0 {
			return cmp.Or(err, lsp.ErrNoSymbol)
		}
		h = &list[i]
		return err
	})
	return h, err
}

// RenameTarget implements lsp.Renamer.
func (w *Tree) RenameTarget(t *runtime.Task, uri string, offset int) (span lsp.Span, name string, err error) {
	err = w.At(t, uri, offset, func(t *runtime.Task, uri string, o lsp.Occurrence) error {
		if strings.HasPrefix(o.Symbol, w.prefix) && w.o.Handles(o.Symbol) {
			return &lsp.RefusedError{Reason: "it is the name of a file"}
		}
		text, err := Text(t, uri)
		if err == nil {
			span, name = o.Span, string(text[o.Span.Start:o.Span.End])
		}
		return err
	})
	return span, name, err
}

// Rename implements lsp.Renamer.
func (w *Tree) Rename(t *runtime.Task, uri string, offset int, name string) (*lsp.WorkspaceEdit, error) {
	if _, _, err := w.RenameTarget(t, uri, offset); err != nil {
		return nil, err
	}
	places, err := w.References(t, uri, offset, true)
	if err == nil && w.o.CheckName != nil {
		err = w.Ask(t, func(t *runtime.Task) error { return w.o.CheckName(t, places, name) })
	}
	if err != nil {
		return nil, err
	}
	var out lsp.WorkspaceEdit
	for _, at := range places { // sorted by file
		if n := len(out.Files); n == 0 || out.Files[n-1].URI != at.URI {
			out.Files = append(out.Files, lsp.FileEdit{URI: at.URI})
		}
		f := &out.Files[len(out.Files)-1]
		f.Edits = append(f.Edits, lsp.TextEdit{Span: at.Span, NewText: name})
	}
	return &out, nil
}
