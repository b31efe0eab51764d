package tree

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
)

// foundMax is how many symbols a search has if nobody says.
const foundMax = 100

// FindSymbols implements lsp.Workspace: the letters of the query occur in the name, in their order,
// whatever their case. Names that begin with the query come first, then those that hold it, then
// shorter ones.
func (w *Tree) FindSymbols(t *runtime.Task, query string, limit int) (found []lsp.SymbolMatch, err error) {
	if limit <= 0 {
		limit = foundMax
	}
	query = strings.ToLower(query)
	err = w.Ask(t, func(t *runtime.Task) error {
		all, err := w.Files(t)
		if err != nil {
			return err
		}
		for _, uri := range all {
			list, err := w.o.Symbols(t, uri)
			if err != nil {
				return err
			}
			container := strings.TrimPrefix(files.PathOf(uri), w.root)
			found = append(found, matches(list, query, uri, strings.Trim(strings.ReplaceAll(container, `\`, "/"), "/"))...)
		}
		return nil
	})
	slices.SortStableFunc(found, func(a, b lsp.SymbolMatch) int {
		return cmp.Or(-cmp.Compare(a.Score, b.Score), strings.Compare(a.Name, b.Name))
	})
	return found[:min(limit, len(found))], err
}

// matches are the symbols that fit, with those inside them.
func matches(list []lsp.Symbol, query, uri, container string) (found []lsp.SymbolMatch) {
	for _, s := range list {
		if score := score(strings.ToLower(s.Name), query); score > 0 {
			found = append(found, lsp.SymbolMatch{
				Name: s.Name, Container: container, Kind: s.Kind, Location: lsp.Location{URI: uri, Span: s.NameSpan}, Score: score,
			})
		}
		found = append(found, matches(s.Children, query, uri, s.Name)...)
	}
	return found
}

// score rates a name, greater is better; 0 means that it does not fit.
func score(name, query string) float64 {
	rest := name
	for _, r := range query {
		i := strings.IndexRune(rest, r)
		if i < 0 {
			return 0
		}
		rest = rest[i+len(string(r)):]
	}
	rate := 1 / float64(1+len(name))
	switch {
	case strings.HasPrefix(name, query):
		rate += 2
	case strings.Contains(name, query):
		rate++
	}
	return rate
}
