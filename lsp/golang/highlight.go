package golang

import (
	"cmp"
	"errors"
	"go/ast"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/flow"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// Highlight implements lsp.Highlighter.
func (w *workspace) Highlight(t *runtime.Task, uri string, offset int) (list []lsp.Highlight, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		src := taskSource{t, root}
		if syntax.IsAssembly(uri) {
			list, err = assemblyHighlight(src, uri, offset)
			return err
		}
		list, err = highlight(src, uri, offset)
		if noSymbol := errors.Is(err, lsp.ErrNoSymbol); err != nil && !noSymbol || !syntax.IsGoFile(uri) {
			return err
		}
		tree, textErr := treeOf(src, uri)
		if textErr != nil {
			return textErr
		}
		var more []lsp.Highlight
		for _, span := range flow.Related(tree, offset) {
			more = append(more, lsp.Highlight{Span: span, Kind: lsp.HighlightText})
		}
		if flow.Formatting(tree, offset) {
			pairs, err := formatPairs(src, tree, offset)
			if err != nil {
				return err
			}
			more = append(pairs, more...)
		}
		if list = mergeHighlights(more, list); len(list) > 0 {
			return nil
		}
		return err
	})
	return list, err
}

// mergeHighlights sorts highlights by place. Of those at one place the first counts.
func mergeHighlights(lists ...[]lsp.Highlight) (all []lsp.Highlight) {
	had := map[lsp.Span]bool{}
	for _, h := range slices.Concat(lists...) {
		if !had[h.Span] {
			had[h.Span] = true
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b lsp.Highlight) int {
		return lsp.Location{Span: a.Span}.Compare(lsp.Location{Span: b.Span})
	})
	return all
}

// formatPairs are the directives and operands of format strings that belong to an offset.
func formatPairs(src taskSource, t *syntax.Tree, offset int) (list []lsp.Highlight, err error) {
	owners, err := ownersOf(src, t.URI)
	if err != nil || len(owners) == 0 {
		return nil, err
	}
	err = viewPackage(src, owners[0].ID, check.Sight{URI: t.URI, Offset: offset, Bodies: check.BodyAt, Apart: true}, func(v *view) error {
		for _, c := range check.FormatCallsAt(v.View, offset) {
			list = append(list, flow.Pairs(v.File, c.Format, c.Operands, offset)...)
		}
		return nil
	})
	if errors.Is(err, lsp.ErrNoSymbol) || errors.Is(err, check.ErrUnfit) {
		err = nil
	}
	return list, err
}

// highlight lists the places of a file that name what stands at an offset.
func highlight(src source, uri string, offset int) (list []lsp.Highlight, err error) {
	t, err := treeOf(src, uri)
	if err != nil {
		return nil, err
	}
	err = eachPlace(src, uri, offset, namesIn(src, uri), func(at place) (bool, error) {
		list, err = highlightPlace(src, at, t)
		return true, err
	})
	if errors.Is(err, lsp.ErrNoSymbol) {
		if unknown := highlightUnknown(src, t, offset); len(unknown) > 0 {
			return unknown, nil
		}
	}
	return list, err
}

// declaring is the occurrence of those at one place that declares something, or else the first:
// of an embedded field the field, of an import the name that it brings in.
func declaring(occs []index.Occurrence) index.Occurrence {
	if i := slices.IndexFunc(occs, func(o index.Occurrence) bool { return o.Declares }); i >= 0 {
		return occs[i]
	}
	return occs[0]
}

func highlightPlace(src source, at place, t *syntax.Tree) (list []lsp.Highlight, err error) {
	named := declaring(at.occs)
	spec := importAt(t, named.Span)
	whole := spec != nil && !named.Declares && spec.Name != nil // the path of an import with a name of its own
	if whole {
		start := t.Offset(spec.Name.Pos())
		named.Target, named.IsExternal = at.index.DeclarationAt(at.index.File(t.URI), start), false
	}
	f, known, err := resolve(src, at, named)
	if err != nil {
		return nil, err
	}
	var places []lsp.Span        // that name it
	var group []index.Occurrence // at one place
	end := func() {
		if len(group) == 0 {
			return
		}
		o := declaring(group)
		if o.Target == named.Target && o.IsExternal == named.IsExternal && !(whole && o.Declares) {
			places = append(places, o.Span)
		}
		group = group[:0]
	}
	at.index.Occurrences(at.index.File(t.URI), func(o index.Occurrence) bool {
		if len(group) > 0 && group[0].Span != o.Span {
			end()
		}
		group = append(group, o)
		return true
	})
	end()
	uses := flow.Written(t, places)
	for _, span := range places {
		h := lsp.Highlight{Span: span, Kind: lsp.HighlightText}
		switch use := uses[span.Start]; {
		case use == flow.Write, use == flow.Key && known && f.Kind == lsp.KindField:
			h.Kind = lsp.HighlightWrite
		case use == flow.Parameter:
		case known && (f.Kind == lsp.KindVariable || f.Kind == lsp.KindField):
			h.Kind = lsp.HighlightRead
		}
		if spec := importAt(t, span); spec != nil && spec.Name == nil {
			h.Span = t.Span(spec.Pos(), spec.End())
		}
		list = append(list, h)
	}
	if whole {
		list = append(list, lsp.Highlight{Span: t.Span(spec.Pos(), spec.End()), Kind: lsp.HighlightText})
	}
	return list, nil
}

// importAt is the import whose path stands at a span; nil if there is none.
func importAt(t *syntax.Tree, span lsp.Span) *ast.ImportSpec {
	for _, spec := range t.AST.Imports {
		if spec.Path != nil && t.Span(spec.Path.Pos(), spec.Path.End()) == span {
			return spec
		}
	}
	return nil
}

// highlightUnknown lists the places of a name that nothing declares.
func highlightUnknown(src source, t *syntax.Tree, offset int) (list []lsp.Highlight) {
	p := flow.Path(t, offset)
	if len(p) == 0 {
		return nil
	}
	id, ok := p[len(p)-1].(*ast.Ident)
	if !ok || id.Name == "_" {
		return nil
	}
	owners, err := ownersOf(src, t.URI)
	if err != nil || len(owners) == 0 {
		return nil
	}
	x, err := src.names(owners[0], t.URI)
	if err != nil {
		return nil
	}
	known := map[int]bool{}
	x.Occurrences(x.File(t.URI), func(o index.Occurrence) bool {
		known[o.Span.Start] = true
		return true
	})
	var places []lsp.Span
	ast.Inspect(t.AST, func(n ast.Node) bool {
		if other, ok := n.(*ast.Ident); ok && other.Name == id.Name && !known[t.Offset(other.Pos())] {
			places = append(places, t.Span(other.Pos(), other.End()))
		}
		return true
	})
	slices.SortFunc(places, func(a, b lsp.Span) int { return cmp.Compare(a.Start, b.Start) })
	uses := flow.Written(t, places)
	for _, span := range places {
		h := lsp.Highlight{Span: span, Kind: lsp.HighlightText}
		if uses[span.Start] == flow.Write {
			h.Kind = lsp.HighlightWrite
		}
		list = append(list, h)
	}
	return list
}

// assemblyHighlight lists the places of a file of the assembler that name what stands at an offset.
func assemblyHighlight(src source, uri string, offset int) (list []lsp.Highlight, err error) {
	u, all, err := assemblyUseAt(src, uri, offset)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if !all[i].Means(&u) {
			continue
		}
		kind := lsp.HighlightRead
		if all[i].Writes {
			kind = lsp.HighlightWrite
		}
		list = append(list, lsp.Highlight{Span: all[i].Span, Kind: kind})
	}
	return list, nil
}
